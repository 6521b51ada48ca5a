# SPDX-License-Identifier: Apache-2.0
"""What the numbers of a joint test show: arrays in, estimates out.

numpy and scipy only; no other room is imported. Equal input gives bit-equal output on one machine.
Method and assumptions: ``docs/statistics.md``.
"""

from countermark.statistics.consensus import (
    Coefficient,
    Consensus,
    ConsensusInterval,
    Heterogeneity,
    MetaRegression,
    consensus,
    meta_regression,
)
from countermark.statistics.correction import Correction, Judge, Validity, correct, judge
from countermark.statistics.covariance import LabMeans, lab_means
from countermark.statistics.crossed import crossed
from countermark.statistics.crossing import Crossing
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
from countermark.statistics.grid import Dense, Grid, Group
from countermark.statistics.heterogeneity import HeterogeneityMethod
from countermark.statistics.intervals import Interval, clopper_pearson, wilson, zero_event_upper
from countermark.statistics.precision import FTest, Mandel, Precision, precision
from countermark.statistics.robust import RobustMean, algorithm_a
from countermark.statistics.rounding import agree, significant
from countermark.statistics.scale import BINARY, Scale
from countermark.statistics.threshold import Decision, Direction, Outcome, decide

__all__ = [
    "BINARY",
    "Coefficient",
    "Components",
    "Consensus",
    "ConsensusInterval",
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
    "Heterogeneity",
    "HeterogeneityMethod",
    "Interval",
    "Judge",
    "Judged",
    "LabMeans",
    "LeftOut",
    "Mandel",
    "MetaRegression",
    "NotComputable",
    "Outcome",
    "Precision",
    "RobustEquivalence",
    "RobustMean",
    "RobustStanding",
    "Scale",
    "Signal",
    "StatisticsError",
    "Validity",
    "agree",
    "algorithm_a",
    "bound",
    "clopper_pearson",
    "consensus",
    "correct",
    "crossed",
    "decide",
    "equivalence",
    "judge",
    "lab_means",
    "leave_one_out",
    "meta_regression",
    "precision",
    "robust_equivalence",
    "significant",
    "wilson",
    "zero_event_upper",
]
