# SPDX-License-Identifier: Apache-2.0
"""The lines of a protocol folder's files: one item, or one labelled answer, in one language."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from countermark.exercise.authoring.spreadsheets import CSV, csv_lines
from countermark.records.base import Slug, Text
from countermark.records.canonical import MAX_BYTES, JsonValue, canonical, read_object
from countermark.records.errors import InputError


class _Written(BaseModel):
    """Something an author wrote; a misspelt field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Line(_Written):
    """One line of a file; its key is unique in that file."""

    key: Slug


class TranslationLine(_Written):
    """How a wording came to be."""

    status: Literal["source", "machine", "human"]
    by: Text | None = None
    reviewed_by: tuple[Text, ...] | None = None


class ItemLine(Line):
    """One item in one language."""

    role: Literal["test", "control"]
    approach: Slug
    prompt: Text
    expected: Text | None = None
    private: bool | None = None
    translation: TranslationLine | None = None


class LabelledLine(Line):
    """One labelled answer."""

    prompt: Text
    answer: Text
    label: bool


class LabelledBy(_Written):
    """Who labelled a task's answers, and how the answers were chosen."""

    title: Text
    labelled_by: Text
    sampling: Literal["fixed-set", "random-sample"]


AnyLine = TypeVar("AnyLine", bound=Line)
AnyWritten = TypeVar("AnyWritten", bound=_Written)


@dataclass(frozen=True, slots=True)
class Placed(Generic[AnyLine]):
    """A line and where it stands, as ``file:number``."""

    line: AnyLine
    where: str


def read_bytes(path: Path) -> bytes:
    """Read a whole file.

    Raises
    ------
    InputError
        If there is no such file, it cannot be read, or it is too large.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(
            f"cannot be read ({error.strerror})",
            where=str(path),
            next_step="A protocol folder needs this file: write it, or correct the folder's name.",
        ) from error
    if len(data) > MAX_BYTES:
        raise InputError(
            f"is larger than {MAX_BYTES:,} bytes", where=str(path), next_step="Split the exercise."
        )
    return data


def read_lines(kind: type[AnyLine], path: Path) -> dict[str, Placed[AnyLine]]:
    """Read a file of one line each, JSONL or CSV by its name, in the file's order.

    Returns
    -------
    dict
        From each line's key to the line.

    Raises
    ------
    InputError
        If a line is nothing of that kind, or has the key of an earlier line.
    """
    found: dict[str, Placed[AnyLine]] = {}
    data = read_bytes(path)
    lines = csv_lines(kind, data, path) if path.suffix == CSV else _json_lines(data, path)
    for where, value in lines:
        line = parse(kind, value, where=where)
        earlier = found.get(line.key)
        if earlier is not None:
            raise InputError(
                f"has the key {line.key!r}, which stands at {earlier.where} already",
                where=where,
                next_step="Give one of the two lines another key, in every language.",
            )
        found[line.key] = Placed(line, where)
    if not found:
        raise InputError(
            "holds no line", where=str(path), next_step="Write at least one, or delete the file."
        )
    return found


def _json_lines(data: bytes, path: Path) -> Iterator[tuple[str, dict[str, JsonValue]]]:
    for number, raw in enumerate(data.split(b"\n"), 1):
        if raw.strip():
            where = f"{path}:{number}"
            yield where, _object(raw, where)


def _object(raw: bytes, where: str) -> dict[str, JsonValue]:
    try:
        return read_object(raw, where=where)
    except InputError as error:
        # The reader counts lines from the start of what it is given, which is one line here.
        raise InputError(error.what, where=where, next_step=error.next_step) from error


def parse(kind: type[AnyWritten], value: Mapping[str, JsonValue], *, where: str) -> AnyWritten:
    """Read one JSON object as what an author wrote.

    Raises
    ------
    InputError
        If a field is missing, unknown or of another type; it names the object's key.
    """
    try:
        return kind.model_validate_json(canonical(dict(value)))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(step) for step in first["loc"])
        of_key = f" of {value['key']!r}" if isinstance(value.get("key"), str) else ""
        raise InputError(
            f"the field {field!r}{of_key}: {first['msg']}",
            where=where,
            next_step="A line has the fields " + ", ".join(kind.model_fields) + ".",
        ) from error
