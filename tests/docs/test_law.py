# SPDX-License-Identifier: Apache-2.0
"""docs/law.md against the data that it shows: its tables are written here and compared."""

import re
from datetime import date
from pathlib import Path

from command_line import done

from countermark.commitments.law import Instrument, instruments
from countermark.commitments.reports import REPORTS, outline

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "law.md").read_text("utf-8")
HEADS = {
    "regimes": ("regime", "bound", "since", "days counted in", "key"),
    "clocks": ("regime", "what", "when", "section", "read in"),
    "standing": ("regime", "what", "when", "section", "read in"),
    "example": ("until, in Nairobi", "in UTC", "regime", "section", "remark"),
    "reports": ("report", "command", "fields", "from records", "of those, in part at most"),
}
EXAMPLE = (
    "incident", "clocks", "--kind", "weights", "--kind", "bodily-injury", "--known",
    "2026-11-27T16:30", "--zone", "Africa/Nairobi", "--json",
)  # fmt: skip


def table(name: str, rows: list[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    lines = [HEADS[name], ("---",) * len(HEADS[name]), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def since(one: Instrument) -> str:
    later = "" if one.applies(date(2026, 11, 29)) else " (not yet on 2026-11-29)"
    return f"{one.begins}{later}"


def regimes() -> list[tuple[str, ...]]:
    return [(one.short, one.who, since(one), one.zone, f"`{one.key}`") for one in instruments()]


def obligations(*, standing: bool) -> list[tuple[str, ...]]:
    return [
        (one.short, each.what, each.timing.words, each.provision, one.cited(each.source).standing)
        for one in instruments()
        for each in one.obligations
        if (each.stage == "standing") == standing
    ]


def local(moment: str) -> str:
    """Return a moment to the minute, as the table has it."""
    return moment.replace("T", " ")[:16]


def example() -> list[tuple[str, ...]]:
    value = done(*EXAMPLE).value
    short = {one.key: one.short for one in instruments()}
    return [
        (
            local(one.get("due_local", "no date")),
            local(one.get("due", "–")),
            short[one["regime"]],
            one["provision"],
            "; ".join(
                [
                    *(["not in force"] if not one["in_force"] else []),
                    *(
                        [f"may run to {local(one['may_run_to_local'])}"]
                        if "may_run_to" in one
                        else []
                    ),
                    *([f"then every {one['repeats_every']}"] if "repeats_every" in one else []),
                    *([one["waits_for"]] if "waits_for" in one else []),
                    *(["keep until then"] if one["stage"] == "keep" else []),
                ]
            ),
        )
        for one in value["deadlines"]
    ]


def reports() -> list[tuple[str, ...]]:
    outlines = [outline(key) for key in REPORTS]
    return [
        (
            one.title,
            f"`countermark commitments report --for {one.key}`",
            str(len(one.fields)),
            str(sum(bool(field.fillers) for field in one.fields)),
            str(sum(bool(field.fillers and field.beyond) for field in one.fields)),
        )
        for one in outlines
    ]


def assert_shown(expected: str) -> None:
    assert expected in DOCUMENT, f"docs/law.md should hold:\n\n{expected}\n"


def test_the_regimes_are_those_on_record() -> None:
    assert_shown(table("regimes", regimes()))


def test_the_clocks_are_those_on_record() -> None:
    assert_shown(table("clocks", obligations(standing=False)))


def test_the_standing_duties_are_those_on_record() -> None:
    assert_shown(table("standing", obligations(standing=True)))


def test_the_worked_incident_is_what_the_command_gives() -> None:
    (command,) = re.findall(r"^countermark (incident clocks .*)$", DOCUMENT, re.MULTILINE)
    assert tuple(command.split()) == EXAMPLE[:-1]
    assert_shown(table("example", example()))


def test_the_reports_are_those_on_record() -> None:
    assert_shown(table("reports", reports()))


def test_every_source_and_what_is_left_out_are_named() -> None:
    for one in instruments():
        for left in one.left_out:
            assert f"- {one.short}: {left}" in DOCUMENT
        for cited in one.sources:
            where = f" <{cited.source.url}>" if cited.source.url else ""
            said = f"{cited.source.title}. {cited.source.publisher}.{where}"
            assert f"- {one.short}: {said}" in DOCUMENT


def test_it_is_no_legal_advice() -> None:
    assert "**This is no legal advice.**" in DOCUMENT
