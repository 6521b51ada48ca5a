# SPDX-License-Identifier: Apache-2.0
"""What the numbers of a joint test show: arrays in, estimates out.

numpy and scipy only; no other room is imported. Equal input gives bit-equal output on one machine.
Method and assumptions: ``docs/statistics.md``.
"""

from countermark.statistics.arms import Arm, ArmContrast, LabContrast, designed_arms
from countermark.statistics.attribution import (
    Effect,
    FactorEffect,
    LabExplanation,
    LabFactor,
    Share,
    Shares,
    explain_labs,
)
from countermark.statistics.correction import Correction, Judge, Validity, correct, judge
from countermark.statistics.crossed import crossed
from countermark.statistics.crossing import Crossing
from countermark.statistics.elicitation import (
    Better,
    Chosen,
    Gap,
    LabGap,
    elicitation_gaps,
)
from countermark.statistics.equivalence import Equivalence, LeftOut, equivalence, leave_one_out
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
from countermark.statistics.grid import Dense, Grid, Group
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
from countermark.statistics.rounding import agree, significant
from countermark.statistics.scale import BINARY, Scale
from countermark.statistics.threshold import Decision, Direction, Outcome, decide

__all__ = [
    "BINARY",
    "AliasSet",
    "Arm",
    "ArmContrast",
    "Better",
    "Chosen",
    "Components",
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
    "Family",
    "Gap",
    "Grid",
    "Group",
    "Identifiability",
    "Interval",
    "Judge",
    "Judged",
    "LabContrast",
    "LabExplanation",
    "LabFactor",
    "LabGap",
    "LanguageComparison",
    "LanguageResult",
    "LeftOut",
    "Mandel",
    "NotComputable",
    "Outcome",
    "Precision",
    "Scale",
    "Share",
    "Shares",
    "StatisticsError",
    "Status",
    "Tested",
    "Validity",
    "Verdict",
    "Worse",
    "agree",
    "benjamini_hochberg",
    "bound",
    "clopper_pearson",
    "compare_languages",
    "correct",
    "crossed",
    "decide",
    "designed_arms",
    "difference",
    "elicitation_gaps",
    "equivalence",
    "explain_labs",
    "holm",
    "identifiability",
    "judge",
    "leave_one_out",
    "precision",
    "significant",
    "wilson",
    "zero_event_upper",
]
