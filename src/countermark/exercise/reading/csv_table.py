# SPDX-License-Identifier: Apache-2.0
"""A plain table: CSV with ``,``, ``;``, ``|`` or a tab between columns, which the docs list.

1. The first row names the columns; capitals and spaces around a name do not matter. ``model``,
   ``task`` and ``item`` must be there. Columns of other names are kept as metadata.
2. A run is one ``lab``, ``model``, ``task`` and ``language``; a file may hold many. The language
   is a BCP 47 tag or empty.
3. A sample is one ``item`` in one ``epoch`` (1 if empty). With a column ``scorer`` each row is
   one score of a sample, else each row is one sample; nothing may come twice.
4. Scores are in the column ``score``, and in columns ``score:NAME`` for several scorers.
5. A score is a number with a decimal point, or ``true`` or ``false``. Empty, ``n/a``, ``nan``,
   ``null``, ``none`` and ``unparsed`` are *unparsed* on an answered sample. ``not attempted`` is
   what it says. Any other text is refused, above all a decimal comma.
6. ``outcome`` is *answered*, *refused*, *errored* or *missing*; where empty, a row with an
   ``error`` is *errored*, and any other *answered*. Scores of samples that are not answered are
   *not attempted*; a number for one that is *errored* or *missing* is refused.
7. ``answer``, ``prompt``, ``target``, ``error``, ``seconds``, ``input_tokens`` and
   ``output_tokens`` say of a sample what their names say. ``submitted`` says how many samples the
   run has, the same in all its rows; those that are not in the file are *missing*.
8. The file is UTF-8, with or without a byte order mark. Each row has as many fields as the first.
   A row whose fields are all empty is none, and so is a first line ``sep=;`` of a spreadsheet.
   Whole numbers may end in ``.0``, as tables of numbers with gaps write them.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from countermark.exercise.reading.csv_rows import (
    BOM,
    fields_of,
    names_of,
    names_row,
    row_text,
    separator_of,
)
from countermark.exercise.reading.documents import (
    Keys,
    Line,
    LineIndex,
    read_lines,
    read_start,
    refuse,
    tally,
)
from countermark.exercise.reading.found import (
    FoundMessage,
    FoundRun,
    FoundSample,
    FoundScore,
    Outcome,
    Usage,
)
from countermark.records.errors import InputError
from countermark.taxonomy.languages import language as language_of

TOOL = "csv"
NEEDED = ("model", "task", "item")
RUN_COLUMNS = ("lab", "model", "task", "language")
SCORE_PREFIX = "score:"
COLUMNS = (
    *RUN_COLUMNS, "item", "epoch", "outcome", "scorer", "score", "answer", "prompt", "target",
    "error", "explanation", "seconds", "input_tokens", "output_tokens", "submitted",
)  # fmt: skip
_TEXTS = {"answer", "prompt", "target", "error", "explanation"}
MOST_COLUMNS = 1_000
_WHOLE = re.compile(r"\d{1,9}(?:\.0+)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_COMMA = re.compile(r"[+-]?[\d.]*,\d+", re.ASCII)
_WORDS = {"true": 1.0, "false": 0.0}
_UNPARSED = {"", "n/a", "na", "nan", "null", "none", "unparsed"}
_NOT_ATTEMPTED = {"not attempted", "not-attempted"}
_OUTCOMES: dict[str, Outcome] = {
    "answered": "answered", "refused": "refused", "errored": "errored", "missing": "missing",
}  # fmt: skip
_AGAIN = "See the list of columns in docs/logs-tools.md, and mend the table."


def recognises(_path: Path, start: bytes) -> bool:
    """Tell whether a file begins with the row of names of such a table."""
    names = _names(start)
    return "item" in names and bool({"model", "task"} & set(names))


def lacking(path: Path, start: bytes) -> tuple[str, ...]:
    """Return the needed columns that a table lacks; none if it is no table at all."""
    names = _names(start)
    known = path.suffix.lower() in {".csv", ".tsv"} or len(set(names) & set(COLUMNS)) > 1
    return tuple(name for name in NEEDED if name not in names) if known and len(names) > 1 else ()


def _names(start: bytes) -> tuple[str, ...]:
    row = names_row(start)
    if row is None or row[1].startswith(("{", "[")):
        return ()
    try:
        return names_of(row[1])
    except InputError:
        return ()


def read(path: Path) -> Iterator[FoundRun]:
    """Yield the runs of a table, in order of their first rows.

    Raises
    ------
    InputError
        If a rule of the module docstring is broken; it names the file and the line.
    """
    table = _Table(path)
    for key, rows in table.runs.items():
        yield _run(table, key, rows)


@dataclass(slots=True)
class _Rows:
    """Where the rows of one run are, or the rows of each of its samples if it has many."""

    lines: LineIndex = field(default_factory=LineIndex)
    by_sample: dict[tuple[str, int], LineIndex] = field(default_factory=dict)
    submitted: int | None = None


@dataclass(frozen=True, slots=True)
class _Row:
    """One row by column."""

    line: Line
    where: str
    fields: dict[str, str]

    def get(self, name: str) -> str:
        return self.fields.get(name, "")


class _Table:
    """A table's columns, and where the rows of its runs are."""

    def __init__(self, path: Path) -> None:
        self.path = path
        before = names_row(read_start(path))
        self._before = before[0] if before else 0
        header = next(self._lines(), None)
        where = f"{path}:{header.number if header else 1}"
        first = "" if header is None else row_text(header.data.removeprefix(BOM), where)
        if not first:
            refuse("is empty", str(path), _AGAIN)
        if "\r" in first:
            refuse(
                "ends its lines with a carriage return alone",
                where,
                "Save the table as CSV in UTF-8 with the line ends of Windows or Unix.",
            )
        self._separator = separator_of(first)
        self.columns = names_of(first)
        self._check_columns(where)
        self.scorers = tuple(
            column
            for column in self.columns
            if column == "score" or column.startswith(SCORE_PREFIX)
        )
        self.other = tuple(name for name in self.columns if not _is_known(name))
        self.long = "scorer" in self.columns
        self.runs = self._index()

    def rows(self, lines: Iterator[Line]) -> Iterator[_Row]:
        """Split rows into fields (rules 1 and 8)."""
        for line in lines:
            where = f"{self.path}:{line.number}"
            fields = fields_of(row_text(line.data, where), self._separator, where)
            if len(fields) != len(self.columns):
                refuse(
                    f"has {len(fields)} fields where the first row has {len(self.columns)}",
                    where,
                    "Put a text that holds the separator in quotation marks; write numbers with "
                    "a decimal point.",
                )
            if not any(map(str.strip, fields)):
                continue
            named = zip(self.columns, fields, strict=True)
            yield _Row(line, where, {name: v if name in _TEXTS else v.strip() for name, v in named})

    def _lines(self) -> Iterator[Line]:
        """Read the lines from the row of names on."""
        return islice(read_lines(self.path, TOOL, quoted=True), self._before, None)

    def again(self, index: LineIndex) -> Iterator[_Row]:
        """Read some rows again."""
        return self.rows(index.lines(self.path, TOOL, quoted=True))

    def _check_columns(self, where: str) -> None:
        if len(self.columns) > MOST_COLUMNS:
            refuse(f"has {len(self.columns):,} columns; at most {MOST_COLUMNS:,}", where, _AGAIN)
        lacking = [name for name in NEEDED if name not in self.columns]
        if lacking:
            refuse(f"has no column {', '.join(lacking)}", where, _AGAIN)
        if "" in self.columns:
            refuse("has a column without a name", where, _AGAIN)
        twice = sorted({name for name in self.columns if self.columns.count(name) > 1})
        if twice:
            refuse(f"has the column {twice[0]!r} twice", where, _AGAIN)
        if "scorer" in self.columns and any(c.startswith(SCORE_PREFIX) for c in self.columns):
            refuse(f"has a column scorer and columns {SCORE_PREFIX}NAME", where, _AGAIN)

    def _index(self) -> dict[tuple[str, ...], _Rows]:
        runs: dict[tuple[str, ...], _Rows] = {}
        lines = self._lines()
        next(lines)
        for row in self.rows(lines):
            for name in NEEDED:
                if not row.get(name):
                    refuse(f"has no {name}", row.where, _AGAIN)
            key = tuple(row.get(name) for name in RUN_COLUMNS)
            if key not in runs and key[-1]:
                language_of(key[-1], where=f"{row.where}, column language")
            rows = runs.setdefault(key, _Rows())
            submitted = _count(row, "submitted")
            if rows.submitted is not None and submitted not in {None, rows.submitted}:
                refuse("says another number of submitted samples", row.where, _AGAIN)
            rows.submitted = submitted if submitted is not None else rows.submitted
            if self.long:
                rows.by_sample.setdefault(_sample_key(row), LineIndex()).add(row.line)
            else:
                rows.lines.add(row.line)
        if not runs:
            refuse("has no row beside the names of its columns", str(self.path), _AGAIN)
        return runs


