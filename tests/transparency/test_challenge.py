# SPDX-License-Identifier: Apache-2.0
import hashlib
import hmac
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from countermark.transparency.challenge import challenged, root_through
from countermark.transparency.tree import inclusion_proof, leaf_hash, root_hash

SEAL = "sha256:" + "ab" * 32
ROOT = bytes(range(32))


def plainly(root: bytes, seal: str, samples: int, count: int) -> list[int]:
    """Choose by the text of the wire format, written out once more."""
    found: list[int] = []
    draw = 0
    while len(found) < count:
        text = "countermark-challenge/v1\n" + seal + "\n" + str(draw) + "\n"
        number = int(hmac.new(root, text.encode(), hashlib.sha256).hexdigest()[:16], 16)
        draw += 1
        if number < samples * (2**64 // samples) and number % samples not in found:
            found.append(number % samples)
    return found


@given(st.binary(min_size=32, max_size=32), st.integers(1, 300), st.data())
def test_rule_2_the_choice_is_that_of_the_formula(
    root: bytes, samples: int, data: st.DataObject
) -> None:
    count = data.draw(st.integers(0, samples))
    chosen = challenged(root, SEAL, samples, count)
    assert list(chosen) == plainly(root, SEAL, samples, count)


def test_rule_2_another_root_or_seal_chooses_others() -> None:
    first = challenged(ROOT, SEAL, 10_000, 20)
    assert first != challenged(ROOT[::-1], SEAL, 10_000, 20)
    assert first != challenged(ROOT, SEAL.replace("a", "c"), 10_000, 20)


def test_rule_3_every_index_is_equally_likely() -> None:
    seen = Counter(
        index
        for number in range(4000)
        for index in challenged(hashlib.sha256(b"%d" % number).digest(), SEAL, 7, 2)
    )
    expected = 8000 / 7
    statistic = sum((seen[index] - expected) ** 2 / expected for index in range(7))
    assert statistic < chi2.ppf(0.9999, 6)


def test_rule_3_a_draw_that_would_favour_some_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    draws = iter([2**64 - 1, 2**64 - 2, 5, 6])  # 2**64 is 6 modulo 10: the last six are dropped
    monkeypatch.setattr(
        "countermark.transparency.challenge.hmac.digest",
        lambda *_: next(draws).to_bytes(8, "big") + bytes(24),
    )
    assert challenged(ROOT, SEAL, 10, 2) == (5, 6)


@given(st.integers(1, 200))
def test_rule_4_all_are_distinct_and_a_longer_challenge_begins_with_a_shorter(n: int) -> None:
    whole = challenged(ROOT, SEAL, n, n)
    assert sorted(whole) == list(range(n))
    assert challenged(ROOT, SEAL, n, n // 2) == whole[: n // 2]


@pytest.mark.parametrize(("root", "count"), [(ROOT[1:], 1), (ROOT, 11), (ROOT, -1)])
def test_what_cannot_be_chosen_is_refused(root: bytes, count: int) -> None:
    with pytest.raises(ValueError, match="cannot choose"):
        challenged(root, SEAL, 10, count)


def test_rule_1_the_root_is_the_same_whichever_checkpoint_is_held() -> None:
    leaves = [leaf_hash(b"%d" % number) for number in range(70)]
    for index in range(70):
        wanted = root_hash(leaves[: index + 1])
        for size in range(index + 1, 71):
            proof = inclusion_proof(leaves[:size], index)
            assert root_through(leaves[index], index, size, proof) == wanted
