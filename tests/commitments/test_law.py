# SPDX-License-Identifier: Apache-2.0
"""Laws and codes on record: complete, sourced, in order, and what holds on which day."""

import json
import re
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from countermark.commitments import law
from countermark.commitments.law import (
    EVENTS,
    KINDS,
    ORDER,
    Instrument,
    Period,
    instrument,
    instruments,
)
from countermark.records.errors import InputError
from countermark.taxonomy.reading import packaged

DAY = date(2026, 11, 29)
each_instrument = pytest.mark.parametrize("one", instruments(), ids=lambda one: one.key)


def changed(key: str, **changes: Any) -> Instrument:
    """Return an instrument with fields of its first obligation changed, as it would be read."""
    value = json.loads((packaged("commitments", "law") / f"{key}.json").read_text("utf-8"))
    value["obligations"][0] |= changes
    return Instrument.model_validate_json(json.dumps(value))


def test_every_file_is_listed_in_the_order() -> None:
    files = sorted(file.name for file in packaged("commitments", "law").iterdir())
    assert files == sorted(f"{key}.json" for key in ORDER)
    assert [one.key for one in instruments()] == list(ORDER)


@each_instrument
def test_every_fact_has_a_section_and_a_source(one: Instrument) -> None:
    assert one.as_of == "2026-11-29"
    for obligation in one.obligations:
        assert obligation.provision
        assert one.cited(obligation.source).title
    for cited in one.sources:
        assert cited.source.url is None or cited.source.url.startswith(("https://", "http://"))
        assert cited.source.url or cited.copy_of, "what was read can be found"
    assert ZoneInfo(one.zone).key == one.zone


@each_instrument
def test_nothing_guessed_and_no_long_quotation_ships(one: Instrument) -> None:
    text = one.model_dump_json()
    assert not re.search(r"\[(?:G|P|S|M|measured)\]|TODO|guess", text)
    assert not re.search(r"[“”]", text)


def test_rule_1_a_source_that_is_not_listed_is_refused() -> None:
    with pytest.raises(InputError, match="cites elsewhere"):
        law._check(changed("california-sb-53", source="elsewhere"))


def test_rule_2_a_duty_within_a_period_needs_its_length() -> None:
    timing = {"sort": "within", "event": "known", "words": "soon"}
    with pytest.raises(InputError, match="period does not fit"):
        law._check(changed("california-sb-53", timing=timing))


def test_rule_3_only_an_initial_report_names_kinds_of_incident() -> None:
    with pytest.raises(InputError, match="only an initial report"):
        law._check(changed("california-sb-53", starts=[["death"]]))


def test_rule_3_a_report_runs_from_a_moment_that_an_incident_has() -> None:
    timing = {"sort": "no-number", "event": "model-placed", "words": "then"}
    with pytest.raises(InputError, match="no moment at which"):
        law._check(changed("california-sb-53", stage="final", timing=timing))


def test_rule_4_phases_come_in_order() -> None:
    raise_act = instrument("new-york-raise")
    upside_down = raise_act.model_copy(update={"phases": raise_act.phases[::-1]})
    with pytest.raises(InputError, match="not in order"):
        law._check(upside_down)


# What the texts say, typed here by hand: (regime, obligation) to amount and unit.
NUMBERS = {
    ("eu-code-safety", "infrastructure"): (2, "days"),
    ("eu-code-safety", "cybersecurity"): (5, "days"),
    ("eu-code-safety", "death"): (10, "days"),
    ("eu-code-safety", "other-harm"): (15, "days"),
    ("eu-code-safety", "intermediate"): (4, "weeks"),
    ("eu-code-safety", "final"): (60, "days"),
    ("eu-code-safety", "records"): (5, "years"),
    ("eu-code-safety", "documentation"): (10, "years"),
    ("eu-code-safety", "framework-access"): (5, "business-days"),
    ("eu-code-safety", "model-report-access"): (5, "business-days"),
    ("eu-code-safety", "model-report-renewal"): (6, "months"),
    ("eu-ai-act-73", "two-days"): (2, "days"),
    ("eu-ai-act-73", "death"): (10, "days"),
    ("eu-ai-act-73", "fifteen-days"): (15, "days"),
    ("california-sb-53", "incident"): (15, "days"),
    ("california-sb-53", "imminent-risk"): (24, "hours"),
    ("california-sb-53", "framework-change"): (30, "days"),
    ("california-sb-53", "internal-use"): (3, "months"),
    ("new-york-raise", "incident"): (72, "hours"),
    ("new-york-raise", "imminent-risk"): (24, "hours"),
    ("new-york-raise", "disclosure-statement"): (2, "years"),
    ("hiroshima-reporting", "report"): (12, "months"),
}


@pytest.mark.parametrize(("where", "number"), NUMBERS.items(), ids=str)
def test_the_numbers_are_those_of_the_texts(
    where: tuple[str, str], number: tuple[int, str]
) -> None:
    period = instrument(where[0]).obligation(where[1]).timing.period
    assert period is not None
    assert (period.amount, period.unit) == number


@pytest.mark.parametrize(
    ("key", "day", "applies"),
    [
        ("new-york-raise", date(2026, 12, 31), False),
        ("new-york-raise", date(2027, 1, 1), True),
        ("new-york-raise", date(2025, 1, 1), False),
        ("california-sb-53", date(2025, 12, 31), False),
        ("california-sb-53", date(2026, 1, 1), True),
        ("eu-code-safety", date(2025, 8, 1), False),
        ("eu-code-safety", date(2025, 8, 2), True),
        ("eu-ai-act-73", date(2026, 8, 1), False),
        ("korea-ai-basic-act", date(2026, 1, 22), True),
    ],
)
def test_an_instrument_applies_from_its_day_on(key: str, day: date, *, applies: bool) -> None:
    assert instrument(key).applies(day) is applies


def test_the_standing_says_what_comes_next() -> None:
    said = instrument("new-york-raise").standing(DAY)
    assert "not yet in effect; from 2027-01-01: in effect" in said
    assert instrument("new-york-raise").standing(date(2024, 1, 1)).startswith("not yet in force")
    assert instrument("california-sb-53").standing(DAY) == "in effect"


def test_every_kind_starts_a_clock_or_defines_what_does() -> None:
    started = {
        kind
        for one in instruments()
        for some in (
            *(s for each in one.obligations for s in each.starts or ()),
            *(s for each in one.definitions for s in each.any_of),
        )
        for kind in some
    }
    assert started == set(KINDS)


def test_every_event_is_in_use_and_has_words() -> None:
    assert {each.timing.event for one in instruments() for each in one.obligations} == set(EVENTS)


def test_a_period_has_words() -> None:
    assert Period(amount=1, unit="years").words == "1 year"
    assert Period(amount=5, unit="business-days").words == "5 business days"


def test_an_unknown_regime_is_named_with_those_there_are() -> None:
    with pytest.raises(InputError, match="'mars' is no regime") as refused:
        instrument("mars")
    assert "new-york-raise" in refused.value.next_step
