# SPDX-License-Identifier: Apache-2.0
"""Who may read and do what: pure functions, which every reader and every page calls.

**No peer's plaintext before your own seal.** A lab that could read another's answers before it had
committed to its own might adapt to them (:func:`may_read_samples`).

1. A lab reads its own samples at any time.
2. Nobody reads a lab's samples before that exercise's own coordinator has closed it.
3. A participant with a run plan and no seal reads nothing until the closing names it as not sealed.
4. Everybody else reads what was revealed: sealed participants, and the public.

**Labels are given blind and independently** (:func:`may_annotate`). A part is one task in one
language.

5. Who has no valid link sees and does nothing.
6. A rater sees, and labels, the answers of a part that is theirs, until they submit it; after that
   they only see it.
7. A rater sees no label but their own.
8. An adjudicator sees and decides only answers on which the raters differ after all of them have
   submitted, in their own languages, and none that they rated.
9. An adjudicator sees what raters said only where the plan has it discussed.
10. The coordinator sees progress, agreement and which answers wait; and no answer, and labels none.
11. Only the operator, at the node's own machine, draws, invites, revokes, imports and publishes.

**What goes into other projects' collections is what everybody may have** (:func:`may_export`).

12. It was said in a statement that a quorum witnessed, and the public may read it (rules 2 to 4).
13. The exercise has no plan of disclosure, or one that is CLEAR, names no recipients and whose
    embargo is over. Every other label is for a circle, and a collection has none.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

from countermark.node.book import Entry
from countermark.records.evidence import Evidence, ExerciseClosing, SealedResult
from countermark.records.protocol import Protocol, RunPlan


@dataclass(frozen=True, slots=True)
class Permission:
    """Whether samples may be read, by which rule, and why."""

    allowed: bool
    rule: int
    reason: str


def may_read_samples(reader: str, evidence: Evidence, entries: Iterable[Entry]) -> Permission:
    """Say whether ``reader`` may read the samples that ``evidence`` reveals.

    Parameters
    ----------
    reader
        Roster code of the node that wants to read.
    evidence
        Whose samples they are.
    entries
        All statements that the reader holds.
    """
    if evidence.institute == reader:
        return Permission(allowed=True, rule=1, reason="these are your own samples")
    held = {entry.digest: entry.record for entry in entries}
    closing, protocol = held.get(evidence.closing), held.get(evidence.protocol)
    records = tuple(held.values())
    if not (
        isinstance(closing, ExerciseClosing)
        and isinstance(protocol, Protocol)
        and closing.protocol == evidence.protocol
        and closing.coordinator == protocol.coordinator
    ):
        return Permission(allowed=False, rule=2, reason="the exercise is not closed yet")
    planned = {
        record.lab
        for record in records
        if isinstance(record, RunPlan)
        and (record.protocol, record.institute) == (evidence.protocol, reader)
    }
    sealed = {
        record.lab
        for record in records
        if isinstance(record, SealedResult)
        and (record.protocol, record.institute) == (evidence.protocol, reader)
    }
    waiting = planned - sealed - set(closing.not_sealed)
    if waiting:
        names = ", ".join(sorted(waiting))
        return Permission(allowed=False, rule=3, reason=f"{names} has a run plan and no seal yet")
    return Permission(allowed=True, rule=4, reason="the exercise is closed and this was revealed")


def may_export(
    entry: Entry, evidence: Evidence, entries: Collection[Entry], day: str
) -> Permission:
    """Say whether what a lab revealed may go into a collection of another project.

    Parameters
    ----------
    entry, evidence
        The statement, and what it reveals.
    entries
        All statements that are held.
    day
        Today, as ``2026-01-31``.
    """
    if entry.witnessed is None:
        return Permission(allowed=False, rule=12, reason="no quorum has witnessed its evidence yet")
    public = may_read_samples("public", evidence, entries)
    if not public.allowed:
        return Permission(allowed=False, rule=12, reason=public.reason)
    # The public may read it, so the protocol is held.
    plan = next(
        one.record.disclosure
        for one in entries
        if one.digest == evidence.protocol and isinstance(one.record, Protocol)
    )
    if plan is not None and (plan.label != "CLEAR" or plan.audience):
        named = f", for {', '.join(plan.audience)}" if plan.audience else ""
        return Permission(allowed=False, rule=13, reason=f"the exercise is {plan.label}{named}")
    if plan is not None and plan.embargo_until is not None and day < plan.embargo_until:
        return Permission(allowed=False, rule=13, reason=f"embargo until {plan.embargo_until}")
    return Permission(allowed=True, rule=13, reason="everybody may have it")


AnnotationRole = Literal["annotator", "adjudicator", "coordinator", "operator"]
Act = Literal["enter", "see", "label", "submit", "adjudicate", "see-labels", "oversee", "manage"]


@dataclass(frozen=True, slots=True)
class Person:
    """Who acts: somebody whose link is valid, or the operator at the machine.

    Parameters
    ----------
    name
        The pseudonym.
    role
        What the person was invited as.
    languages
        In which languages.
    """

    name: str
    role: AnnotationRole
    languages: frozenset[str]


@dataclass(frozen=True, slots=True)
class Work:
    """What somebody acts on: a part, or one answer of it.

    Parameters
    ----------
    language
        The part's language.
    raters, submitted
        Whose part it is, and who of them has submitted it.
    disputed
        Of one answer: all have submitted and they differ.
    discussed
        The plan has such answers discussed.
    """

    language: str
    raters: frozenset[str]
    submitted: frozenset[str]
    disputed: bool = False
    discussed: bool = False


def may_annotate(person: Person | None, act: Act, work: Work | None = None) -> Permission:
    """Say whether a person may do one thing to one piece of work (rules 5 to 11).

    Parameters
    ----------
    person
        Who; nothing where there is no valid link.
    act
        What.
    work
        On what; nothing for what concerns no single part.
    """
    if person is None:
        return Permission(allowed=False, rule=5, reason="there is no valid link")
    if person.role == "operator":
        return Permission(allowed=act == "manage", rule=11, reason="the operator manages")
    if act in ("manage", "enter"):
        rule, reason = (5, "the link is valid") if act == "enter" else (11, "the operator does it")
        return Permission(allowed=act == "enter", rule=rule, reason=reason)
    if person.role == "coordinator" or act == "oversee":
        allowed = person.role == "coordinator" and act == "oversee"
        return Permission(allowed=allowed, rule=10, reason="the coordinator sees progress only")
    if work is None:
        return Permission(allowed=False, rule=6, reason="there is no such work")
    return _rater(person, act, work) if person.role == "annotator" else _third(person, act, work)


def _rater(person: Person, act: Act, work: Work) -> Permission:
    if act == "adjudicate":
        return Permission(allowed=False, rule=8, reason="raters do not adjudicate")
    if act == "see-labels":
        return Permission(allowed=False, rule=7, reason="raters label independently")
    if person.name not in work.raters or work.language not in person.languages:
        return Permission(allowed=False, rule=6, reason="this part is not yours")
    if act != "see" and person.name in work.submitted:
        return Permission(allowed=False, rule=6, reason="you have submitted this part")
    return Permission(allowed=True, rule=6, reason="this part is yours")


def _third(person: Person, act: Act, work: Work) -> Permission:
    if act not in ("see", "adjudicate", "see-labels"):
        return Permission(allowed=False, rule=8, reason="adjudicators only decide disputed answers")
    if person.name in work.raters:
        return Permission(allowed=False, rule=8, reason="you rated this answer")
    if work.language not in person.languages or not work.disputed:
        return Permission(allowed=False, rule=8, reason="this answer does not wait for you")
    if act == "see-labels" and not work.discussed:
        return Permission(allowed=False, rule=9, reason="a third rater decides without the labels")
    return Permission(allowed=True, rule=8, reason="this answer waits for you")
