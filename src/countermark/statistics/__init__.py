# SPDX-License-Identifier: Apache-2.0
"""What the numbers of a joint test show: arrays in, estimates out.

numpy and scipy only; no other room is imported. Equal input gives bit-equal output on one machine.
Method and assumptions: ``docs/statistics.md``.
"""

from countermark.statistics.bootstrap import (
    Bootstrap,
    Replicates,
    bootstrap,
    pigeonhole,
    summary,
)
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
from countermark.statistics.grid import Dense, Grid, Group
from countermark.statistics.intervals import Interval, clopper_pearson, wilson, zero_event_upper
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
from countermark.statistics.rounding import agree, significant
from countermark.statistics.scale import BINARY, Scale
from countermark.statistics.threshold import Decision, Direction, Outcome, decide

__all__ = [
    "BINARY",
    "Bootstrap",
    "Compared",
    "Components",
    "Correction",
    "Counts",
    "Crossing",
    "Decision",
    "Dense",
    "Direction",
    "Equivalence",
    "Estimand",
    "Estimate",
    "FTest",
    "Grid",
    "Group",
    "Interval",
    "Judge",
    "Judged",
    "LeftOut",
    "Mandel",
    "NewLab",
    "NoEvents",
    "NotComputable",
    "Outcome",
    "Precision",
    "Rates",
    "Reading",
    "Replicates",
    "Scale",
    "StatisticsError",
    "Validity",
    "agree",
    "bootstrap",
    "bound",
    "clopper_pearson",
    "correct",
    "crossed",
    "decide",
    "effective_items",
    "equivalence",
    "judge",
    "leave_one_out",
    "new_lab",
    "pigeonhole",
    "precision",
    "rates",
    "significant",
    "summary",
    "wilson",
    "zero_event_upper",
]
