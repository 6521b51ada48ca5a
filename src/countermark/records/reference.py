# SPDX-License-Identifier: Apache-2.0
"""Institutes, declarations, partnerships and publications: who and what it is about."""

from typing import Literal

from pydantic import Field

from countermark.records.base import Date, MemberCode, Part, Record, Slug, Text


class Source(Part):
    """Where a fact was read."""

    title: Text = Field(description="Title of what was read.")
    publisher: Text = Field(description="Who published it.")
    url: Text | None = Field(default=None, description="Where, if it is on the web.")
    published: Date | None = Field(
        default=None, description="When it was published, if it says so."
    )
    standing: Literal["primary", "secondary"] = Field(
        description="The publisher's own text, or somebody's account of it."
    )


class Institute(Record):
    """A member of the network, as public sources describe it."""

    kind: Literal["institute"] = "institute"
    version: Literal[1] = 1
    code: MemberCode = Field(description="Its code.")
    country: Text = Field(description="The country, or the EU.")
    name: Text = Field(description="Its name.")
    nature: Text = Field(description="What kind of body it is, in our words.")
    labs: tuple[Text, ...] = Field(description="Bodies or teams that test for it, where known.")
    member_since: Date = Field(description="When it joined the network.")
    role: Text | None = Field(
        default=None, description="Its part in the network, if it has a particular one."
    )
    notes: tuple[Text, ...] = Field(description="What else is known, in our words.")
    sources: tuple[Source, ...] = Field(min_length=1, description="Where all this was read.")
    as_of: Date = Field(description="When it was last read.")


class Principle(Part):
    """One principle or commitment, in our words."""

    key: Slug = Field(description="Its key in the declaration.")
    title: Text = Field(description="What it is about.")
    words: Text = Field(description="What it says, in our words.")
    indicator: Slug | None = Field(
        default=None, description="The figure that a node computes for it."
    )


class Declaration(Record):
    """A declaration, statement or set of commitments with its signatories."""

    kind: Literal["declaration"] = "declaration"
    version: Literal[1] = 1
    key: Slug = Field(description="Its key.")
    title: Text = Field(description="Its title.")
    place: Text = Field(description="Where it was made.")
    date: Date = Field(description="When it was made.")
    summary: Text = Field(description="What it says, in our words.")
    signatories: tuple[Text, ...] = Field(description="Who signed.")
    signatories_complete: bool = Field(description="False where our sources do not name them all.")
    principles: tuple[Principle, ...] = Field(description="What they agreed to.")
    sources: tuple[Source, ...] = Field(min_length=1, description="Where all this was read.")
    as_of: Date = Field(description="When it was last read.")


class Partnership(Record):
    """A memorandum or agreement, and what it opens."""

    kind: Literal["partnership"] = "partnership"
    version: Literal[1] = 1
    key: Slug = Field(description="Its key.")
    title: Text = Field(description="Its title.")
    parties: tuple[Text, ...] = Field(min_length=2, description="Who agreed, by name.")
    members: tuple[MemberCode, ...] = Field(description="Those parties that are members.")
    date: Date = Field(description="When.")
    opens: tuple[Text, ...] = Field(min_length=1, description="What it lets the parties do.")
    sources: tuple[Source, ...] = Field(min_length=1, description="Where all this was read.")
    as_of: Date = Field(description="When it was last read.")


class Publication(Record):
    """A document that a company or institute has published: identity, date and source."""

    kind: Literal["publication"] = "publication"
    version: Literal[1] = 1
    key: Slug = Field(description="Its key.")
    publisher: Text = Field(description="Who published it.")
    title: Text = Field(description="Its title.")
    label: Text | None = Field(default=None, description="The publisher's own version label.")
    date: Date = Field(description="When.")
    genre: Literal["safety-framework", "report", "guidance", "research", "standard"] = Field(
        description="What sort of document it is."
    )
    notes: tuple[Text, ...] = Field(description="What is known of it, in our words.")
    sources: tuple[Source, ...] = Field(min_length=1, description="Where all this was read.")
    as_of: Date = Field(description="When it was last read.")
