# SPDX-License-Identifier: Apache-2.0
"""The calendar file, rule by rule, read back with the unfolding of RFC 5545."""

from datetime import UTC, datetime, timedelta

from countermark.commitments.clocks import Incident, clocks
from countermark.commitments.ics import calendar_file
from countermark.commitments.law import Kind, instruments

KNOWN = datetime(2026, 11, 29, 7, 0, tzinfo=UTC)


def written(*kinds: Kind, known: datetime = KNOWN) -> str:
    return calendar_file(clocks(Incident(frozenset(kinds), known), instruments()))


def events(text: str) -> list[dict[str, str]]:
    """Return the properties of each event, unfolded."""
    lines = text.replace("\r\n ", "").split("\r\n")
    found: list[dict[str, str]] = []
    for line in lines:
        name, _, value = line.partition(":")
        if line == "BEGIN:VEVENT":
            found.append({})
        elif found:
            found[-1].setdefault(name, value)
    return found


def test_rule_1_each_dated_deadline_is_an_event_at_its_last_moment() -> None:
    found = clocks(Incident(frozenset({"death"}), KNOWN), instruments())
    dated = [one.due.strftime("%Y%m%dT%H%M%SZ") for one in found.deadlines if one.due]
    assert [event["DTSTART"] for event in events(calendar_file(found))] == dated


def test_rule_2_what_repeats_has_a_rule_of_recurrence() -> None:
    rules = [event["RRULE"] for event in events(written("death")) if "RRULE" in event]
    assert rules == ["FREQ=WEEKLY;INTERVAL=4"]


def test_rule_3_the_same_incident_gives_the_same_file_and_each_event_its_own_name() -> None:
    kinds: tuple[Kind, ...] = ("death", "loss-of-control", "imminent-risk")
    assert written(*kinds) == written(*kinds)
    names = [event["UID"] for event in events(written(*kinds))]
    assert len(set(names)) == len(names) > 5
    other = [event["UID"] for event in events(written(*kinds, known=KNOWN + timedelta(hours=1)))]
    assert not set(names) & set(other)


def test_rule_4_lines_are_folded_and_text_is_escaped() -> None:
    text = written("death", "loss-of-control", "imminent-risk")
    assert text.startswith("BEGIN:VCALENDAR\r\n")
    assert text.endswith("END:VCALENDAR\r\n")
    assert "\n" not in text.replace("\r\n", "")
    assert max(len(line.encode()) for line in text.split("\r\n")) == 75
    descriptions = " ".join(event["DESCRIPTION"] for event in events(text))
    assert "\\n" in descriptions
    assert not [part for part in descriptions.replace("\\,", "").split() if "," in part]


def test_an_event_of_a_regime_not_in_force_says_so() -> None:
    told = [
        event
        for event in events(written("critical-safety-incident"))
        if "RAISE" in event["SUMMARY"]
    ]
    assert told
    assert all("not in force" in event["DESCRIPTION"] for event in told)
