# SPDX-License-Identifier: Apache-2.0
"""Account and reply: what a developer itself says of a change, and of what others say."""

from typing import ClassVar, Literal, TypeAlias

from pydantic import Field

from countermark.records.base import Date, Digest, Part, PartyCode, Record, Slug, Text
from countermark.records.reference import Source

Effect: TypeAlias = Literal["weakened", "removed", "strengthened", "reworded", "added", "moved"]


class Announced(Part):
    """One change that a developer announces."""

    threshold: Slug | None = Field(
        default=None, description="Key of the threshold in the older version, if it is about one."
    )
    added: Slug | None = Field(
        default=None, description="Key of the threshold in the newer version, if it is new there."
    )
    words: Text = Field(description="What is announced, in our words.")
    provision: Slug | None = Field(
        default=None,
        description="Key of the domain, mitigation, provision or duty, if it is about one.",
    )
    aspect: Slug | None = Field(
        default=None,
        description="Which part of it, as *framework diff* names it; absent: the whole.",
    )
    effect: Effect | None = Field(
        default=None,
        description="Which way it changed, if the account says so; absent: only that it changed.",
    )


class Account(Record):
    """A developer's own account of what changed between two versions of its framework."""

    SPEAKER: ClassVar[tuple[str, ...]] = ("recorded_by", "developer")
    kind: Literal["account"] = "account"
    version: Literal[1] = 1
    developer: PartyCode = Field(description="Whose account it is.")
    recorded_by: PartyCode | None = Field(
        default=None, description="Who recorded it, where that is not the developer itself."
    )
    before: Digest = Field(description="The older framework.")
    after: Digest = Field(description="The newer framework.")
    date: Date = Field(description="When the account was given.")
    changes: tuple[Announced, ...] = Field(description="What it announces.")
    source: Source | None = Field(default=None, description="Where it can be read.")
    demonstration: bool = Field(description="True where no real developer stands behind it.")


class Reply(Record):
    """What a developer answers to a statement about it; it stands beside the statement."""

    SPEAKER: ClassVar[str | None] = "developer"
    kind: Literal["reply"] = "reply"
    version: Literal[1] = 1
    developer: PartyCode = Field(description="Who answers and says it.")
    of: Digest | None = Field(default=None, description="The statement that is answered.")
    commitment: Slug | None = Field(
        default=None, description="Key of the commitment that it is about, if it is about one."
    )
    words: Text = Field(description="The answer, in the developer's words.")
    says: Literal["not-applicable"] | None = Field(
        default=None,
        description="That the commitment does not apply, for the reason in the words.",
    )
    date: Date = Field(description="When.")
    demonstration: bool = Field(description="True where no real developer stands behind it.")
