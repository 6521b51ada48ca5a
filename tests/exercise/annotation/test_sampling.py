# SPDX-License-Identifier: Apache-2.0
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from annotation_evidence import LABS, MODEL, PROTOCOL, TASK, evidence_of
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from countermark.exercise.annotation.sampling import (
    Drawn,
    Pool,
    Sample,
    places,
    prompt_shown,
    seed_of,
)
from countermark.exercise.revealing.checking import Revealed
from countermark.records.evidence import Draw
from countermark.records.sample import ClosedLeaf, SampleKey


def drawn(labs: Sequence[Revealed], per_cell: int = 8, language: str = "en") -> Sample:
    found = Pool(PROTOCOL, labs).draw(TASK, language, per_cell)
    assert found is not None
    return found


def seeded(labs: Sequence[Revealed], number: int) -> list[Revealed]:
    """Return the same labs, one with another seed."""
    first, *others = labs
    evidence = first.evidence.model_copy(update={"secret_seed": f"{number:064x}"})
    return [replace(first, evidence=evidence), *others]


@pytest.fixture(scope="module")
def labs() -> list[Revealed]:
    return [evidence_of(lab) for lab in LABS]


def test_rule_2_the_seed_needs_every_labs_seed(labs: list[Revealed]) -> None:
    whole = seed_of(PROTOCOL, labs)
    assert seed_of(PROTOCOL, labs[:-1]) != whole
    assert seed_of(PROTOCOL, [*labs[:-1], evidence_of(LABS[-1], seed=bytes(32))]) != whole
    assert seed_of(PROTOCOL.model_copy(update={"name": "other"}), labs) != whole


def test_rule_3_only_answers_to_test_items_in_the_reference_arm(labs: list[Revealed]) -> None:
    first, *others = labs
    outcomes = dict(zip(range(6), ("refused", "errored", "missing"), strict=False))
    poor = evidence_of(LABS[0], outcome=lambda place: outcomes.get(place, "answered"))
    found = drawn([poor, *others], per_cell=1000)
    assert found.draw.cells[0].eligible == 6 * len(LABS) - 3
    assert drawn([first, *others], 1000).draw.cells[0].eligible == 6 * len(LABS)


def test_rule_3_the_judges_score_plays_no_part(labs: list[Revealed]) -> None:
    other = [evidence_of(lab, value=lambda place: 1.0 - place % 2) for lab in LABS]
    same = [replace(one, entry=two.entry) for one, two in zip(other, labs, strict=True)]
    assert drawn(same) == drawn(labs)


@pytest.mark.parametrize("which", ["transcript", "scores"])
def test_rule_4_a_lab_that_keeps_one_closed_is_not_drawn_from(
    labs: list[Revealed], which: str
) -> None:
    first, *others = labs
    place = next(i for i, one in enumerate(first.samples) if _key(one.open_scores) == TASK.key)
    closed = first.samples[place].model_copy(update={which: ClosedLeaf(leaf="00" * 32)})
    samples = (*first.samples[:place], closed, *first.samples[place + 1 :])
    found = drawn([replace(first, samples=samples), *others], per_cell=1000)
    assert found.draw.cells[0].closed_labs == (LABS[0],)
    assert {one.lab for one in found.answers} == set(LABS[1:])
    assert drawn(labs, 1000).draw.cells[0].closed_labs == ()


def _key(scores: object) -> str:
    key = getattr(scores, "key", None)
    return key.task if isinstance(key, SampleKey) and key.language == "en" else ""


@given(st.integers(1, 60), st.integers(1, 60), st.binary(min_size=32, max_size=32))
def test_rule_5_as_many_as_wanted_all_different(total: int, wanted: int, seed: bytes) -> None:
    answers = answers_of({"A": total})
    taken = places(seed, MODEL, TASK, "en", answers, wanted)
    assert len(taken) == len(set(taken)) == min(total, wanted)
    assert taken == sorted(taken)
    assert all(0 <= place < total for place in taken)


@given(st.integers(1, 200), st.data())
def test_rule_5_every_start_together_takes_every_place_the_same_number_of_times(
    total: int, data: st.DataObject
) -> None:
    number = data.draw(st.integers(1, total))
    counts = Counter((r + k * total) // number for r in range(total) for k in range(number))
    assert counts == dict.fromkeys(range(total), number)


@given(
    st.dictionaries(st.sampled_from("ABCDE"), st.integers(1, 40), min_size=2),
    st.integers(1, 60),
    st.binary(min_size=32, max_size=32),
)
def test_rule_5_each_lab_gives_its_share_to_within_one(
    sizes: dict[str, int], wanted: int, seed: bytes
) -> None:
    answers = answers_of(sizes)
    number = min(wanted, len(answers))
    taken = places(seed, MODEL, TASK, "en", answers, wanted)
    counts = Counter(answers[place].lab for place in taken)
    for lab, size in sizes.items():
        assert abs(counts[lab] - number * size / len(answers)) < 1


def test_rule_5_each_answer_is_drawn_as_often_as_any_other(labs: list[Revealed]) -> None:
    draws, wanted = 400, 8
    counts: Counter[tuple[str, str]] = Counter()
    for number in range(draws):
        counts.update(
            (one.lab, one.key.text) for one in drawn(seeded(labs, number), wanted).answers
        )
    assert sum(counts.values()) == draws * wanted
    assert len(counts) == 6 * len(LABS)
    assert stats.chisquare(list(counts.values())).pvalue > 0.001


def test_rule_6_the_order_of_the_evidence_changes_nothing(labs: list[Revealed]) -> None:
    shuffled = list(labs)
    random.Random(1).shuffle(shuffled)  # noqa: S311  no secret
    assert drawn(shuffled) == drawn(labs)
    assert isinstance(drawn(labs).draw, Draw)


def test_nothing_is_drawn_where_nothing_is_open(labs: list[Revealed]) -> None:
    none = [evidence_of(lab, outcome=lambda place: "missing") for lab in LABS]
    assert Pool(PROTOCOL, none).draw(TASK, "en", 8) is None


def test_the_question_is_the_protocols_and_a_private_one_is_the_transcripts() -> None:
    item = TASK.items[0]
    text = item.text("en")
    assert text is not None
    assert prompt_shown(item, "en", "what the lab says it asked") == text.prompt
    private = item.model_copy(update={"texts": (text.model_copy(update={"prompt": None}),)})
    assert prompt_shown(private, "en", "what was asked") == "what was asked"


def test_blindness_what_is_shown_is_the_same_whoever_asked_and_judged() -> None:
    """All that a rater receives is prompt and answer: neither depends on lab, model or score."""
    shown: Callable[[Revealed], set[tuple[str, str]]] = lambda one: {  # noqa: E731
        (answer.prompt, answer.answer) for answer in drawn([one], 1000).answers
    }
    assert shown(evidence_of(LABS[0])) == shown(evidence_of(LABS[1], value=lambda place: 1.0))


def answers_of(sizes: dict[str, int]) -> list[Drawn]:
    return [
        Drawn(lab, SampleKey(model=MODEL, task="t", language="en", item=f"i{n}", epoch=1), "p", "a")
        for lab in sorted(sizes)
        for n in range(sizes[lab])
    ]
