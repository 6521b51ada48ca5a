# SPDX-License-Identifier: Apache-2.0
"""Evidence of a fork: made from any two sizes, checked without trust; every byte of it counts."""

from collections.abc import Sequence

import pytest

from countermark.records.canonical import canonical, read_object
from countermark.signing.keys import generate_key
from countermark.signing.vkey import VerifierKey
from countermark.transparency.checkpoint import Checkpoint, sign_checkpoint
from countermark.transparency.equivocation import (
    Equivocation,
    find_equivocation,
    verify_equivocation,
)
from countermark.transparency.note import Note, NoteSigner
from countermark.transparency.tiles import TileReader, plan_append

ORIGIN = "uk.example/log"
SIGNER = NoteSigner(ORIGIN, generate_key())
NEWER = NoteSigner(ORIGIN, generate_key())


class OneLog:
    """As much of a roster as evidence needs: one party whose log had two keys."""

    name = "Institute"
    log_keys: tuple[VerifierKey, ...] = (SIGNER.log_key, NEWER.log_key)

    honest_log_keys = log_keys

    def by_origin(self, origin: str) -> "OneLog | None":
        return self if origin == ORIGIN else None


class Robbed(OneLog):
    """The same log, whose earlier key was stolen and revoked."""

    honest_log_keys = (NEWER.log_key,)


def tree(leaves: Sequence[bytes], signer: NoteSigner = SIGNER) -> tuple[Note, TileReader]:
    plan = plan_append(lambda _: None, 0, leaves)
    note = sign_checkpoint(Checkpoint(signer.name, plan.size, plan.root), signer)
    return note, plan.files.get


def leaves(size: int, bent: int | None = None) -> list[bytes]:
    return [b"other" if index == bent else b"%d" % index for index in range(size)]


def judged(data: bytes) -> tuple[bool, ...]:
    return tuple(check.ok for check in verify_equivocation(data, OneLog()))  # type: ignore[arg-type]


def fork(small: int, large: int, bent: int = 0) -> Equivocation:
    one, _ = tree(leaves(small))
    other, reader = tree(leaves(large, bent))
    found = find_equivocation(other, one, OneLog.log_keys, reader)
    assert found is not None
    return found


@pytest.mark.parametrize("large", [*range(1, 18), 255, 256, 257, 300])
def test_a_fork_is_shown_for_all_sizes(large: int) -> None:
    for small in (n for n in range(1, large + 1) if n < 18 or n > large - 3):
        for bent in {0, small // 2, small - 1}:
            data = fork(small, large, bent).to_bytes()
            assert judged(data) == (True, True, True)
            assert Equivocation.from_bytes(data).to_bytes() == data


@pytest.mark.parametrize("large", [1, 2, 3, 8, 11, 257])
def test_a_log_that_only_grew_gives_no_evidence(large: int) -> None:
    whole, reader = tree(leaves(large))
    for small in range(large + 1):
        early, _ = tree(leaves(small))
        assert find_equivocation(early, whole, OneLog.log_keys, reader) is None


@pytest.mark.parametrize(("small", "large"), [(3, 3), (2, 3), (4, 7), (5, 9)])
def test_any_changed_byte_is_caught(small: int, large: int) -> None:
    whole = fork(small, large).to_bytes()
    for place in range(len(whole)):
        for bit in (1, 32):
            changed = whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :]
            assert not all(judged(changed)), (place, changed)


@pytest.mark.parametrize("data", [b"", b"{}", b"[]\n", b"\xff", b'{"format":1}\n', b"[" * 100_000])
def test_rule_1_what_is_no_evidence_is_not_read(data: bytes) -> None:
    checks = verify_equivocation(data, OneLog())  # type: ignore[arg-type]
    assert [check.ok for check in checks] == [False, False, False]
    assert [check.reached for check in checks] == [True, False, False]


