# SPDX-License-Identifier: Apache-2.0
"""Whether the cosignatures on a checkpoint are enough.

1. Only rostered witnesses count, each once, with a key that was valid when it cosigned.
2. The witness of the party that runs the log never counts for that log.
3. The witnessed time is the median of the counted times. Of two middle ones it is the later, so
   that an early clock alone never makes a statement older.
4. What counts must meet the quorum policy (C2SP tlog-policy) in force at the witnessed time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median_high

from countermark.signing.party import Party, WitnessKey
from countermark.signing.quorum import Policy
from countermark.signing.roster import Roster
from countermark.transparency.cosignature import Cosignature, verify_cosignature
from countermark.transparency.note import SignatureLine


@dataclass(frozen=True, slots=True)
class Sighting:
    """A verified cosignature of a rostered witness.

    Parameters
    ----------
    party, key
        Whose it is, and by which of its keys.
    cosignature
        Who saw the checkpoint, and when.
    """

    party: Party
    key: WitnessKey
    cosignature: Cosignature

    @property
    def in_time(self) -> bool:
        """The party was a witness, and the key valid, when it cosigned."""
        at = self.cosignature.time
        return self.key.valid_at(at) and "witness" in self.party.roles_at(at)


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
    policy
        The policy that was asked, or nothing if none was in force.
    """

    met: bool
    counted: tuple[str, ...]
    own: str | None
    witnessed: datetime | None
    policy: Policy | None


def sighting(line: SignatureLine, text: str, roster: Roster) -> Sighting | None:
    """Return the cosignature in a line if it verifies and its key is, or was, in the roster."""
    known = roster.witness_key(line.name, line.key_id)
    if known is None:
        return None
    party, key = known
    cosignature = verify_cosignature(line, key.key, text)
    return None if cosignature is None else Sighting(party, key, cosignature)


def judge_quorum(roster: Roster, origin: str, sightings: Sequence[Sighting]) -> QuorumVerdict:
    """Judge the verified cosignatures on a checkpoint of the log ``origin``."""
    author = roster.by_origin(origin)
    timely = {one.key.name: one for one in sightings if one.in_time}
    own = next((name for name, one in timely.items() if one.party is author), None)
    counted = tuple(sorted(name for name in timely if name != own))
    witnessed = None
    if counted:
        middle = median_high([timely[name].cosignature.seconds for name in counted])
        witnessed = datetime.fromtimestamp(middle, UTC)
    # With nobody to say when, no policy was in force.
    policy = roster.policy_at(witnessed) if witnessed else None
    keys = {timely[name].key.vkey for name in counted}
    names = [w.name for w in policy.witnesses if w.key.text in keys] if policy else []
    met = policy is not None and policy.met_by(names)
    return QuorumVerdict(met, counted, own, witnessed, policy)
