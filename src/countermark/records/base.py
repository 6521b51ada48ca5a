# SPDX-License-Identifier: Apache-2.0
"""What all records share: frozen, versioned, one byte form, unknown fields kept.

The byte form is canonical JSON of the record's fields. Two rules make reading and writing back
give the same bytes, whatever version of Countermark does it:

1. An absent field is left out; ``null`` is refused anywhere in a record.
2. No field has a default other than *absent*, so writing back never adds one.

Fields that this version does not know are kept as they are and written back.
"""

import importlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from countermark.records import forms
from countermark.records.canonical import JsonValue, canonical, content_digest, read_object
from countermark.records.errors import InputError
from countermark.records.faults import refuse
from countermark.records.schema import RecordSchema


def _real_time(text: str) -> str:
    datetime.fromisoformat(text)
    return text


def _real_date(text: str) -> str:
    date.fromisoformat(f"{text}-01-01"[:10])
    return text


Digest = Annotated[str, Field(pattern=forms.DIGEST, description="Content address.")]
Hex32 = Annotated[str, Field(pattern=forms.HEX32, description="32 bytes in lower-case hex.")]
Slug = Annotated[str, Field(pattern=forms.SLUG, max_length=80)]
MemberCode = Annotated[
    str, Field(pattern=forms.MEMBER, description="ISO 3166-1 alpha-2 code of a member, or EU.")
]
PartyCode = Annotated[
    str,
    Field(
        pattern=forms.PARTY,
        max_length=40,
        description="A member's code (two capitals), or a slug for others.",
    ),
]
LabKey = Annotated[str, Field(pattern=forms.LAB, description="A member's code and its lab.")]
LanguageTag = Annotated[str, Field(pattern=forms.LANGUAGE, description="BCP 47 tag.")]
Timestamp = Annotated[
    str,
    Field(
        pattern=forms.TIMESTAMP,
        description="UTC, to the second.",
        json_schema_extra={"format": "date-time"},
    ),
    AfterValidator(_real_time),
]
Date = Annotated[
    str,
    Field(
        pattern=forms.DATE,
        description="ISO 8601 date, to the year, the month or the day.",
        json_schema_extra={"format": "iso-8601-date"},
    ),
    AfterValidator(_real_date),
]
LONGEST_TEXT = 20_000
Text = Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]
Count = Annotated[int, Field(ge=0)]
Rate = Annotated[float, Field(ge=0, le=1)]


class Part(BaseModel):
    """A frozen piece of a record; unknown fields are kept."""

    # Deferred: a command reads few kinds, and building the validator of one takes milliseconds.
    model_config = ConfigDict(
        frozen=True, extra="allow", strict=True, allow_inf_nan=False, defer_build=True
    )


class Kinds(Mapping[str, type["Record"]]):
    """Every kind of record by its name; its module is imported when the kind is asked for."""

    def __init__(self, modules: Mapping[str, Sequence[str]]) -> None:
        self._module_of = {name: module for module, names in modules.items() for name in names}
        self._known: dict[str, type[Record]] = {}

    def add(self, kind: type["Record"]) -> None:
        """Make a kind known; each does so itself when its class is made."""
        self._known[kind.kind_name()] = kind

    def __getitem__(self, name: str) -> type["Record"]:
        if name not in self._known and name in self._module_of:
            importlib.import_module(f"countermark.records.{self._module_of[name]}")
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._module_of, **self._known})

    def __len__(self) -> int:
        return len({**self._module_of, **self._known})


