# SPDX-License-Identifier: Apache-2.0
"""Reading that goes on: JSON and CSV with the line of each element, and a list of what is wrong.

Strict reading (:mod:`countermark.records.canonical`) stops at the first fault, so that nobody acts
on a broken document. A lint has to tell everything at once, and acts on nothing.

1. A file is a regular file, no link, and of at most ``MAX_FILE_BYTES``.
2. Bytes that are not UTF-8 are a fault; they are read as U+FFFD and the reading goes on.
3. A field that stands twice in an object is a fault; the last one counts.
4. What is no JSON ends the reading of that file, or of that line where each line is a document;
   what was read before it is kept.
5. NaN, infinities and numbers of more than 400 digits are faults, and so is nesting beyond what
   Python reads.
"""

import csv
import io
import json
import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from countermark.exercise.lint.model import Fault
from countermark.records.canonical import JsonValue
from countermark.records.errors import InputError

MAX_FILE_BYTES = 64 * 1024 * 1024
MAX_BYTES = 256 * 1024 * 1024
_SPACE = re.compile(r"[ \t\n\r\ufeff]*")
_LONGEST_NUMBER = 400


@dataclass(frozen=True, slots=True)
class Element:
    """One object of a list, or one line, and where it stands."""

    value: dict[str, JsonValue]
    line: int
    start: int
    end: int


@dataclass(slots=True)
class Faults:
    """Collects what is wrong with one file."""

    file: str
    found: list[Fault] = field(default_factory=list)

    def unreadable(self, message: str, suggestion: str, line: int | None = None) -> None:
        """Add a fault of a whole file or line."""
        self.found.append(Fault("unreadable", self.file, message, suggestion, line))

    def shape(
        self, message: str, suggestion: str, line: int | None = None, key: str | None = None
    ) -> None:
        """Add a fault of a field."""
        self.found.append(Fault("shape", self.file, message, suggestion, line, key))

    def twice(self, name: str, line: int) -> None:
        """Add a field that stands twice in one object."""
        self.found.append(
            Fault(
                "duplicate-field",
                self.file,
                f"the field {name[:40]!r} stands twice in one object; programs differ in which "
                "one they take",
                "Take one of the two out.",
                line,
            )
        )


def check_size(paths: Iterable[Path], where: Path, most: int) -> None:
    """Refuse files that together would not fit in memory as they are held there.

    Raises
    ------
    InputError
        If they are larger than that.
    """
    size = sum(one.lstat().st_size for one in paths)
    if size > most:
        raise InputError(
            f"holds {size:,} bytes of files; at most {most:,} are looked at together",
            where=str(where),
            next_step="Lint one task at a time.",
        )


def read_text(path: Path, faults: Faults) -> str | None:
    """Read a file as UTF-8 (rules 1 and 2); nothing where it cannot be read at all."""
    try:
        # A pipe would wait for a writer; a link may lead out of the folder.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        with os.fdopen(descriptor, "rb") as file:
            regular = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            data = file.read(MAX_FILE_BYTES + 1) if regular else b""
    except OSError as error:
        why = "is a link" if path.is_symlink() else f"cannot be read ({error.strerror})"
        faults.unreadable(why, "Put the file itself there, readable, in place of it.")
        return None
    if not regular:
        faults.unreadable("is no file", "Pipes, devices and folders are not read.")
        return None
    if len(data) > MAX_FILE_BYTES:
        faults.unreadable(f"is larger than {MAX_FILE_BYTES:,} bytes", "Split the file.")
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        faults.unreadable(f"is not UTF-8 (byte {error.start})", "Save the file as UTF-8.", line)
        return data.decode("utf-8", "replace")


