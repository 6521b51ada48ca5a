# SPDX-License-Identifier: Apache-2.0
"""The one error of this room.

A figure that cannot be computed from sound data is no error: it is a
:class:`~countermark.statistics.estimate.NotComputable`, which is a result.
"""


class StatisticsError(ValueError):
    """Input that no statistic may be computed from, or a setting that makes no sense.

    The message says what is wrong and what to do.
    """
