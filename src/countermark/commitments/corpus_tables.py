# SPDX-License-Identifier: Apache-2.0
"""The tables of the Frontier Safety Framework Corpus, read strictly from a user's own copy.

The corpus is Louis Y. Zhu's (https://github.com/louisyzhu/frontier-safety-framework-corpus; its
tables are under CC BY 4.0). None of it comes with Countermark. A copy is a folder with

- ``manifest.csv`` (in ``corpus/`` or at the top): one row for each document and version;
- ``pairs.csv`` (there too): one for each two versions that follow each other;
- ``tracing_FINAL.csv`` (in ``coding/`` or at the top): one for each commitment that was traced.

Rules, each of which names the file and the line where it is broken:

1. A table is UTF-8 CSV of at most 64 MiB and 200,000 rows, and each row has as many cells as the
   first. A cell has at most 131,072 characters.
2. It has the columns that are needed here; others are passed over. No column is there twice. The
   counts of pairs and the codes of the first pass are read where a copy has them.
3. A digest is 64 hexadecimal digits, or empty where nothing was retrieved; a date is ISO 8601.
4. No version, pair or commitment is there twice.
5. A code is one of the codebook's (version 0.2): of outcome, of announcement, yes or no. What is
   material has a status, in the first pass as adjudicated.
6. A pair has all four of its counts, which are whole numbers, or none.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NoReturn

from countermark.node.files import read_file
from countermark.records.errors import InputError

MAX_BYTES, MAX_ROWS, LONGEST_CELL = 64 * 1024 * 1024, 200_000, 131_072
MANIFEST = (
    *("provider", "document", "version", "is_companion", "publication_date"),
    *("retrieval_url", "sha256", "revision_account_exists"),
)
FIRST_PASS = ("material", "announcement")
COUNTS = ("n_material_changes", "n_announced", "n_silent", "n_ncl")
PAIRS = ("provider", "v_i", "v_next", "traced", "disclosure_regime")
TRACING = (
    *("pair_id", "provider", "v_i", "v_next", "commitment_id", "category"),
    *("ADJ_outcome", "ADJ_material", "ADJ_announcement", "ADJ_flags"),
)
OUTCOMES = {
    "R": "retained",
    "S": "strengthened",
    "W": "weakened",
    "X": "removed",
    "L": "relocated",
    "A": "added",
}
"""The codebook's outcomes."""

TOLD = {"ANN": "announced", "ANN-P": "partly", "SIL": "silent", "NCL": "no account"}
"""The codebook's statuses of a material change, in our words for the same."""

_DIGEST = re.compile(r"[0-9a-f]{64}")
_COUNT = re.compile(r"[0-9]{1,6}")


@dataclass(frozen=True, slots=True)
class Document:
    """One row of the manifest: one version of one document."""

    provider: str
    document: str
    version: str
    companion: bool
    published: str
    url: str
    sha256: str | None
    account: str

    @property
    def digest(self) -> str | None:
        """The digest of the file as our records write it."""
        return f"sha256:{self.sha256}" if self.sha256 else None


@dataclass(frozen=True, slots=True)
class Counted:
    """Counts of a pair's material changes. What the account tells in part is silent here."""

    material: int
    announced: int
    silent: int
    no_account: int


@dataclass(frozen=True, slots=True)
class TracedPair:
    """One row of the table of pairs, with its own counts."""

    provider: str
    before: str
    after: str
    traced: bool
    regime: str
    counted: Counted | None


