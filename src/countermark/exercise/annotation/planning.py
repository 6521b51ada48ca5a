# SPDX-License-Identifier: Apache-2.0
"""What the operator does at the machine: draw the answers, invite people, end an invitation.

1. A sample is drawn once, and only when every lab that sealed has revealed: a lab that is left out
   has to be named. Who draws later, or again, might do so until the sample suits them.
2. What is drawn, and the text that raters see, is kept in ``state.db``, under random names.
3. A link is 256 random bits, is shown once, and only its hash is kept.
"""

import json
import re
import secrets
from collections.abc import Collection
from datetime import timedelta

from countermark.exercise.annotation.parts import Part, Planned, part_of
from countermark.exercise.annotation.sampling import Pool, Sample
from countermark.exercise.logged import closing_of
from countermark.exercise.revealing.held import revealed_labs
from countermark.node.drafts import Answer, Batch, Drafts, Invited, Kept
from countermark.node.index import book as read_book
from countermark.node.node import Node
from countermark.node.policy import AnnotationRole
from countermark.records.base import Part as RecordPart
from countermark.records.canonical import canonical
from countermark.records.errors import InputError, StateError
from countermark.records.protocol import Protocol

LINK_BYTES = 32
ITEM_BYTES = 8
LONGEST_DAYS = 366
_PSEUDONYM, _LONGEST_NAME = re.compile(r"[a-z0-9]+(?:[-._][a-z0-9]+)*"), 80


def draw_batch(node: Node, protocol: Protocol, without: Collection[str] = ()) -> tuple[Sample, ...]:
    """Draw the answers of an exercise that people label, and keep them.

    Parameters
    ----------
    node, protocol
        Who draws, and of which exercise.
    without
        Labs that have not revealed and are not waited for.

    Raises
    ------
    StateError
        If no task plans annotation, a lab has not revealed, nothing can be drawn, or it was drawn.
    """
    planned = [(task, task.annotation) for task in protocol.tasks if task.annotation is not None]
    if not planned:
        raise StateError(
            "plans no annotation",
            where=protocol.name,
            next_step="Say `annotation` of a task in protocol.yaml before the protocol is frozen.",
        )
    known = read_book(node)
    closing = closing_of(known, protocol)
    labs = revealed_labs(node, known, protocol)
    sealed = {one.lab for one in closing.seals} if closing else set()
    lacking = sorted(sealed - {one.evidence.lab for one in labs} - set(without))
    if closing is None or lacking:
        raise StateError(
            f"has no evidence yet of {', '.join(lacking)}" if closing else "is not closed yet",
            where=protocol.name,
            next_step="Pull from the peers, or leave a lab out by name: --without LAB.",
        )
    pool = Pool(protocol, labs)
    samples = tuple(
        found
        for task, plan in planned
        for language in protocol.languages
        if (found := pool.draw(task, language, plan.per_cell)) is not None
    )
    if not samples:
        raise StateError(
            "has no answer whose transcript is open",
            where=protocol.name,
            next_step="Ask a lab to reveal its transcripts.",
        )
    _keep(node, protocol, samples)
    return samples


def invite(
    node: Node,
    protocol: Protocol,
    name: str,
    role: AnnotationRole,
    languages: Collection[str],
    days: int,
) -> str:
    """Invite somebody and return the secret of their link; it is not kept here.

    Raises
    ------
    StateError
        If nothing was drawn, or the person has labels under another role.
    InputError
        If a language is not the protocol's, or the name can be no pseudonym.
    """
    if not _PSEUDONYM.fullmatch(name) or len(name) > _LONGEST_NAME:
        raise InputError(
            f"can be no pseudonym: {name[:80]!r}",
            where="name",
            next_step="Use small letters, digits and hyphens, such as rater-1; no person's name: "
            "it is published with the labels.",
        )
    unknown = sorted(set(languages) - set(protocol.languages))
    if unknown:
        raise InputError(
            f"has no language {unknown[0]!r}",
            where=protocol.name,
            next_step=f"Use {', '.join(protocol.languages)}.",
        )
    secret, now = secrets.token_urlsafe(LINK_BYTES), node.clock()
    with Drafts(node.state).locked() as kept:
        batch = batch_of(kept, protocol.digest)
        before = next((one for one in kept.people(batch.batch) if one.name == name), None)
        if before is not None and before.role != role:
            raise StateError(
                f"was invited as {before.role}",
                where=name,
                next_step="Invite another person: nobody adjudicates what they rated.",
            )
        kept.invite(batch.batch, Invited(name, role, frozenset(languages), revoked=False))
        kept.give("link", secret, batch.batch, name, now, now + timedelta(days=days))
    return secret


def revoke(node: Node, protocol: Protocol, name: str) -> None:
    """End somebody's links and sessions; what they submitted stays, what they drafted is unused.

    Raises
    ------
    InputError
        If nobody of that name was invited.
    """
    with Drafts(node.state).locked() as kept:
        batch = batch_of(kept, protocol.digest)
        known = [one.name for one in kept.people(batch.batch)]
        if name not in known:
            raise InputError(
                f"invited nobody called {name}",
                where=protocol.name,
                next_step=f"Name one of {', '.join(known) or 'those you invite first'}.",
            )
        kept.revoke(batch.batch, name, node.clock())


def batch_of(kept: Kept, protocol: str) -> Batch:
    """Return the batch of a protocol.

    Raises
    ------
    StateError
        If nothing was drawn for it.
    """
    found = next((one for one in kept.batches() if one.batch == protocol), None)
    if found is None:
        raise StateError(
            "has drawn no answers of this exercise",
            where=protocol,
            next_step="Draw them: countermark annotate plan.",
        )
    return found


def read_part(node: Node, protocol: Protocol, task: str, language: str) -> Part:
    """Return one part of an exercise's batch as it stands."""
    with Drafts(node.state).locked() as kept:
        return part_of(kept, batch_of(kept, protocol.digest), task, language)


def _keep(node: Node, protocol: Protocol, samples: tuple[Sample, ...]) -> None:
    draws = {f"{one.task}/{one.language}": _value(one.draw) for one in samples}
    plans = {
        task.key: _value(Planned.of(task, task.annotation))
        for task in protocol.tasks
        if task.annotation is not None
    }
    batch = Batch(protocol.digest, json.dumps(plans), json.dumps(draws))
    answers = [
        Answer(
            item=secrets.token_hex(ITEM_BYTES),
            lab=one.lab,
            sample=canonical(one.key.model_dump(mode="json", exclude_none=True)).decode(),
            task=sample.task,
            language=sample.language,
            prompt=one.prompt,
            answer=one.answer,
        )
        for sample in samples
        for one in sample.answers
    ]
    with Drafts(node.state).locked() as kept:
        kept.begin(batch, answers, node.clock())


def _value(part: RecordPart) -> object:
    return part.model_dump(mode="json", exclude_none=True)
