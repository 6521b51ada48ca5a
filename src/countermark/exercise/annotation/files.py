# SPDX-License-Identifier: Apache-2.0
"""Sheets for people who cannot use the page: written for one rater, and taken back strictly.

1. A sheet has one row an answer: its random name, the question, the answer, and a column for the
   label. Hidden characters are named, as on the page.
2. A cell that a spreadsheet would compute (it begins with = + - @, a tab or a carriage return) gets
   an apostrophe before it, which is taken off again.
3. A sheet is taken back only whole: a column too many or too few, an answer that is not the
   rater's, one that comes twice, a text that was changed, or a label that is none, is an error with
   file, line and answer, and nothing is kept. An empty label is none yet.
4. A label of a sheet replaces an earlier one until the rater has submitted; then it is refused.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from countermark.exercise.annotation.desk import LABELS, Refused, submit_part
from countermark.exercise.annotation.parts import Part, part_of, parts_of
from countermark.exercise.annotation.planning import batch_of
from countermark.exercise.annotation.showing import visible
from countermark.node.drafts import Batch, Drafts, Held, Kept
from countermark.node.node import Node
from countermark.node.policy import Person, may_annotate
from countermark.records.canonical import canonical, read_object
from countermark.records.errors import InputError
from countermark.records.protocol import Protocol

COLUMNS = ("id", "question", "answer", "label")
_COMPUTED = ("=", "+", "-", "@", "\t", "\r")
_MOST_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class SheetFile:
    """A sheet to be written: its name without a suffix, in both forms."""

    name: str
    csv: bytes
    jsonl: bytes


@dataclass(frozen=True, slots=True)
class _Row:
    where: str
    item: str
    question: str
    answer: str
    label: str


def sheets_for(node: Node, protocol: Protocol, name: str) -> tuple[SheetFile, ...]:
    """Return one rater's sheets, one a task and language.

    Raises
    ------
    InputError
        If nobody of that name rates here.
    """
    with Drafts(node.state).locked() as kept:
        batch = batch_of(kept, protocol.digest)
        person = _person(kept, batch, name)
        parts = [
            part
            for part in parts_of(kept, batch)
            if may_annotate(person, "see", part.work(person)).allowed
        ]
    return tuple(_sheet(part, name) for part in parts)


def take_sheet(
    node: Node, protocol: Protocol, name: str, data: bytes, file: str, *, submit: bool = False
) -> int:
    """Keep the labels of a rater's sheet, all or none, and return how many there were.

    Parameters
    ----------
    node, protocol
        Whose node, and which exercise.
    name
        The rater.
    data, file
        The sheet, CSV or JSON Lines by the file's name.
    submit
        Close each part of which the sheet labels the last answer.

    Raises
    ------
    InputError
        If rule 3 is broken.
    Refused
        If the part is not the rater's, or was submitted (rule 4).
    """
    rows = tuple(_rows(data, file))
    with Drafts(node.state).locked() as kept:
        batch = batch_of(kept, protocol.digest)
        person = _person(kept, batch, name)
        seen: set[str] = set()
        parts: dict[tuple[str, str], Part] = {}
        taken = 0
        for row in rows:
            part = _checked(kept, batch, row, parts)
            permission = may_annotate(person, "label", part.work(person))
            if not permission.allowed:
                raise Refused(permission)
            if row.item in seen:
                raise _wrong(row, "comes twice", "Leave one row an answer.")
            seen.add(row.item)
            if row.label:
                held = part.labels.get(row.item, {}).get(name)
                new = Held(row.label, held.version + 1 if held else 1)
                kept.replace(batch.batch, row.item, name, new, node.clock())
                taken += 1
        for task, language in parts if submit else ():
            submit_part(kept, person, part_of(kept, batch, task, language), node.clock())
    return taken


def _sheet(part: Part, name: str) -> SheetFile:
    buffer, lines = io.StringIO(newline=""), []
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for one in part.ordered(name):
        held = part.labels.get(one.item, {}).get(name)
        row = (one.item, visible(one.prompt), visible(one.answer), held.label if held else "")
        writer.writerow([_safe(cell) for cell in row])
        lines.append(canonical(dict(zip(COLUMNS, row, strict=True))) + b"\n")
    # A spreadsheet takes UTF-8 for what it is only with the mark before it.
    return SheetFile(
        f"{name}.{part.task}.{part.language}",
        b"\xef\xbb\xbf" + buffer.getvalue().encode(),
        b"".join(lines),
    )


def _rows(data: bytes, file: str) -> Iterator[_Row]:
    if len(data) > _MOST_BYTES:
        raise InputError(
            f"is larger than {_MOST_BYTES} bytes", where=file, next_step="Give the sheet itself."
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"is not UTF-8 at byte {error.start}",
            where=file,
            next_step="Save it as CSV UTF-8, or fill in the .jsonl file.",
        ) from error
    yield from _json_rows(text, file) if file.endswith(".jsonl") else _csv_rows(text, file)


def _csv_rows(text: str, file: str) -> Iterator[_Row]:
    # Spreadsheets of some countries write semicolons.
    head = text.split("\n", 1)[0]
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=";" if ";" in head else ",", strict=True
    )
    try:
        for cells in reader:
            where = f"{file}:{reader.line_num}"
            if reader.line_num == 1 or not cells:
                if cells and tuple(cells) != COLUMNS:
                    raise InputError(
                        f"has other columns: {', '.join(cells)[:120]}",
                        where=where,
                        next_step=f"Keep the columns {', '.join(COLUMNS)}, in this order.",
                    )
                continue
            if len(cells) != len(COLUMNS):
                raise InputError(
                    f"has {len(cells)} cells",
                    where=where,
                    next_step=f"Keep the columns {', '.join(COLUMNS)}.",
                )
            item, question, answer, label = (_plain(cell) for cell in cells)
            yield _Row(where, item, question, answer, label.strip().lower())
    except csv.Error as error:
        raise InputError(
            f"is no CSV: {error}",
            where=f"{file}:{reader.line_num}",
            next_step="Save the sheet as CSV again, or fill in the .jsonl file.",
        ) from error


def _json_rows(text: str, file: str) -> Iterator[_Row]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{file}:{number}"
        value = read_object(line.encode(), where=where)
        if value.keys() != set(COLUMNS) or not all(isinstance(one, str) for one in value.values()):
            raise InputError(
                "has other fields, or one that is no text",
                where=where,
                next_step=f"Keep the fields {', '.join(COLUMNS)}.",
            )
        item, question, answer, label = (str(value[name]) for name in COLUMNS)
        yield _Row(where, item, question, answer, label.strip().lower())


def _checked(kept: Kept, batch: Batch, row: _Row, parts: dict[tuple[str, str], Part]) -> Part:
    found = kept.answer(batch.batch, row.item)
    if found is None:
        raise _wrong(
            row, "is no answer of this exercise", "Use the sheet that was written for you."
        )
    for what, given, known in (
        ("question", row.question, found.prompt),
        ("answer", row.answer, found.answer),
    ):
        if given.replace("\r\n", "\n") != visible(known):
            raise _wrong(row, f"has a changed {what}", "Change nothing but the column label.")
    if row.label and row.label not in LABELS:
        raise _wrong(row, f"has the label {row.label[:20]!r}", f"Use {', '.join(LABELS)}.")
    place = (found.task, found.language)
    if place not in parts:
        parts[place] = part_of(kept, batch, *place)
    return parts[place]


def _person(kept: Kept, batch: Batch, name: str) -> Person:
    found = next((one for one in kept.people(batch.batch) if one.name == name), None)
    if found is None or found.role != "annotator" or found.revoked:
        raise InputError(
            f"has no rater called {name[:80]}",
            where=batch.batch,
            next_step="Invite them: countermark annotate invite.",
        )
    return Person(found.name, found.role, found.languages)


def _wrong(row: _Row, what: str, next_step: str) -> InputError:
    return InputError(f"{row.item[:40]!r} {what}", where=row.where, next_step=next_step)


def _safe(cell: str) -> str:
    # An apostrophe of the text's own gets one more, so that taking one off is always right.
    return f"'{cell}" if cell.startswith((*_COMPUTED, "'")) else cell


def _plain(cell: str) -> str:
    return cell[1:] if cell.startswith("'") else cell