@dataclass(frozen=True, slots=True)
class Traced:
    """One commitment that was traced from one version to the next, as adjudicated.

    ``told`` is the status of a material change, ``first`` the one that the first pass gave it, if
    the copy has that.
    """

    pair: str
    provider: str
    before: str
    after: str
    commitment: str
    category: str
    outcome: str
    material: bool
    told: str | None
    first: str | None
    mixed: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table, and where it stands."""

    where: str
    cells: dict[str, str]

    def refuse(self, what: str, next_step: str) -> NoReturn:
        """Refuse the row."""
        raise InputError(what, where=self.where, next_step=next_step)

    def one_of(self, column: str, known: Iterable[str]) -> str:
        """Return a cell that must be one of some codes (rule 5)."""
        value = self.cells[column]
        if value not in (codes := tuple(known)):
            self.refuse(
                f"has {value[:40]!r} as {column}", f"Known are {', '.join(code for code in codes)}."
            )
        return value

    def flag(self, column: str) -> bool:
        """Return a cell that must be *yes* or *no*."""
        return self.one_of(column, ("yes", "no")) == "yes"


def read_manifest(path: Path) -> tuple[Document, ...]:
    """Read the manifest.

    Raises
    ------
    InputError
        If a rule of the module docstring is broken.
    """
    rows = tuple(_rows(path, MANIFEST))
    _refuse_twice(rows, ("provider", "document", "version"))
    return tuple(
        Document(
            row.cells["provider"],
            row.cells["document"],
            row.cells["version"],
            row.flag("is_companion"),
            _date(row),
            row.cells["retrieval_url"],
            _sha256(row),
            row.cells["revision_account_exists"],
        )
        for row in rows
    )


def read_pairs(path: Path) -> tuple[TracedPair, ...]:
    """Read the table of pairs.

    Raises
    ------
    InputError
        If a rule of the module docstring is broken.
    """
    rows = tuple(_rows(path, PAIRS))
    _refuse_twice(rows, ("provider", "v_i", "v_next"))
    return tuple(
        TracedPair(
            row.cells["provider"],
            row.cells["v_i"],
            row.cells["v_next"],
            row.flag("traced"),
            row.cells["disclosure_regime"],
            _counted(row),
        )
        for row in rows
    )


def read_tracing(path: Path) -> tuple[Traced, ...]:
    """Read the table of traced commitments.

    Raises
    ------
    InputError
        If a rule of the module docstring is broken.
    """
    rows = tuple(_rows(path, TRACING))
    _refuse_twice(rows, ("commitment_id",))
    return tuple(_traced(row) for row in rows)


def _traced(row: Row) -> Traced:
    cells, told = row.cells, _status(row, "ADJ_")
    outcome = row.one_of("ADJ_outcome", OUTCOMES)
    if told and outcome == "R":
        row.refuse("is material, and has the outcome R", "A material change is not R (retained).")
    return Traced(
        cells["pair_id"],
        cells["provider"],
        cells["v_i"],
        cells["v_next"],
        cells["commitment_id"],
        cells["category"],
        OUTCOMES[outcome],
        told is not None,
        told,
        _status(row, "") if all(name in cells for name in FIRST_PASS) else None,
        "MIX" in re.split(r"[;,\s]+", cells["ADJ_flags"]),
    )


def _status(row: Row, stage: str) -> str | None:
    """Return the status of a material change by the codes of one stage, or nothing (rule 5)."""
    material = row.flag(f"{stage}material")
    told = row.one_of(f"{stage}announcement", (*TOLD, "NA", ""))
    if material and told not in TOLD:
        row.refuse(
            f"is material, and has {told!r} as {stage}announcement",
            f"The announcement of a material change is one of {', '.join(TOLD)}.",
        )
    return TOLD[told] if material else None


def _counted(row: Row) -> Counted | None:
    """Return the counts of a pair, which one that was not traced has not (rule 6)."""
    cells = {name: row.cells.get(name, "") for name in COUNTS}
    if not any(cells.values()):
        return None
    for name, cell in cells.items():
        if not _COUNT.fullmatch(cell):
            row.refuse(f"has {cell[:40]!r} as {name}", "Write a whole number, or no count at all.")
    return Counted(*(int(cell) for cell in cells.values()))


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[Row]:
    """Yield the rows of a table (rules 1 and 2)."""
    # A setting of the process, which other readers change.
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    header: list[str] = []
    begins, count = 1, 0
    while True:
        where = f"{path}:{begins}"
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            raise InputError(
                f"is not CSV: {error}", where=where, next_step="Take the file as it was published."
            ) from error
        begins = reader.line_num + 1
        if not header:
            header = _header(cells, columns, where)
            continue
        if not cells:
            continue
        count += 1
        if count > MAX_ROWS:
            raise InputError(
                f"has more than {MAX_ROWS:,} rows",
                where=where,
                next_step="Take the file as it was published.",
            )
        if len(cells) != len(header):
            raise InputError(
                f"has {len(cells)} cells, and the table has {len(header)} columns",
                where=where,
                next_step="Look for a comma or a quotation mark too many in this line.",
            )
        yield Row(where, dict(zip(header, (cell.strip() for cell in cells), strict=True)))
    if not header:
        _header([], columns, f"{path}:1")


def _text(path: Path) -> str:
    data = read_file(path, max_bytes=MAX_BYTES)
    if data is None:
        raise InputError(
            "is not there",
            where=str(path),
            next_step="Give the folder of a copy of the corpus, or the one with its tables.",
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InputError(
            "is not UTF-8", where=f"{path}:{line}", next_step="Take the file as it was published."
        ) from error


def _header(cells: list[str], columns: tuple[str, ...], where: str) -> list[str]:
    names = [cell.strip() for cell in cells]
    missing = [name for name in columns if name not in names]
    if missing:
        raise InputError(
            f"has no column {', '.join(missing)}",
            where=where,
            next_step="Take the table as it was published; it needs " + ", ".join(columns) + ".",
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(
            f"has the column {twice[0]} twice",
            where=where,
            next_step="Take the table as it was published.",
        )
    return names


def _refuse_twice(rows: tuple[Row, ...], columns: tuple[str, ...]) -> None:
    """Refuse a row whose key another row has (rule 4)."""
    seen: dict[tuple[str, ...], str] = {}
    for row in rows:
        key = tuple(row.cells[column] for column in columns)
        if not all(key):
            empty = columns[key.index("")]
            row.refuse(f"has nothing as {empty}", f"Each row has its {empty}.")
        if key in seen:
            row.refuse(
                f"is there twice: {', '.join(key)[:200]}, first at {seen[key]}",
                "Take one of the two out.",
            )
        seen[key] = row.where


def _sha256(row: Row) -> str | None:
    value = row.cells["sha256"].lower()
    if value and not _DIGEST.fullmatch(value):
        row.refuse(
            f"has {value[:80]!r} as sha256", "It is 64 hexadecimal digits, or empty if unknown."
        )
    return value or None


def _date(row: Row) -> str:
    value = row.cells["publication_date"]
    try:
        date.fromisoformat(f"{value}-01-01"[:10])
    except ValueError:
        row.refuse(
            f"has {value[:40]!r} as publication_date", "Write it as YYYY, YYYY-MM or YYYY-MM-DD."
        )
    return value
