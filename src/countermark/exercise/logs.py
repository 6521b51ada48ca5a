# SPDX-License-Identifier: Apache-2.0
"""Reading Inspect logs without Inspect: the zip form (``.eval``) and the JSON form.

A ``.eval`` file is a zip, so it is read as hostile input:

1. At most ``MAX_MEMBERS`` members, of at most ``MAX_MEMBER_BYTES`` each and ``MAX_TOTAL_BYTES``
   together, by what the directory declares, before anything is unpacked.
2. No two members share bytes of the file: a small file may otherwise declare enormous contents.
3. Only stored, deflate and zstandard members; never more bytes out than were declared.
4. Members are read by their contents' place, never extracted under their own names.

Only what a joint exercise needs is decoded: the header and, of each sample, its conversation.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import msgspec
import zstandard

from countermark.records.errors import InputError

MAX_MEMBERS = 200_000
MAX_MEMBER_BYTES = 64 * 1024 * 1024
MAX_TOTAL_BYTES = 4 * 1024 * 1024 * 1024
ZSTANDARD = 93
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")
_ATTACHMENT = "attachment://"


class LogSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The header's account of what was run."""

    task: str
    model: str
    created: str
    task_args: dict[str, Any] = {}
    model_args: dict[str, Any] = {}
    metadata: dict[str, Any] | None = None
    packages: dict[str, str] = {}
    config: dict[str, Any] = {}
    model_generate_config: dict[str, Any] = {}


class LogPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The header's account of generation settings."""

    config: dict[str, Any] = {}


class LogUsage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of one model; cached input tokens are not in ``input_tokens``."""

    input_tokens: int = 0
    output_tokens: int = 0
    total_tokens: int = 0
    input_tokens_cache_write: int | None = None
    input_tokens_cache_read: int | None = None
    total_cost: float | None = None


class LogStats(msgspec.Struct, frozen=True, kw_only=True):
    """When the run began and ended, and what it consumed."""

    started_at: str = ""
    completed_at: str = ""
    model_usage: dict[str, LogUsage] = {}


class LogHeader(msgspec.Struct, frozen=True, kw_only=True):
    """A log without its samples."""

    version: int = 2
    status: str
    eval: LogSpec
    plan: LogPlan = LogPlan()
    stats: LogStats = LogStats()


class LogError(msgspec.Struct, frozen=True, kw_only=True):
    """Why a sample or the call of a tool failed."""

    message: str = ""


class LogCall(msgspec.Struct, frozen=True, kw_only=True):
    """One call of a tool by the model."""

    function: str = ""
    arguments: msgspec.Raw = msgspec.Raw(b"{}")


class LogMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message; its content is text or a list of parts."""

    role: str
    content: str | list[dict[str, Any]] = ""
    tool_calls: list[LogCall] | None = None
    error: LogError | None = None


class LogChoice(msgspec.Struct, frozen=True, kw_only=True):
    """One answer of the model."""

    message: LogMessage
    stop_reason: str = "unknown"


class LogOutput(msgspec.Struct, frozen=True, kw_only=True):
    """All answers of the model to one sample."""

    choices: list[LogChoice] = []


class LogScore(msgspec.Struct, frozen=True, kw_only=True):
    """One score as the log recorded it."""

    value: Any = None


class LogLimit(msgspec.Struct, frozen=True, kw_only=True):
    """The limit that stopped a sample."""

    type: str = "unknown"


class LogSample(msgspec.Struct, frozen=True, kw_only=True):
    """One sample of a log."""

    id: str | int
    epoch: int
    messages: list[LogMessage] = []
    output: LogOutput = LogOutput()
    scores: dict[str, LogScore] | None = None
    error: LogError | None = None
    limit: LogLimit | None = None
    working_time: float | None = None
    attachments: dict[str, str] = {}

    def text(self, message: LogMessage) -> str:
        """Return a message's text, with attachments put back in their place."""
        if isinstance(message.content, str):
            return self.resolve(message.content)
        return "\n".join(
            self.resolve(str(part.get("text", "")))
            for part in message.content
            if part.get("type") == "text"
        )

    def resolve(self, text: str) -> str:
        """Return a text, or the attachment that it refers to."""
        if text.startswith(_ATTACHMENT):
            return self.attachments.get(text.removeprefix(_ATTACHMENT), text)
        return text


@dataclass(frozen=True, slots=True)
class Log:
    """One Inspect log."""

    name: str
    header: LogHeader
    samples: tuple[LogSample, ...]


class _JsonLog(LogHeader, frozen=True, kw_only=True):
    samples: list[LogSample] = []


