# SPDX-License-Identifier: Apache-2.0
"""An Inspect log in either of its forms: the zip (``.eval``) and the JSON form.

The zip has these members; the rules of :mod:`~countermark.exercise.reading.archive` hold::

    header.json                          the run, written when it finished
    summaries.json                       a line for each sample, written when it finished
    samples/ID_epoch_N.json              one sample
    samples/ID_epoch_N/sample.json       one sample in pieces (version 3), with beside it
        metadata.json  messages/K.json  events/K.json  calls/K.json  attachments/K.json
    _journal/start.json                  the run, written when it began
    _journal/summaries/N.json            lines for the samples that finished since the last
    _journal/config_updates/N.json       settings changed during the run

1. A zip without ``header.json`` is the journal of a run that did not finish: its header is
   ``_journal/start.json``, and its status *started*.
2. A JSON form is at most ``MAX_JSON_BYTES`` long; of a zip one member is held at a time.
3. Of samples with one id and epoch in the JSON form the last counts, as in the zip.
4. A version that is not in ``VERSIONS``, and a sample of a shape that is not known, are read by
   Inspect's own reader if it is installed, and refused if not.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from countermark.exercise.reading.archive import LOCAL_MAGIC, MAX_MEMBER_BYTES, Archive, Member
from countermark.exercise.reading.inspect_log.shapes import (
    JsonLog,
    LogConfigUpdate,
    LogEvent,
    LogHeader,
    LogMessage,
    LogSample,
    LogShell,
    LogSummary,
    decode,
    refuse,
)
from countermark.records.errors import InputError

T = TypeVar("T")
VERSIONS = (1, 2, 3)
MAX_JSON_BYTES = 1024 * 1024 * 1024
_HEADER, _START, _SUMMARIES = b"header.json", b"_journal/start.json", b"summaries.json"
_JOURNAL, _UPDATES, _SAMPLES = b"_journal/summaries/", b"_journal/config_updates/", b"samples/"
_PIECE = re.compile(
    rb"(samples/.+_epoch_[0-9]+)/(?:(sample|metadata|skeleton)|"
    rb"(messages|events|calls|attachments)/([0-9]{1,18}|stats|uuids))\.json",
    re.DOTALL,
)
_NUMBERED = re.compile(rb".*/([0-9]{1,18})\.json", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Document:
    """One sample as it was read.

    Parameters
    ----------
    where
        The file and the member or place in it.
    sample
        What it says.
    digest
        SHA-256 in hex of its bytes; nothing if it lies in pieces.
    """

    where: str
    sample: LogSample
    digest: str | None


@dataclass(frozen=True, slots=True)
class InspectLog:
    """One log, of which the header was read.

    Parameters
    ----------
    where
        The file.
    header
        The log without its samples.
    finished
        Whether the header is the one that is written last.
    documents
        Returns a fresh iterator over the samples, in the order of the file.
    summaries
        Returns a fresh iterator over the lines beside the samples; nothing where there are none.
    superseded
        How many parts a later one replaces.
    header_only
        Whether it was written without its samples.
    zipped
        Whether it has the zip form.
    """

    where: str
    header: LogHeader
    documents: Callable[[], Iterator[Document]]
    summaries: Callable[[], Iterator[LogSummary] | None] = lambda: None
    finished: bool = True
    superseded: int = 0
    header_only: bool = False
    zipped: bool = False


def open_log(path: Path, *, other_reader: Callable[[Path], bytes] | None = None) -> InspectLog:
    """Read a log's header, in either form.

    Parameters
    ----------
    path
        The file.
    other_reader
        Rewrites a log of a version that is not known as one that is; by default Inspect's own
        reader.

    Raises
    ------
    InputError
        If the file is missing, truncated, no Inspect log, or breaks a rule of the module docstring.
    """
    try:
        with path.open("rb") as file:
            zipped = file.read(len(LOCAL_MAGIC)) == LOCAL_MAGIC
    except OSError as error:
        raise InputError(
            f"cannot be read: {error.strerror}",
            where=str(path),
            next_step="Give the path of an Inspect log (.eval or .json).",
        ) from error
    if not zipped and path.suffix == ".eval":
        refuse("is no Inspect log: it does not start as a zip does", str(path))
    log = _zip_log(path) if zipped else _json_log(_whole(path), str(path))
    if log.header.version not in VERSIONS:
        log = _json_log((other_reader or _by_inspect)(path), str(path))
    return log


def _zip_log(path: Path) -> InspectLog:
    with Archive(path, keep=_is_kept) as archive:
        finished = _HEADER in archive.kept
        member = archive.kept.get(_HEADER) or archive.kept.get(_START)
        if member is None:
            refuse(
                "has neither header.json nor _journal/start.json: it is no Inspect log", str(path)
            )
        header = _member(archive, member, LogHeader)
        if not finished:
            updates = tuple(
                _member(archive, one, LogConfigUpdate) for one in _numbered(archive, _UPDATES)
            )
            header = msgspec.structs.replace(
                header, status="started", config_updates=list(updates) or None
            )
    return InspectLog(
        where=str(path),
        header=header,
        documents=lambda: _zip_documents(path, archive),
        summaries=lambda: _zip_summaries(path, archive),
        finished=finished,
        superseded=archive.superseded,
        zipped=True,
    )


def _is_kept(name: bytes) -> bool:
    if name.startswith(_SAMPLES):
        return name.endswith(b".json") and _PIECE.fullmatch(name) is not None
    return name in {_HEADER, _START, _SUMMARIES} or name.startswith(_UPDATES)


def _zip_documents(path: Path, known: Archive) -> Iterator[Document]:
    with Archive(path, keep=_is_kept, known=known) as archive:
        pieces = _pieces(archive)
        for member in archive.members():
            if not member.name.startswith(_SAMPLES) or not member.name.endswith(b".json"):
                continue
            where = f"{archive.where}:{member.label}"
            if member.name in archive.kept:
                piece = _PIECE.fullmatch(member.name)
                if piece is not None and piece[2] == b"sample":
                    yield Document(where, _joined(archive, pieces[piece[1]], where), None)
                continue
            data = archive.read(member)
            yield Document(where, decode(data, LogSample, where), hashlib.sha256(data).hexdigest())


def _pieces(archive: Archive) -> dict[bytes, dict[bytes, Member]]:
    """Return the members of each sample that lies in pieces, by what follows its folder."""
    found: dict[bytes, dict[bytes, Member]] = {}
    for name, member in archive.kept.items():
        piece = _PIECE.fullmatch(name)
        if piece is not None:
            found.setdefault(piece[1], {})[name[len(piece[1]) + 1 :]] = member
    return {folder: parts for folder, parts in found.items() if b"sample.json" in parts}


def _joined(archive: Archive, parts: dict[bytes, Member], where: str) -> LogSample:
    """Return the sample that lies in pieces."""
    shell = _member(archive, parts[b"sample.json"], LogSample)
    refs = _member(archive, parts[b"sample.json"], LogShell).message_refs
    total = sum(part.size for part in parts.values())
    if total > MAX_MEMBER_BYTES:
        refuse(f"is {total:,} bytes in pieces; at most {MAX_MEMBER_BYTES:,} are read", where)
    pool = _sequence(archive, parts, b"messages/", list[LogMessage])
    if any(not 0 <= start <= end <= len(pool) for start, end in refs) or (
        sum(end - start for start, end in refs) > 4 * len(pool) + 4
    ):
        refuse("refers to messages that it has not", where)
    texts = _sequence(archive, parts, b"attachments/", list[str])
    metadata = parts.get(b"metadata.json")
    return msgspec.structs.replace(
        shell,
        messages=[message for start, end in refs for message in pool[start:end]],
        events=_sequence(archive, parts, b"events/", list[LogEvent]),
        attachments={str(index): text for index, text in enumerate(texts)},
        metadata=_member(archive, metadata, dict) if metadata else {},
    )


def _sequence(
    archive: Archive, parts: dict[bytes, Member], folder: bytes, kind: type[list[T]]
) -> list[T]:
    chunks = {
        int(found[1]): member
        for name, member in parts.items()
        if name.startswith(folder) and (found := _NUMBERED.fullmatch(name))
    }
    items: list[T] = []
    for start in sorted(chunks):
        if start != len(items):
            refuse(f"lacks a piece before {chunks[start].label!r}", archive.where)
        items += _member(archive, chunks[start], kind)
    return items


def _zip_summaries(path: Path, known: Archive) -> Iterator[LogSummary] | None:
    member = known.kept.get(_SUMMARIES)
    if member is not None and member.size > MAX_MEMBER_BYTES:
        return None
    return _lines(path, known, member)


def _lines(path: Path, known: Archive, member: Member | None) -> Iterator[LogSummary]:
    with Archive(path, keep=_is_kept, known=known) as archive:
        members = [member] if member else _numbered(archive, _JOURNAL)
        last: dict[tuple[str, int], LogSummary] = {}
        for one in members:
            for line in _member(archive, one, list[LogSummary]):
                last[str(line.id), line.epoch] = line
        yield from last.values()


def _numbered(archive: Archive, folder: bytes) -> list[Member]:
    found = {
        int(number[1]): member
        for member in archive.members()
        if member.name.startswith(folder) and (number := _NUMBERED.fullmatch(member.name))
    }
    return [found[number] for number in sorted(found)]


def _member(archive: Archive, member: Member, kind: type[T]) -> T:
    return decode(archive.read(member), kind, f"{archive.where}:{member.label}")


def _whole(path: Path) -> bytes:
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


def _json_log(data: bytes, where: str) -> InspectLog:
    header, samples = _parts(data, where)
    return InspectLog(
        where=where,
        header=header,
        documents=lambda: _json_documents(samples, where),
        finished=header.status != "started",
        superseded=len(samples) - len(_last(samples, where)),
        header_only=not samples,
    )


def _parts(data: bytes, where: str) -> tuple[LogHeader, list[memoryview]]:
    """Return the header, and the bytes of each sample."""
    try:
        whole = msgspec.json.decode(data, type=JsonLog)
    except msgspec.ValidationError as error:
        refuse(f"is no Inspect log: {error}", where)
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
    decoder, space = json.JSONDecoder(), re.compile(r"[ \t\n\r]*")

    def after(place: int, mark: str) -> int:
        place = space.match(text, place).end()  # type: ignore[union-attr]  it matches nothing too
        if not text.startswith(mark, place):
            raise ValueError(f"{mark} expected at character {place}")
        return space.match(text, place + 1).end()  # type: ignore[union-attr]

    rest, samples = [], []
    place = after(0, "{")
    while not text.startswith("}", place):
        key, colon = decoder.raw_decode(text, place)
        start = after(colon, ":")
        if key == "samples" and text.startswith("[", start):
            place = after(start, "[")
            samples = []
            while not text.startswith("]", place):
                _, end = decoder.raw_decode(text, place)
                samples.append(text[place:end])
                place = space.match(text, end).end()  # type: ignore[union-attr]
                place = place if text.startswith("]", place) else after(place, ",")
            place = after(place, "]")
        else:
            _, end = decoder.raw_decode(text, start)
            rest.append(f"{json.dumps(key)}:{text[start:end]}")
            place = space.match(text, end).end()  # type: ignore[union-attr]
        place = place if text.startswith("}", place) else after(place, ",")
    if space.fullmatch(text, place + 1) is None:
        raise ValueError(f"nothing expected after character {place}")
    return "{" + ",".join(rest) + "}", samples


class _Key(msgspec.Struct, frozen=True):
    id: str | int
    epoch: int


def _last(samples: list[memoryview], where: str) -> set[int]:
    """Return which samples count under rule 3."""
    last = {}
    for index, data in enumerate(samples):
        key = decode(data, _Key, f"{where}:samples[{index}]")
        last[str(key.id), key.epoch] = index
    return set(last.values())


def _json_documents(samples: list[memoryview], where: str) -> Iterator[Document]:
    for index in sorted(_last(samples, where)):
        data, place = samples[index], f"{where}:samples[{index}]"
        yield Document(place, decode(data, LogSample, place), hashlib.sha256(data).hexdigest())


def _by_inspect(path: Path) -> bytes:
    try:
        # It brings Inspect, which nobody needs for a log of a known version.
        from countermark.exercise.inspect.rewriting import rewritten  # noqa: PLC0415
    except ImportError:
        refuse(
            "is a log of a version that is not known here, and Inspect is not installed", str(path)
        )
    return rewritten(path)
