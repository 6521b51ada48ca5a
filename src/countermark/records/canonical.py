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
from collections.abc import Iterator
from typing import NoReturn, TypeAlias

import rfc8785

from countermark.records.errors import InputError

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"

MAX_BYTES = 64 * 1024 * 1024
MAX_DEPTH = 64
MAX_SAFE_INTEGER = 2**53 - 1
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
        _refuse("starts with a byte order mark", where)
    try:
        value: JsonValue = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=lambda pairs: _object(pairs, where),
            parse_constant=lambda name: _refuse(f"holds {name}, which is not JSON", where),
            parse_float=lambda text: _float(text, where),
            parse_int=lambda text: _integer(text, where),
        )
    except UnicodeDecodeError as error:
        _refuse(f"is not UTF-8 (byte {error.start})", where)
    except json.JSONDecodeError as error:
        _refuse(f"is not JSON: {error.msg}", f"{where}:{error.lineno}:{error.colno}")
    except RecursionError:
        _refuse(f"is nested more than {MAX_DEPTH} deep", where)
    _check_tree(value, where)
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


def content_digest(data: bytes) -> str:
    """Return the content address of some bytes: ``sha256:`` and 64 hex digits."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _object(pairs: list[tuple[str, JsonValue]], where: str) -> dict[str, JsonValue]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                _refuse(f"has the key {key!r} twice in one object", where)
            seen.add(key)
    return result


def _float(text: str, where: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        _refuse(f"holds the number {text[:24]}, which is too large", where)
    if MAX_SAFE_INTEGER < abs(number) < _FIRST_EXPONENT:
        _refuse(f"holds the number {text[:24]}, outside ±(2^53-1)", where)
    return number


def _integer(text: str, where: str) -> int:
    # Refusing by length first keeps a number of a million digits from costing seconds.
    if len(text) > 17 or abs(int(text)) > MAX_SAFE_INTEGER:
        _refuse(f"holds the integer {text[:24]}, outside ±(2^53-1)", where)
    return int(text)


def _check_tree(value: JsonValue, where: str) -> None:
    for text, depth in _texts(value):
        if depth > MAX_DEPTH:
            _refuse(f"is nested more than {MAX_DEPTH} deep", where)
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            _refuse(f"holds a lone surrogate in {text[:40]!r}", where)


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
