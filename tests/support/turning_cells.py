# SPDX-License-Identifier: Apache-2.0
"""Cells of the sample finding, and changed copies of them, for tests of what would turn a rate."""

from sample_finding import sample_finding

from countermark.exercise.explaining.turning import Turning, turning
from countermark.records.finding import FindingCell

_DIGEST = f"sha256:{'1' * 64}"
_LABS = dict.fromkeys(("GB", "JP", "KE", "SG", "FR"), _DIGEST)
FINDING = sample_finding(_DIGEST, _LABS, {"en": _DIGEST, "fr": _DIGEST})
REPORTED = [cell for cell in FINDING.cells if cell.status == "reported"]
PLAIN = next(cell for cell in REPORTED if not cell.validity)
JUDGED = next(cell for cell in REPORTED if cell.validity)


def turned(cell: FindingCell) -> Turning:
    """Return what would turn a cell that has a rate."""
    found = turning(cell)
    assert isinstance(found, Turning)
    return found


def with_figure(cell: FindingCell, **change: object) -> FindingCell:
    """Return the cell with its first figure without a lab changed."""
    number = next(n for n, one in enumerate(cell.figures) if one.without_lab)
    figures = list(cell.figures)
    figures[number] = figures[number].model_copy(update=change)
    return cell.model_copy(update={"figures": tuple(figures)})
