# SPDX-License-Identifier: Apache-2.0
"""Days by which the signatories of the commitments had to do something, and where that was read.

A deadline is about a commitment only where its text says so, because a cell of a real company is
called *overdue* by it.
"""

from functools import cache

from pydantic import Field

from countermark.records.base import Date, Part, Slug, Text
from countermark.records.reference import Source
from countermark.taxonomy.reading import packaged, read_list


class Read(Part):
    """Where a deadline was read."""

    source: Source = Field(description="What was read.")
    section: Text | None = Field(default=None, description="Where in it.")
    says: Text = Field(description="What it says of the deadline, in our words.")
    copy_of: Text | None = Field(
        default=None, description="How it was read, where not at the publisher's own address."
    )


class Open(Part):
    """A company of which a source leaves open whether a deadline bound it."""

    slug: Slug = Field(description="The company.")
    words: Text = Field(description="What is open, in our words.")
    source: Source = Field(description="Where it was read.")


class Deadline(Part):
    """A day by which the signatories of one day had to do something."""

    key: Slug = Field(description="Its key.")
    words: Text = Field(description="What was due, in our words.")
    due: Date = Field(description="The last day that was in time.")
    signed: Date = Field(description="Whom it binds: those that signed on this day.")
    commitments: tuple[Slug, ...] = Field(
        min_length=1, description="Keys of the commitments that what was due has to answer."
    )
    why: Text = Field(description="Why these commitments, and no others.")
    read_in: tuple[Read, ...] = Field(min_length=1, description="Where all this was read.")
    left_open: tuple[Open, ...] = Field(description="Companies that it may not have bound.")


class DeadlineList(Part):
    """The file of all deadlines."""

    as_of: Date = Field(description="When the sources were last read.")
    deadlines: tuple[Deadline, ...] = Field(description="The deadlines.")


@cache
def load_deadlines() -> tuple[Deadline, ...]:
    """Return the deadlines that sources tell."""
    return read_list(DeadlineList, packaged("commitments", "deadlines.json")).deadlines
