# SPDX-License-Identifier: Apache-2.0
"""Which answers people label: a random sample that nobody could choose, and anybody draws again.

1. Answers are drawn from revealed evidence, never earlier: raters are then blind to the lab, and
   whoever holds the evidence can check the draw.
2. The seed is the hash of the secret seeds of the labs drawn from. Each lab committed to its own
   in its run plan, before it ran; so no lab, and no coordinator, could choose the sum of them.
3. Drawn are answers to test items, in the reference arm. What was refused, errored or missing is no
   answer; what the judge made of an answer plays no part.
4. Of one task and language, a lab is drawn from only if the transcripts of all its answers there
   are open: of some, it could have chosen which. The others are named.
5. For each model, ``per_cell`` answers are drawn over all labs, or all if there are fewer. Each has
   the same chance, and each lab gives its share to within one answer: answers stand lab by lab, in
   random order within a lab, and every ``N / n``-th is taken from a random start.
6. The same evidence gives the same sample, in whatever order it is given.

Rule 5 in whole numbers: with a start ``r`` below ``N``, the places are ``(r + k N) // n`` for
``k`` from 0 to ``n - 1``. Over all starts each place is taken ``n`` times, so its chance is
``n / N`` exactly (systematic sampling; Cochran 1977, *Sampling Techniques*, chapter 8).
"""

import hashlib
import hmac
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from countermark.exercise.revealing.checking import Revealed
from countermark.exercise.samples import told_and_answer
from countermark.records.canonical import JsonValue, canonical, content_digest
from countermark.records.evidence import Draw, DrawnCell
from countermark.records.protocol import Item, Protocol, Task
from countermark.records.protocol_parts import AnnotationPlan
from countermark.records.sample import RevealedSample, SampleKey

LABEL = "countermark-annotation-draw/v1"
_DRAWS = 2**64


@dataclass(frozen=True, slots=True)
class Drawn:
    """One answer that people label.

    Parameters
    ----------
    lab, key
        Whose answer it is, and which.
    prompt, answer
        What was asked, in the protocol's words, and what the model answered.
    """

    lab: str
    key: SampleKey
    prompt: str
    answer: str

    @property
    def place(self) -> JsonValue:
        """How the record of a draw names it."""
        return [self.lab, self.key.text]


@dataclass(frozen=True, slots=True)
class Sample:
    """What was drawn of one task and language, and the record of it."""

    task: str
    language: str
    answers: tuple[Drawn, ...]
    draw: Draw


def plan_digest(plan: AnnotationPlan) -> str:
    """Return the digest of an annotation plan, guidelines included."""
    return content_digest(canonical(plan.model_dump(mode="json", exclude_none=True)))


def seed_of(protocol: Protocol, labs: Sequence[Revealed]) -> bytes:
    """Return the seed of all draws from these labs' evidence (rule 2)."""
    opened = sorted((one.evidence.lab, one.evidence.secret_seed) for one in labs)
    said: JsonValue = {
        "label": LABEL,
        "protocol": protocol.digest,
        "seeds": [[lab, seed] for lab, seed in opened],
    }
    return hashlib.sha256(canonical(said)).digest()


class Pool:
    """The answers of an exercise from which samples are drawn, sorted into cells once.

    Parameters
    ----------
    protocol
        What was run.
    labs
        The checked evidence of each lab.
    """

    def __init__(self, protocol: Protocol, labs: Sequence[Revealed]) -> None:
        ordered = sorted(labs, key=lambda one: one.evidence.lab)
        self._protocol = protocol
        self._seed = seed_of(protocol, labs)
        self._labs = tuple(one.evidence.lab for one in ordered)
        self._evidence = tuple(sorted(one.entry.digest for one in labs))
        self._cells: dict[tuple[str, str, str, str], list[RevealedSample]] = {}
        self._hidden: set[str] = set()
        for one in ordered:
            for sample in one.samples:
                part = sample.open_scores or sample.open_transcript
                if part is None:
                    self._hidden.add(one.evidence.lab)  # of which cell it is, nobody knows
                elif part.key.arm is None:
                    key = part.key
                    cell = (one.evidence.lab, key.model, key.task, key.language)
                    self._cells.setdefault(cell, []).append(sample)

    def draw(self, task: Task, language: str, per_cell: int) -> Sample | None:
        """Draw the answers of one task and language that people label.

        Parameters
        ----------
        task, language
            Of what.
        per_cell
            How many answers of each model.

        Returns
        -------
        Sample or None
            Nothing where no lab has an answer that may be drawn.
        """
        cells, chosen = [], []
        for model in self._protocol.models:
            closed, answers = [], []
            for lab in self._labs:
                found = self._answers(lab, model.key, task, language)
                if found is None:
                    closed.append(lab)
                else:
                    answers += sorted(found, key=lambda answer: _order(self._seed, answer))
            at = places(self._seed, model.key, task, language, answers, per_cell)
            taken = [answers[place] for place in at]
            chosen += taken
            cells.append(
                DrawnCell(
                    model=model.key,
                    eligible=len(answers),
                    drawn=len(taken),
                    undecided=0,
                    digest=content_digest(canonical([one.place for one in taken])),
                    closed_labs=tuple(closed),
                )
            )
        if not chosen:
            return None
        draw = Draw(seed=self._seed.hex(), evidence=self._evidence, cells=tuple(cells))
        return Sample(task.key, language, tuple(chosen), draw)

    def _answers(self, lab: str, model: str, task: Task, language: str) -> list[Drawn] | None:
        """Return a lab's answers that may be drawn; nothing where one is closed (rules 3, 4)."""
        if lab in self._hidden:
            return None
        items = {item.key: item for item in task.items if item.role == "test"}
        found = []
        for sample in self._cells.get((lab, model, task.key, language), ()):
            scores, transcript = sample.open_scores, sample.open_transcript
            part = scores or transcript
            if part is None or part.key.item not in items:
                continue
            if scores is None:
                return None
            if scores.outcome != "answered":
                continue
            if transcript is None:
                return None
            told, answer = told_and_answer(transcript.messages)
            asked = next((message.content for message in told if message.role == "user"), "")
            prompt = prompt_shown(items[part.key.item], language, asked)
            found.append(Drawn(lab, part.key, prompt, answer or ""))
        return found


def places(
    seed: bytes, model: str, task: Task, language: str, answers: Sequence[Drawn], wanted: int
) -> list[int]:
    """Return the places of the answers that are taken, ascending (rule 5)."""
    total, number = len(answers), min(wanted, len(answers))
    if number == 0:
        return []
    start = _below(seed, ["start", model, task.key, language], total)
    return [(start + k * total) // number for k in range(number)]


def prompt_shown(item: Item | None, language: str, asked: str) -> str:
    """Return what a rater is shown as the question: the protocol's words, which no lab changes.

    A private item has none in the protocol, so there it is what the model was asked.
    """
    text = item.text(language) if item is not None else None
    return asked if text is None or text.prompt is None else text.prompt


def _order(seed: bytes, answer: Drawn) -> tuple[bytes, str]:
    name = answer.key.text
    said = f"order\n{answer.lab}\n{name}\n".encode()
    return hmac.digest(seed, said, hashlib.sha256), name


def _below(seed: bytes, purpose: list[str], limit: int) -> int:
    for attempt in itertools.count():
        said = canonical([*purpose, attempt])
        drawn = int.from_bytes(hmac.digest(seed, said, hashlib.sha256)[:8], "big")
        if drawn < _DRAWS - _DRAWS % limit:
            return drawn % limit
    raise AssertionError("unreachable: the count never ends")
