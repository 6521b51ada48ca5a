# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a document that somebody wrote, in words that help to mend it."""

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import NoReturn

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from countermark.records.canonical import JsonValue
from countermark.records.errors import InputError
from countermark.records.forms import WORDS

_ALIKE = 0.8  # below it, other fields of the same record are proposed as misspellings


def refuse(error: ValidationError, kind: str, value: dict[str, JsonValue], where: str) -> NoReturn:
    """Refuse a document for the first of its faults.

    Raises
    ------
    InputError
        Always.
    """
    details = error.errors(include_url=False, include_input=False)
    first = details[0]
    path = _path(first["loc"], value) or "the document"
    more = f" ({len(details) - 1} more)" if len(details) > 1 else ""
    message, next_step = _told(first, kind, value)
    raise InputError(
        f"is not a valid {kind}: {path}: {message}{more}", where=where, next_step=next_step
    ) from error


def unknown_fields(part: BaseModel) -> Iterator[str]:
    """Yield a sentence for each field that this version does not know.

    Such a field is kept, as a later version may know it. In what a person wrote just now it is
    more often a misspelt one, which would change nothing without a word.
    """
    for path, name, known in _unknown(part, ""):
        meant = alike(name, known)
        proposed = f"; is {meant} meant?" if meant else ""
        yield f"the field {path}{name} is not known and changes nothing{proposed}"


def alike(written: str, known: Iterable[str]) -> str | None:
    """Return the name that was most likely meant, if one is near."""
    return next(iter(get_close_matches(written, list(known), n=1, cutoff=_ALIKE)), None)


def _unknown(part: BaseModel, path: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    fields = tuple(type(part).model_fields)
    for name in part.model_extra or ():
        yield path, name, tuple(one for one in fields if getattr(part, one) is None) or fields
    for name in fields:
        value = getattr(part, name)
        entries = enumerate(value) if isinstance(value, tuple) else ((None, value),)
        for index, one in entries:
            if isinstance(one, BaseModel):
                place = "" if index is None else f".{getattr(one, 'key', index)}"
                yield from _unknown(one, f"{path}{name}{place}.")


def _told(first: ErrorDetails, kind: str, value: dict[str, JsonValue]) -> tuple[str, str]:
    """Return what is wrong, and what to do next."""
    message, next_step = first["msg"], f"Compare it with schemas/{kind}.schema.json."
    match first["type"]:
        # A part of several kinds, such as what a threshold asks: a person needs the kinds by name.
        case "union_tag_invalid":
            known = first["ctx"]["expected_tags"].replace("'", "")
            message = f"has the kind {first['ctx']['tag']!r}, which this version does not know"
            next_step = f"Check the file, or use a newer Countermark; known kinds: {known}."
        case "union_tag_not_found":
            message, next_step = "says no kind", f"Say its kind, as in schemas/{kind}.schema.json."
        case "missing":
            message = "is missing"
            around = _at(first["loc"][:-1], value)
            meant = alike(str(first["loc"][-1]), around if isinstance(around, dict) else ())
            if meant:
                next_step = f"Look at {meant}: is {first['loc'][-1]} meant?"
        case "string_pattern_mismatch" if first["ctx"]["pattern"] in WORDS:
            message = f"must be {WORDS[first['ctx']['pattern']]}"
        case _:
            pass
    return message, next_step


def _at(steps: Sequence[str | int], value: JsonValue) -> JsonValue:
    for step in steps:
        value = _below(value, step)
    return value


def _below(value: JsonValue, step: str | int) -> JsonValue:
    if isinstance(step, int) and isinstance(value, list):
        return value[step]
    # The name of a kind among several is a step of the path, but not of the document.
    return value.get(str(step), value) if isinstance(value, dict) else value


def _path(steps: Sequence[str | int], value: JsonValue) -> str:
    """Return where in a document a fault is, with the keys of entries that have one."""
    words = []
    for index, step in enumerate(steps):
        below = _below(value, step)
        if below is value and index < len(steps) - 1:
            continue  # the name of a kind among several
        key = below.get("key") if isinstance(step, int) and isinstance(below, dict) else None
        words.append(key if isinstance(key, str) else str(step))
        value = below
    return ".".join(words)
