# SPDX-License-Identifier: Apache-2.0
"""Whether the cosignatures on a checkpoint are enough, and since when.

1. A cosignature counts if, at its own time, its key was valid, the party was a witness, and the
   quorum policy in force (C2SP tlog-policy) listed that key.
2. The witness of the party that runs the log never counts for that log.
3. The witnessed time is the earliest at which the policy was met: those that count are taken in the
   order of their times; it is the time of the first at which they, up to and with that one, meet
   the policy in force then.
4. Without such a time there is no quorum.

While fewer witnesses lie than a quorum of the policy of the time that they state, one of those that
meet it is honest and says no later time; so nothing looks older than when somebody honest saw it.
And a further cosignature makes the witnessed time earlier or leaves it, and never later.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

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
    """Whether a quorum has cosigned, and since when.

    Parameters
    ----------
    counted
        Names of the witnesses that counted, sorted.
    own
        Name of the log's own witness, if it cosigned; it did not count.
    passed_over
        The other cosignatures that did not count, in the order of their times.
    witnessed
        The witnessed time (UTC), or nothing if the policy was never met.
    policy
        The policy that was asked last, or nothing if no cosignature counted.
    """

    counted: tuple[str, ...]
    own: str | None
    passed_over: tuple[Sighting, ...]
    witnessed: datetime | None
    policy: Policy | None

    @property
    def met(self) -> bool:
        """A quorum has cosigned (rule 4)."""
        return self.witnessed is not None


def sighting(line: SignatureLine, text: str, roster: Roster) -> Sighting | None:
    """Return the cosignature in a line if it verifies and its key is, or was, in the roster."""
    known = roster.witness_key(line.name, line.key_id)
    if known is None:
        return None
    party, key = known
    cosignature = verify_cosignature(line, key.key, text)
    return None if cosignature is None else Sighting(party, key, cosignature)


def judge_quorum(roster: Roster, origin: str, sightings: Sequence[Sighting]) -> QuorumVerdict:
    """Judge the verified cosignatures on a checkpoint of the log ``origin``, in any order."""
    author = roster.by_origin(origin)
    own = next((one.key.name for one in sightings if one.party is author), None)
    others = [one for one in sightings if one.party is not author]
    counting: dict[str, str] = {}
    passed_over: list[Sighting] = []
    witnessed = asked = None
    for one in sorted(others, key=lambda one: one.cosignature.seconds):
        policy = _policy_that_lists(one, roster) if one.in_time else None
        if policy is None:
            passed_over.append(one)
            continue
        counting[one.key.vkey] = one.key.name
        if witnessed is None:
            asked = policy
            names = [w.name for w in policy.witnesses if w.key.text in counting]
            witnessed = one.cosignature.time if policy.met_by(names) else None
    counted = tuple(sorted(set(counting.values())))
    return QuorumVerdict(counted, own, tuple(passed_over), witnessed, asked)


def _policy_that_lists(one: Sighting, roster: Roster) -> Policy | None:
    """Return the policy in force when a witness cosigned, if it lists the key (rule 1)."""
    policy = roster.policy_at(one.cosignature.time)
    known = policy is not None and any(w.key.text == one.key.vkey for w in policy.witnesses)
    return policy if known else None
