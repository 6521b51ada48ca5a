# SPDX-License-Identifier: Apache-2.0
"""What a protocol keeps private: items and models of which it publishes only a seal.

A seal is a salt and SHA-256(0x00 ‖ salt ‖ canonical JSON of the content). Both are published, so
the content holds 32 random bytes of its own, the *blinding*: else anyone could try the few models
there are, or the prompts of known benchmarks, until the digest is met. Contents and salts are in
the private part, a file that the coordinator hands to the labs and may publish later:

1. It is strict JSON of at most ``MAX_BYTES``, of this format and version, with no other field.
2. It is the part of one protocol, which it names.
3. It opens each seal of that protocol, once, and nothing else.
4. What it says of a model is its provider and snapshot; of an item, in each language, the prompt,
   what is expected and the files of its sandbox, which are the same in all its languages.

:mod:`.sealing` makes both.
"""

from collections.abc import Mapping
from typing import Generic, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from countermark.records.base import Digest, Hex32, LanguageTag, Slug, Text
from countermark.records.canonical import MAX_BYTES, canonical, read_object
from countermark.records.errors import InputError, VerificationError
from countermark.records.protocol import Item, ItemText, ModelUnderTest, Protocol, Task
from countermark.records.protocol_parts import SandboxFile, SealedText
from countermark.transparency.commitment import salted_leaf

_OPEN = "Give the private part that the coordinator sent with the protocol: --private FILE."
_ANOTHER = "Ask the coordinator for the private part of this very protocol."


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)


class _Content(_Closed):
    blinding: Hex32 = Field(description="Random, so that no guess of the content can be tried.")


class ModelContent(_Content):
    """What the seal of a pseudonymous model seals."""

    provider: Text
    snapshot: Digest


class TextContent(_Content):
    """What the seal of a private item seals, in one language."""

    prompt: Text
    expected: Text | None = None
    files: tuple[SandboxFile, ...] | None = None


C = TypeVar("C", bound=_Content)


class _Opening(_Closed, Generic[C]):
    salt: Hex32
    content: C

    @property
    def seal(self) -> SealedText:
        """The seal that this opens."""
        value = self.content.model_dump(mode="json", exclude_none=True)
        digest = salted_leaf(bytes.fromhex(self.salt), value)
        return SealedText(salt=self.salt, digest=digest.hex())


class ModelOpening(_Opening[ModelContent]):
    """What opens the seal of one model."""

    key: Slug

    @property
    def place(self) -> str:
        """Whose seal it opens."""
        return f"model {self.key}"


class TextOpening(_Opening[TextContent]):
    """What opens the seal of one item in one language."""

    task: Slug
    item: Slug
    language: LanguageTag

    @property
    def place(self) -> str:
        """Whose seal it opens."""
        return place_of(self.task, self.item, self.language)


class PrivatePart(_Closed):
    """What the seals of one protocol seal."""

    format: Literal["countermark-private-part"]
    version: Literal[1]
    protocol: Digest
    models: tuple[ModelOpening, ...]
    texts: tuple[TextOpening, ...]

    @classmethod
    def from_bytes(cls, data: bytes, *, where: str) -> Self:
        """Read a private part strictly (rule 1).

        Raises
        ------
        InputError
            If it is none.
        """
        value = read_object(data, where=where, max_bytes=MAX_BYTES)
        try:
            return cls.model_validate_json(canonical(value))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise InputError(
                f"is no private part: {'.'.join(map(str, first['loc']))}: {first['msg']}",
                where=where,
                next_step="Give the file that countermark protocol freeze --private wrote.",
            ) from error

    def to_bytes(self) -> bytes:
        """Return its canonical byte form."""
        return canonical(self.model_dump(mode="json", exclude_none=True))

    @property
    def openings(self) -> tuple[ModelOpening | TextOpening, ...]:
        """All that it opens, models first."""
        return (*self.models, *self.texts)


def place_of(task: str, item: str, language: str) -> str:
    """Return how errors name one item in one language."""
    return f"{task}/{item} in {language}"


def has_private(protocol: Protocol) -> bool:
    """Return whether the protocol has any seal, opened or not."""
    return bool(_seals(protocol.frozen))


def private_items(protocol: Protocol) -> frozenset[str]:
    """Return the keys of the items that are private, opened or not."""
    return frozenset(key for task in protocol.frozen.tasks for key in sealed_items(task))


