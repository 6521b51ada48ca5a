# SPDX-License-Identifier: Apache-2.0
"""The parsers of hostile input, what each promises, and how to bend a valid input.

A parser promises: any bytes are either read, and what was read writes back the same bytes, or they
are refused by an error of ours that says where; within a second; and never by anything else.
"""

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from countermark.exercise.reading import (
    csv_table,
    every_eval_ever,
    garak,
    helm,
    lm_eval,
    moonshot,
)
from countermark.exercise.reading.found import FoundRun
from countermark.records.canonical import canonical, read_json, read_object
from countermark.records.errors import (
    CountermarkError,
    InputError,
    StorageError,
    VerificationError,
)
from countermark.signing.encoding import from_base64, to_base64
from countermark.signing.envelope import PAYLOAD_TYPE, Envelope, record_of
from countermark.signing.quorum import parse_policy
from countermark.signing.vkey import parse_vkey
from countermark.transparency.checkpoint import parse_checkpoint
from countermark.transparency.note import decode_text, parse_note, parse_signature_lines
from countermark.transparency.proof import parse_proof
from countermark.transparency.statement import StatementFile
from countermark.transparency.tiles import encode_bundle, parse_bundle
from countermark.transparency.witness import parse_request

CORPUS = Path(__file__).resolve().parents[1] / "fuzz/corpus"
FAMILIES = (InputError, VerificationError, StorageError)
MOST_SECONDS = 1.0
BUNDLE_WIDTH = 3
WHERE = "input"
# A line, a byte or range of bytes, a size of the whole, or the name of a field.
# Else the fault is one of the whole, and the message says of which kind.
PLACE = re.compile(
    r"^input:[0-9]+|\bbytes? [0-9]|is [0-9,]+ bytes|\blines?\b|\bentries\b|canonical byte form"
    r"|is not a JSON object|does not end with a newline|^input, (payload|sig|proof:[0-9]+)"
    r"|\b(fields?|predicate|subject|_type|payload|key id|proof|format|null at|has the kind)\b"
    r"|is not a valid [a-z-]+: "
)
# A text that is itself one value needs no place in it.
SINGLE = {"base64", "vkey"}


@dataclass(frozen=True, slots=True)
class Parser:
    """A parser of hostile bytes, and what writes back what it read."""

    read: Callable[[bytes], Any]
    write: Callable[[Any], bytes]


def as_text(data: bytes) -> str:
    """Return text for a parser of text; whoever reads it from a file refuses all other bytes."""
    return decode_text(data, where=WHERE)


def _record(data: bytes) -> bytes:
    record_of(Envelope(data, PAYLOAD_TYPE, "a" * 64, b"s"), where=WHERE)
    return data


def _json(data: bytes) -> bytes:
    value = read_json(data, where=WHERE)
    form = canonical(value)
    assert read_json(form, where=WHERE) == value, "the canonical form is another value"
    return data


PARSERS = {
    "base64": Parser(
        lambda data: from_base64(as_text(data), where=WHERE),
        lambda value: to_base64(value).encode(),
    ),
    "bundle": Parser(lambda data: parse_bundle(data, BUNDLE_WIDTH, where=WHERE), encode_bundle),
    "checkpoint": Parser(
        lambda data: parse_checkpoint(as_text(data), where=WHERE), lambda value: value.text.encode()
    ),
    "envelope": Parser(
        # The object around it may be in any order and spacing; statement files fix both.
        lambda data: (
            Envelope.from_value(read_object(data, where=WHERE), where=WHERE).to_value() and data
        ),
        lambda value: value,
    ),
    "json": Parser(_json, lambda value: value),
    "note": Parser(lambda data: parse_note(data, where=WHERE), lambda value: value.to_bytes()),
    "policy": Parser(
        lambda data: parse_policy(data, where=WHERE), lambda value: value.text.encode()
    ),
    "proof": Parser(lambda data: parse_proof(data, where=WHERE), lambda value: value.to_bytes()),
    "record": Parser(_record, lambda value: value),
    "request": Parser(
        lambda data: parse_request(data, where=WHERE), lambda value: value.to_bytes()
    ),
    "signature-lines": Parser(
        lambda data: parse_signature_lines(as_text(data), where=WHERE),
        lambda lines: "".join(line.text for line in lines).encode(),
    ),
    "statement": Parser(
        lambda data: StatementFile.from_bytes(data, where=WHERE), lambda value: value.to_bytes()
    ),
    "vkey": Parser(
        lambda data: parse_vkey(as_text(data), where=WHERE), lambda value: value.text.encode()
    ),
}


