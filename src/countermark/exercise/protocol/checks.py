# SPDX-License-Identifier: Apache-2.0
"""What a protocol says must go together, whoever wrote it; checked before it is frozen and signed.

1. A model says its provider and its snapshot, or has a seal of both; an item says its prompt in
   each of its languages, or has a seal of it and of what is expected.
2. Nothing is named twice: participants, models, languages, tasks, items, an item's languages,
   factors and their values, a task's scorers and a scorer's versions, estimands. No two models are
   the same snapshot of one provider.
3. A task with control items has a control scorer. A scorer of several versions has a factor
   ``judge-version`` for its task, whose values are those versions.
4. A scorer version that is a model belongs to a judge and has the digest of what it says of itself;
   its prompt holds ``{answer}``; no verdict stands in two of its lists; it says how often *and* on
   which share it judges again.
5. A task with tools names a scaffold and tools that there are, each once, and a sandbox if a tool
   needs one. Only items of a task with a sandbox have files; a file's path stays inside the working
   folder and is no other file's.
6. An annotation plan has guidelines in languages of the protocol, each once. Raters of an even
   number say who adjudicates; one rater leaves nothing to adjudicate.
7. A swap is of a participant's lab, of a factor of the protocol, to a value of it other than the
   reference, and of tasks that the factor applies to. No swap stands twice.
8. A disclosure under RED or AMBER+STRICT names somebody; one under CLEAR names nobody, for
   everybody may see it; nobody is named twice.
9. A translation by a program says which. The language that others are compared with is one of the
   protocol's.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from countermark.exercise.prompting import JUDGE_VERSION
from countermark.records.errors import InputError
from countermark.records.protocol import (
    Item,
    ItemText,
    ModelUnderTest,
    Protocol,
    Scorer,
    ScorerVersion,
    Task,
)
from countermark.records.protocol_parts import ModelJudge, SandboxFile, Swap

SCAFFOLDS = ("react", "basic")
TOOLS = ("bash", "python", "text-lookup")
ANSWER = "{answer}"


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which a protocol does not go together.

    Parameters
    ----------
    rule
        Number of the rule in the module docstring.
    place
        Which part of the protocol.
    what, next_step
        What is wrong, and what to do now.
    """

    rule: int
    place: str
    what: str
    next_step: str


def check_protocol(protocol: Protocol, *, where: str) -> None:
    """Refuse a protocol that does not go together.

    Raises
    ------
    InputError
        If a rule of the module docstring is broken; it names the first that is.
    """
    for fault in protocol_faults(protocol):
        raise InputError(
            f"{fault.what} (rule {fault.rule} of protocols)",
            where=f"{where}, {fault.place}",
            next_step=fault.next_step,
        )


def protocol_faults(protocol: Protocol) -> Iterator[Fault]:
    """Yield every way in which a protocol does not go together, in its order."""
    yield from _models(protocol)
    yield from _named_twice(protocol)
    for task in protocol.tasks:
        yield from _items(task)
        yield from _scorers(protocol, task)
        yield from _agent(task)
        yield from _annotation(protocol, task)
    yield from _swaps(protocol)
    yield from _disclosure(protocol)
    reference = protocol.comparison.reference if protocol.comparison else protocol.languages[0]
    if reference not in protocol.languages:
        known = ", ".join(protocol.languages)
        yield Fault(
            9,
            "comparison",
            f"compares languages with {reference!r}, which is none of them",
            f"Use one of: {known}.",
        )


def all_scorers(task: Task) -> tuple[Scorer, ...]:
    """Return every scorer that a task names."""
    control = () if task.control_scorer is None else (task.control_scorer,)
    return (task.scorer, *control, *(task.further_scorers or ()))


def _models(protocol: Protocol) -> Iterator[Fault]:
    snapshots = [(one.provider, one.snapshot) for one in protocol.models]
    for model in protocol.models:
        place = f"model {model.key}"
        if not _model_is_said_once(model):
            yield Fault(
                1,
                place,
                "says neither its provider and snapshot nor a seal of them, or says both",
                "Say provider and snapshot; a pseudonymous model is frozen with pseudonym: true.",
            )
        same = snapshots.count((model.provider, model.snapshot))
        if model.provider is not None and same > 1:
            yield Fault(
                2,
                place,
                "is the same snapshot of the same provider as another model",
                "Take one of the two out.",
            )


def _model_is_said_once(model: ModelUnderTest) -> bool:
    said = [model.provider is not None, model.snapshot is not None]
    return all(said) if model.sealed is None else not any(said)


def _text_is_said_once(text: ItemText) -> bool:
    if text.sealed is None:
        return text.prompt is not None
    return text.prompt is None and text.expected is None


