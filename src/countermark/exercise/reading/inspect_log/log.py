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
3. No two samples of a log have one id and epoch; in a zip, a member that is named for another
   sample than the one it holds is looked at for this.
4. A version that is not in ``VERSIONS``, and a sample of a shape that is not known, are read by
   Inspect's own reader if it is installed, and refused if not.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TypeVar

import msgspec

from countermark.exercise.reading.archive import (
    LOCAL_MAGIC,
    MAX_MEMBER_BYTES,
    NEXT_STEP,
    Archive,
    Directory,
    Member,
)
from countermark.exercise.reading.inspect_log.json_form import (
    header_and_samples,
    held_twice,
    repeated_sample,
    whole_file,
)
from countermark.exercise.reading.inspect_log.shapes import (
    LogConfigUpdate,
    LogEvent,
    LogHeader,
    LogLine,
    LogMessage,
    LogSample,
    LogShell,
    LogSummary,
    UnknownShape,
    decode,
    refuse,
)
from countermark.records.errors import InputError

T = TypeVar("T")
Line = TypeVar("Line", bound=LogLine)
VERSIONS = (1, 2, 3)
MAX_SUMMARIES = 32 * 1024 * 1024  # a longer one is read from the journal, piece by piece
_HEAD = 64 * 1024
_HEADER, _START, _SUMMARIES = b"header.json", b"_journal/start.json", b"summaries.json"
_SPARE = frozenset({_SUMMARIES})  # the journal says the same
_JOURNAL, _UPDATES, _SAMPLES = b"_journal/summaries/", b"_journal/config_updates/", b"samples/"
_PIECE = re.compile(
    rb"(samples/.+_epoch_[0-9]+)/(?:(sample|metadata|skeleton)|"
    rb"(messages|events|calls|attachments)/([0-9]{1,18}|stats|uuids))\.json",
    re.DOTALL,
)
_NUMBERED = re.compile(rb".*/([0-9]{1,18})\.json", re.DOTALL)


class Document(msgspec.Struct, frozen=True, gc=False):
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
        Returns a fresh iterator over the lines beside the samples, of which for one sample the last
        counts; nothing where there are none.
    score_lines
        The same with the scores alone, in any order.
    superseded
        How many parts a later one replaces.
    header_only
        Whether it was written without its samples.
    zipped
        Whether it has the zip form.
    repeated
        Why rule 3 is broken, in the JSON form; whoever takes each sample for one must refuse it.
    """

    where: str
    header: LogHeader
    documents: Callable[[], Iterator[Document]]
    summaries: Callable[[], Iterator[LogSummary] | None] = lambda: None
    score_lines: Callable[[], Iterator[LogLine] | None] = lambda: None
    finished: bool = True
    superseded: int = 0
    header_only: bool = False
    zipped: bool = False
    repeated: InputError | None = None


def open_log(path: Path) -> InspectLog:
    """Read a log's header, in either form.

    Raises
    ------
    InputError
        If the file is missing, truncated, no Inspect log, or breaks a rule of the module docstring.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise InputError(
            f"cannot be read: {error.strerror}",
            where=str(path),
            next_step="Give the path of an Inspect log (.eval or .json).",
        ) from error
    zipped = head.startswith(LOCAL_MAGIC)
    if not zipped and path.suffix == ".eval":
        refuse("is no Inspect log: it does not start as a zip does", str(path))
    try:
        log = _zip_log(path) if zipped else _json_log(whole_file(path), str(path))
        if log.header.version not in VERSIONS:
            _refuse_version(log.header.version, str(path))
    except UnknownShape as error:
        if not (zipped or b'"eval"' in head):
            raise  # it lacks what every version has, so bringing Inspect is not worth while
        log = _json_log(_by_inspect(error, path), str(path))
    return log


def _zip_log(path: Path) -> InspectLog:
    with Archive(path, _is_kept, spare=_SPARE) as archive:
        directory = archive.directory
        finished = _HEADER in directory.kept
        member = directory.kept.get(_HEADER) or directory.kept.get(_START)
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
        documents=lambda: _zip_documents(path, directory),
        summaries=lambda: _lines(path, directory, LogSummary),
        score_lines=lambda: _lines(path, directory, LogLine),
        finished=finished,
        superseded=len(directory.superseded),
        header_only=header.eval.config.get("log_samples") is False,
        zipped=True,
    )


def _is_kept(name: bytes) -> bool:
    if name.startswith(_SAMPLES):
        return name.count(b"/") > 1 and _PIECE.fullmatch(name) is not None
    return name in {_HEADER, _START, _SUMMARIES} or name.startswith(_UPDATES)


