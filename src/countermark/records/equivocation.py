# SPDX-License-Identifier: Apache-2.0
"""The kind `equivocation`: a member says that a log signed two trees that cannot both be."""

from typing import ClassVar, Literal

from pydantic import Field

from countermark.records.base import PartyCode, Record, Text


class Equivocation(Record):
    """Two conflicting checkpoints, said and logged, so that nobody can take the accusation back.

    The record only carries the evidence. Whether it proves anything is for
    ``transparency/equivocation.py`` to say, from the same five fields.
    """

    kind: Literal["equivocation"] = "equivocation"
    version: Literal[1] = 1
    SPEAKER: ClassVar[str | None] = "reporter"
    reporter: PartyCode = Field(description="Who found it and says so.")
    origin: Text = Field(description="The log that signed both.")
    first: Text = Field(description="The checkpoint of the smaller size, as a signed note.")
    second: Text = Field(description="The other checkpoint, as a signed note.")
    hashes: tuple[str, ...] = Field(
        max_length=128, description="Base64 hashes of subtrees that show the conflict; may be none."
    )
