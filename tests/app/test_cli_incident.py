# SPDX-License-Identifier: Apache-2.0
"""``countermark incident``: the deadlines as a person and as a program get them."""

import pytest
from command_line import countermark, done

from countermark.commitments.law import KINDS, ORDER

CLOCKS = ("incident", "clocks", "--known", "2026-11-29T10:00", "--zone", "Africa/Nairobi")


def test_the_kinds_are_listed() -> None:
    assert done("incident", "kinds", "--json").value == KINDS
    lines = done("incident", "kinds").out.splitlines()
    assert [line.split()[0] for line in lines] == list(KINDS)


def test_a_deadline_is_written_in_the_reporters_zone_and_in_utc() -> None:
    ran = done(*CLOCKS, "--kind", "death", "--regime", "eu-code-safety")
    assert "by Thu 2026-12-10 01:59:59 EAT (2026-12-09T22:59:59Z)  EU Code of Practice" in ran.out
    assert "wants: when it began and ended" in ran.out
    assert "then every 4 weeks until it is resolved" in ran.out
    assert "60 days after it is resolved:" in ran.out
    assert "keep until" in ran.out
    assert "no legal advice" in ran.err


def test_the_json_has_every_deadline_with_its_source_and_every_regime() -> None:
    value = done(*CLOCKS, "--kind", "death", "--kind", "loss-of-control", "--json").value
    assert [one["regime"] for one in value["regimes"]] == list(ORDER)
    (first, *_) = (one for one in value["deadlines"] if "due" in one)
    assert (first["regime"], first["due_local"]) == ("new-york-raise", "2026-12-02T10:00:00+03:00")
    assert first["in_force"] is False
    assert first["source"]["publisher"] == "New York State Senate"
    assert value["zone"] == "Africa/Nairobi"


def test_a_regime_not_in_force_and_one_without_a_clock_are_said() -> None:
    out = done(*CLOCKS, "--kind", "critical-safety-incident").out
    assert out.count("NOT IN FORCE") == 1
    assert "Korea AI Basic Act: no clock starts; it has no clock for single incidents" in out
    assert "EU AI Act, Art. 73: no clock starts; it would take critical-infrastructure" in out


def test_resolution_and_holidays_change_what_is_due() -> None:
    ran = done(
        *CLOCKS, "--kind", "critical-infrastructure", "--regime", "eu-code-safety",
        "--reported", "2026-12-01T12:00", "--resolved", "2027-01-15T12:00",
        "--holiday", "2027-03-16", "--json",
    )  # fmt: skip
    (final,) = (one for one in ran.value["deadlines"] if one["stage"] == "final")
    assert final["due"] == "2027-03-16T22:59:59Z"
    assert final["may_run_to"] == "2027-03-17T22:59:59Z"
    assert [one["number"] for one in ran.value["deadlines"] if one["stage"] == "intermediate"] == [
        1
    ]


def test_a_calendar_file_goes_to_stdout() -> None:
    ran = done(*CLOCKS, "--kind", "death", "--ics")
    assert ran.out.startswith("BEGIN:VCALENDAR")
    assert ran.out.count("BEGIN:VEVENT") == ran.out.count("END:VEVENT") == 4


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--kind", "boredom"), 2, "boredom"),
        ((), 2, "--kind"),
        (("--kind", "death", "--regime", "mars"), 2, "mars"),
        (("--kind", "death", "--resolved", "2026-11-01T10:00"), 1, "before the incident"),
        (("--kind", "death", "--zone", "Mars/Olympus"), 1, "Give an IANA name"),
        (("--kind", "death", "--known", "soon"), 1, "Next: Write it as"),
    ],
)
def test_bad_words_are_refused_with_what_to_do(
    words: tuple[str, ...], code: int, message: str
) -> None:
    ran = countermark(*CLOCKS, *words)
    assert ran.code == code
    assert message in ran.err
    assert ran.out == ""
