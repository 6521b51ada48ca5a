# SPDX-License-Identifier: Apache-2.0
"""One row of a plain table: its text, what separates its fields, and the fields.

The rules are those of :mod:`~countermark.exercise.reading.csv_table`.
"""

import csv
import io
import re

from countermark.exercise.reading.documents import (
    MAX_LINE_BYTES,
    refuse,
)

SEPARATORS = (",", ";", "\t", "|")
BOM = b"\xef\xbb\xbf"
_SPREADSHEET = re.compile(rb"sep=[,;\t|]\s*", re.IGNORECASE)


def names_row(start: bytes) -> tuple[int, str] | None:
    """Return the row of names that a table begins with, and how many lines stand before it.

    Some spreadsheets write what the separator is, ``sep=;``, on a line of its own before.
    """
    rows = start.removeprefix(BOM).split(b"\n", 2)
    before = int(bool(_SPREADSHEET.fullmatch(rows[0])))
    if before >= len(rows) or b"\0" in rows[before]:
        return None
    try:
        return before, rows[before].decode("utf-8").strip()
    except UnicodeDecodeError:
        return None


def row_text(data: bytes, where: str) -> str:
    """Decode a row."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        refuse(
            f"is not UTF-8 (byte {error.start} of the line)",
            where,
            "Save the table as CSV in UTF-8.",
        )
    if "\0" in text:
        refuse("holds a zero byte", where, "Save the table as CSV in UTF-8.")
    return text


def separator_of(header: str) -> str:
    """Return what separates the names of the columns: the sign that is most often between them."""
    bare = re.sub(r'"[^"]*"', "", header)
    return max(SEPARATORS, key=bare.count)


def names_of(header: str) -> tuple[str, ...]:
    """Return the names of the columns, in small letters."""
    fields = fields_of(header, separator_of(header), "header", strict=False)
    return tuple(field.strip().lower() for field in fields)


def fields_of(line: str, separator: str, where: str, *, strict: bool = True) -> list[str]:
    """Split a row into its fields."""
    if '"' not in line and "\r" not in line:
        return line.split(separator)
    # A setting of the process, which other readers change; lines have a limit of their own.
    csv.field_size_limit(MAX_LINE_BYTES)
    try:
        rows = list(csv.reader(io.StringIO(line, newline=""), delimiter=separator, strict=strict))
    except csv.Error as error:
        refuse(
            f"is no row of a table: {error}",
            where,
            "Close each quotation mark, and write one inside a text twice.",
        )
    return rows[0] if rows else []
