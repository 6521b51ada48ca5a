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
from countermark.statistics.designs import (
    Chances,
    Expected,
    Question,
    Size,
    expected_interval,
    mean_variance,
    outcome_chances,
)
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
from countermark.statistics.planning import (
    Addition,
    Costs,
    HalfWidth,
    NextRun,
    Plan,
    Power,
    ZeroEvents,
    items_needed,
    items_without_events,
    next_best_run,
    plan,
)
from countermark.statistics.power import Simulated, simulate_power
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
from countermark.statistics.sequential import (
    Anytime,
    ConfidenceSequence,
    anytime,
    confidence_sequence,
)
from countermark.statistics.threshold import Decision, Direction, Guard, Outcome, decide
from countermark.statistics.variances import Assumed, Variances

__all__ = [
    "BINARY",
    "Addition",
    "Agreement",
    "AliasSet",
    "Anytime",
    "Arm",
    "ArmContrast",
    "Assumed",
    "Better",
    "Bootstrap",
    "Case",
    "Chances",
    "Choice",
    "Chosen",
    "Coefficient",
    "Compared",
    "Components",
    "Confidence",
    "ConfidenceSequence",
    "Confusion",
    "Consensus",
    "ConsensusInterval",
    "Correction",
    "Costs",
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
    "Expected",
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
    "HalfWidth",
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
    "NextRun",
    "NoEvents",
    "NotComputable",
    "Outcome",
    "Plan",
    "Power",
    "Precision",
    "Question",
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
    "Simulated",
    "Size",
    "StatisticsError",
    "Status",
    "Tested",
    "Validity",
    "Variances",
    "Verdict",
    "Worse",
    "ZeroEvents",
    "agree",
    "agreement",
    "algorithm_a",
    "anytime",
    "benjamini_hochberg",
    "bootstrap",
    "bootstrapped",
    "bound",
    "cases",
    "choose",
    "clopper_pearson",
    "compare_languages",
    "confidence_sequence",
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
    "expected_interval",
    "explain_labs",
    "holm",
    "identifiability",
    "interval_alpha",
    "items_needed",
    "items_without_events",
    "judge",
    "judge_repeatability",
    "lab_means",
    "leave_one_out",
    "mean_variance",
    "meta_regression",
    "new_lab",
    "next_best_run",
    "outcome_chances",
    "pigeonhole",
    "plan",
    "precision",
    "rates",
    "rectify",
    "robust_equivalence",
    "sensitivity",
    "significant",
    "simulate_power",
    "wilson",
    "zero_event_upper",
]
