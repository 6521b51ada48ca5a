# SPDX-License-Identifier: Apache-2.0
"""Parts of a finding: how the labs' settings compare with the protocol and with each other."""

from typing import Literal

from pydantic import Field

from countermark.records.base import Count, LabKey, Part, Text

SettingStatus = Literal[
    "same", "declared-factor", "declared-deviation", "undeclared", "allowed", "unknown"
]

GRAVITY: tuple[SettingStatus, ...] = (
    "undeclared",
    "declared-deviation",
    "declared-factor",
    "unknown",
    "allowed",
    "same",
)
"""From the gravest to the least; a setting has the gravest of its values'."""


class ComparedValue(Part):
    """One lab's value of a setting, in the cells where it is compared alike."""

    lab: LabKey = Field(description="The lab.")
    status: SettingStatus = Field(description="How it compares.")
    value: str | None = Field(
        default=None, description="As canonical JSON; absent: not told, or it differs over cells."
    )
    asked: str | None = Field(
        default=None, description="What the protocol asks of this lab, as canonical JSON, if so."
    )
    values: Count | None = Field(
        default=None, description="How many values it has over the cells, if more than one."
    )
    cells: tuple[Text, ...] | None = Field(
        default=None,
        description="In which cells: model/task/language; absent: in all.",
    )
    reason: Text | None = Field(default=None, description="Why it counts as it does, if need be.")


class ComparedSetting(Part):
    """One setting over all labs."""

    name: Text = Field(description="Its name; see docs/comparability.md.")
    status: SettingStatus = Field(description="The gravest of its values'.")
    values: tuple[ComparedValue, ...] = Field(description="Each lab's.")
