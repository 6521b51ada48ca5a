# SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countermark.exercise.annotation.deciding import Adjudication, Verdict, verdict
from countermark.records.evidence import GivenLabel, Label


def said(*labels: Label, first: int = 1) -> list[GivenLabel]:
    return [
        GivenLabel(rater=f"rater-{number}", label=label)
        for number, label in enumerate(labels, start=first)
    ]


def third(label: Label) -> GivenLabel:
    return GivenLabel(rater="third", label=label)


def test_rule_1_until_all_have_submitted_nothing_is_decided() -> None:
    assert verdict([], 2, None) == Verdict("open", None, 1)
    assert verdict(said("yes"), 2, "third-rater").state == "open"
    assert verdict(said("yes"), 1, None).state == "decided"


@pytest.mark.parametrize("adjudication", [None, "third-rater", "discussion"])
def test_rule_2_what_all_say_is_the_label(adjudication: Adjudication | None) -> None:
    assert verdict(said("yes", "yes"), 2, adjudication) == Verdict("decided", True, 2)
    assert verdict(said("no", "no", "no"), 3, adjudication) == Verdict("decided", False, 2)


@pytest.mark.parametrize("labels", [("yes", "no"), ("yes", "unsure"), ("unsure", "unsure")])
def test_rule_3_differing_or_unsure_raters_are_disputed(labels: Sequence[Label]) -> None:
    assert verdict(said(*labels), 2, "third-rater") == Verdict("disputed", None, 3)


@pytest.mark.parametrize(
    ("labels", "label"),
    [
        (("yes", "no", "yes"), True),
        (("no", "no", "yes"), False),
        (("yes", "unsure", "unsure"), True),
        (("yes", "no"), None),
        (("unsure", "unsure"), None),
    ],
)
def test_rule_4_without_adjudication_the_majority_counts(
    labels: Sequence[Label], label: bool | None
) -> None:
    found = verdict(said(*labels), len(labels), None)
    assert (found.label, found.rule) == (label, 4)
    assert found.state == ("undecided" if label is None else "decided")


def test_rule_5_a_third_rater_makes_the_majority() -> None:
    assert verdict(said("yes", "no"), 2, "third-rater", third("no")) == Verdict("decided", False, 5)
    assert verdict(said("unsure", "no"), 2, "third-rater", third("no")).label is False
    # One yes against one no, the other unsure: nobody knows.
    assert verdict(said("unsure", "no"), 2, "third-rater", third("yes")).state == "undecided"


def test_rule_6_the_word_of_a_discussion_decides() -> None:
    assert verdict(said("no", "no", "yes"), 3, "discussion", third("yes")) == Verdict(
        "decided", True, 6
    )


def test_rule_7_nobody_adjudicates_what_they_rated() -> None:
    with pytest.raises(ValueError, match="speaks once"):
        verdict(said("yes", "no"), 2, "third-rater", said("yes")[0])
    with pytest.raises(ValueError, match="speaks once"):
        verdict([*said("yes"), *said("no")], 2, None)


@pytest.mark.parametrize("adjudication", ["third-rater", "discussion"])
def test_rule_8_an_unsure_adjudicator_leaves_no_label(adjudication: Adjudication) -> None:
    found = verdict(said("yes", "no"), 2, adjudication, third("unsure"))
    assert found == Verdict("undecided", None, 8)


LABELS = st.sampled_from(["yes", "no", "unsure"])
SWAPPED: dict[Label, Label] = {"yes": "no", "no": "yes", "unsure": "unsure"}


@given(
    st.lists(LABELS, min_size=1, max_size=5),
    st.sampled_from([None, "third-rater", "discussion"]),
    st.none() | LABELS,
)
def test_yes_and_no_weigh_the_same(
    labels: list[Label], adjudication: Adjudication | None, word: Label | None
) -> None:
    other = [SWAPPED[label] for label in labels]
    one = verdict(said(*labels), len(labels), adjudication, third(word) if word else None)
    two = verdict(said(*other), len(other), adjudication, third(SWAPPED[word]) if word else None)
    assert one.state == two.state
    assert (one.label is None) == (two.label is None)
    assert one.label is None or one.label != two.label
    assert (one.state == "decided") == (one.label is not None)
