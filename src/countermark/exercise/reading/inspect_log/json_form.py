# SPDX-License-Identifier: Apache-2.0
"""The JSON form of an Inspect log: the header, and the bytes of each sample.

The rules are those of :mod:`~countermark.exercise.reading.inspect_log.log`.
"""

import json
from pathlib import Path

import msgspec

from countermark.exercise.reading.inspect_log.shapes import (
    JsonLog,
    LogHeader,
    decode,
    refuse,
    unknown_shape,
)
from countermark.records.errors import InputError

MAX_JSON_BYTES = 1024 * 1024 * 1024
_DECODER, _SPACE = json.JSONDecoder(), frozenset(" \t\n\r")


def whole_file(path: Path) -> bytes:
    """Read a file that is not too long."""
    try:
        size = path.stat().st_size
        if size > MAX_JSON_BYTES:
            refuse(
                f"is {size:,} bytes; at most {MAX_JSON_BYTES:,} are read of a JSON log", str(path)
            )
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"cannot be read: {error.strerror}",
            where=str(path),
            next_step="Give the path of an Inspect log (.eval or .json).",
        ) from error


def header_and_samples(data: bytes, where: str) -> tuple[LogHeader, list[memoryview]]:
    """Return the header, and the bytes of each sample."""
    try:
        whole = msgspec.json.decode(data, type=JsonLog)
    except msgspec.ValidationError as error:
        raise unknown_shape(error, where) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        first = str(error)
    else:
        return whole, [memoryview(sample) for sample in whole.samples or []]
    try:
        rest, samples = _spans(data.decode("utf-8"))
        header = decode(rest.encode(), LogHeader, where)
        return header, [memoryview(sample.encode()) for sample in samples]
    except (ValueError, RecursionError):
        refuse(f"is no Inspect log: {first}", where)


def _spans(text: str) -> tuple[str, list[str]]:
    """Split a JSON log that has bare NaN in it into what is not samples, and each sample."""
    rest: list[str] = []
    samples: list[str] = []
    place = _after(text, 0, "{")
    while not text.startswith("}", place):
        key, colon = _DECODER.raw_decode(text, place)
        start = _after(text, colon, ":")
        if key == "samples" and text.startswith("[", start):
            samples, end = _elements(text, start)
        else:
            _, end = _DECODER.raw_decode(text, start)
            rest.append(f"{json.dumps(key)}:{text[start:end]}")
        place = _next(text, end, "}")
    if _past_space(text, place + 1) != len(text):
        raise ValueError(f"nothing expected after character {place}")
    return "{" + ",".join(rest) + "}", samples


def _elements(text: str, start: int) -> tuple[list[str], int]:
    """Return the elements of the array that begins at a place, and where it ends."""
    found = []
    place = _after(text, start, "[")
    while not text.startswith("]", place):
        _, end = _DECODER.raw_decode(text, place)
        found.append(text[place:end])
        place = _next(text, end, "]")
    return found, place + 1


def _next(text: str, place: int, closing: str) -> int:
    """Return where the next element or the closing mark begins."""
    place = _past_space(text, place)
    return place if text.startswith(closing, place) else _after(text, place, ",")


def _after(text: str, place: int, mark: str) -> int:
    place = _past_space(text, place)
    if not text.startswith(mark, place):
        raise ValueError(f"{mark} expected at character {place}")
    return _past_space(text, place + 1)


def _past_space(text: str, place: int) -> int:
    while text[place : place + 1] in _SPACE:
        place += 1
    return place


class _Key(msgspec.Struct, frozen=True):
    id: str | int
    epoch: int


def repeated_sample(samples: list[memoryview], where: str) -> InputError | None:
    """Return the error that two samples have one id and epoch; nothing if none have."""
    seen: set[tuple[str, int]] = set()
    for index, data in enumerate(samples):
        key = decode(data, _Key, f"{where}:samples[{index}]")
        if (str(key.id), key.epoch) in seen:
            return held_twice(key.id, key.epoch, f"{where}:samples[{index}]")
        seen.add((str(key.id), key.epoch))
    return None


def held_twice(item: str | int, epoch: int, where: str) -> InputError:
    """Return the error that a sample comes twice."""
    return InputError(
        f"holds sample {item!r:.200} of epoch {epoch} twice",
        where=where,
        next_step="Find out which of the two was meant, and leave the other out.",
    )
