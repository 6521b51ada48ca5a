# SPDX-License-Identifier: Apache-2.0
"""What the numbers of a joint test show: arrays in, estimates out.

numpy and scipy only; no other room is imported. Equal input gives bit-equal output on one machine.
Method and assumptions: ``docs/statistics.md``.
"""

from countermark.statistics.correction import Correction, Judge, Validity, correct, judge
from countermark.statistics.crossed import crossed
from countermark.statistics.crossing import Crossing
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
from countermark.statistics.exceedance import Confidence, exceedance
from countermark.statistics.intervals import Interval, clopper_pearson, wilson, zero_event_upper
from countermark.statistics.precision import FTest, Mandel, Precision, precision
from countermark.statistics.rounding import agree, significant
from countermark.statistics.sensitivity import Case, Flip, Labelled, Sensitivity, cases, sensitivity
from countermark.statistics.sequential import (
    Anytime,
    ConfidenceSequence,
    anytime,
    confidence_sequence,
)
from countermark.statistics.threshold import Decision, Direction, Guard, Outcome, decide

__all__ = [
    "Anytime",
    "Case",
    "Components",
    "Confidence",
    "ConfidenceSequence",
    "Correction",
    "Counts",
    "Crossing",
    "Decision",
    "Direction",
    "Equivalence",
    "Estimand",
    "Estimate",
    "FTest",
    "Flip",
    "Guard",
    "Interval",
    "Judge",
    "Judged",
    "Labelled",
    "LeftOut",
    "Mandel",
    "NotComputable",
    "Outcome",
    "Precision",
    "Sensitivity",
    "StatisticsError",
    "Validity",
    "agree",
    "anytime",
    "bound",
    "cases",
    "clopper_pearson",
    "confidence_sequence",
    "correct",
    "crossed",
    "decide",
    "equivalence",
    "exceedance",
    "judge",
    "leave_one_out",
    "precision",
    "sensitivity",
    "significant",
    "wilson",
    "zero_event_upper",
]
