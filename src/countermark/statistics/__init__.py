# SPDX-License-Identifier: Apache-2.0
"""What the numbers of a joint test show: arrays in, estimates out.

numpy and scipy only; no other room is imported. Equal input gives bit-equal output on one machine.
Method and assumptions: ``docs/statistics.md``.
"""

from countermark.statistics.agreement import Agreement, Coefficient, agreement, interval_alpha
from countermark.statistics.arms import Arm, ArmContrast, LabContrast, designed_arms
from countermark.statistics.attribution import (
    Effect,
    FactorEffect,
    FactorShare,
    LabExplanation,
    LabFactor,
    Shares,
    explain_labs,
)
from countermark.statistics.bootstrap import (
    Bootstrap,
    Replicates,
    bootstrap,
    bootstrapped,
    pigeonhole,
)
from countermark.statistics.choice import Choice, choose
from countermark.statistics.confusion import Confusion, LevelConfusion, Share, confusion
from countermark.statistics.consensus import (
    Consensus,
    ConsensusInterval,
    Heterogeneity,
    MetaRegression,
    ModeratorEffect,
    consensus,
    meta_regression,
)
from countermark.statistics.correction import Correction, Judge, Validity, correct, judge
from countermark.statistics.covariance import LabMeans, lab_means
from countermark.statistics.crossed import crossed
from countermark.statistics.crossing import Crossing
from countermark.statistics.elicitation import Better, Chosen, Gap, LabGap, elicitation_gaps
from countermark.statistics.equivalence import (
    Equivalence,
    LeftOut,
    RobustEquivalence,
    RobustStanding,
    Signal,
    equivalence,
    leave_one_out,
    robust_equivalence,
)
from countermark.statistics.errors import StatisticsError
from countermark.statistics.estimate import (
    Components,
    Counts,
    Estimand,
    Estimate,
    Judged,
    NotComputable,
    bound,
)
from countermark.statistics.exceedance import Confidence, exceedance
from countermark.statistics.grid import Dense, Grid, Group
from countermark.statistics.heterogeneity import HeterogeneityMethod
from countermark.statistics.identifiability import (
    AliasSet,
    Factor,
    Identifiability,
    Status,
    identifiability,
)
from countermark.statistics.intervals import Interval, clopper_pearson, wilson, zero_event_upper
from countermark.statistics.languages import (
    Family,
    LanguageComparison,
    LanguageResult,
    Tested,
    Verdict,
    Worse,
    compare_languages,
)
from countermark.statistics.multiplicity import benjamini_hochberg, holm
from countermark.statistics.paired import Difference, difference
from countermark.statistics.precision import FTest, Mandel, Precision, precision
from countermark.statistics.rates import (
    Compared,
    NewLab,
    NoEvents,
    Rates,
    Reading,
    effective_items,
    new_lab,
    rates,
)
from countermark.statistics.ratings import Ratings
from countermark.statistics.rectification import (
    Labelled,
    Rectification,
    Rectifier,
    Sampling,
    rectify,
)
from countermark.statistics.rejudging import JudgeRepeatability, judge_repeatability
from countermark.statistics.resampling import Resampling
from countermark.statistics.robust import RobustMean, algorithm_a
from countermark.statistics.rounding import agree, significant
from countermark.statistics.scale import BINARY, Scale
from countermark.statistics.sensitivity import (
    Case,
    Flip,
    NamedEstimate,
    Sensitivity,
    cases,
    sensitivity,
)
from countermark.statistics.threshold import Decision, Direction, Guard, Outcome, decide

__all__ = [
    "BINARY",
    "Agreement",
    "AliasSet",
    "Arm",
    "ArmContrast",
    "Better",
    "Bootstrap",
    "Case",
    "Choice",
    "Chosen",
    "Coefficient",
    "Compared",
    "Components",
    "Confidence",
    "Confusion",
    "Consensus",
    "ConsensusInterval",
    "Correction",
    "Counts",
    "Crossing",
    "Decision",
    "Dense",
    "Difference",
    "Direction",
    "Effect",
    "Equivalence",
    "Estimand",
    "Estimate",
    "FTest",
    "Factor",
    "FactorEffect",
    "FactorShare",
    "Family",
    "Flip",
    "Gap",
    "Grid",
    "Group",
    "Guard",
    "Heterogeneity",
    "HeterogeneityMethod",
    "Identifiability",
    "Interval",
    "Judge",
    "JudgeRepeatability",
    "Judged",
    "LabContrast",
    "LabExplanation",
    "LabFactor",
    "LabGap",
    "LabMeans",
    "Labelled",
    "LanguageComparison",
    "LanguageResult",
    "LeftOut",
    "LevelConfusion",
    "Mandel",
    "MetaRegression",
    "ModeratorEffect",
    "NamedEstimate",
    "NewLab",
    "NoEvents",
    "NotComputable",
    "Outcome",
    "Precision",
    "Rates",
    "Ratings",
    "Reading",
    "Rectification",
    "Rectifier",
    "Replicates",
    "Resampling",
    "RobustEquivalence",
    "RobustMean",
    "RobustStanding",
    "Sampling",
    "Scale",
    "Sensitivity",
    "Share",
    "Shares",
    "Signal",
    "StatisticsError",
    "Status",
    "Tested",
    "Validity",
    "Verdict",
    "Worse",
    "agree",
    "agreement",
    "algorithm_a",
    "benjamini_hochberg",
    "bootstrap",
    "bootstrapped",
    "bound",
    "cases",
    "choose",
    "clopper_pearson",
    "compare_languages",
    "confusion",
    "consensus",
    "correct",
    "crossed",
    "decide",
    "designed_arms",
    "difference",
    "effective_items",
    "elicitation_gaps",
    "equivalence",
    "exceedance",
    "explain_labs",
    "holm",
    "identifiability",
    "interval_alpha",
    "judge",
    "judge_repeatability",
    "lab_means",
    "leave_one_out",
    "meta_regression",
    "new_lab",
    "pigeonhole",
    "precision",
    "rates",
    "rectify",
    "robust_equivalence",
    "sensitivity",
    "significant",
    "wilson",
    "zero_event_upper",
]