class _Reader:
    """Reads values one after the other out of a text, and remembers fields that stand twice."""

    def __init__(self, text: str, faults: Faults) -> None:
        self.text = text
        self.faults = faults
        self.repeated: list[str] = []
        self._line, self._counted = 1, 0
        self._decoder = json.JSONDecoder(
            object_pairs_hook=self._object,
            parse_constant=_constant,
            parse_int=_integer,
            parse_float=_float,
            strict=False,
        )

    def line(self, position: int) -> int:
        """Return the line of a place; places come in order, so that the whole costs one pass."""
        if position < self._counted:
            self._line, self._counted = 1, 0
        self._line += self.text.count("\n", self._counted, position)
        self._counted = position
        return self._line

    def skip(self, position: int) -> int:
        """Return the next place that is no white space."""
        found = _SPACE.match(self.text, position)
        return found.end() if found else position

    def value(self, position: int) -> tuple[JsonValue, int]:
        """Read one value; raises ValueError or RecursionError."""
        self.repeated.clear()
        value, end = self._decoder.raw_decode(self.text, position)
        for name in self.repeated:
            self.faults.twice(name, self._second(name, position, end))
        return value, end

    def _second(self, name: str, start: int, end: int) -> int:
        """Return the line where a field stands for the second time."""
        quoted = json.dumps(name, ensure_ascii=False)
        first = self.text.find(quoted, start, end)
        second = self.text.find(quoted, first + 1, end) if first >= 0 else -1
        return self.line(second if second >= 0 else start)

    def _object(self, pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
        result = dict(pairs)
        if len(result) != len(pairs):
            seen: set[str] = set()
            for name, _ in pairs:
                if name in seen:
                    self.repeated.append(name)
                seen.add(name)
        return result


def read_document(
    text: str, faults: Faults
) -> tuple[dict[str, JsonValue], dict[str, list[Element]]]:
    """Read one JSON object, and give the place of each object in the lists of its fields.

    Returns
    -------
    tuple
        The fields that were read, and for each field that is a list its objects.
    """
    reader = _Reader(text, faults)
    fields: dict[str, JsonValue] = {}
    elements: dict[str, list[Element]] = {}
    position = reader.skip(0)
    try:
        _members(reader, position, fields, elements)
    except json.JSONDecodeError as error:
        faults.unreadable(
            f"is not JSON: {error.msg}; what follows was not read",
            "Correct the file at that line.",
            error.lineno,
        )
    except ValueError as error:
        faults.unreadable(f"is not JSON as it is read here: {error}", "Correct the value.")
    except RecursionError:
        faults.unreadable("is nested too deep", "Write it flat.")
    return fields, elements


def _members(
    reader: _Reader,
    position: int,
    fields: dict[str, JsonValue],
    elements: dict[str, list[Element]],
) -> None:
    text = reader.text
    position = _expect(text, position, "{", "an object should begin here")
    position = reader.skip(position)
    while text[position : position + 1] != "}":
        name, position = reader.value(position)
        if not isinstance(name, str):
            raise json.JSONDecodeError("a field's name should stand here", text, position)
        if name in fields:
            reader.faults.twice(name, reader.line(position))
        position = _expect(text, reader.skip(position), ":", "a colon should stand here")
        position = reader.skip(position)
        if text[position : position + 1] == "[":
            listed: list[JsonValue] = []
            fields[name] = listed
            position = _list(reader, position, listed, elements.setdefault(name, []))
        else:
            fields[name], position = reader.value(position)
        position = reader.skip(position)
        if text[position : position + 1] == ",":
            position = reader.skip(position + 1)
        elif text[position : position + 1] != "}":
            raise json.JSONDecodeError("a comma or the end should stand here", text, position)
    if reader.skip(position + 1) != len(text):
        raise json.JSONDecodeError("something stands after the end", text, position + 1)


def _list(reader: _Reader, position: int, listed: list[JsonValue], objects: list[Element]) -> int:
    text = reader.text
    position = reader.skip(position + 1)
    while text[position : position + 1] != "]":
        start, line = position, reader.line(position)
        value, position = reader.value(position)
        listed.append(value)
        if isinstance(value, dict):
            objects.append(Element(value, line, start, position))
        position = reader.skip(position)
        if text[position : position + 1] == ",":
            position = reader.skip(position + 1)
        elif text[position : position + 1] != "]":
            raise json.JSONDecodeError("a comma or the end should stand here", text, position)
    return position + 1


def _expect(text: str, position: int, mark: str, otherwise: str) -> int:
    if text[position : position + 1] != mark:
        raise json.JSONDecodeError(otherwise, text, position)
    return position + 1


def read_json_lines(text: str, faults: Faults) -> Iterator[Element]:
    """Yield the object of each line that holds one; other lines become faults."""
    position = 0
    reader = _Reader("", Faults(faults.file))
    for number, line in enumerate(text.split("\n"), 1):
        start, position = position, position + len(line) + 1
        if not line.strip():
            continue
        reader.text = line
        problem = None
        try:
            value, end = reader.value(reader.skip(0))
            if not isinstance(value, dict):
                problem = "is no JSON object"
            elif reader.skip(end) != len(line):
                problem = "has something after the end of its object"
            else:
                yield Element(value, number, start, start + len(line))
        except json.JSONDecodeError as error:
            problem = f"is not JSON: {error.msg} (column {error.colno})"
        except ValueError as error:
            problem = f"is not JSON as it is read here: {error}"
        except RecursionError:
            problem = "is nested too deep"
        if problem:
            faults.unreadable(f"the line {problem}", "Write one JSON object on the line.", number)
        for name in reader.repeated:
            faults.twice(name, number)


def read_table(text: str, faults: Faults) -> Iterator[Element]:
    """Yield each row of a CSV file with a header, as an object of its filled fields."""
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    header: list[str] | None = None
    while True:
        line = rows.line_num + 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            faults.unreadable(f"is not CSV: {error}", "Correct the row's quotes.", line)
            return
        if header is None:
            header = row
            for name in sorted({name for name in row if row.count(name) > 1}):
                faults.twice(name, line)
        elif len(row) > len(header):
            faults.unreadable(
                f"the row has {len(row)} fields, and the header {len(header)}",
                "Put texts that hold commas in quotes.",
                line,
            )
        elif any(row):
            filled = {name: value for name, value in zip(header, row, strict=False) if value}
            yield Element(dict(filled), line, 0, 0)


def _constant(name: str) -> NoReturn:
    raise ValueError(f"it holds {name}")


def _integer(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise ValueError("it holds a number of too many digits")
    return int(text)


def _float(text: str) -> float:
    if len(text) > _LONGEST_NUMBER:
        raise ValueError("it holds a number of too many digits")
    return float(text)
