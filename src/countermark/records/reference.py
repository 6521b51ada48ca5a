# SPDX-License-Identifier: Apache-2.0
"""Institutes, declarations, partnerships and publications: who and what it is about."""

from typing import Literal

from pydantic import Field

from countermark.records.base import Date, MemberCode, Part, Record, Slug, Text


class Source(Part):
    """Where a fact was read."""

    title: Text
    publisher: Text
    url: Text | None = None
    published: Date | None = None
    standing: Literal["primary", "secondary"] = Field(
        description="The publisher's own text, or somebody's account of it."
    )


class Institute(Record):
    """A member of the network, as public sources describe it."""

    kind: Literal["institute"] = "institute"
    version: Literal[1] = 1
    code: MemberCode
    country: Text
    name: Text
    nature: Text = Field(description="What kind of body it is, in our words.")
    labs: tuple[Text, ...] = Field(description="Bodies or teams that test for it, where known.")
    member_since: Date
    role: Text | None = None
    notes: tuple[Text, ...]
    sources: tuple[Source, ...] = Field(min_length=1)
    as_of: Date


class Principle(Part):
    """One principle or commitment, in our words."""

    key: Slug
    title: Text
    words: Text
    indicator: Slug | None = Field(
        default=None, description="The figure that a node computes for it."
    )


class Declaration(Record):
    """A declaration, statement or set of commitments with its signatories."""

    kind: Literal["declaration"] = "declaration"
    version: Literal[1] = 1
    key: Slug
    title: Text
    place: Text
    date: Date
    summary: Text
    signatories: tuple[Text, ...]
    signatories_complete: bool = Field(description="False where our sources do not name them all.")
    principles: tuple[Principle, ...]
    sources: tuple[Source, ...] = Field(min_length=1)
    as_of: Date


class Partnership(Record):
    """A memorandum or agreement, and what it opens."""

    kind: Literal["partnership"] = "partnership"
    version: Literal[1] = 1
    key: Slug
    title: Text
    parties: tuple[Text, ...] = Field(min_length=2)
    members: tuple[MemberCode, ...] = Field(description="Those parties that are members.")
    date: Date
    opens: tuple[Text, ...] = Field(min_length=1, description="What it lets the parties do.")
    sources: tuple[Source, ...] = Field(min_length=1)
    as_of: Date


class Publication(Record):
    """A document that a company or institute has published: identity, date and source."""

    kind: Literal["publication"] = "publication"
    version: Literal[1] = 1
    key: Slug
    publisher: Text
    title: Text
    label: Text | None = Field(default=None, description="The publisher's own version label.")
    date: Date
    genre: Literal["safety-framework", "report", "guidance", "research", "standard"]
    notes: tuple[Text, ...] = Field(description="What is known of it, in our words.")
    sources: tuple[Source, ...] = Field(min_length=1)
    as_of: Date