def _run(table: _Table, key: tuple[str, ...], rows: _Rows) -> FoundRun:
    lab, model, task, language = key
    reader = _Samples(table, rows)
    counted = tally(reader.samples)
    if rows.submitted is not None and rows.submitted < counted.samples:
        refuse(
            f"says {rows.submitted:,} samples were submitted of {task} by {model}, and holds "
            f"{counted.samples:,}",
            str(table.path),
            _AGAIN,
        )
    submitted = counted.samples if rows.submitted is None else rows.submitted
    notes = [f"Columns kept as metadata: {', '.join(table.other)}."] if table.other else []
    if submitted > counted.samples:
        notes.append(f"The table holds {counted.samples:,} of {submitted:,} samples.")
    if not table.scorers:
        notes.append("The table has no column of scores.")
    return FoundRun(
        file=str(table.path),
        tool=TOOL,
        tool_version=None,
        model=model,
        task=task,
        samples=reader.samples,
        language=language or None,
        settings={"lab": lab} if lab else {},
        submitted=submitted,
        notes=tuple(notes),
    )


def _is_known(column: str) -> bool:
    return column in COLUMNS or column.startswith(SCORE_PREFIX)


@dataclass(frozen=True, slots=True)
class _Samples:
    """The samples of one run."""

    table: _Table
    rows: _Rows

    def samples(self) -> Iterator[FoundSample]:
        """Yield them in order of their first rows (rule 3)."""
        if self.table.long:
            for key, lines in self.rows.by_sample.items():
                yield self._sample(key, list(self.table.again(lines)))
            return
        keys = Keys("the sample")
        for row in self.table.again(self.rows.lines):
            key = _sample_key(row)
            keys.add(f"{key[0]} epoch {key[1]}", row.where)
            yield self._sample(key, [row])
        keys.close()

    def _sample(self, key: tuple[str, int], rows: list[_Row]) -> FoundSample:
        first = rows[0]
        outcome = _outcome(first)
        scores: list[FoundScore] = []
        for row in rows:
            if _outcome(row) != outcome or row.get("answer") != first.get("answer"):
                refuse(
                    f"gives sample {key[0]!r} another outcome or answer than "
                    f"line {first.line.number}",
                    row.where,
                    _AGAIN,
                )
            scores += self._scores(row, outcome)
        if len({score.scorer for score in scores}) != len(scores):
            refuse(f"scores sample {key[0]!r} twice", rows[-1].where, _AGAIN)
        messages: tuple[FoundMessage, ...] = ()
        if prompt := first.get("prompt"):
            messages = (FoundMessage("user", prompt),)
        if outcome in {"answered", "refused"} and "answer" in self.table.columns:
            messages = (*messages, FoundMessage("assistant", first.get("answer")))
        return FoundSample(
            item=key[0],
            epoch=key[1],
            outcome=outcome,
            scores=tuple(scores),
            messages=messages,
            target=first.get("target") or None,
            error=first.get("error") or None,
            usage=_usage(first),
            metadata={name: value for name in self.table.other if (value := first.get(name))},
            digest=first.line.digest if len(rows) == 1 else None,
        )

    def _scores(self, row: _Row, outcome: Outcome) -> Iterator[FoundScore]:
        for column in self.table.scorers:
            name = row.get("scorer") or column.removeprefix(SCORE_PREFIX)
            yield _score(row, column, name, outcome)


