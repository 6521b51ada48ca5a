# SPDX-License-Identifier: Apache-2.0
"""The risk categories of the network's joint exercises: codes that are never translated."""

from difflib import get_close_matches
from functools import cache

from pydantic import Field

from countermark.records.base import Date, Part, Slug, Text
from countermark.records.errors import InputError
from countermark.records.reference import Source
from countermark.taxonomy.reading import packaged, read_list


class Risk(Part):
    """One risk category."""

    code: Slug
    title: Text
    words: Text = Field(description="What it covers, in one line of our own words.")
    sources: tuple[Source, ...] = Field(min_length=1)


class RiskList(Part):
    """The file of all categories."""

    as_of: Date
    risks: tuple[Risk, ...] = Field(min_length=1)


@cache
def risks() -> tuple[Risk, ...]:
    """Return all risk categories, in the order of the list."""
    return read_list(RiskList, packaged("taxonomy", "risks.json")).risks


def risk(code: str, *, where: str = "risk category") -> Risk:
    """Return the risk category with this code.

    Raises
    ------
    InputError
        If there is none; it names the codes that come nearest.
    """
    known = {entry.code: entry for entry in risks()}
    if code in known:
        return known[code]
    near = get_close_matches(code.casefold(), known, n=3, cutoff=0.5)
    raise InputError(
        f"{code!r} is no risk category",
        where=where,
        next_step=("Did you mean " + " or ".join(near) + "?")
        if near
        else "Use one of: " + ", ".join(known) + ".",
    )
