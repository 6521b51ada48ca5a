# SPDX-License-Identifier: Apache-2.0
"""A decision as a safety case in the words of GSN: goals, strategies, solutions.

The elements and their links are those of the GSN Community Standard, version 3: a goal is
*supported by* strategies, goals and solutions, and stands *in the context of* contexts and
assumptions.

1. The first goal is that the model may be developed or deployed under the framework.
2. A strategy argues over all thresholds that bear on the action, each of which is a goal.
3. Evidence that decided a threshold is a solution of its goal. A crossed threshold whose residual
   risk is shown to be below it is argued over its mitigations.
4. A goal without solutions is *undeveloped*; one whose evidence speaks against it is *defeated*.
   The first goal is defeated by MUST NOT and undeveloped by NOT ENOUGH EVIDENCE; it never stands
   better than the goals below it, whatever the decision says.
5. What whoever encoded a threshold had to choose is an assumption of its goal. What must be
   reached before a threshold is due is a context of it.
6. A decision is told by the framework that it was made under, and by no other.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from countermark.commitments.wording import asks
from countermark.records.canonical import JsonValue
from countermark.records.decision import Decision, State, ThresholdOutcome
from countermark.records.errors import InputError
from countermark.records.framework import Framework, Threshold

Sort: TypeAlias = Literal["goal", "strategy", "solution", "context", "assumption"]
Standing: TypeAlias = Literal["supported", "undeveloped", "defeated"]


_STANDINGS: dict[State, Standing] = {
    "kept": "supported",
    "mitigated": "supported",
    "crossed": "defeated",
    "undetermined": "undeveloped",
}


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a safety case.

    Parameters
    ----------
    name
        Its name in the case, such as ``G1``.
    sort, words
        What it is, and what it says.
    standing
        Of goals: whether the evidence carries it (rule 4).
    statement
        Of solutions and contexts: digest of the statement.
    supported_by, in_context_of
        The elements below it.
    """

    name: str
    sort: Sort
    words: str
    standing: Standing | None = None
    statement: str | None = None
    supported_by: tuple["Element", ...] = ()
    in_context_of: tuple["Element", ...] = ()

    def to_value(self) -> dict[str, JsonValue]:
        """Return it as JSON, with all that is below it."""
        value: dict[str, JsonValue] = {"id": self.name, "type": self.sort, "text": self.words}
        if self.standing is not None:
            value["standing"] = self.standing
        if self.statement is not None:
            value["statement"] = self.statement
        if self.in_context_of:
            value["inContextOf"] = [one.to_value() for one in self.in_context_of]
        if self.supported_by:
            value["supportedBy"] = [one.to_value() for one in self.supported_by]
        return value


@dataclass
class _Names:
    """Names of elements in the order in which they are made: ``G1``, ``S1``, ``Sn1``."""

    counts: dict[str, int] = field(default_factory=dict)

    def next(self, letter: str) -> str:
        self.counts[letter] = self.counts.get(letter, 0) + 1
        return f"{letter}{self.counts[letter]}"


def check_framework_of(decision: Decision, framework: Framework, *, where: str) -> None:
    """Refuse a decision beside another framework than its own (rule 6).

    Raises
    ------
    InputError
        If the decision was made under another framework.
    """
    if decision.framework != framework.digest:
        raise InputError(
            f"was decided under {decision.framework}; the framework given is {framework.digest}, "
            f"version {framework.label} of {framework.title}",
            where=where,
            next_step="Give the version that the decision names.",
        )


def safety_case(decision: Decision, framework: Framework) -> Element:
    """Return the first goal of a decision's safety case, with all that is below it.

    Parameters
    ----------
    decision, framework
        The decision, and the framework that it names.
    """
    names = _Names()
    thresholds = {threshold.key: threshold for threshold in framework.thresholds}
    first = names.next("G")
    contexts = (
        Element(
            names.next("C"),
            "context",
            f"{framework.title}, {framework.label}, published {framework.published}",
            statement=decision.framework,
        ),
        Element(names.next("C"), "context", _system(decision)),
    )
    strategy = names.next("S")
    goals = tuple(_goal(names, one, thresholds.get(one.threshold)) for one in decision.outcomes)
    standings = {goal.standing for goal in goals}
    standing: Standing = "supported"
    if decision.verdict == "MUST NOT" or "defeated" in standings:
        standing = "defeated"
    elif decision.verdict != "MAY" or standings != {"supported"}:
        standing = "undeveloped"
    return Element(
        first,
        "goal",
        f"Under this framework {decision.model} may be {_done(decision)}: {decision.reason}",
        standing=standing,
        supported_by=(
            Element(
                strategy,
                "strategy",
                f"Argue over each of the {len(goals)} thresholds that are about: {decision.action}",
                supported_by=goals,
            ),
        ),
        in_context_of=contexts,
    )


def _done(decision: Decision) -> str:
    return "developed further" if decision.action == "develop" else "deployed"


def _system(decision: Decision) -> str:
    pinned = f", snapshot {decision.identity}" if decision.identity else ""
    day = f", on {decision.at}" if decision.at else ""
    return f"The system {decision.model}{pinned}{day}"


def _goal(names: _Names, outcome: ThresholdOutcome, threshold: Threshold | None) -> Element:
    name = names.next("G")
    title = threshold.title if threshold else outcome.threshold
    said = f"{title} ({asks(threshold.rule)})" if threshold else title
    around = tuple(_around(names, threshold) if threshold else ())
    solutions = tuple(
        Element(names.next("Sn"), "solution", outcome.reason, statement=digest)
        for digest in outcome.evidence or ()
    )
    below = solutions
    if outcome.state == "mitigated":
        argument = f"Argue over what mitigations leave of the risk: {outcome.residual}"
        below = (Element(names.next("S"), "strategy", argument, supported_by=solutions),)
    standing = _STANDINGS[outcome.state]
    words = said if outcome.state in ("kept", "mitigated") else f"{said}: {outcome.reason}"
    return Element(name, "goal", words, standing=standing, supported_by=below, in_context_of=around)


def _around(names: _Names, threshold: Threshold) -> Iterator[Element]:
    if threshold.due_once:
        words = f"It is due once one of these is reached: {', '.join(threshold.due_once)}"
        yield Element(names.next("C"), "context", words)
    for chosen in threshold.assumed or ():
        yield Element(names.next("A"), "assumption", chosen)