def _zip_documents(path: Path, known: Directory) -> Iterator[Document]:
    with Archive(path, _is_kept, known, _SPARE) as archive:
        pieces = _pieces(archive)
        strays: dict[bytes, tuple[str, LogSample]] = {}
        for member in archive.members():
            if not member.name.startswith(_SAMPLES) or not member.name.endswith(b".json"):
                continue
            where = f"{archive.where}:{member.label}"
            piece = _PIECE.fullmatch(member.name) if pieces else None
            if piece is not None and piece[1] in pieces:
                if piece[2] != b"sample":
                    continue
                name, sample = piece[1], _joined(archive, pieces[piece[1]], where)
                digest = None
            else:
                data = archive.read(member)
                name, sample = member.name.removesuffix(b".json"), _sample(data, where)
                digest = hashlib.sha256(data).hexdigest()
            named = f"samples/{sample.id}_epoch_{sample.epoch}".encode()
            if name != named:
                _check_stray(strays, named, where, sample)
            yield Document(where, sample, digest)
        for member in archive.members() if strays else ():
            piece = _PIECE.fullmatch(member.name)
            folder = piece[1] if piece else member.name.removesuffix(b".json")
            if folder in strays:
                where, sample = strays[folder]
                raise held_twice(sample.id, sample.epoch, where)


def _check_stray(
    strays: dict[bytes, tuple[str, LogSample]], named: bytes, where: str, sample: LogSample
) -> None:
    """Remember a sample that lies under another name than its own (rule 3)."""
    if named in strays:
        raise held_twice(sample.id, sample.epoch, where)
    strays[named] = (where, sample)


def _pieces(archive: Archive) -> dict[bytes, dict[bytes, Member]]:
    """Return the members of each sample that lies in pieces, by what follows its folder."""
    found: dict[bytes, dict[bytes, Member]] = {}
    for name, member in archive.directory.kept.items():
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


def _lines(path: Path, known: Directory, kind: type[Line]) -> Iterator[Line]:
    whole = known.kept.get(_SUMMARIES)
    with Archive(path, _is_kept, known, _SPARE) as archive:
        if whole is not None and whole.size <= MAX_SUMMARIES:
            yield from _member(archive, whole, list[kind])  # type: ignore[valid-type]
            return
        # The order of the directory is that of writing, and so of the journal's numbers.
        for member in archive.members():
            if member.name.startswith(_JOURNAL) and _NUMBERED.fullmatch(member.name):
                yield from _member(archive, member, list[kind])  # type: ignore[valid-type]


def _numbered(archive: Archive, folder: bytes) -> list[Member]:
    found = {
        int(number[1]): member
        for member in archive.members()
        if member.name.startswith(folder) and (number := _NUMBERED.fullmatch(member.name))
    }
    return [found[number] for number in sorted(found)]


def _member(archive: Archive, member: Member, kind: type[T]) -> T:
    return decode(archive.read(member), kind, f"{archive.where}:{member.label}")


def _json_log(data: bytes, where: str) -> InspectLog:
    header, samples = header_and_samples(data, where)
    return InspectLog(
        where=where,
        header=header,
        documents=lambda: _json_documents(samples, where),
        finished=header.status != "started",
        header_only=not samples,
        repeated=repeated_sample(samples, where),
    )


def _json_documents(samples: list[memoryview], where: str) -> Iterator[Document]:
    for index, data in enumerate(samples):
        place = f"{where}:samples[{index}]"
        yield Document(place, _sample(data, place), hashlib.sha256(data).hexdigest())


def _sample(data: bytes | memoryview, where: str) -> LogSample:
    try:
        return decode(data, LogSample, where)
    except UnknownShape as error:
        return decode(_by_inspect(error, None, bytes(data)), LogSample, where)


def _refuse_version(version: int, where: str) -> NoReturn:
    what = f"is a log of version {version}; up to {VERSIONS[-1]} is read"
    raise UnknownShape(what, where=where, next_step=NEXT_STEP)


def _by_inspect(unknown: UnknownShape, path: Path | None, data: bytes = b"") -> bytes:
    """Return a log or a sample as Inspect's own reader understands it.

    Raises
    ------
    UnknownShape
        The one that was given, if Inspect is not installed or cannot read it either.
    """
    if path is None and not (b'"id"' in data and b'"epoch"' in data):
        raise unknown  # as above
    try:
        # It brings Inspect, which nobody needs for logs of a known shape.
        from countermark.exercise.inspect import rewriting  # noqa: PLC0415
    except ImportError:
        raise unknown from None
    rewritten = rewriting.whole_log(path) if path else rewriting.one_sample(data)
    if rewritten is None:
        raise unknown
    return rewritten