def _named_twice(protocol: Protocol) -> Iterator[Fault]:
    lists: list[tuple[str, Iterable[str]]] = [
        ("participants", protocol.participants),
        ("models", [model.key for model in protocol.models]),
        ("languages", protocol.languages),
        ("tasks", [task.key for task in protocol.tasks]),
        ("factors", [factor.key for factor in protocol.factors]),
        ("estimands", protocol.estimands or ()),
    ]
    lists.extend(
        (f"factor {factor.key}", [level.value for level in factor.levels])
        for factor in protocol.factors
    )
    for task in protocol.tasks:
        place, scorers = f"task {task.key}", all_scorers(task)
        lists.append((f"{place}, items", [item.key for item in task.items]))
        lists.append((f"{place}, scorers", [scorer.key for scorer in scorers]))
        for scorer in scorers:
            versions = [version.version for version in scorer.versions]
            lists.append((f"{place}, scorer {scorer.key}", versions))
        for item in task.items:
            languages = [text.language for text in item.texts]
            lists.append((f"{place}, item {item.key}", languages))
    for place, names in lists:
        for name in _twice(names):
            yield Fault(2, place, f"names {name!r} twice", "Take one of the two out.")


def _twice(names: Iterable[str]) -> list[str]:
    return [name for name, times in Counter(names).items() if times > 1]


def _items(task: Task) -> Iterator[Fault]:
    for item in task.items:
        for text in item.texts:
            place = f"task {task.key}, item {item.key} in {text.language}"
            if not _text_is_said_once(text):
                yield Fault(
                    1,
                    place,
                    "says neither its prompt nor a seal of it, or says both",
                    "Say the prompt; a private item is frozen with private: true.",
                )
            how = text.translation
            if how is not None and how.status == "machine" and how.by is None:
                yield Fault(
                    9,
                    place,
                    "was translated by a program, and does not say which",
                    "Add 'by' with the program and its version.",
                )


def _scorers(protocol: Protocol, task: Task) -> Iterator[Fault]:
    place = f"task {task.key}"
    if task.control_scorer is None and any(item.role == "control" for item in task.items):
        yield Fault(
            3,
            place,
            "has control items and no control scorer",
            "Add control_scorer, or make the items test items.",
        )
    chosen = [
        {level.value for level in factor.levels}
        for factor in protocol.factors
        if factor.key == JUDGE_VERSION and factor.task in (None, task.key)
    ]
    for scorer in all_scorers(task):
        versions = {version.version for version in scorer.versions}
        if len(scorer.versions) > 1 and not (chosen and chosen[0] <= versions):
            yield Fault(
                3,
                f"{place}, scorer {scorer.key}",
                "has several versions, and no factor says which of them a lab uses",
                f"Declare a factor {JUDGE_VERSION!r} whose values are versions of the scorer.",
            )
        for version in scorer.versions:
            if version.judge is not None:
                at = f"{place}, scorer {scorer.key} {version.version}"
                yield from _judge(scorer, version, version.judge, at)


def _judge(scorer: Scorer, version: ScorerVersion, judge: ModelJudge, at: str) -> Iterator[Fault]:
    if scorer.nature != "judge":
        yield Fault(4, at, "is a model, and called objective", "Write 'nature: judge'.")
    if version.digest != judge.digest:
        yield Fault(
            4,
            at,
            f"has the digest {version.digest}, and what it says of itself {judge.digest}",
            "Leave the digest out: freezing computes it. If you were given it, the judge differs.",
        )
    if ANSWER not in judge.prompt:
        yield Fault(
            4,
            at,
            "never shows its judge the answer",
            f"Write {ANSWER} where it stands in the prompt.",
        )
    verdicts = [
        name.strip().casefold()
        for names in (judge.event, judge.no_event, judge.refusal or ())
        for name in dict.fromkeys(names)
    ]
    for name in _twice(verdicts):
        yield Fault(
            4, at, f"has the verdict {name!r} in two of its lists", "Leave it in one of them."
        )
    if (judge.repeats is None) != (judge.repeated_share is None):
        yield Fault(
            4,
            at,
            "says how often it judges again, or on which share, and not both",
            "Say repeats and repeated_share, or neither.",
        )


def _agent(task: Task) -> Iterator[Fault]:
    place, agent = f"task {task.key}", task.agent
    if agent is not None:
        if agent.scaffold not in SCAFFOLDS:
            yield Fault(
                5,
                place,
                f"has the scaffold {agent.scaffold!r}, which there is not",
                f"Use one of: {', '.join(SCAFFOLDS)}.",
            )
        for tool in agent.tools:
            if tool not in TOOLS:
                yield Fault(
                    5,
                    place,
                    f"has the tool {tool!r}, which there is not",
                    f"Use: {', '.join(TOOLS)}.",
                )
        for tool in _twice(agent.tools):
            yield Fault(5, place, f"has the tool {tool!r} twice", "Take one of the two out.")
        if agent.sandbox is None:
            yield Fault(
                5,
                place,
                "has tools that run programs, and no sandbox",
                "Add 'sandbox: docker', or 'sandbox: local' where the programs are harmless.",
            )
    for item in task.items:
        if item.files is not None:
            yield from _files(task, item, item.files)


