# SPDX-License-Identifier: Apache-2.0
"""What would change the conclusion of a cell: its rate under every other choice. Pure.

1. The *leading* figure is the generalised rate with the leading correction: it claims least.
2. Every other figure over all labs, every figure without one lab, and every further method is a
   choice; each is told with how far its rate is from the leading one's.
3. A choice *turns* the conclusion if its rate lies outside the leading interval.
4. A limit above every upper end is kept under every choice, one below every lower end is exceeded
   under every choice. Between them the choice, or chance, decides. Bounds are those published.
5. A cell without a published rate is told what it lacks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from countermark.records.finding import FindingCell
from countermark.records.finding_figures import Correction, Estimand, Figure

Kind = Literal["estimand", "correction", "lab", "method"]

_LACKS = {
    "judge-not-validated": "answers in this language that people have labelled",
    "not-informative": "a model, or items, with which the control questions are answered",
    "not-computable": "what its reason names",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """The rate of a cell under another choice.

    Parameters
    ----------
    kind
        What is chosen otherwise; the first that differs of *lab*, *correction* and *estimand*.
    estimand, correction, without_lab, method
        The choice; ``method`` is that of the finding unless ``kind`` is *method*.
    value, lower, upper
        The rate and its interval.
    moves
        The rate minus the leading one.
    turns
        Whether rule 3 holds.
    """

    kind: Kind
    estimand: Estimand
    correction: Correction
    without_lab: str | None
    method: str
    value: float
    lower: float
    upper: float
    moves: float
    turns: bool


@dataclass(frozen=True, slots=True)
class Turning:
    """What would change the conclusion of one cell.

    Parameters
    ----------
    leading
        The figure that leads.
    choices
        All others, in the finding's order.
    exceeded_below, kept_above
        Ends of the range of limits that no choice-independent answer covers (rule 4).
    """

    leading: Figure
    choices: tuple[Choice, ...]
    exceeded_below: float
    kept_above: float

    @property
    def turned_by(self) -> tuple[Choice, ...]:
        """The choices that turn the conclusion."""
        return tuple(choice for choice in self.choices if choice.turns)

    @property
    def most_moving_lab(self) -> Choice | None:
        """The lab without which the leading rate moves most, if labs were left out."""
        lead = self.leading
        labs = [
            choice
            for choice in self.choices
            if choice.kind == "lab"
            and (choice.estimand, choice.correction) == (lead.estimand, lead.correction)
        ]
        return max(labs, key=lambda choice: abs(choice.moves), default=None)


def turning(cell: FindingCell) -> Turning | str:
    """Return what would change a cell's conclusion, or what it lacks to have one (rule 5).

    Parameters
    ----------
    cell
        A cell of a finding.
    """
    lead = leading(cell)
    if cell.status != "reported" or lead is None:
        return _LACKS.get(cell.status, _LACKS["not-computable"])
    choices = (*_figures(cell, lead), *_methods(cell, lead))
    bounds = [(lead.lower, lead.upper), *((one.lower, one.upper) for one in choices)]
    return Turning(
        lead, choices, min(lower for lower, _ in bounds), max(upper for _, upper in bounds)
    )


def leading(cell: FindingCell) -> Figure | None:
    """Return the figure that leads (rule 1)."""
    correction = cell.headline_correction
    return cell.figure("generalised", correction) or cell.figure("benchmark", correction)


def _figures(cell: FindingCell, lead: Figure) -> Iterator[Choice]:
    for one in cell.figures:
        if one is lead:
            continue
        kind: Kind = "estimand"
        if one.without_lab is not None:
            kind = "lab"
        elif one.correction != lead.correction:
            kind = "correction"
        yield Choice(
            kind,
            one.estimand,
            one.correction,
            one.without_lab,
            one.method,
            one.value,
            one.lower,
            one.upper,
            *_moved(one.value, lead),
        )


def _methods(cell: FindingCell, lead: Figure) -> Iterator[Choice]:
    # Methods are compared on rates as they were scored; the reported one stands among the figures.
    if lead.correction != "none":
        return
    for one in cell.methods:
        if one.method != "crossed":
            yield Choice(
                "method",
                one.estimand,
                "none",
                None,
                one.method,
                one.value,
                one.lower,
                one.upper,
                *_moved(one.value, lead),
            )


def _moved(value: float, lead: Figure) -> tuple[float, bool]:
    return value - lead.value, not lead.lower <= value <= lead.upper
