# SPDX-License-Identifier: Apache-2.0
"""The rules of each scorer's versions: JSON files beside this module, pinned by their digests.

A protocol names the digest of each scorer version it uses. A scorer whose rules file has another
digest is another scorer, so a lab can tell before it runs that its software scores differently.
"""

from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

from countermark.records.canonical import content_digest
from countermark.records.errors import InputError
from countermark.records.protocol import Protocol, Scorer, Task


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
    """Check that this software scores by the very rules that the protocol pins.

    Raises
    ------
    InputError
        If a scorer or version is unknown here, or its rules have another digest.
    """
    for task in protocol.tasks:
        for scorer in _scorers(task):
            for pinned in scorer.versions:
                # What a model judge is pinned by stands in the protocol itself.
                if (
                    pinned.judge is None
                    and rules_digest(scorer.key, pinned.version) != pinned.digest
                ):
                    raise InputError(
                        f"pins scorer {scorer.key} {pinned.version} by another digest than this "
                        "software's rules have",
                        where=f"{protocol.name}/{task.key}",
                        next_step="Use the Countermark release that the protocol was frozen with.",
                    )


def _scorers(task: Task) -> tuple[Scorer, ...]:
    return (task.scorer,) if task.control_scorer is None else (task.scorer, task.control_scorer)


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
