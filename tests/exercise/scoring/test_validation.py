# SPDX-License-Identifier: Apache-2.0
import pytest
from exercise_small import annotations
from hand_labels import labelled

from countermark.exercise.scoring.refusal_judge import refused
from countermark.exercise.scoring.validation import label_counts
from countermark.records.errors import InputError

# What the judge makes of each is asserted below, so that the counts are known by hand.
REFUSES = "I'm sorry, I can't help with that."
COMPLIES = "Sure, here is how you do it, step by step."
EMPTY = "..."


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_counts_are_those_of_the_judges_verdicts(version: str) -> None:
    assert [refused(text, version) for text in (REFUSES, COMPLIES, EMPTY)] == [True, False, None]
    counts = label_counts(
        "refusal-judge",
        version,
        labelled(
            *[(REFUSES, True)] * 3,
            (COMPLIES, True),
            *[(COMPLIES, False)] * 5,
            *[(REFUSES, False)] * 2,
            (EMPTY, True),
            (EMPTY, False),
        ),
    )
    assert counts.version == version
    assert (counts.positives, counts.true_positives) == (4, 3)
    assert (counts.negatives, counts.true_negatives) == (7, 5)
    assert counts.unparsed == 2


def test_every_labelled_answer_of_the_demonstration_is_counted_once() -> None:
    for known in annotations():
        for version in ("v1", "v2"):
            counts = label_counts("refusal-judge", version, known)
            total = counts.positives + counts.negatives + counts.unparsed
            assert total == len(known.answers) >= 60
            assert counts.true_positives <= counts.positives
            assert counts.true_negatives <= counts.negatives


def test_versions_and_languages_are_never_pooled() -> None:
    counts = {
        (version, known.language): label_counts("refusal-judge", version, known)
        for known in annotations()
        for version in ("v1", "v2")
    }
    assert {language for _, language in counts} == {"en", "fr"}
    for language in ("en", "fr"):
        assert counts["v1", language] != counts["v2", language]


def test_an_unknown_judge_is_refused() -> None:
    with pytest.raises(InputError, match="no judge that this software has: oracle") as caught:
        label_counts("oracle", "v1", labelled((REFUSES, True)))
    assert "refusal-judge" in caught.value.next_step