def _score(row: _Row, column: str, scorer: str, outcome: Outcome) -> FoundScore:
    """Rules 5 and 6."""
    raw = row.get(column)
    word = raw.lower()
    where = f"{row.where}, column {column}"
    explanation = row.get("explanation") or None
    answer = row.get("answer") or None
    if word in _NOT_ATTEMPTED or (outcome != "answered" and word in _UNPARSED):
        return FoundScore(scorer, "not-attempted", raw=raw or None)
    if word in _UNPARSED:
        return FoundScore(scorer, "unparsed", None, raw or None, answer, explanation)
    value = _WORDS.get(word)
    if value is None and _NUMBER.fullmatch(raw):
        value = float(raw)
    if value is None or not math.isfinite(value):
        if _COMMA.fullmatch(raw):
            refuse(
                f"has the score {raw!r}: a comma may be decimal or not",
                where,
                "Write numbers with a decimal point, such as 0.5.",
            )
        refuse(
            f"has the score {raw[:40]!r}, which is no number",
            where,
            "Write a number, true, false, or nothing where the scorer could not tell.",
        )
    if outcome in {"errored", "missing"}:
        refuse(
            f"has a score for a sample that is {outcome}",
            where,
            "Leave the score empty, or say what became of the sample.",
        )
    if outcome == "refused":
        return FoundScore(scorer, "not-attempted", raw=raw)
    return FoundScore(scorer, "scored", value, raw, answer, explanation)


def _outcome(row: _Row) -> Outcome:
    """Rule 6."""
    word = row.get("outcome").lower()
    if not word:
        return "errored" if row.get("error") else "answered"
    if word not in _OUTCOMES:
        refuse(
            f"has the outcome {word[:40]!r}",
            row.where,
            f"Write one of {', '.join(_OUTCOMES)}.",
        )
    return _OUTCOMES[word]


def _sample_key(row: _Row) -> tuple[str, int]:
    epoch = _count(row, "epoch")
    if epoch == 0:
        refuse("has epoch 0; epochs count from 1", row.where, _AGAIN)
    return row.get("item"), 1 if epoch is None else epoch


def _count(row: _Row, column: str) -> int | None:
    raw = row.get(column)
    if not raw:
        return None
    if not _WHOLE.fullmatch(raw):
        refuse(f"has {raw[:40]!r} in column {column}, which is no whole number", row.where, _AGAIN)
    return int(raw.partition(".")[0])


def _usage(row: _Row) -> Usage | None:
    told, given = _count(row, "input_tokens"), _count(row, "output_tokens")
    raw = row.get("seconds")
    if raw and not _NUMBER.fullmatch(raw):
        refuse(f"has {raw[:40]!r} in column seconds, which is no number", row.where, _AGAIN)
    if told is None and given is None and not raw:
        return None
    return Usage(input_tokens=told, output_tokens=given, seconds=float(raw) if raw else None)
