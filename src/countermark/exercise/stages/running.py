# SPDX-License-Identifier: Apache-2.0
"""How a lab runs its cells, and what it is told as answers come in; nothing of it needs Inspect.

Keys of providers never pass through here: Inspect takes them from the environment, and a model
argument that looks like one is refused, because model arguments are written into the log.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from countermark.exercise.cells import CellRun
from countermark.records.canonical import JsonValue
from countermark.records.errors import UsageError
from countermark.records.protocol import ModelUnderTest, Protocol

_SECRET = re.compile(r"key|token|secret|password|credential|authorization", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What Inspect is told beside the protocol: how to reach a model, and how much at once.

    Parameters
    ----------
    model_args
        Arguments of the provider, by name.
    base_url
        Where the provider is, if not where it usually is.
    max_connections, max_samples
        Most requests, and most samples, under way at once; Inspect's own bounds if nothing.

    Raises
    ------
    UsageError
        If an argument or the address would carry a credential into the log.
    """

    model_args: Mapping[str, JsonValue] = field(default_factory=dict)
    base_url: str | None = None
    max_connections: int | None = None
    max_samples: int | None = None

    def __post_init__(self) -> None:
        for name in self.model_args:
            if _SECRET.search(name):
                raise UsageError(
                    f"{name} looks like a credential, and model arguments are logged",
                    where="--model-arg",
                    next_step="Set it in the environment, as the provider's Inspect page says.",
                )
        address = urlsplit(self.base_url or "")
        if address.username or address.password:
            raise UsageError(
                "holds a user name or password, and the address is logged",
                where="--base-url",
                next_step="Give the address without them; set keys in the environment.",
            )


def read_model_args(pairs: Sequence[str]) -> dict[str, JsonValue]:
    """Read ``name=value`` pairs; a value that is JSON is read as such, any other is a text.

    Raises
    ------
    UsageError
        If a pair has no name or no equals sign.
    """
    found: dict[str, JsonValue] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not name or not equals:
            raise UsageError(
                f"{pair!r} is no name=value",
                where="--model-arg",
                next_step="Write, for example: --model-arg device=cuda.",
            )
        try:
            found[name] = json.loads(text)
        except (ValueError, RecursionError):
            found[name] = text
    return found


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a protocol that one call runs.

    Parameters
    ----------
    models
        Its models.
    tasks, languages
        Keys of its tasks, and its languages.
    """

    models: tuple[ModelUnderTest, ...]
    tasks: frozenset[str]
    languages: frozenset[str]

    @classmethod
    def of(
        cls,
        protocol: Protocol,
        models: Sequence[str],
        tasks: Sequence[str],
        languages: Sequence[str],
    ) -> "Part":
        """Return what is asked for; all of a kind of which none is named.

        Raises
        ------
        UsageError
            If the protocol has no such model, task or language.
        """
        known = [model.key for model in protocol.models]
        chosen = _named("--model", known, models)
        return cls(
            tuple(model for model in protocol.models if model.key in chosen),
            _named("--task", [task.key for task in protocol.tasks], tasks),
            _named("--language", protocol.languages, languages),
        )

    def runs(self, pending: Sequence[CellRun]) -> tuple[CellRun, ...]:
        """Return those cells that are of this part."""
        return tuple(
            run for run in pending if run.task in self.tasks and run.language in self.languages
        )


def _named(option: str, known: Sequence[str], named: Sequence[str]) -> frozenset[str]:
    unknown = [name for name in named if name not in known]
    if unknown:
        raise UsageError(
            f"the protocol has no {unknown[0]!r}",
            where=option,
            next_step=f"Use one of: {', '.join(known)}.",
        )
    return frozenset(named or known)


@dataclass(frozen=True, slots=True)
class SampleDone:
    """What became of one sample.

    Parameters
    ----------
    tokens
        How many it took.
    failed
        Whether it ended in an error.
    kept
        Whether it is of an earlier run that was interrupted, and was not asked again.
    """

    tokens: int = 0
    failed: bool = False
    kept: bool = False


Told = Callable[[CellRun, SampleDone], None]
"""Told of each sample that is done, in the event loop's thread."""


def nobody(run: CellRun, done: SampleDone) -> None:
    """Tell nobody."""
