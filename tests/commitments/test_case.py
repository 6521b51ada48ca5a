# SPDX-License-Identifier: Apache-2.0
"""What the gate is given, and what a book holds about a question."""

from datetime import date

import pytest
from exercise_small import Snapshots
from hand_made_case import COMPUTE, LEVEL, determined
from hand_made_finding import case, cell, figures, finding, framework, threshold

from countermark.commitments.case import first_day, last_day
from countermark.commitments.gathering import gather, identities
from countermark.node.book import Book, Entry
from countermark.records.base import Record
from countermark.records.determination import Determination

AT = date(2026, 11, 29)
KEPT = finding(cell(*figures(0.02)))
PROMISED = framework(threshold(LEVEL))


def test_rule_1_what_is_given_twice_counts_once() -> None:
    said = determined(PROMISED, "no")
    question = case(PROMISED, KEPT, KEPT, determinations=(said, said), at=AT)
    assert (len(question.findings), len(question.determined)) == (1, 1)
    assert len(question.account()) == 2


def test_rule_2_what_does_not_count_says_why() -> None:
    said = determined(PROMISED, "no", model="another")
    question = case(PROMISED, KEPT, determinations=(said,), at=AT)
    assert question.determined == ()
    assert [one.left_out for one in question.account()] == [None, "it is about the model another"]


@pytest.mark.parametrize(
    ("said", "first"), [("2026", "2026-01-01"), ("2026-03", "2026-03-01"), ("2026-03-09",) * 2]
)
def test_rule_3_a_rough_date_is_its_first_day(said: str, first: str) -> None:
    assert first_day(said).isoformat() == first
    assert case(PROMISED, at=AT).age(said) == pytest.approx(
        (AT - date.fromisoformat(first)).days / 30.436875
    )


def test_rule_4_a_no_outweighs_a_yes_about_a_mitigation() -> None:
    def placed(*words: str) -> frozenset[str]:
        said = tuple(
            determined(PROMISED, word, subject="mitigation", key="filter", reasons=f"{place}")
            for place, word in enumerate(words)
        )
        return case(PROMISED, determinations=said).in_place("m")

    assert placed("yes", "yes") == {"filter"}
    assert placed("yes", "no") == placed("unclear") == placed() == frozenset()


def test_rule_4_a_system_made_of_another_one_is_none_of_this() -> None:
    said = [
        determined(PROMISED, "yes", subject="mitigation", key="filter", model="g", base_model=base)
        for base in (None, "m", "another")
    ]
    question = case(PROMISED, determinations=tuple(said), mitigated=("g",), at=AT)
    assert set(question.determined) == set(said[:2])
    assert "it is about another with mitigations in place" in {
        one.left_out for one in question.account()
    }


def test_rule_6_whoever_judges_again_has_corrected_itself() -> None:
    def counted(*said: Determination) -> set[tuple[str, str]]:
        question = case(PROMISED, determinations=said, at=AT)
        return {(one.determined_by, one.conclusion) for one in question.determined}

    first, then = determined(PROMISED, "yes"), determined(PROMISED, "no", date="2026-11-02")
    assert counted(first, then) == {("GB", "no")}
    assert counted(then, first) == {("GB", "no")}
    # Nobody corrects another; of one day, or of a month, it is not known which was later.
    assert counted(first, determined(PROMISED, "no", determined_by="JP", date="2026-11-02")) == {
        ("GB", "yes"), ("JP", "no"),
    }  # fmt: skip
    assert len(counted(first, determined(PROMISED, "no"))) == 2
    assert len(counted(first, determined(PROMISED, "no", date="2026-11"))) == 2
    # Nor does a judgement of another snapshot, or of the system with mitigations.
    for other in ({"identity": "sha256:" + "a" * 64}, {"mitigations": ("filter",)}):
        again = determined(PROMISED, "no", date="2026-11-02", **other)
        assert len(counted(first, again)) == 2


def test_rule_6_judgements_about_a_trigger_are_a_history() -> None:
    promised = framework(threshold(COMPUTE))
    said = tuple(
        determined(promised, word, quantity=times, unit="times", date=day)
        for word, times, day in (("yes", 5.0, "2026-03-01"), ("no", 1.0, "2026-09-01"))
    )
    assert len(case(promised, determinations=said, at=AT).determined) == 2


def entry(record: Record, index: int, witnessed: str | None = "2026-10-01T12:00:00Z") -> Entry:
    return Entry(record, record.digest, "", "GB", "", index, witnessed, (), "")


def test_a_book_gives_all_that_it_holds_about_the_model(snapshots: Snapshots) -> None:
    other = finding(cell(*figures(0.5), model="n"))
    earlier = PROMISED.model_copy(update={"published": "2025"})
    records = (
        KEPT, other, determined(PROMISED, "yes"), determined(PROMISED, "yes", model="n"),
        earlier, PROMISED, PROMISED.model_copy(update={"published": "2025", "title": "Another"}),
    )  # fmt: skip
    entries = tuple(entry(record, place) for place, record in enumerate(records))
    known = gather(Book(entries, (), None), case(PROMISED, at=AT))  # type: ignore[arg-type]
    assert [(one.finding, one.on) for one in known.tested] == [(KEPT, "2026-10-01")]
    assert known.determinations == (records[2],)
    assert known.earlier == (earlier,)
    assert known.later == ()
    assert dict(identities(snapshots.protocol))["smollm2-135m"].startswith("sha256:")
    assert identities(None) == ()


@pytest.mark.parametrize(
    ("said", "last"),
    [
        ("2024-02", "2024-02-29"), ("2023-02", "2023-02-28"), ("2026", "2026-12-31"),
        ("2024-02-29", "2024-02-29"), ("9999", "9999-12-31"), ("0001-04", "0001-04-30"),
    ],
)  # fmt: skip
def test_the_last_day_of_a_rough_date(said: str, last: str) -> None:
    assert last_day(said).isoformat() == last


def test_an_earlier_version_is_one_whatever_its_title_is_written_with() -> None:
    earlier = PROMISED.model_copy(update={"published": "2025", "title": "\u200bf\u00a0"})
    known = gather(Book((entry(earlier, 0),), (), None), case(PROMISED, at=AT))  # type: ignore[arg-type]
    assert known.earlier == (earlier,)


def test_a_book_gives_the_versions_before_and_after_even_of_one_day() -> None:
    old, same, new, to_come = (
        PROMISED.model_copy(update={"label": label, "published": day})
        for label, day in (
            ("1", "2025"),
            ("2.1", PROMISED.published),
            ("3", "2026-11"),
            ("4", "2027"),
        )
    )

    def around(*records: Record) -> tuple[set[str], set[str]]:
        entries = tuple(entry(record, place) for place, record in enumerate(records))
        known = gather(Book(entries, (), None), case(PROMISED, at=AT))  # type: ignore[arg-type]
        return {one.label for one in known.earlier}, {one.label for one in known.later}

    assert around(PROMISED, same, new, to_come, old) == ({"1"}, {"2.1", "3"})
    assert around(same, PROMISED) == ({"2.1"}, set())
    # Of a version that nobody logged only its date is known.
    assert around(same, new, old) == ({"1"}, {"3"})