def _in_a_file(
    name: str, read: Callable[[Path], Iterator[FoundRun]]
) -> Callable[[Path, bytes], int]:
    def count(folder: Path, data: bytes) -> int:
        path = folder / name
        path.write_bytes(data)
        return sum(1 for run in read(path) for _ in run.samples())

    return count


def _in_a_folder(folder: Path, data: bytes) -> int:
    """Read a HELM run whose files lie one after another, each after a line with its name."""
    for path in folder.iterdir():
        path.unlink()
    for part in data.split(b"\n=== ")[:8]:
        name, _, contents = part.partition(b"\n")
        if name.decode("latin-1") in helm.FILES:
            (folder / name.decode()).write_bytes(contents)
    return sum(1 for run in helm.read(folder) for _ in run.samples())


# Readers of other tools' logs: from a folder to write in and the bytes of a log to how many samples
# it holds. They promise to read, or to refuse by an error of ours; they write nothing back.
LOGS: dict[str, Callable[[Path, bytes], int]] = {
    "log-csv": _in_a_file("a.csv", csv_table.read),
    "log-eee": _in_a_file("a_samples.jsonl", every_eval_ever.read),
    "log-eee-record": _in_a_file("a.json", every_eval_ever.read),
    "log-garak": _in_a_file("a.report.jsonl", garak.read),
    "log-helm": _in_a_folder,
    "log-lm-eval": _in_a_file("samples_a.jsonl", lm_eval.read),
    "log-lm-eval-results": _in_a_file("results.json", lm_eval.read),
    "log-moonshot": _in_a_file("a.json", moonshot.read),
}


def check_log(name: str, folder: Path, data: bytes, *, seconds: float = MOST_SECONDS) -> int | None:
    """Hold a reader of logs to its promise; return how many samples it read, or nothing.

    Raises
    ------
    AssertionError
        If the promise is broken. Whatever else the reader raises is let through.
    """
    began = time.process_time()
    try:
        count = LOGS[name](folder, data)
    except InputError as error:
        shown(error)
        count = None
    spent = time.process_time() - began
    assert spent < seconds, f"{name} took {spent:.1f} s"
    return count


def kept(name: str) -> list[Path]:
    """Return the files of a parser's corpus."""
    return sorted((CORPUS / name).iterdir())


def valid(name: str) -> bytes:
    """Return the valid input that others are made from."""
    return (CORPUS / name / "valid").read_bytes()


def check(name: str, data: bytes, *, seconds: float = MOST_SECONDS) -> bool:
    """Hold a parser to its promise for these bytes; return whether they were read.

    Raises
    ------
    AssertionError
        If the promise is broken. Whatever else the parser raises is let through.
    """
    parser = PARSERS[name]
    began = time.process_time()
    try:
        value = parser.read(data)
    except FAMILIES as error:
        told(name, error)
        accepted = False
    else:
        assert parser.write(value) == data, f"{name} reads this and writes something else"
        accepted = True
    spent = time.process_time() - began
    assert spent < seconds, f"{name} took {spent:.1f} s"
    return accepted


def told(name: str, error: CountermarkError) -> None:
    """See that an error says where, and that it can be shown to a person."""
    shown(error)
    assert name in SINGLE or PLACE.search(str(error)), f"{name} does not say where: {error}"


def shown(error: CountermarkError) -> None:
    """See that an error names the file and the next step, and does not repeat the whole input."""
    assert error.where, f"refuses without a place: {error}"
    assert error.next_step
    assert len(str(error)) < 800, f"repeats the input: {str(error)[:200]}"
    str(error).encode("utf-8", "backslashreplace")


