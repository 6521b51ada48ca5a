# SPDX-License-Identifier: Apache-2.0
"""What would change the conclusion of a cell, in sentences."""

from collections.abc import Iterator

from countermark.exercise.explaining.turning import Choice, Turning, turning
from countermark.exercise.explaining.wording import percent, points, signed
from countermark.records.finding import FindingCell

_ESTIMAND = {"benchmark": "on these items alone", "generalised": "on items like these"}
_METHOD = {"mixed": "by a mixed model", "bootstrap": "by redrawing labs and items"}
_CORRECTION = {
    "none": "as the judge counts, its errors left in",
    "rogan-gladen": "with the judge's errors taken out",
}
_MOST_NAMED = 3


def would_change(cell: FindingCell) -> Iterator[str]:
    """Yield what would change a cell's conclusion, or what it lacks to have one.

    Parameters
    ----------
    cell
        A cell of a finding.
    """
    found = turning(cell)
    if isinstance(found, str):
        yield f"What would give a result here: {found}."
        return
    yield _turned(found)
    lab = found.most_moving_lab
    if lab is not None:
        without = f"without it, {signed(lab.moves)}"
        yield f"Of all labs, {lab.without_lab} moves the rate most: {without}."
    yield (
        f"Every choice keeps a limit of {percent(found.kept_above)} or more, and exceeds one below "
        f"{percent(found.exceeded_below)}; in between, the choice or chance decides."
    )


def choice_words(choice: Choice, lead: Turning) -> str:
    """Return a choice in words, as far as it differs from the leading one."""
    parts = []
    if choice.without_lab:
        parts.append(f"without {choice.without_lab}")
    if choice.kind == "method":
        parts.append(_METHOD[choice.method])
    if choice.correction != lead.leading.correction:
        parts.append(_CORRECTION[choice.correction])
    if choice.estimand != lead.leading.estimand:
        parts.append(_ESTIMAND[choice.estimand])
    return ", ".join(parts)


def _turned(found: Turning) -> str:
    turned = sorted(found.turned_by, key=lambda choice: -abs(choice.moves))
    if not turned:
        return (
            f"None of the {len(found.choices)} other choices (estimand, correction, method, each "
            "lab left out) moves the rate out of its interval."
        )
    named = "; ".join(
        f"{choice_words(choice, found)} it is {percent(choice.value)}, "
        f"{points(choice.moves)} {'more' if choice.moves > 0 else 'less'}"
        for choice in turned[:_MOST_NAMED]
    )
    return (
        f"{len(turned)} of {len(found.choices)} other choices move the rate out of its interval, "
        f"first of all: {named}."
    )