class Record(Part):
    """A frozen document: one of the kinds that can be signed and logged.

    Subclasses set ``kind`` and ``version`` as single-value literals.
    """

    KINDS: ClassVar[Kinds] = Kinds(
        {
            "account": ("account", "reply"),
            "decision": ("decision",),
            "determination": ("determination",),
            "equivocation": ("equivocation",),
            "evidence": ("annotation-set", "evidence", "exercise-closing", "sealed-result"),
            "finding": ("dissent", "finding"),
            "framework": ("framework",),
            "protocol": ("countersignature", "protocol", "run-plan"),
            "rejudgement": ("rejudgement",),
            "reference": ("declaration", "institute", "partnership", "publication"),
        }
    )
    SPEAKER: ClassVar[str | tuple[str, ...] | None] = None
    """The field that says who speaks, or several of which the first that is there counts; it must
    name whoever signs."""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        Record.KINDS.add(cls)

    @classmethod
    def kind_name(cls) -> str:
        """Return the name of this kind, as statements spell it."""
        return str(cls.model_fields["kind"].default)

    @classmethod
    def model_json_schema(cls, **options: Any) -> dict[str, Any]:  # type: ignore[override]
        """Return the JSON Schema of a document of this kind, as it is read."""
        return super().model_json_schema(**{"schema_generator": RecordSchema, **options})

    @classmethod
    def predicate_type(cls) -> str:
        """Return the in-toto predicate type of this kind."""
        return f"urn:countermark:{cls.kind_name()}:v{cls.model_fields['version'].default}"

    @property
    def speaker(self) -> str | None:
        """Who the record says is speaking, or nothing for kinds that anyone allowed may sign."""
        said = (getattr(self, name) for name in self.speaker_fields())
        return next((str(one) for one in said if one is not None), None)

    @classmethod
    def speaker_fields(cls) -> tuple[str, ...]:
        """Return the fields that say who speaks; the first that is there counts."""
        return (cls.SPEAKER,) if isinstance(cls.SPEAKER, str) else cls.SPEAKER or ()

    @classmethod
    def from_value(cls, value: dict[str, JsonValue], *, where: str) -> Self:
        """Make a record of a JSON object that :func:`read_object` returned.

        Raises
        ------
        InputError
            If a field is missing, of another type, out of range or ``null``.
        """
        _refuse_null(value, where)
        said = value.get("kind")
        if isinstance(said, str) and said != cls.kind_name():
            raise InputError(
                f"is of the kind {said}, where {cls.kind_name()} is asked for",
                where=where,
                next_step=f"Give a file that holds a record of the kind {cls.kind_name()}; "
                "look whether two files were swapped.",
            )
        # In code the two literals fill themselves in; a document has to say them.
        unsaid = [name for name in ("kind", "version") if name not in value]
        if unsaid:
            raise InputError(
                f"is not a valid {cls.kind_name()}: it says no {' and no '.join(unsaid)}",
                where=where,
                next_step=f"Compare it with schemas/{cls.kind_name()}.schema.json.",
            )
        data = canonical(value)
        try:
            record = cls.model_validate_json(data)
        except ValidationError as error:
            refuse(error, cls.kind_name(), value, where)
        if record.to_bytes() != data:
            raise InputError(
                f"is not a valid {cls.kind_name()}: it would not be written back as it is",
                where=where,
                next_step=f"Compare it with schemas/{cls.kind_name()}.schema.json.",
            )
        return record

    @classmethod
    def from_bytes(cls, data: bytes, *, where: str) -> Self:
        """Read a record strictly; the bytes need not be canonical."""
        return cls.from_value(read_object(data, where=where), where=where)

    def to_value(self) -> dict[str, JsonValue]:
        """Return the record as a JSON object, unknown fields included."""
        return self.model_dump(mode="json", exclude_none=True)

    def to_bytes(self) -> bytes:
        """Return the record's one canonical byte form."""
        return canonical(self.to_value())

    @property
    def digest(self) -> str:
        """The record's content address."""
        return content_digest(self.to_bytes())


def record_from_value(value: dict[str, JsonValue], *, where: str) -> Record:
    """Make a record of whichever kind the object says it is."""
    kind = value.get("kind")
    known = Record.KINDS.get(kind) if isinstance(kind, str) else None
    if known is None:
        raise InputError(
            f"has the kind {kind!r}, which this version does not know",
            where=where,
            next_step="Check the file, or use a newer Countermark; known kinds: "
            + ", ".join(sorted(Record.KINDS))
            + ".",
        )
    return known.from_value(value, where=where)


def _refuse_null(value: JsonValue, where: str) -> None:
    stack: list[tuple[str, JsonValue]] = [("", value)]
    while stack:
        path, node = stack.pop()
        if node is None:
            raise InputError(
                f"has null at {path or 'its root'}",
                where=where,
                next_step="Leave a field out when it has no value; records never hold null.",
            )
        if isinstance(node, dict):
            stack.extend((f"{path}.{key}".lstrip("."), child) for key, child in node.items())
        elif isinstance(node, list):
            stack.extend((f"{path}[{index}]", child) for index, child in enumerate(node))