def read_log(path: Path) -> Log:
    """Read a log in either form.

    Raises
    ------
    InputError
        If the file is missing, truncated, no Inspect log, or breaks a rule of the module docstring.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"cannot be read: {error.strerror}",
            where=str(path),
            next_step="Give the path of an Inspect log (.eval or .json).",
        ) from error
    if is_zip(data):
        return _read_zip(data, str(path))
    if path.suffix == ".eval":
        _refuse("is no Inspect log: it does not start as a zip does", str(path))
    whole = _decode(data, _JsonLog, str(path))
    return Log(str(path), whole, tuple(whole.samples))


def is_zip(data: bytes) -> bool:
    """Tell whether a log is in the zip form."""
    return data.startswith(b"PK\x03\x04")


def _read_zip(data: bytes, where: str) -> Log:
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error) as error:
        _refuse(f"is a truncated or damaged log ({error})", where)
    members = archive.infolist()
    _check_sizes(members, where)
    spans = _spans(members, data, where)
    by_name = {member.filename: member for member in members}
    if "header.json" not in by_name:
        _refuse("has no header.json: the run did not finish, or it is no Inspect log", where)
    header = _decode(_unpack(data, spans, by_name["header.json"], where), LogHeader, where)
    samples = tuple(
        _decode(_unpack(data, spans, member, where), LogSample, f"{where}:{member.filename}")
        for member in _sample_members(members)
    )
    return Log(where, header, samples)


def _sample_members(members: list[zipfile.ZipInfo]) -> Iterator[zipfile.ZipInfo]:
    named = [member for member in members if member.filename.startswith("samples/")]
    # A sample that was run again has its name twice, and the last counts.
    last = {member.filename: member for member in named}
    return iter(sorted(last.values(), key=lambda member: member.filename))


def _check_sizes(members: list[zipfile.ZipInfo], where: str) -> None:
    if len(members) > MAX_MEMBERS:
        _refuse(f"has {len(members):,} members; at most {MAX_MEMBERS:,} are read", where)
    largest = max((member.file_size for member in members), default=0)
    if largest > MAX_MEMBER_BYTES:
        _refuse(f"declares a member of {largest:,} bytes; at most {MAX_MEMBER_BYTES:,}", where)
    total = sum(member.file_size for member in members)
    if total > MAX_TOTAL_BYTES:
        _refuse(f"declares {total:,} bytes unpacked; at most {MAX_TOTAL_BYTES:,}", where)


def _spans(members: list[zipfile.ZipInfo], data: bytes, where: str) -> dict[int, tuple[int, int]]:
    spans = {}
    for member in members:
        start = member.header_offset
        header = data[start : start + _LOCAL_HEADER.size]
        if len(header) < _LOCAL_HEADER.size or header[:4] != b"PK\x03\x04":
            _refuse(f"is damaged at {member.filename!r}", where)
        name_length, extra_length = _LOCAL_HEADER.unpack(header)[9:11]
        body = start + _LOCAL_HEADER.size + name_length + extra_length
        spans[start] = (body, body + member.compress_size)
    end = 0
    for member in sorted(members, key=lambda member: member.header_offset):
        if member.header_offset < end:
            _refuse(f"has members that overlap at {member.filename!r}", where)
        end = spans[member.header_offset][1]
    if end > len(data):
        _refuse("is truncated", where)
    return spans


def _unpack(
    data: bytes, spans: dict[int, tuple[int, int]], member: zipfile.ZipInfo, where: str
) -> bytes:
    start, end = spans[member.header_offset]
    packed = data[start:end]
    place = f"{where}:{member.filename}"
    if member.flag_bits & 1:
        _refuse("is encrypted", place)
    try:
        contents = _decompress(packed, member, place)
    except (zlib.error, zstandard.ZstdError) as error:
        _refuse(f"is damaged ({error})", place)
    if len(contents) != member.file_size or zlib.crc32(contents) != member.CRC:
        _refuse("is damaged: it is not what the log's directory says", place)
    return contents


def _decompress(packed: bytes, member: zipfile.ZipInfo, where: str) -> bytes:
    limit = member.file_size
    if member.compress_type == zipfile.ZIP_STORED:
        return packed[: limit + 1]
    if member.compress_type == zipfile.ZIP_DEFLATED:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, limit + 1)
    if member.compress_type != ZSTANDARD:
        _refuse(f"is packed by a method this version does not read ({member.compress_type})", where)
    with zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True) as reader:
        return _read_up_to(reader, limit + 1)


def _read_up_to(reader: Any, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while size < limit and (part := reader.read(limit - size)):
        parts.append(part)
        size += len(part)
    return b"".join(parts)


def _decode(data: bytes, kind: type[Any], where: str) -> Any:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        _refuse(f"is no Inspect log: {error}", where)


def _refuse(what: str, where: str) -> NoReturn:
    raise InputError(
        what,
        where=where,
        next_step="Give a finished Inspect log (.eval or .json); `inspect log recover` mends some.",
    )