NASTY = (
    b"", b"\0", b"\t", b"\n", b"\n\n", b"\r\n", b" ", b"+", b"-", b"=", b"==", b"/", b"\\", b'"',
    b"\x7f", b"\x1b[2J", b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xef\xbb\xbf",
    "\u2028".encode(), "\u00a0".encode(), "\u3000".encode(), "\u202e".encode(), "\u0661".encode(),
    "\u2014 ".encode(), "\u0301".encode(), "\U0010ffff".encode(),
    b"0", b"00", b"-0", b"+1", b"1e400", b"NaN", b"-Infinity", b"1_000", b"0x10", b"9" * 400,
    b"9223372036854775807", b"9223372036854775808", b"18446744073709551616", b"1.0",
    b"null", b"true", b"[]", b"{}", b'"\\ud800"', b"\\u0000", b"[" * 70, b'{"a":' * 70,
    b'"payload":1,', b"extra AAAA\n", b"index 0\n", b"none", b"quorum none\n", b"A" * 44, b"A===",
    b"any", b"all", b"../..", b"%00",
)  # fmt: skip

_PIECES = st.one_of(st.sampled_from(NASTY), st.binary(max_size=8), st.text(max_size=6).map(
    lambda text: text.encode("utf-8", "surrogatepass"))
)  # fmt: skip


@st.composite
def bent(draw: st.DrawFn, seed: bytes) -> bytes:
    """Return a valid input with one to three changes, in its bytes, lines or JSON."""
    data = seed
    for _ in range(draw(st.integers(1, 3))):
        data = draw(st.sampled_from([_bytes, _lines, _value]))(draw, data)
    return data


def _bytes(draw: st.DrawFn, data: bytes) -> bytes:
    start = draw(st.integers(0, len(data)))
    end = min(len(data), start + draw(st.integers(0, 80)))
    match draw(st.integers(0, 5)):
        case 0:
            return data[:start] + draw(_PIECES) + data[start:]
        case 1:
            return data[:start] + draw(_PIECES) + data[end:]
        case 2:
            return data[:end] + data[start:]
        case 3:
            return data[:start]
        case 4 if start < len(data):
            return (
                data[:start]
                + bytes([data[start] ^ 1 << draw(st.integers(0, 7))])
                + data[start + 1 :]
            )
        case _:
            return data.replace(b"\n", b"\r\n")


def _lines(draw: st.DrawFn, data: bytes) -> bytes:
    lines = data.split(b"\n")
    one, two = draw(st.integers(0, len(lines) - 1)), draw(st.integers(0, len(lines) - 1))
    match draw(st.integers(0, 4)):
        case 0:
            lines[one], lines[two] = lines[two], lines[one]
        case 1:
            lines.insert(one, lines[two])
        case 2:
            del lines[one]
        case 3:
            words = lines[one].split(b" ")
            words[draw(st.integers(0, len(words) - 1))] = draw(_PIECES)
            lines[one] = b" ".join(words)
        case _:
            lines[one:one] = [lines[two]] * draw(st.sampled_from([2, 33, 64, 300]))
    return b"\n".join(lines)


def _value(draw: st.DrawFn, data: bytes) -> bytes:
    """Change one value or key of a JSON document; anything else is left as it is."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return data
    places = list(_places(value))
    if not places:
        return data
    holder, key = draw(st.sampled_from(places))
    match draw(st.integers(0, 3)):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder[f"{key}{draw(st.text(max_size=2))}"] = holder[key]
        case 2 if isinstance(holder[key], str):
            raw = holder[key].encode("utf-8", "surrogatepass")
            changed = draw(st.sampled_from([_bytes, _lines]))(draw, raw)
            holder[key] = changed.decode("utf-8", "replace")
        case _:
            holder[key] = draw(
                st.sampled_from([None, True, 0, -1, 2**53, 1.5, "", "x", [], {}, [[]], ["x"]])
            )
    ending = b"\n" if data.endswith(b"\n") else b""
    return (
        json.dumps(
            value, sort_keys=True, separators=(",", ":"), ensure_ascii=draw(st.booleans())
        ).encode("utf-8", "surrogatepass")
        + ending
    )


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    stack = [value]
    while stack:
        holder = stack.pop()
        keys = (
            holder
            if isinstance(holder, dict)
            else range(len(holder))
            if isinstance(holder, list)
            else ()
        )
        for key in list(keys):
            yield holder, key
            stack.append(holder[key])
