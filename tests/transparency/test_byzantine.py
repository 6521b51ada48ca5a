# SPDX-License-Identifier: Apache-2.0
"""Witnesses and a log that lie together: how many it takes, and that fewer never do.

Of n witnesses that count, k are a quorum. A log that shows two histories needs a quorum for each.
Honest witnesses cosign one of them, by the rules of tlog-witness; liars cosign both. So it takes
2k - n liars, and with none fewer two readers never accept two trees. A false tree that no honest
witness was ever shown takes k.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from countermark.signing.quorum import Policy, k_of_n_policy, parse_policy
from countermark.transparency.checkpoint import Checkpoint, sign_checkpoint
from countermark.transparency.cosignature import cosign, verify_cosignature
from countermark.transparency.note import Note, NoteSigner, SignatureLine
from countermark.transparency.tree import consistency_proof, leaf_hash, root_hash
from countermark.transparency.verify import verify_statement
from countermark.transparency.witness import AddCheckpoint, WitnessState, consider
from tests.transparency.conftest import Network, private, run_plan

DAY = timedelta(days=1)
LOG = NoteSigner("liar.example/log", private("liar log"))
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
COMMON = [leaf_hash(b"common %d" % i) for i in range(3)]
FORKS = {name: [*COMMON, *(leaf_hash(b"%c %d" % (name, i)) for i in range(2))] for name in b"AB"}


@dataclass
class Witness:
    """A witness that keeps the rules, or one that signs what it is told to."""

    signer: NoteSigner
    honest: bool
    state: WitnessState | None = None

    def asked(self, leaves: list[bytes]) -> SignatureLine | None:
        note = signed(leaves)
        if not self.honest:
            return cosign(note.text, self.signer, NOON)
        old = self.state.size if self.state else 0
        proof = consistency_proof(leaves, old) if 0 < old <= len(leaves) else ()
        body = AddCheckpoint(old, proof, note).to_bytes()
        verdict = consider(body, {LOG.name: LOG.log_key}, lambda _: self.state)
        if verdict.status != 200:
            return None
        self.state = verdict.state
        return cosign(note.text, self.signer, NOON)


@dataclass
class World:
    """A lying log among n witnesses, the first so many of them its friends; k are a quorum."""

    n: int
    k: int
    liars: int
    witnesses: list[Witness] = field(default_factory=list)

    def __post_init__(self) -> None:
        for i in range(self.n):
            signer = NoteSigner(f"w{i}.example/witness", private(f"w{i}"))
            self.witnesses.append(Witness(signer, honest=i >= self.liars))

    @property
    def policy(self) -> Policy:
        keys = [witness.signer.witness_key for witness in self.witnesses]
        return parse_policy(k_of_n_policy([LOG.log_key], keys, self.k).encode())

    def accepted(self, leaves: list[bytes], lines: dict[str, SignatureLine]) -> bool:
        """What a reader makes of a tree and the cosignatures that it is shown."""
        text = signed(leaves).text
        names = [
            name
            for witness in self.witnesses
            if (name := witness.signer.name) in lines
            and verify_cosignature(lines[name], witness.signer.witness_key, text)
        ]
        return self.policy.met_by(names)


def signed(leaves: list[bytes]) -> Note:
    return sign_checkpoint(Checkpoint(LOG.name, len(leaves), root_hash(leaves)), LOG)


def gathered(world: World, schedule: list[tuple[int, int]]) -> dict[int, dict[str, SignatureLine]]:
    """Ask witnesses for forks in some order; every line that the log ever gets."""
    lines: dict[int, dict[str, SignatureLine]] = {fork: {} for fork in FORKS}
    for index, fork in schedule:
        witness = world.witnesses[index % world.n]
        line = witness.asked(FORKS[fork])
        if line is not None:
            lines[fork][witness.signer.name] = line
    return lines


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_with_fewer_than_2k_minus_n_liars_no_two_readers_accept_two_trees(
    data: st.DataObject,
) -> None:
    n = data.draw(st.integers(1, 7), label="n")
    k = data.draw(st.integers(n // 2 + 1, n), label="k")
    world = World(n, k, data.draw(st.integers(0, 2 * k - n - 1), label="liars"))
    ask = st.tuples(st.integers(0, n - 1), st.sampled_from(sorted(FORKS)))
    lines = gathered(world, data.draw(st.lists(ask, max_size=40)))
    accepted = [fork for fork in FORKS if world.accepted(FORKS[fork], lines[fork])]
    assert len(accepted) <= 1


@pytest.mark.parametrize(("n", "k"), [(3, 2), (4, 3), (7, 5), (10, 6)])
def test_it_takes_that_many_and_no_more(n: int, k: int) -> None:
    """The bound is sharp: the liars show each half of the honest another tree."""
    for liars, two in ((2 * k - n - 1, False), (2 * k - n, True)):
        world = World(n, k, liars)
        honest = n - liars
        schedule = [(i, fork) for i in range(liars) for fork in FORKS]
        schedule += [(liars + i, b"AB"[i >= honest // 2]) for i in range(honest)]
        lines = gathered(world, schedule)
        assert all(world.accepted(FORKS[fork], lines[fork]) for fork in FORKS) == two


@pytest.mark.parametrize(("n", "k"), [(3, 2), (7, 5)])
def test_a_tree_that_no_honest_witness_saw_takes_k_liars(n: int, k: int) -> None:
    for liars in range(n + 1):
        world = World(n, k, liars)
        lines = gathered(world, [(i, ord("A")) for i in range(liars)])
        assert world.accepted(FORKS[ord("A")], lines[ord("A")]) == (liars >= k)


def test_an_honest_witness_does_not_go_back() -> None:
    world = World(1, 1, 0)
    (witness,) = world.witnesses
    assert witness.asked(FORKS[ord("A")]) is not None
    assert witness.asked(COMMON) is None
    assert witness.asked(FORKS[ord("B")]) is None
    assert witness.asked(FORKS[ord("A")]) is not None


def test_fewer_than_a_quorum_and_the_author_itself_make_no_statement(network: Network) -> None:
    """In a whole statement file: the author, its own witness and one more are not two others."""
    for helpers in ((), ("UK",), ("JP",), ("JP", "UK")):
        forged = network.publish("UK", run_plan(), witnesses=helpers)
        assert not verify_statement(forged.to_bytes(), network.roster, NOON + DAY).valid
    real = network.publish("UK", run_plan(), witnesses=("JP", "KE"))
    assert verify_statement(real.to_bytes(), network.roster, NOON + DAY).valid
