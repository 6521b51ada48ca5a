# SPDX-License-Identifier: Apache-2.0
"""Whether the cosignatures on a checkpoint are enough.

1. Only rostered witnesses count, each once.
2. The witness of the party that runs the log never counts for that log.
3. What remains must meet the roster's quorum policy (C2SP tlog-policy).
4. The witnessed time is the median of the counted times. Of two middle ones it is the later, so
   that an early clock alone never makes a statement older.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median_high

from countermark.signing.roster import Roster
from countermark.transparency.cosignature import Cosignature


@dataclass(frozen=True, slots=True)
class QuorumVerdict:
    """Whether a quorum has cosigned.

    Parameters
    ----------
    met
        The policy is met.
    counted
        Names of the witnesses that counted, sorted.
    own
        Name of the log's own witness, if it cosigned; it did not count.
    witnessed
        The witnessed time, or nothing if no witness counted (UTC).
    """

    met: bool
    counted: tuple[str, ...]
    own: str | None
    witnessed: datetime | None


def judge_quorum(roster: Roster, origin: str, cosignatures: Sequence[Cosignature]) -> QuorumVerdict:
    """Judge verified cosignatures on a checkpoint of the log ``origin``."""
    author = roster.by_origin(origin)
    own = author.witness.name if author and author.witness else None
    seconds = {c.witness: c.seconds for c in cosignatures if roster.by_witness(c.witness)}
    counted = tuple(sorted(name for name in seconds if name != own))
    names = {policy_name for name in counted if (policy_name := roster.policy_name(name))}
    middle = median_high([seconds[name] for name in counted]) if counted else None
    return QuorumVerdict(
        roster.policy.met_by(names),
        counted,
        own if own in seconds else None,
        None if middle is None else datetime.fromtimestamp(middle, UTC),
    )
