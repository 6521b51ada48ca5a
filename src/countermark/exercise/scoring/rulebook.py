# SPDX-License-Identifier: Apache-2.0
"""The rules of each scorer's versions: JSON files beside this module, pinned by their digests.

A protocol names the digest of each scorer version it uses. A scorer whose rules file has another
digest is another scorer, so a lab can tell before it runs that its software scores differently.

A judge that is a model has no rules file. It is pinned by the digest of its part of the protocol.

Rules of what a protocol may pin:

1. A scorer by rules has the digest of this software's rules file.
2. A model judge has the digest of its own part of the protocol, and its scorer says *judge*.
3. Its prompt has a place for the answer, and no verdict word stands for both verdicts.
4. It says how often and for which share it repeats itself, or neither.
5. The scorers that look at the same answers have different keys.
"""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

from countermark.exercise.judging.asking import ANSWER, judge_digest
from countermark.exercise.judging.replies import contradictions
from countermark.records.canonical import content_digest
from countermark.records.errors import InputError
from countermark.records.protocol import Protocol, Scorer, ScorerVersion, Task
from countermark.records.protocol_parts import ModelJudge


class Rules(BaseModel):
    """One version of one scorer's rules; a misspelt field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    scorer: str
    version: str
    description: str


AnyRules = TypeVar("AnyRules", bound=Rules)


@cache
def rules_digest(scorer: str, version: str) -> str:
    """Return the content address of the rules file of one scorer version.

    Raises
    ------
    InputError
        If this software has no such scorer or version.
    """
    return content_digest(_read(scorer, version))


def read_rules(kind: type[AnyRules], scorer: str, version: str) -> AnyRules:
    """Read the rules file of one scorer version; raises as :func:`rules_digest` does."""
    return kind.model_validate_json(_read(scorer, version))


def check_scorers(protocol: Protocol) -> None:
    """Check that this software scores by the very rules and judges that the protocol pins.

    Raises
    ------
    InputError
        If a scorer or version is unknown here, or breaks a rule of the module docstring.
    """
    for task in protocol.tasks:
        for scorer in _scorers(task):
            for pinned in scorer.versions:
                for problem, next_step in _problems(scorer, pinned):
                    raise InputError(
                        f"pins scorer {scorer.key} {pinned.version} {problem}",
                        where=f"{protocol.name}/{task.key}",
                        next_step=next_step,
                    )
        together = [one.key for one in (task.scorer, *(task.further_scorers or ()))]
        if len(set(together)) < len(together):
            raise InputError(
                "has two scorers of one key that look at the same answers",
                where=f"{protocol.name}/{task.key}",
                next_step="Give each scorer of a task its own key.",
            )


def _problems(scorer: Scorer, pinned: ScorerVersion) -> Iterator[tuple[str, str]]:
    judge = pinned.judge
    if judge is None:
        if rules_digest(scorer.key, pinned.version) != pinned.digest:
            yield (
                "by another digest than this software's rules have",
                "Use the Countermark release that the protocol was frozen with.",
            )
        return
    if judge_digest(judge) != pinned.digest:
        yield (
            "by another digest than its judge has",
            "Freeze the protocol again; a judge's digest is that of its own part.",
        )
    if scorer.nature != "judge":
        yield "as objective, and it is a model", "Declare its nature: judge."
    yield from _judge_problems(judge)


def _judge_problems(judge: ModelJudge) -> Iterator[tuple[str, str]]:
    if ANSWER not in judge.prompt:
        yield "with a prompt that has no place for the answer", f"Write {ANSWER} into its prompt."
    if both := contradictions(judge):
        yield (
            f"with verdicts that mean both: {', '.join(both)}",
            "Give event and no_event different words.",
        )
    if (judge.repeats is None) != (judge.repeated_share is None):
        yield (
            "with repeats or repeated_share, and not the other",
            "Say how often and for which share it is asked again, or neither.",
        )


def _scorers(task: Task) -> tuple[Scorer, ...]:
    control = () if task.control_scorer is None else (task.control_scorer,)
    return (task.scorer, *control, *(task.further_scorers or ()))


def _folder() -> Traversable:
    return files(__package__) / "rules"


def _read(scorer: str, version: str) -> bytes:
    name = f"{scorer}.{version}.json"
    known = sorted(entry.name for entry in _folder().iterdir() if entry.name.endswith(".json"))
    # Comparing with the listing, not opening the name, keeps a hostile name inside the folder.
    if name not in known:
        raise InputError(
            "is a scorer that this software does not have",
            where=f"{scorer} {version}",
            next_step="Use one of: "
            + ", ".join(entry.removesuffix(".json").replace(".", " ", 1) for entry in known)
            + ".",
        )
    return (_folder() / name).read_bytes()