def sealed_items(task: Task) -> tuple[str, ...]:
    """Return the keys of a task's items of which there is only a seal here."""
    return tuple(
        item.key for item in task.items if any(text.sealed is not None for text in item.texts)
    )


def open_private(protocol: Protocol, part: PrivatePart) -> Protocol:
    """Return a protocol with its private content in its place.

    Its digest and its bytes stay those of the frozen protocol.

    Raises
    ------
    InputError
        If the part is another protocol's, lacks a seal's content, or opens one that is not there.
    VerificationError
        If a content is not what was sealed, or an item has other files in another language.
    """
    frozen = protocol.frozen
    _check_openings(frozen, part)
    models = {opening.key: opening.content for opening in part.models}
    texts = {opening.place: opening.content for opening in part.texts}
    return frozen.opened(
        tuple(_opened_model(model, models.get(model.key)) for model in frozen.models),
        tuple(
            task.model_copy(
                update={"items": tuple(_opened_item(task, item, texts) for item in task.items)}
            )
            for task in frozen.tasks
        ),
    )


def check_open(protocol: Protocol) -> None:
    """Refuse a protocol of which something is private here.

    Raises
    ------
    InputError
        If a model is pseudonymous or an item private, and the private part was not given.
    """
    for model in protocol.models:
        provider_of(model)
    for task in protocol.tasks:
        for item in task.items:
            for text in item.texts:
                prompt_of(text, place_of(task.key, item.key, text.language))


def provider_of(model: ModelUnderTest) -> str:
    """Return Inspect's name of a model under test.

    Raises
    ------
    InputError
        If the model is pseudonymous here.
    """
    if model.provider is None:
        raise InputError(
            "is pseudonymous: the protocol has only a seal of what it is",
            where=f"model {model.key}",
            next_step=_OPEN,
        )
    return model.provider


def prompt_of(text: ItemText, where: str) -> str:
    """Return what an item asks.

    Raises
    ------
    InputError
        If the item is private here.
    """
    if text.prompt is None:
        raise InputError(
            "is private: the protocol has only a seal of what it asks",
            where=where,
            next_step=_OPEN,
        )
    return text.prompt


def _check_openings(frozen: Protocol, part: PrivatePart) -> None:
    if part.protocol != frozen.digest:
        raise _misfit(f"is the private part of the protocol {part.protocol}")
    seals, seen = _seals(frozen), set[str]()
    for opening in part.openings:
        if opening.place in seen:
            raise _misfit("opens a seal twice", opening.place)
        seen.add(opening.place)
        if opening.place not in seals:
            raise _misfit("opens a seal that the protocol lacks", opening.place)
        if opening.seal != seals[opening.place]:
            raise VerificationError(
                "is not what the protocol sealed",
                where=f"private part, {opening.place}",
                next_step=_ANOTHER,
            )
    lacking = next((place for place in seals if place not in seen), None)
    if lacking is not None:
        raise _misfit("lacks what this seal seals", lacking)


def _misfit(what: str, place: str | None = None) -> InputError:
    where = "private part" if place is None else f"private part, {place}"
    return InputError(what, where=where, next_step=_ANOTHER)


def _seals(protocol: Protocol) -> dict[str, SealedText]:
    models = {
        f"model {model.key}": model.sealed for model in protocol.models if model.sealed is not None
    }
    return models | {
        place_of(task.key, item.key, text.language): text.sealed
        for task in protocol.tasks
        for item in task.items
        for text in item.texts
        if text.sealed is not None
    }


def _opened_model(model: ModelUnderTest, content: ModelContent | None) -> ModelUnderTest:
    if content is None:
        return model
    said = {"provider": content.provider, "snapshot": content.snapshot, "sealed": None}
    return model.model_copy(update=said)


def _opened_item(task: Task, item: Item, contents: Mapping[str, TextContent]) -> Item:
    found = {
        text.language: content
        for text in item.texts
        if (content := contents.get(place_of(task.key, item.key, text.language))) is not None
    }
    if not found:
        return item
    files, *others = (content.files for content in found.values())
    if any(other != files for other in others):
        raise VerificationError(
            "has other files in another language",
            where=f"private part, {task.key}/{item.key}",
            next_step=_ANOTHER,
        )
    texts = tuple(
        text.model_copy(
            update={
                "prompt": found[text.language].prompt,
                "expected": found[text.language].expected,
                "sealed": None,
            }
        )
        if text.language in found
        else text
        for text in item.texts
    )
    return item.model_copy(update={"texts": texts, "files": files or item.files})
