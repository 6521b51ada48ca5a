# SPDX-License-Identifier: Apache-2.0
"""Reading other tools' files as hostile input: whole JSON documents, and JSON by lines.

1. A document is at most ``MAX_DOCUMENT_BYTES`` long and a line at most ``MAX_LINE_BYTES``; the
   size is looked at before anything is read.
2. Only regular files are read. A file beside the one that was given is read only under a name
   that the format fixes, and never through a link.
3. ``NaN``, ``Infinity`` and ``-Infinity`` are no JSON, but these tools write them: they are read
   as those words, so no sum is ever spoilt by one.
4. Text is UTF-8 without lone surrogates; nesting is as deep as the decoder allows, about a
   thousand.
5. Lines are read one by one, so memory does not grow with their number; an index of lines takes
   16 bytes for each, and the keys that must not come twice take 8.
"""

import hashlib
import json
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import msgspec
import numpy as np

from countermark.exercise.reading.found import FoundSample
from countermark.records.canonical import JsonValue
from countermark.records.errors import InputError

MAX_DOCUMENT_BYTES = 512 * 1024 * 1024
MAX_LINE_BYTES = 64 * 1024 * 1024
_BATCH = 1 << 16
_LONGEST = 300
_TOLERANCE = 1e-6


def refuse(what: str, where: str, next_step: str) -> NoReturn:
    """Raise the error that these readers raise; names from a file do not make it long."""
    raise InputError(what[:_LONGEST], where=where[-_LONGEST:], next_step=next_step)


def read_document(path: Path, tool: str) -> Any:
    """Read one JSON document (rules 1 to 4).

    Parameters
    ----------
    path
        The file.
    tool
        Whose file it is taken for, for an error.

    Raises
    ------
    InputError
        If it cannot be read, is too large or is no JSON.
    """
    size = _regular(path, tool)
    if size > MAX_DOCUMENT_BYTES:
        refuse(
            f"is {size:,} bytes; at most {MAX_DOCUMENT_BYTES:,} are read",
            str(path),
            f"Split the run, or have {tool} write it in parts.",
        )
    try:
        data = path.read_bytes()
    except OSError as error:
        _unreadable(path, error, tool)
    return decode(data, str(path), tool)


def decode(data: bytes, where: str, tool: str) -> Any:
    """Decode the bytes of one JSON value (rules 3 and 4).

    Raises
    ------
    InputError
        If they are none.
    """
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if b"NaN" not in data and b"Infinity" not in data:
            _no_json(error, where, tool)
    try:
        value = json.loads(data, parse_constant=str)
        msgspec.json.encode(value)  # refuses what has no UTF-8 form
    except (ValueError, RecursionError) as error:
        _no_json(error, where, tool)
    return value


def read_start(path: Path, size: int = 1 << 16) -> bytes:
    """Return the first bytes of a file, or nothing if it cannot be read or is none."""
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as file:
            return file.read(size)
    except OSError:
        return b""


@dataclass(frozen=True, slots=True)
class Line:
    """One line: where it begins, its number from 1, and its bytes without the line's end."""

    offset: int
    number: int
    data: bytes

    @property
    def digest(self) -> str:
        """SHA-256 of its bytes, in hex."""
        return hashlib.sha256(self.data).hexdigest()


def read_lines(path: Path, tool: str, *, quoted: bool = False) -> Iterator[Line]:
    """Yield the lines of a file that are not blank (rules 1, 2 and 5).

    Parameters
    ----------
    path, tool
        The file, and whose it is taken for.
    quoted
        Whether an end of line between quotation marks is part of the line, as in CSV.

    Raises
    ------
    InputError
        If it cannot be read, or a line is too long.
    """
    _regular(path, tool)
    offset, number = 0, 1
    try:
        with path.open("rb") as file:
            while (read := _read_line(file, f"{path}:{number}", quoted))[0]:
                data, ends = read
                text = data.rstrip(b"\r\n")
                if text.strip():
                    yield Line(offset, number, text)
                offset += len(data)
                number += ends
    except OSError as error:
        _unreadable(path, error, tool)


def _read_line(file: BinaryIO, where: str, quoted: bool) -> tuple[bytes, int]:
    """Return one line with its end, and how many lines of the file it takes."""
    parts: list[bytes] = []
    size, inside = 0, False
    while data := file.readline(MAX_LINE_BYTES + 1 - size):
        parts.append(data)
        size += len(data)
        if size > MAX_LINE_BYTES:
            refuse(
                f"is longer than {MAX_LINE_BYTES:,} bytes",
                where,
                "Leave out what fills that line, or close the quotation mark that is open there.",
            )
        inside ^= quoted and data.count(b'"') % 2 == 1
        if not inside:
            break
    return b"".join(parts), len(parts)


class LineIndex:
    """Some lines of a file, to be read again in their order."""

    __slots__ = ("_numbers", "_offsets")

    def __init__(self) -> None:
        self._offsets, self._numbers = array("Q"), array("Q")

    def __len__(self) -> int:
        return len(self._offsets)

    def add(self, line: Line) -> None:
        """Add a line."""
        self._offsets.append(line.offset)
        self._numbers.append(line.number)

    def lines(self, path: Path, tool: str, *, quoted: bool = False) -> Iterator[Line]:
        """Read the lines again; see :func:`read_lines`."""
        try:
            with path.open("rb") as file:
                for offset, number in zip(self._offsets, self._numbers, strict=True):
                    file.seek(offset)
                    data, _ = _read_line(file, f"{path}:{number}", quoted)
                    yield Line(offset, number, data.rstrip(b"\r\n"))
        except OSError as error:
            _unreadable(path, error, tool)


