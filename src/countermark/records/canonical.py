# SPDX-License-Identifier: Apache-2.0
"""Strict reading and canonical writing of JSON, and content addresses.

Reading is stricter than the standard library, because every input may be hostile:

1. The bytes are UTF-8 without a byte order mark, at most ``max_bytes`` long.
2. No object has the same key twice (the standard library keeps the last one silently).
3. No ``NaN`` or ``Infinity``, and no number that overflows to one.
4. No integer outside ±(2⁵³−1), which other languages would read as another number, and no other
   number that the canonical form would write as such an integer.
5. Nesting is at most ``MAX_DEPTH`` deep.
6. No lone surrogate in any text, which has no UTF-8 form.

Writing is RFC 8785 (JSON Canonicalization Scheme), so equal values have equal bytes.
"""

import hashlib
import json
import math
import re
from collections.abc import Iterator
from typing import NoReturn, TypeAlias

import rfc8785

from countermark.records.errors import InputError

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"

MAX_BYTES = 64 * 1024 * 1024
MAX_DEPTH = 64
MAX_SAFE_INTEGER = 2**53 - 1
_TOO_DEEP = f"is nested more than {MAX_DEPTH} deep"
# Possessive, so that a long text costs no memory for ways back that are never taken.
_TOKEN = re.compile(
    r'("(?:[^"\\]++|\\.)*+"|-?Infinity|NaN|[\[\]{}]'
    r"|-?[0-9]++(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?)([ \t\n\r]*+:)?"
)
_FIRST_EXPONENT = 1e21  # from here on RFC 8785 writes an exponent, and no digits to be misread


def read_json(data: bytes, *, where: str, max_bytes: int = MAX_BYTES) -> JsonValue:
    """Read one JSON value strictly.

    Parameters
    ----------
    data
        The bytes of the whole document.
    where
        The file name or address that an error should name.
    max_bytes
        Largest size accepted.

    Raises
    ------
    InputError
        If a rule of the module docstring is broken.
    """
    if len(data) > max_bytes:
        _refuse(f"is {len(data):,} bytes; at most {max_bytes:,} are read", where)
    if data.startswith(b"\xef\xbb\xbf"):
        _refuse("starts with a byte order mark (bytes 0 to 3)", where)
    try:
        text = data.decode("utf-8")
        value: JsonValue = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_float=_float,
            parse_int=_integer,
        )
        _check_tree(value)
    except UnicodeDecodeError as error:
        _refuse(f"is not UTF-8 (byte {error.start})", where)
    except json.JSONDecodeError as error:
        _refuse(f"is not JSON: {error.msg}", f"{where}:{error.lineno}:{error.colno}")
    except (_FaultError, RecursionError) as error:
        _refuse(next(_faults(text), str(error)), where)
    return value


def read_object(data: bytes, *, where: str, max_bytes: int = MAX_BYTES) -> dict[str, JsonValue]:
    """Read one JSON object strictly; see :func:`read_json`."""
    value = read_json(data, where=where, max_bytes=max_bytes)
    if not isinstance(value, dict):
        _refuse("is not a JSON object", where)
    return value


def canonical(value: JsonValue) -> bytes:
    """Return the one canonical byte form of a JSON value (RFC 8785).

    Raises
    ------
    InputError
        If a number or a text in it has no such form.
    """
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise InputError(
            f"has no canonical form: {error}",
            where="JSON value",
            next_step="Leave out the number or text that is out of range.",
        ) from error


def difference(data: bytes, form: bytes) -> str:
    """Say where some bytes begin to differ from the form that they should have.

    Call it only if they differ.
    """
    pairs = enumerate(zip(data, form, strict=False))
    first = next((n for n, (a, b) in pairs if a != b), min(len(data), len(form)))
    return f"the first difference is at byte {first}"


def content_digest(data: bytes) -> str:
    """Return the content address of some bytes: ``sha256:`` and 64 hex digits."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


class _FaultError(Exception):
    """What the reading of one object or number found; its place is looked for afterwards."""


def _object(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _FaultError(f"has the key {key[:40]!r} twice in one object")
            seen.add(key)
    return result


def _constant(name: str) -> NoReturn:
    raise _FaultError(f"holds {name}, which is not JSON")


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _FaultError(f"holds the number {text[:24]}, which is too large")
    if MAX_SAFE_INTEGER < abs(number) < _FIRST_EXPONENT:
        raise _FaultError(f"holds the number {text[:24]}, outside ±(2^53-1)")
    return number


def _integer(text: str) -> int:
    # Refusing by length first keeps a number of a million digits from costing seconds.
    if len(text) > 17 or abs(int(text)) > MAX_SAFE_INTEGER:
        raise _FaultError(f"holds the integer {text[:24]}, outside ±(2^53-1)")
    return int(text)


def _check_tree(value: JsonValue) -> None:
    for text, depth in _texts(value):
        if depth > MAX_DEPTH:
            raise _FaultError(_TOO_DEEP)
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise _FaultError(f"holds a lone surrogate in {text[:40]!r}") from None


def _faults(text: str) -> Iterator[str]:
    """Yield what breaks rules 2 to 6, with its byte range, in the order of the text.

    The standard library's reader tells no place to its hooks, so a refused document is read again,
    token by token. Up to the first fault it is known to be JSON.
    """
    keys: list[set[str]] = []
    for token in _TOKEN.finditer(text):
        try:
            _check_token(token, keys)
        except _FaultError as fault:
            start = len(text[: token.start()].encode())
            yield f"{fault} (bytes {start} to {start + len(token[1].encode())})"


def _check_token(token: re.Match[str], keys: list[set[str]]) -> None:
    word, is_key = token[1], bool(token[2])
    if word in "{[":
        keys.append(set())
        if len(keys) > MAX_DEPTH:
            raise _FaultError(_TOO_DEEP)
    elif word in "}]":
        del keys[-1:]
    elif word.startswith('"'):
        content: str = json.loads(word)
        _check_tree(content)
        if is_key and content in keys[-1]:
            raise _FaultError(f"has the key {content[:40]!r} twice in one object")
        if is_key:
            keys[-1].add(content)
    elif word[-1] in "Ny":
        _constant(word)
    else:
        (_integer if word.lstrip("-").isdigit() else _float)(word)


def _texts(value: JsonValue) -> Iterator[tuple[str, int]]:
    stack: list[tuple[JsonValue, int]] = [(value, 0)]
    while stack:
        node, depth = stack.pop()
        if isinstance(node, str):
            yield node, depth
        elif isinstance(node, list):
            yield "", depth + 1
            stack.extend((child, depth + 1) for child in node)
        elif isinstance(node, dict):
            yield "", depth + 1
            for key, child in node.items():
                yield key, depth + 1
                stack.append((child, depth + 1))


def _refuse(what: str, where: str) -> NoReturn:
    raise InputError(
        what,
        where=where,
        next_step="Ask whoever wrote the file for one that is plain JSON (RFC 8259).",
    )