def test_rule_1_there_is_one_byte_form() -> None:
    found = fork(3, 5)
    whole = found.to_bytes()
    value = read_object(whole, where="")
    bare = canonical(value)
    more = Note(found.first.text, (*found.first.signatures, *found.second.signatures))
    bent = [
        bare, whole + b"\n", b" " + whole,
        canonical({**value, "more": 1}) + b"\n",
        canonical({**value, "version": 2}) + b"\n",
        canonical({**value, "origin": "jp.example/log"}) + b"\n",
        canonical({**value, "first": value["second"], "second": value["first"]}) + b"\n",
        canonical({**value, "first": more.to_text()}) + b"\n",
        canonical({**value, "hashes": "AAAA"}) + b"\n",
        canonical({**value, "hashes": ["AAAA"]}) + b"\n",
        canonical({**value, "first": 7}) + b"\n",
    ]  # fmt: skip
    for data in bent:
        assert judged(data)[0] is False, data[:80]


def test_rule_2_both_are_signed_by_that_log() -> None:
    found, thief = fork(2, 4), NoteSigner(ORIGIN, generate_key())
    small, large = found.checkpoints
    forged = Equivocation(sign_checkpoint(small, thief), found.second, found.hashes)
    assert judged(forged.to_bytes()) == (True, False, True)
    forged = Equivocation(found.first, sign_checkpoint(large, thief), found.hashes)
    assert judged(forged.to_bytes()) == (True, False, True)
    stranger = NoteSigner("zz.example/log", thief.private)
    one, _ = tree(leaves(2), stranger)
    other, _ = tree(leaves(2, 0), stranger)
    unknown = find_equivocation(one, other, (stranger.log_key,))
    assert unknown is not None
    assert judged(unknown.to_bytes()) == (True, False, True)


def test_rule_2_a_log_answers_for_its_earlier_key() -> None:
    one, _ = tree(leaves(4), SIGNER)
    other, _ = tree(leaves(4, 2), NEWER)
    found = find_equivocation(one, other, OneLog.log_keys)
    assert found is not None
    assert judged(found.to_bytes()) == (True, True, True)


def test_rule_2_a_thief_cannot_accuse_the_log_that_was_robbed() -> None:
    data = fork(2, 4).to_bytes()
    assert judged(data) == (True, True, True)
    checks = verify_equivocation(data, Robbed())  # type: ignore[arg-type]
    assert [check.ok for check in checks] == [True, False, True]
    assert "revoked" in checks[1].detail


def test_rule_3_checkpoints_that_agree_prove_nothing() -> None:
    same, _ = tree(leaves(3))
    assert judged(Equivocation(same, same).to_bytes()) == (True, True, False)
    for small, large in ((2, 5), (4, 8), (3, 7)):
        early, _ = tree(leaves(small))
        whole, _ = tree(leaves(large))
        # The hashes of the true log, and those that show another log's fork.
        hashes = fork(small, large).hashes
        assert judged(Equivocation(early, whole, hashes).to_bytes()) == (True, True, False)
        assert judged(Equivocation(early, whole).to_bytes()) == (True, True, False)


def test_rule_3_honest_checkpoints_with_their_own_hashes_prove_nothing() -> None:
    from countermark.transparency.equivocation import _ranges
    from countermark.transparency.tiles import subtree_hashes

    for small, large in ((1, 2), (2, 5), (4, 8), (3, 7), (5, 300)):
        early, _ = tree(leaves(small))
        whole, reader = tree(leaves(large))
        hashes = subtree_hashes(reader, large, _ranges(small, large))
        accused = Equivocation(early, whole, hashes)
        checks = verify_equivocation(accused.to_bytes(), OneLog())  # type: ignore[arg-type]
        assert [check.ok for check in checks] == [True, True, False]
        assert "as it should" in checks[2].detail


def test_rule_3_the_empty_log_and_hashes_too_many_prove_nothing() -> None:
    empty, _ = tree([])
    some, _ = tree(leaves(3))
    assert judged(Equivocation(empty, some).to_bytes()) == (True, True, False)
    found = fork(3, 3)
    padded = Equivocation(found.first, found.second, (bytes(32),))
    assert judged(padded.to_bytes()) == (True, True, False)
    found = fork(3, 6)
    padded = Equivocation(found.first, found.second, (*found.hashes, bytes(32)))
    assert judged(padded.to_bytes()) == (True, True, False)
