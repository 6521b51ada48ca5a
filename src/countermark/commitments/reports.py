# SPDX-License-Identifier: Apache-2.0
"""Reports that laws and codes ask for, filled from what is on record.

An outline lists a report's fields in our words, with the provision that asks for each. It is filled
from one framework and the findings, decisions and determinations about it. It is a draft to work
on: no report is complete or lawful because this program wrote it.

1. A field holds only what records state, each with the digest and the author of the record.
2. A field for which no record states anything is *missing* and says what would fill it.
3. A field that asks for more than records can tell is filled *in part* and says what is beyond.
4. Evidence about another framework or another model is refused.
5. A measure that is promised and not determined to be in place says so; a determination is told
   with its conclusion, whatever it is.
6. A cell of a finding without a sound rate is told with its reason and without a rate.
7. Order and duplicates of the evidence do not matter.
8. If any record is a demonstration, the report says so.
9. An outline of a form that a newer one has followed says so on its face, with the newer one's date
   and source.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeAlias, TypeVar

from pydantic import Field

from countermark.commitments.law import Instrument, instrument
from countermark.commitments.report_evidence import Entry, Evidence, Filler, told
from countermark.records.base import Date, Part, Record, Slug, Text
from countermark.records.canonical import JsonValue
from countermark.records.decision import Decision
from countermark.records.determination import Determination
from countermark.records.errors import InputError
from countermark.records.finding import Finding
from countermark.records.framework import Framework
from countermark.taxonomy.reading import packaged, read_list

R = TypeVar("R", bound=Record)
State: TypeAlias = Literal["filled", "in part", "missing"]
REPORTS = ("eu-code", "sb53", "haip")


class OutlineField(Part):
    """One thing that a report has to hold."""

    key: Slug = Field(description="Its key in the outline.")
    heading: Text = Field(description="What it is, in our words.")
    provision: Text = Field(description="The provision that asks for it.")
    fillers: tuple[Filler, ...] = Field(description="What of the records goes into it, in order.")
    missing: Text = Field(description="What would fill it where no record does.")
    beyond: Text | None = Field(
        default=None, description="What it asks for that no record here can tell."
    )


class Edition(Part):
    """Which edition of a form an outline follows, where a newer one is in use."""

    follows: Text = Field(description="The edition that the outline follows.")
    newer: Text = Field(description="The newer edition.")
    since: Date = Field(description="Since when the newer one is in use.")
    words: Text = Field(description="What follows from that for whoever reports.")
    source: Slug = Field(description="Key of the instrument's source that tells of the newer one.")


class Outline(Part):
    """The fields of one report."""

    key: Slug = Field(description="Its key.")
    title: Text = Field(description="What the report is called.")
    instrument: Slug = Field(description="Key of the instrument that asks for it.")
    source: Slug = Field(description="Key of the instrument's source in which it was read.")
    edition: Edition | None = Field(
        default=None, description="Which edition it follows, where a newer one is in use."
    )
    fields: tuple[OutlineField, ...] = Field(min_length=1, description="What it has to hold.")
    as_of: Date = Field(description="When the source was last read.")


@dataclass(frozen=True, slots=True)
class FilledField:
    """One field with what records state for it."""

    field: OutlineField
    entries: tuple[Entry, ...]

    @property
    def state(self) -> State:
        """How far it is filled (rules 1 to 3)."""
        if not self.entries:
            return "missing"
        return "in part" if self.field.beyond else "filled"

    @property
    def needs(self) -> str | None:
        """What is still needed, if anything."""
        return self.field.beyond if self.entries else self.field.missing


@dataclass(frozen=True, slots=True)
class Report:
    """An outline filled from records."""

    outline: Outline
    instrument: Instrument
    framework: Framework
    model: str
    demonstration: bool
    fields: tuple[FilledField, ...]

    def count(self, state: State) -> int:
        """Return how many fields are in a state."""
        return sum(one.state == state for one in self.fields)


@cache
def outline(key: str) -> Outline:
    """Return the outline of a report by its key, one of ``REPORTS``."""
    return read_list(Outline, packaged("commitments", "reports") / f"{key}.json")


def fill(
    asked: Outline,
    framework: Framework,
    *,
    model: str | None = None,
    findings: Sequence[Finding] = (),
    decisions: Sequence[Decision] = (),
    determinations: Sequence[Determination] = (),
) -> Report:
    """Fill an outline from what is on record.

    Parameters
    ----------
    asked
        The outline.
    framework
        The framework that the report is about.
    model
        Key of the model; needed only where the evidence is about several, or about none.
    findings, decisions, determinations
        The evidence; those of a finding that are about other models are passed over.

    Raises
    ------
    InputError
        If evidence is about another framework or model (rule 4), or the model is not clear.
    """
    named = model or _only_model(findings, decisions, determinations)
    held = Evidence(framework, named, _once(findings), _once(decisions), _once(determinations))
    _refuse_strangers(held)
    shown: list[Framework | Finding | Decision | Determination] = [framework, *held.findings]
    shown += [*held.decisions, *held.determinations]
    return Report(
        outline=asked,
        instrument=instrument(asked.instrument),
        framework=framework,
        model=named,
        demonstration=any(one.demonstration for one in shown),
        fields=tuple(FilledField(one, _entries(one, held)) for one in asked.fields),
    )


def _entries(field: OutlineField, held: Evidence) -> tuple[Entry, ...]:
    return tuple(dict.fromkeys(entry for name in field.fillers for entry in told(name, held)))


def _once(records: Iterable[R]) -> tuple[R, ...]:
    """Return records without duplicates, by digest."""
    by_digest = {one.digest: one for one in records}
    return tuple(by_digest[digest] for digest in sorted(by_digest))


def _only_model(
    findings: Sequence[Finding],
    decisions: Sequence[Decision],
    determinations: Sequence[Determination],
) -> str:
    models = {one.model for one in decisions} | {one.model for one in determinations}
    models = models or {cell.model for one in findings for cell in one.cells}
    if len(models) != 1:
        raise InputError(
            f"the evidence is about {len(models)} models",
            next_step=f"Name the model; there is {', '.join(sorted(models)) or 'none in it'}.",
        )
    return models.pop()


def _refuse_strangers(held: Evidence) -> None:
    judged: list[Decision | Determination] = [*held.decisions, *held.determinations]
    for one in judged:
        if one.framework != held.digests[id(held.framework)]:
            raise InputError(
                f"the {one.kind_name()} {one.digest} is about another framework",
                next_step="Give the framework that it names, or leave it out.",
            )
        if one.model != held.model:
            raise InputError(
                f"the {one.kind_name()} {one.digest} is about the model {one.model}",
                next_step=f"Give evidence about {held.model}, or leave it out.",
            )
    for found in held.findings:
        if all(cell.model != held.model for cell in found.cells):
            raise InputError(
                f"the finding {found.digest} has no cell of the model {held.model}",
                next_step=f"Give a finding about {held.model}, or leave it out.",
            )


def as_value(report: Report) -> dict[str, JsonValue]:
    """Return a report as a JSON object."""
    edition = report.outline.edition
    return {
        "report": report.outline.key,
        "title": report.outline.title,
        "edition": None if edition is None else edition.model_dump(mode="json"),
        "instrument": report.instrument.title,
        "framework": report.framework.digest,
        "developer": report.framework.developer,
        "model": report.model,
        "demonstration": report.demonstration,
        "legal_advice": False,
        "fields": [_field_value(one) for one in report.fields],
    }


def _field_value(one: FilledField) -> dict[str, JsonValue]:
    value: dict[str, JsonValue] = {
        "id": one.field.key,
        "heading": one.field.heading,
        "provision": one.field.provision,
        "state": one.state,
        "entries": [
            {"words": e.words, "kind": e.kind, "digest": e.digest, "author": e.author}
            for e in one.entries
        ],
    }
    if one.needs is not None:
        value["needs"] = one.needs
    return value


def as_markdown(report: Report) -> str:
    """Return a report as a Markdown document; texts of records cannot add markup to it."""
    states: tuple[State, ...] = ("filled", "in part", "missing")
    counts = ", ".join(f"{report.count(state)} {state}" for state in states)
    source = report.instrument.cited(report.outline.source)
    said = dict.fromkeys(entry.digest for one in report.fields for entry in one.entries)
    numbers = {digest: number for number, digest in enumerate(said, start=1)}
    lines = [
        f"# {_plain(report.outline.title)}",
        "",
        f"Developer {_plain(report.framework.developer)}, model {_plain(report.model)}.",
        f"Fields: {counts}.",
        "",
        "A draft from records, no legal advice. Provisions, in our words, are those of",
        f"{_plain(source.title)} ({_plain(source.publisher)}, {source.standing} source).",
    ]
    lines += _edition_lines(report)
    if report.demonstration:
        lines += ["", "**Demonstration: no real system stands behind this.**"]
    for one in report.fields:
        lines += ["", f"## {one.field.key}: {_plain(one.field.heading)}", ""]
        lines += [f"*{one.field.provision}; {one.state}*", ""]
        lines += [f"- {_plain(entry.words)} [{numbers[entry.digest]}]" for entry in one.entries]
        if one.needs is not None:
            lines += [*([""] if one.entries else []), f"**Needed:** {_plain(one.needs)}"]
    if numbers:
        lines += ["", "## Records", "", "Each figure and each word above is from one of these.", ""]
    records = {entry.digest: entry for one in report.fields for entry in one.entries}
    lines += [
        f"{number}. {records[digest].kind} `{digest}`, by {_plain(records[digest].author)}"
        for digest, number in numbers.items()
    ]
    return "\n".join(lines) + "\n"


def _edition_lines(report: Report) -> list[str]:
    edition = report.outline.edition
    if edition is None:
        return []
    told = report.instrument.cited(edition.source)
    where = f", {told.url}" if told.url else ""
    return [
        "",
        f"**This follows {_plain(edition.follows)}. {_plain(edition.newer)} is in use since",
        f"{edition.since}** ({_plain(told.title)}, {_plain(told.publisher)}, {told.standing}",
        f"source{where}). {_plain(edition.words)}",
    ]


def _plain(text: str) -> str:
    """Return text on one line whose characters mean nothing to Markdown or HTML."""
    flat = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\`*_\[\]|#~>])", r"\\\1", flat)
