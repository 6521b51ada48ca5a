# SPDX-License-Identifier: Apache-2.0
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countermark.exercise.revealing.seal import disclose, opened_samples, sealed_root
from countermark.exercise.samples import LabSample
from countermark.records.canonical import canonical
from countermark.records.sample import Message, SampleKey, SampleScores, Score, Transcript
from countermark.transparency.disclosure import (
    TITLES,
    read_disclosed,
    sample_leaves,
    sample_node,
    to_file,
    verify_disclosure,
)
from countermark.transparency.tree import root_hash

SEAL = "sha256:" + "5e" * 32
TREE_KEY = bytes(range(32))
Change = Callable[[Any], object]


def lab_sample(number: int) -> LabSample:
    key = SampleKey(model="m", task="t", language="en", item=f"i{number}", epoch=1)
    score = Score(scorer="s", version="v1", status="scored", value=float(number % 2))
    return LabSample(
        SampleScores(key=key, outcome="answered", scores=(score,)),
        Transcript(key=key, messages=(Message(role="assistant", content=f"a{number}"),), seed=1),
    )


OPEN = opened_samples(map(lab_sample, range(11)), TREE_KEY)
ROOT = sealed_root(OPEN)
SEALS = {SEAL: (ROOT, 11)}


def shown(index: int = 6, *, scores_only: bool = False) -> bytes:
    return to_file(disclose(OPEN, SEAL, index, scores_only=scores_only))


def changed(change: Change, data: bytes | None = None) -> bytes:
    value = json.loads(data or shown())
    change(value)
    return canonical(value) + b"\n"


def failed(data: bytes, seals: dict[str, tuple[str, int]] | None = None) -> list[int]:
    checks = verify_disclosure(data, SEALS if seals is None else seals)
    assert [check.rule for check in checks] == [1, 2, 3, 4]
    assert [check.title for check in checks] == list(TITLES.values())
    assert all(check.detail for check in checks if not check.ok)
    return [check.rule for check in checks if not check.ok]


@pytest.mark.parametrize("scores_only", [False, True])
@pytest.mark.parametrize("index", range(11))
def test_every_sample_verifies_alone(index: int, scores_only: bool) -> None:
    assert failed(shown(index, scores_only=scores_only)) == []


def test_the_tree_over_the_samples_is_the_sealed_tree() -> None:
    for n in range(1, 12):
        leaves = [leaf for one in OPEN[:n] for leaf in sample_leaves(one)]
        assert root_hash([sample_node(one) for one in OPEN[:n]]) == root_hash(leaves)


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value.update(version=2),
        lambda value: value.update(format="countermark-statement"),
        lambda value: value.update(extra=1),
        lambda value: value.update(index=-1),
        lambda value: value.update(index=6.5),
        lambda value: value.update(samples=0),
        lambda value: value.update(path=["zz"]),
        lambda value: value.update(path=["0" * 64] * 64),
        lambda value: value.pop("seal"),
        lambda value: value["sample"].update(extra=1),
        lambda value: value["sample"]["scores"].update(leaf="0" * 64),
        lambda value: value["sample"]["scores"].pop("salt"),
        lambda value: value["sample"].update({key: {"leaf": "0" * 64} for key in value["sample"]}),
        lambda value: value["sample"]["scores"]["value"]["scores"][0].update(value=None),
    ],
)  # fmt: skip
def test_rule_1_another_form(change: Change) -> None:
    assert failed(changed(change)) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]\n", b"\xff", b"[" * 9999, shown() + b"\n", shown()[:-1], b" " + shown(),
     shown().replace(b'"index":6', b'"index":6,"index":6')],
)  # fmt: skip
def test_rule_1_other_bytes(data: bytes) -> None:
    assert failed(data) == [1, 2, 3, 4]


def test_rule_2_a_seal_that_is_not_here() -> None:
    assert failed(shown(), {}) == [2, 3]
    assert failed(shown(), {"sha256:" + "00" * 32: (ROOT, 11)}) == [2, 3]


def test_rule_2_another_number_of_samples_or_an_index_beyond_them() -> None:
    assert failed(shown(), {SEAL: (ROOT, 12)}) == [2, 3]
    assert failed(changed(lambda value: value.update(samples=12))) == [2, 3]
    assert failed(changed(lambda value: value.update(index=11))) == [2, 3]


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value.update(index=5),
        lambda value: value["path"].pop(),
        lambda value: value["path"].append("0" * 64),
        lambda value: value["path"].reverse(),
        lambda value: value["sample"]["scores"].update(salt="0" * 64),
        lambda value: value["sample"]["transcript"].update(salt="0" * 64),
        lambda value: value["sample"]["scores"]["value"]["scores"][0].update(value=1),
        lambda value: value["sample"]["transcript"]["value"].update(seed=2),
        lambda value: value["sample"].update(transcript={"leaf": "0" * 64}),
    ],
)
def test_rule_3_another_value_salt_place_or_path(change: Change) -> None:
    assert failed(changed(change)) == [3]


def test_rule_3_another_root() -> None:
    assert failed(shown(), {SEAL: ("0" * 64, 11)}) == [3]


def test_rule_3_the_transcript_of_another_sample() -> None:
    other = json.loads(shown(7))["sample"]["transcript"]
    assert failed(changed(lambda value: value["sample"].update(transcript=other))) == [3, 4]


def test_rule_4_a_lab_that_sealed_a_transcript_beside_another_samples_scores() -> None:
    crossed = [lab_sample(number) for number in range(11)]
    crossed[6] = LabSample(crossed[6].scores, crossed[7].transcript)
    samples = opened_samples(crossed, TREE_KEY)
    data = to_file(disclose(samples, SEAL, 6))
    assert failed(data, {SEAL: (sealed_root(samples), 11)}) == [4]
    half = to_file(disclose(samples, SEAL, 6, scores_only=True))
    assert failed(half, {SEAL: (sealed_root(samples), 11)}) == []


@given(st.binary(max_size=300))
def test_whatever_the_bytes_there_is_a_verdict(data: bytes) -> None:
    assert failed(data)


@given(st.integers(0, len(shown()) - 1), st.integers(1, 255))
def test_any_changed_byte_is_caught(place: int, by: int) -> None:
    data = bytearray(shown())
    data[place] ^= by
    assert failed(bytes(data))


@pytest.mark.parametrize("index", [0, 4_095, 9_999])
def test_the_proof_is_under_2000_bytes_for_10_000_samples(index: int) -> None:
    samples = opened_samples(map(lab_sample, range(10_000)), TREE_KEY)
    disclosed = disclose(samples, SEAL, index)
    data = to_file(disclosed)
    checks = verify_disclosure(data, {SEAL: (sealed_root(samples), 10_000)})
    assert all(check.ok for check in checks)
    value = json.loads(data)
    for part in ("scores", "transcript"):
        value["sample"][part]["value"] = {}
    assert len(canonical(value)) < 1_500
    assert read_disclosed(data, where="x") == disclosed