def _files(task: Task, item: Item, files: tuple[SandboxFile, ...]) -> Iterator[Fault]:
    place = f"task {task.key}, item {item.key}"
    if task.agent is None or task.agent.sandbox is None:
        yield Fault(
            5,
            place,
            "has files, and its task has no sandbox",
            "Give the task 'agent' with a sandbox.",
        )
    for file in files:
        path = PurePosixPath(file.path)
        if path.is_absolute() or ".." in path.parts or "\\" in file.path or str(path) != file.path:
            yield Fault(
                5,
                place,
                f"has the file {file.path!r}, which is no plain path inside the working folder",
                "Use names with / between them, and no '..'.",
            )
    for name in _twice(file.path for file in files):
        yield Fault(5, place, f"has the file {name!r} twice", "Take one of the two out.")


def _annotation(protocol: Protocol, task: Task) -> Iterator[Fault]:
    plan, place = task.annotation, f"task {task.key}, annotation"
    if plan is None:
        return
    languages = [guidelines.language for guidelines in plan.guidelines]
    for language in languages:
        if language not in protocol.languages:
            yield Fault(
                6,
                place,
                f"has guidelines in {language!r}, which is no language of the protocol",
                f"Use one of: {', '.join(protocol.languages)}.",
            )
    for language in _twice(languages):
        yield Fault(6, place, f"has guidelines in {language!r} twice", "Take one of the two out.")
    if plan.raters % 2 == 0 and plan.adjudication is None:
        yield Fault(
            6,
            place,
            f"has {plan.raters} raters, who can be evenly split, and nobody who decides then",
            "Add 'adjudication: third-rater' or 'discussion', or another rater.",
        )
    if plan.raters == 1 and plan.adjudication is not None:
        yield Fault(
            6, place, "has one rater and adjudication", "Take adjudication out, or add a rater."
        )


def _swaps(protocol: Protocol) -> Iterator[Fault]:
    for swap in protocol.swaps or ():
        place = f"swap {swap.lab} {swap.arm}"
        if swap.lab[:2] not in protocol.participants:
            yield Fault(
                7,
                place,
                f"is of a lab of {swap.lab[:2]}, who takes no part",
                f"Use a lab of: {', '.join(protocol.participants)}.",
            )
        yield from _swapped(protocol, swap, place)
    arms = [f"{swap.lab} {swap.arm}" for swap in protocol.swaps or ()]
    for arm in _twice(arms):
        yield Fault(7, f"swap {arm}", "stands twice", "Take one of the two out.")


def _swapped(protocol: Protocol, swap: Swap, place: str) -> Iterator[Fault]:
    factor = next((factor for factor in protocol.factors if factor.key == swap.factor), None)
    if factor is None:
        known = ", ".join(factor.key for factor in protocol.factors)
        yield Fault(7, place, f"swaps {swap.factor!r}, which is no factor", f"Use one of: {known}.")
        return
    values = [level.value for level in factor.levels if level.value != factor.reference]
    if swap.value not in values:
        yield Fault(
            7,
            place,
            f"swaps to {swap.value!r}, which is the reference or no value of {factor.key}",
            f"Use one of: {', '.join(values)}.",
        )
    applies = [task.key for task in protocol.tasks if factor.task in (None, task.key)]
    for task in swap.tasks or ():
        if task not in applies:
            yield Fault(
                7,
                place,
                f"is of the task {task!r}, to which {factor.key} does not apply",
                f"Use one of: {', '.join(applies)}.",
            )


def _disclosure(protocol: Protocol) -> Iterator[Fault]:
    plan = protocol.disclosure
    if plan is None:
        return
    if plan.label in ("RED", "AMBER+STRICT") and not plan.audience:
        yield Fault(
            8,
            "disclosure",
            f"is {plan.label}, which is for those who are named, and names nobody",
            "Add the recipients to 'audience'.",
        )
    if plan.label == "CLEAR" and plan.audience:
        yield Fault(
            8,
            "disclosure",
            "is CLEAR, which everybody may see, and names recipients",
            "Write 'audience: []', or take a narrower label.",
        )
    for name in _twice(plan.audience):
        yield Fault(8, "disclosure", f"names {name!r} twice", "Take one of the two out.")
