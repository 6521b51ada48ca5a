# SPDX-License-Identifier: Apache-2.0
"""How the reference files that come with the package are read: strictly, one record a file.

1. A file is one record of the kind asked for, in strict JSON, and holds no unknown field.
2. A file is named after its record.
3. Records come sorted by file name.
4. A list that is no record, such as that of the risks, is held to rule 1 as well.
"""

from collections.abc import Callable, Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from countermark.records import Record
from countermark.records.base import Part
from countermark.records.canonical import canonical, read_object
from countermark.records.errors import InputError

R = TypeVar("R", bound=Record)
P = TypeVar("P", bound=Part)


def packaged(room: str, name: str) -> Traversable:
    """Return a file or folder among the data of a room, such as ``network`` or ``taxonomy``."""
    return files(f"countermark.{room}") / "data" / name


def read_folder(kind: type[R], folder: Traversable, name: Callable[[R], str]) -> tuple[R, ...]:
    """Read every JSON file of a folder as a record.

    Parameters
    ----------
    kind
        The kind that every file must be.
    folder
        Where the files lie.
    name
        Gives the name that a record's file must have, without ``.json``.

    Raises
    ------
    InputError
        If a rule of the module docstring is broken.
    """
    found = []
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".json"):
            continue
        record = kind.from_bytes(file.read_bytes(), where=file.name)
        refuse_unknown(record, where=file.name)
        if file.name != f"{name(record)}.json":
            raise InputError(
                f"holds {name(record)}",
                where=file.name,
                next_step=f"Call the file {name(record)}.json, or correct the record in it.",
            )
        found.append(record)
    return tuple(found)


def read_list(kind: type[P], file: Traversable) -> P:
    """Read one JSON file that is no record.

    Raises
    ------
    InputError
        If rule 1 of the module docstring is broken.
    """
    value = read_object(file.read_bytes(), where=file.name)
    try:
        found = kind.model_validate_json(canonical(value))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(step) for step in first["loc"])
        raise InputError(
            f"does not fit: {place}: {first['msg']}",
            where=file.name,
            next_step="Compare the entry with its neighbours.",
        ) from error
    refuse_unknown(found, where=file.name)
    return found


def refuse_unknown(model: BaseModel, *, where: str) -> None:
    """Refuse a document of our own that has a field no version knows.

    Raises
    ------
    InputError
        If it has one.
    """
    # The model keeps fields it does not know; in our own files they are slips of the pen.
    unknown = [name for part in _parts(model) for name in part.model_extra or {}]
    if unknown:
        raise InputError(
            f"has the unknown field {unknown[0]!r}",
            where=where,
            next_step="Correct its spelling, or take it out.",
        )


def _parts(value: object) -> Iterator[BaseModel]:
    if isinstance(value, BaseModel):
        yield value
        for name in type(value).model_fields:
            yield from _parts(getattr(value, name))
    elif isinstance(value, tuple):
        for item in value:
            yield from _parts(item)