@dataclass(slots=True)
class Keys:
    """Keys of which none may come twice (rule 5).

    Two keys are taken for the same if their 64-bit BLAKE2b is; among a million keys that happens
    by chance once in 37 million files.
    """

    what: str
    _recent: dict[int, str] = field(default_factory=dict)
    _older: list[np.ndarray[Any, np.dtype[np.uint64]]] = field(default_factory=list)

    def add(self, key: str, where: str) -> None:
        """Take note of a key.

        Raises
        ------
        InputError
            If it came before; for keys far apart, up to 65,536 keys late.
        """
        mark = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest())
        if mark in self._recent:
            self._refuse(key, where)
        self._recent[mark] = f"{key}\0{where}"
        if len(self._recent) >= _BATCH:
            self.close()

    def close(self) -> None:
        """Hold the last keys against all earlier ones.

        Raises
        ------
        InputError
            If one came before.
        """
        if self._recent:
            marks = np.sort(np.fromiter(self._recent, dtype=np.uint64, count=len(self._recent)))
            for older in self._older:
                places = np.minimum(np.searchsorted(older, marks), len(older) - 1)
                same = marks[older[places] == marks]
                if len(same):
                    key, _, where = self._recent[int(same[0])].partition("\0")
                    self._refuse(key, where)
            self._older.append(marks)
            self._recent = {}

    def _refuse(self, key: str, where: str) -> NoReturn:
        refuse(
            f"has {self.what} {key[:80]!r} twice",
            where,
            "Keep the one that was meant; a sample that counts twice would move every rate.",
        )


def sibling(path: Path, name: str, tool: str) -> Path | None:
    """Return a file of a fixed name beside ``path``, or nothing if there is none (rule 2).

    Raises
    ------
    InputError
        If it is a link.
    """
    beside = path.parent / name
    if beside.is_symlink():
        refuse(
            "is a link; only files of the folder itself are read",
            str(beside),
            f"Copy the file into the folder of the {tool} run.",
        )
    return beside if beside.is_file() else None


def number(value: Any) -> float | None:
    """Return a finite number as the number it is; a truth value is 0 or 1."""
    if isinstance(value, bool | int | float):
        return float(value)
    return None


def text(value: Any) -> str | None:
    """Return a text that is not empty."""
    return value if isinstance(value, str) and value else None


def mapping(value: Any) -> dict[str, Any]:
    """Return an object, or an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    """Return a list, or an empty one for anything else."""
    return value if isinstance(value, list) else []


def settings(**parts: Any) -> dict[str, JsonValue]:
    """Return settings by dotted name: objects are opened, lists and plain values kept."""
    found: dict[str, JsonValue] = {}
    for name, value in parts.items():
        _open(name, value, found)
    return found


def _open(name: str, value: Any, found: dict[str, JsonValue]) -> None:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            _open(f"{name}.{key}", inner, found)
    elif value is not None:
        found[name] = value


@dataclass(frozen=True, slots=True)
class Tally:
    """What one pass over a run's samples counted.

    Parameters
    ----------
    samples
        How many there are.
    means
        Of each scorer that scored something, the mean of its scores.
    """

    samples: int
    means: dict[str, float]


def tally(samples: Callable[[], Iterator[FoundSample]]) -> Tally:
    """Read a run's samples once, count them and average their scores.

    Raises
    ------
    InputError
        If a sample is broken.
    """
    count = 0
    sums: dict[str, list[float]] = {}
    for sample in samples():
        count += 1
        for score in sample.scores:
            if score.value is not None:
                of_scorer = sums.setdefault(score.scorer, [0.0, 0.0])
                of_scorer[0] += score.value
                of_scorer[1] += 1
    return Tally(count, {name: total / scored for name, (total, scored) in sums.items()})


def differences(found: dict[str, float], stated: dict[str, float], why: str) -> tuple[str, ...]:
    """Return a note for each mean that is not what the file itself states.

    Parameters
    ----------
    found, stated
        Means by scorer; only scorers in both are compared.
    why
        What explains a difference.
    """
    return tuple(
        f"{name}: the mean of the samples here is {found[name]:.6g}, the file states "
        f"{value:.6g}; {why}"
        for name, value in stated.items()
        if name in found and abs(found[name] - value) > _TOLERANCE * max(1.0, abs(value))
    )


def _regular(path: Path, tool: str) -> int:
    try:
        if not path.is_file():
            refuse(
                "is no file" if path.exists() else "does not exist",
                str(path),
                f"Give the path of a file that {tool} wrote.",
            )
        return path.stat().st_size
    except OSError as error:
        _unreadable(path, error, tool)


def _unreadable(path: Path, error: OSError, tool: str) -> NoReturn:
    refuse(
        f"cannot be read: {error.strerror}",
        str(path),
        f"Give the path of a file that {tool} wrote.",
    )


def _no_json(error: Exception, where: str, tool: str) -> NoReturn:
    what = "is nested too deep" if isinstance(error, RecursionError) else f"is no JSON: {error}"
    refuse(what, where, f"Give the file as {tool} wrote it; this one may be cut short or damaged.")
