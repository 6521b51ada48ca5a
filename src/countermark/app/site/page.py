# SPDX-License-Identifier: Apache-2.0
"""What the site is made of: pages for people, and files that hold the same figures for machines."""

import csv
import io
import json
from dataclasses import dataclass
from typing import TypeAlias

Value: TypeAlias = "str | int | float | None"

CSV_TYPE = "text/csv; charset=utf-8"
JSON_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its path from the site's root, its title and its bytes."""

    path: str
    title: str
    html: bytes


@dataclass(frozen=True, slots=True)
class DataFile:
    """One file that is no page: its path from the site's root, its bytes and what they are."""

    path: str
    body: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """The figures of one table, unrounded.

    Parameters
    ----------
    path
        Path from the site's root, without a suffix.
    title
        What the rows are.
    columns, rows
        Names of the columns, and one tuple of the same length per row.
    """

    path: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]

    def files(self) -> tuple[DataFile, DataFile]:
        """Return the sheet as CSV and as JSON."""
        return (
            DataFile(f"{self.path}.csv", self._csv(), CSV_TYPE),
            DataFile(f"{self.path}.json", self._json(), JSON_TYPE),
        )

    def _csv(self) -> bytes:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows([_inert(value) for value in row] for row in self.rows)
        return text.getvalue().encode()

    def _json(self) -> bytes:
        rows = [dict(zip(self.columns, row, strict=True)) for row in self.rows]
        value = {"title": self.title, "rows": rows}
        return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def _inert(value: Value) -> Value:
    # Spreadsheets run a cell that starts like a formula; texts come from other people's records.
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value
