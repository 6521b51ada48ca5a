# SPDX-License-Identifier: Apache-2.0
"""Every role, act and piece of work: what the one policy function says of each."""

from itertools import product
from typing import get_args

import pytest

from countermark.node.policy import Act, AnnotationRole, Person, Work, may_annotate

ACTS: tuple[Act, ...] = get_args(Act)
ROLES: tuple[AnnotationRole, ...] = get_args(AnnotationRole)
RATERS = frozenset({"me", "you"})
WORKS = {
    "nothing": None,
    "mine": Work("en", RATERS, frozenset()),
    "mine, handed in": Work("en", RATERS, RATERS),
    "mine, disputed": Work("en", RATERS, RATERS, disputed=True),
    "others'": Work("en", frozenset({"you", "she"}), frozenset()),
    "others', agreed": Work("en", frozenset({"you", "she"}), frozenset({"you", "she"})),
    "others', disputed": Work("en", frozenset({"you"}), frozenset({"you"}), disputed=True),
    "others', discussed": Work(
        "en", frozenset({"you"}), frozenset({"you"}), disputed=True, discussed=True
    ),
    "other language": Work("fa", RATERS, frozenset()),
    "other language, disputed": Work("fa", frozenset({"you"}), frozenset({"you"}), disputed=True),
}
RATER_OWN = {("annotator", act, "mine") for act in ("see", "label", "submit")}
ALLOWED = {
    *RATER_OWN,
    ("annotator", "see", "mine, handed in"),
    ("annotator", "see", "mine, disputed"),
    *product(("adjudicator",), ("see", "adjudicate"), ("others', disputed", "others', discussed")),
    ("adjudicator", "see-labels", "others', discussed"),
    *product(("coordinator",), ("oversee",), WORKS),
    *product(("operator",), ("manage",), WORKS),
    *product(("annotator", "adjudicator", "coordinator"), ("enter",), WORKS),
}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("work", WORKS)
def test_the_whole_matrix(role: AnnotationRole, act: Act, work: str) -> None:
    person = Person("me", role, frozenset({"en"}))
    permission = may_annotate(person, act, WORKS[work])
    assert permission.allowed == ((role, act, work) in ALLOWED), permission
    assert permission.reason
    assert 5 <= permission.rule <= 11


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("work", WORKS)
def test_rule_5_nobody_without_a_link_does_anything(act: Act, work: str) -> None:
    permission = may_annotate(None, act, WORKS[work])
    assert (permission.allowed, permission.rule) == (False, 5)


def rule(role: AnnotationRole, act: Act, work: str, name: str = "me") -> int:
    return may_annotate(Person(name, role, frozenset({"en"})), act, WORKS[work]).rule


def test_rule_6_a_part_that_was_handed_in_is_closed_and_others_parts_are_not_seen() -> None:
    assert rule("annotator", "label", "mine, handed in") == 6
    assert rule("annotator", "see", "others'") == 6


def test_rule_7_a_rater_sees_no_label_of_others() -> None:
    assert rule("annotator", "see-labels", "mine, disputed") == 7


def test_rule_8_nobody_adjudicates_what_they_rated() -> None:
    assert rule("adjudicator", "adjudicate", "mine, disputed") == 8
    assert rule("annotator", "adjudicate", "others', disputed") == 8
    assert rule("adjudicator", "adjudicate", "others', agreed") == 8


def test_rule_9_a_third_rater_decides_without_the_labels() -> None:
    assert rule("adjudicator", "see-labels", "others', disputed") == 9


def test_rule_10_the_coordinator_sees_no_answer_and_labels_none() -> None:
    for act in ("see", "label", "submit", "adjudicate", "see-labels"):
        assert rule("coordinator", act, "others', disputed") == 10
    assert rule("annotator", "oversee", "mine") == 10


def test_rule_11_only_the_operator_manages() -> None:
    for role in ("annotator", "adjudicator", "coordinator"):
        assert rule(role, "manage", "nothing") == 11
    assert rule("operator", "label", "mine") == 11
