# SPDX-License-Identifier: Apache-2.0
"""Which language a text is in, by py3langid's model, for many short texts at once.

py3langid walks an automaton over the bytes of a text, counts the features that it passes, and
weighs them with naive Bayes. In its own loop that takes a quarter of a millisecond for a sentence.
Here all texts take their steps together, in numpy, over the same tables; a test holds the scores
against py3langid's own.

Scores of a text are compared after division by the square root of its length in bytes, as
py3langid does to calibrate its probabilities.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from py3langid.langid import MODEL_FILE, LanguageIdentifier

_LONGEST: Final = 600  # bytes of one text that are looked at; more adds cost and no certainty
_BATCH: Final = 4096
# Languages that the model confuses because they are close, or written alike; never held apart here.
_CLOSE: Final = (
    frozenset({"ms", "id"}),
    frozenset({"no", "nb", "nn", "da"}),
    frozenset({"hr", "bs", "sr", "sh"}),
    frozenset({"zh", "yue", "wuu"}),
    frozenset({"cs", "sk"}),
    frozenset({"xh", "zu"}),
    frozenset({"uz", "uzs"}),
    frozenset({"ar", "arz", "ary"}),
)
_SAME: Final = {"nb": "no", "fil": "tl"}  # the model's label where it differs from the tag


@dataclass(frozen=True, slots=True)
class Guess:
    """The likeliest language of a text, and by how much it beats the declared one."""

    language: str
    lead: float


def detectable(tag: str) -> bool:
    """Tell whether the model knows a language."""
    return label(tag) in _model().labels


def label(tag: str) -> str:
    """Return the model's label for a tag."""
    code = tag.split("-", maxsplit=1)[0]
    return _SAME.get(code, code)


def close(one: str, other: str) -> bool:
    """Tell whether two languages are the same, or too alike for the model."""
    return one == other or any(one in group and other in group for group in _CLOSE)


def whole(text: str) -> str:
    """Return the likeliest of all languages of a long text."""
    return str(_model().classify(text)[0])


def guesses(texts: Sequence[str], declared: str, candidates: Sequence[str]) -> list[Guess]:
    """Return the likeliest of some languages for each text.

    Parameters
    ----------
    texts
        The texts.
    declared
        The label that they should have.
    candidates
        Labels that are considered beside it.
    """
    labels = list(dict.fromkeys((declared, *candidates)))
    found: list[Guess] = []
    for first in range(0, len(texts), _BATCH):
        batch = [_bytes(text) for text in texts[first : first + _BATCH]]
        scores = _scores(batch, labels)
        scores /= np.sqrt([[max(1, len(text))] for text in batch])
        best = scores.argmax(axis=1)
        lead = scores[np.arange(len(batch)), best] - scores[:, 0]
        found += [Guess(labels[i], float(by)) for i, by in zip(best, lead, strict=True)]
    return found


def _bytes(text: str) -> bytes:
    lowered = text.lower() if text.isupper() else text
    cut = lowered[:_LONGEST]
    return unicodedata.normalize("NFC", cut).encode("utf-8", "replace")[:_LONGEST]


def _scores(batch: Sequence[bytes], labels: Sequence[str]) -> NDArray[np.float32]:
    """Return the naive Bayes score of each text for each label."""
    model = _model()
    table, prior, columns = _columns(tuple(labels))
    rows, features = _walk(batch)
    # A text without any feature tells nothing, whatever language is likelier beforehand.
    scores = np.zeros((len(batch), len(prior)), dtype=np.float32)
    if rows.size:
        pairs, counts = np.unique(rows * np.int64(len(model.nb_ptc)) + features, return_counts=True)
        owner, feature = np.divmod(pairs, len(model.nb_ptc))
        weights = np.log1p(counts).astype(np.float32)[:, None] * table[feature]
        starts = np.flatnonzero(np.diff(owner, prepend=-1))
        scores[owner[starts]] = prior + np.add.reduceat(weights, starts, axis=0)
    # Some labels have two columns, for two scripts; the better one counts.
    return np.stack([scores[:, which].max(axis=1) for which in columns], axis=1)


def _walk(batch: Sequence[bytes]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Let all texts take their steps together; return the text and the feature of each hit."""
    moves, offsets, outputs = _automaton()
    order = np.argsort([-len(text) for text in batch], kind="stable")
    lengths = np.array([len(batch[i]) for i in order])
    width = int(lengths[0]) if len(batch) else 0
    grid = np.zeros((len(batch), width), dtype=np.uint8)
    for row, i in enumerate(order):
        grid[row, : lengths[row]] = np.frombuffer(batch[i], dtype=np.uint8)
    state = np.zeros(len(batch), dtype=np.int64)
    rows, features = [], []
    for step in range(width):
        # Longest first, so that those still on their way are always the first ones.
        active = int(np.searchsorted(-lengths, -step, side="left"))
        state = moves[offsets[state[:active]] + grid[:active, step]].astype(np.int64)
        hit = outputs[state]
        passed = np.flatnonzero(hit >= 0)
        rows.append(order[passed])
        features.append(hit[passed])
    if not rows:
        empty = np.zeros(0, dtype=np.int64)
        return empty, empty
    return np.concatenate(rows).astype(np.int64), np.concatenate(features).astype(np.int64)


@cache
def _model() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE)


@cache
def _automaton() -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    model = _model()
    return (
        np.asarray(model.tk_nextmove),
        np.asarray(model.tk_row, dtype=np.int64) << 8,
        np.asarray(model.tk_output, dtype=np.int64),
    )


@cache
def _columns(
    labels: tuple[str, ...],
) -> tuple[NDArray[np.float32], NDArray[np.float32], list[list[int]]]:
    classes = list(_model().nb_classes)
    of_label = [[i for i, name in enumerate(classes) if name == label] for label in labels]
    chosen = [i for columns in of_label for i in columns]
    placed = iter(range(len(chosen)))
    return (
        np.ascontiguousarray(_model().nb_ptc[:, chosen], dtype=np.float32),
        np.asarray(_model().nb_pc[chosen], dtype=np.float32),
        [[next(placed) for _ in columns] for columns in of_label],
    )
