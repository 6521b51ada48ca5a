# SPDX-License-Identifier: Apache-2.0
"""Whether the labs of a finding ran the same: what its page shows of it."""

from collections.abc import Sequence

from countermark.app.compared_words import SHAPES, TONES, WORDS, asked_text, of_lab, said
from countermark.app.site.page import Sheet
from countermark.records.compared import GRAVITY, ComparedSetting
from countermark.records.finding import Finding

MOST_CELLS = 3


def comparison(finding: Finding) -> dict[str, object]:
    """Return what the template of a finding needs for the table, gravest settings first."""
    table = finding.comparability or ()
    return {
        "compared": table,
        "alike": [row for row in table if row.status == "same"],
        "differing": _gravest_first(table),
        "blocked": [row.name for row in table if row.status == "undeclared"],
        "compared_labs": sorted({one.lab for row in table for one in row.values}),
        "asked_text": asked_text,
        "said": said,
        "of_lab": of_lab,
        "cells_text": lambda one: _some(one.cells),
        "compared_shapes": SHAPES,
        "compared_words": WORDS,
        "compared_tones": TONES,
    }


def settings_sheet(path: str, finding: Finding) -> Sheet:
    """Return every value of the table as data.

    Parameters
    ----------
    path
        Folder of the finding's page.
    finding
        Which finding.
    """
    return Sheet(
        f"{path}settings",
        "Settings compared",
        ("setting", "lab", "status", "value", "asked", "cells", "reason"),
        tuple(
            (
                row.name,
                one.lab,
                one.status,
                one.value,
                one.asked,
                " ".join(one.cells) if one.cells else None,
                one.reason,
            )
            for row in finding.comparability or ()
            for one in row.values
        ),
    )


def _gravest_first(table: Sequence[ComparedSetting]) -> list[ComparedSetting]:
    differing = [row for row in table if row.status != "same"]
    return sorted(differing, key=lambda row: (GRAVITY.index(row.status), row.name))


def _some(cells: Sequence[str]) -> str:
    more = f" and {len(cells) - MOST_CELLS} more" if len(cells) > MOST_CELLS else ""
    return ", ".join(cells[:MOST_CELLS]) + more
