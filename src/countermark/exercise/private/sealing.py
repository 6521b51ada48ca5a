# SPDX-License-Identifier: Apache-2.0
"""Taking private content out of a protocol that is to be frozen; see :mod:`.content`.

1. Each private text and each pseudonymous model gets a seal with a fresh salt and blinding.
2. What an earlier private part holds at the same place, unchanged, keeps its salt and blinding: the
   same folder frozen again with it is the same protocol, and a changed text has a new seal.
3. A private item keeps its key, role, approach and translation status in the open; a pseudonymous
   model its key and title.
"""

import secrets as entropy
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from countermark.exercise.private.content import (
    ModelContent,
    ModelOpening,
    PrivatePart,
    TextContent,
    TextOpening,
    prompt_of,
)
from countermark.records.protocol import Item, ItemText, ModelUnderTest, Protocol, Task

BYTES = 32
AnyOpening = ModelOpening | TextOpening


@dataclass(frozen=True, slots=True)
class Sealing:
    """A protocol with its private content taken out, and that content."""

    protocol: Protocol
    part: PrivatePart | None


def seal_private(
    written: Protocol,
    models: Collection[str],
    items: Collection[tuple[str, str]],
    earlier: PrivatePart | None = None,
    draw: Callable[[int], bytes] = entropy.token_bytes,
) -> Sealing:
    """Take private content out of a protocol and put seals in its place.

    Parameters
    ----------
    written
        The protocol with all its content.
    models
        Keys of the pseudonymous models.
    items
        Task and key of each private item.
    earlier
        The private part of an earlier freezing, whose salts are kept (rule 5).
    draw
        Returns so many fresh random bytes.
    """
    known = {opening.place: opening for opening in earlier.openings} if earlier else {}
    sealed_models = {
        model.key: _model_opening(model, known, draw)
        for model in written.models
        if model.key in models
    }
    sealed_texts = {
        (task.key, item.key, text.language): _text_opening(task, item, text, known, draw)
        for task in written.tasks
        for item in task.items
        if (task.key, item.key) in items
        for text in item.texts
    }
    if not sealed_models and not sealed_texts:
        return Sealing(written, None)
    protocol = written.model_copy(
        update={
            "models": tuple(
                _closed_model(model, sealed_models.get(model.key)) for model in written.models
            ),
            "tasks": tuple(_closed_task(task, sealed_texts) for task in written.tasks),
        }
    )
    return Sealing(
        protocol,
        PrivatePart(
            format="countermark-private-part",
            version=1,
            protocol=protocol.digest,
            models=tuple(sealed_models.values()),
            texts=tuple(sealed_texts.values()),
        ),
    )


def _model_opening(
    model: ModelUnderTest,
    known: Mapping[str, AnyOpening],
    draw: Callable[[int], bytes],
) -> ModelOpening:
    content = ModelContent.model_validate(
        {"blinding": draw(BYTES).hex(), "provider": model.provider, "snapshot": model.snapshot}
    )
    fresh = ModelOpening(key=model.key, salt=draw(BYTES).hex(), content=content)
    earlier = known.get(fresh.place)
    if isinstance(earlier, ModelOpening) and _same(earlier.content, content):
        return earlier
    return fresh


def _text_opening(
    task: Task,
    item: Item,
    text: ItemText,
    known: Mapping[str, AnyOpening],
    draw: Callable[[int], bytes],
) -> TextOpening:
    content = TextContent(
        blinding=draw(BYTES).hex(),
        prompt=prompt_of(text, item.key),
        expected=text.expected,
        files=item.files,
    )
    fresh = TextOpening(
        task=task.key,
        item=item.key,
        language=text.language,
        salt=draw(BYTES).hex(),
        content=content,
    )
    earlier = known.get(fresh.place)
    if isinstance(earlier, TextOpening) and _same(earlier.content, content):
        return earlier
    return fresh


def _same(earlier: ModelContent | TextContent, content: ModelContent | TextContent) -> bool:
    return earlier == content.model_copy(update={"blinding": earlier.blinding})


def _closed_model(model: ModelUnderTest, opening: ModelOpening | None) -> ModelUnderTest:
    if opening is None:
        return model
    return model.model_copy(update={"provider": None, "snapshot": None, "sealed": opening.seal})


def _closed_task(task: Task, openings: Mapping[tuple[str, str, str], TextOpening]) -> Task:
    return task.model_copy(
        update={"items": tuple(_closed_item(task, item, openings) for item in task.items)}
    )


def _closed_item(
    task: Task, item: Item, openings: Mapping[tuple[str, str, str], TextOpening]
) -> Item:
    if (task.key, item.key, item.texts[0].language) not in openings:
        return item
    texts = tuple(
        text.model_copy(
            update={
                "prompt": None,
                "expected": None,
                "sealed": openings[task.key, item.key, text.language].seal,
            }
        )
        for text in item.texts
    )
    return item.model_copy(update={"texts": texts, "files": None})
