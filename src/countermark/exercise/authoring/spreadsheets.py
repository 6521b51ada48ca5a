# SPDX-License-Identifier: Apache-2.0
"""Item files as spreadsheets write them: CSV that says what a line of JSON would.

1. UTF-8, with or without a byte order mark; RFC 4180: cells are separated by commas, and a cell
   with a comma, a quote or a line break stands in double quotes.
2. The first line names the columns: the fields of a line, each once, in any order. A field inside
   a field has a dot: ``translation.status``.
3. Every further line has as many cells as columns. An empty cell is an absent field; a line of
   empty cells is skipped.
4. ``true`` and ``false`` in any case are the two values of a yes-or-no field; names in a list are
   separated by semicolons.
5. A line break inside a cell is one line feed, whatever the spreadsheet wrote.
"""

import csv
import io
import types
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn, get_args

from pydantic import BaseModel

from countermark.records.canonical import JsonValue
from countermark.records.errors import InputError

CSV = ".csv"

LONGEST_FIELD = 131_072
"""Characters; the longest text of a protocol has fewer."""


def csv_lines(
    kind: type[BaseModel], data: bytes, path: Path
) -> Iterator[tuple[str, dict[str, JsonValue]]]:
    """Yield where each row begins and what it says, as the JSON object of a line.

    Parameters
    ----------
    kind
        What a line is; its fields are the columns.
    data, path
        The file.

    Raises
    ------
    InputError
        If a rule of the module docstring is broken.
    """
    known = dict(_columns(kind))
    rows = _rows(data, path)
    where, names = next(rows, (f"{path}:1", []))
    _check_names(names, known, where)
    for where, cells in rows:
        if len(cells) != len(names):
            _refuse(
                f"has {len(cells)} cells where there are {len(names)} columns",
                where,
                "Put a cell with a comma in it in double quotes.",
            )
        value: dict[str, JsonValue] = {}
        for name, cell in zip(names, cells, strict=True):
            if cell:
                _put(value, name, _read(known[name], cell, name, where))
        if value:
            yield where, value


def _rows(data: bytes, path: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield each row with the line that it begins on."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        _refuse("is not UTF-8", f"{path}:{line}", "Save it as CSV UTF-8 in the spreadsheet.")
    csv.field_size_limit(LONGEST_FIELD)  # one setting of the process, which other readers change
    reader, begins = csv.reader(io.StringIO(text, newline=""), strict=True), 1
    while True:
        where = f"{path}:{begins}"
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            _refuse(f"is not CSV: {error}", where, "Look for a quote that is not closed.")
        begins = reader.line_num + 1
        if cells:
            yield where, [cell.replace("\r\n", "\n").replace("\r", "\n") for cell in cells]


def _columns(kind: type[BaseModel]) -> Iterator[tuple[str, type]]:
    """Yield the columns of a kind of line, each with what its cells are."""
    for name, field in kind.model_fields.items():
        inner = _plain(field.annotation)
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from ((f"{name}.{below}", type_) for below, type_ in _columns(inner))
        else:
            yield name, inner if inner is bool else tuple if _is_list(inner) else str


def _plain(annotation: object) -> object:
    """Return a type without the ``None`` that says that its field may be absent."""
    if isinstance(annotation, types.UnionType):
        return next(one for one in get_args(annotation) if one is not type(None))
    return annotation


def _is_list(annotation: object) -> bool:
    return getattr(annotation, "__origin__", None) is tuple


def _check_names(names: list[str], known: dict[str, type], where: str) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        _refuse(f"names the column {twice!r} twice", where, "Take one of the two out.")
    unknown = next((name for name in names if name not in known), None)
    if unknown is not None or not names:
        columns = ", ".join(known)
        _refuse(
            f"has the column {unknown!r}, which is none of a line's fields",
            where,
            f"Name the columns in the first line, with commas between them: {columns}.",
        )


def _read(kind: type, cell: str, column: str, where: str) -> JsonValue:
    if kind is tuple:
        return [name.strip() for name in cell.split(";") if name.strip()]
    if kind is bool:
        said = cell.strip().lower()
        if said not in ("true", "false"):
            _refuse(f"has {cell!r} in {column}", where, "Write true or false.")
        return said == "true"
    return cell


def _put(value: dict[str, JsonValue], name: str, cell: JsonValue) -> None:
    outer, dot, inner = name.partition(".")
    if not dot:
        value[name] = cell
        return
    within = value.setdefault(outer, {})
    if isinstance(within, dict):
        within[inner] = cell


def _refuse(what: str, where: str, next_step: str) -> NoReturn:
    raise InputError(what, where=where, next_step=next_step)
