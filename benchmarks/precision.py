# SPDX-License-Identifier: Apache-2.0
"""How often the intervals for precision hold the truth. Prints Markdown.

    python benchmarks/precision.py --reps 1500 --seed 1

Binary scores have logit(rate) = mean + lab + item + lab x item, normal with standard deviations
``s_lab``, 1.2 and 0.3; normal scores have the standard deviations ``s_lab / 5``, 0.3, 0.1 and 0.3
between epochs. True variances are those of the population of labs and items. A coverage of 0.95 has
a Monte Carlo error of about 1.1 points at 1,500 repetitions (two standard errors).
"""

import argparse
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import optimize, special

from countermark.statistics.layout import Array, mean_squares
from countermark.statistics.spread import Spread, Spreads, chi_square, layout_spreads, sum_of

S_ITEM, S_LAB_ITEM = 1.2, 0.3
NORMAL_ITEM, NORMAL_LAB_ITEM, NORMAL_EPOCH, NORMAL_LAB = 0.3, 0.1, 0.3, 0.2
NAMES = ("repeatability", "lab_item", "between_labs", "reproducibility", "i2")
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(60)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


@dataclass(frozen=True, slots=True)
class Design:
    """A simulated exercise; ``rate`` means nothing for normal scores."""

    labs: int
    items: int
    epochs: int
    rate: float
    s_lab: float
    scores: Literal["binary", "normal"] = "binary"


DESIGNS = (
    Design(3, 30, 2, 0.5, 0.3),
    Design(3, 100, 2, 0.2, 0.1),
    Design(3, 300, 2, 0.05, 0.3),
    Design(3, 300, 2, 0.2, 0.3),
    Design(3, 300, 1, 0.05, 0.3),
    Design(4, 50, 3, 0.2, 0.3),
    Design(4, 300, 5, 0.05, 0.3),
    Design(6, 30, 2, 0.3, 0.0),
    Design(6, 100, 2, 0.1, 0.3),
    Design(6, 100, 1, 0.2, 0.3),
    Design(6, 300, 2, 0.05, 0.0),
    Design(6, 300, 2, 0.5, 0.1),
    Design(10, 100, 2, 0.2, 0.3),
    Design(10, 300, 2, 0.05, 0.1),
    Design(10, 1000, 2, 0.02, 0.3),
    Design(3, 100, 2, 0.5, 0.3, "normal"),
    Design(6, 100, 2, 0.5, 0.3, "normal"),
    Design(6, 30, 3, 0.5, 0.0, "normal"),
)


@dataclass(frozen=True, slots=True)
class Drawn:
    """``cells`` ``(R, K, I)``, the variance between epochs in each, and the true variances."""

    cells: Array
    epochs: Array | None
    truth: dict[str, float]


def _mean_rate(logit: Array, deviation: float) -> Array:
    rates = special.expit(np.asarray(logit)[..., None] + deviation * _NODES)
    return np.asarray((rates * _WEIGHTS).sum(axis=-1))


def _binary_truth(mean: float, design: Design) -> dict[str, float]:
    """Variances of the rates of labs, items and cells, by quadrature over the normal effects."""
    lab = _mean_rate(mean + design.s_lab * _NODES, float(np.hypot(S_ITEM, S_LAB_ITEM)))
    item = _mean_rate(mean + S_ITEM * _NODES, float(np.hypot(design.s_lab, S_LAB_ITEM)))
    spread = float(np.sqrt(design.s_lab**2 + S_ITEM**2 + S_LAB_ITEM**2))
    square = float((special.expit(mean + spread * _NODES) ** 2 * _WEIGHTS).sum())
    between = float(((lab - design.rate) ** 2 * _WEIGHTS).sum())
    items = float(((item - design.rate) ** 2 * _WEIGHTS).sum())
    return {
        "repeatability": design.rate - square,
        "between_labs": between,
        "lab_item": square - design.rate**2 - between - items,
    }


def draw(design: Design, reps: int, rng: np.random.Generator) -> Drawn:
    """Draw ``reps`` exercises."""
    shape = (reps, design.labs, design.items)
    lab = rng.normal(size=(*shape[:2], 1))
    item, both = rng.normal(size=(reps, 1, design.items)), rng.normal(size=shape)
    if design.scores == "binary":
        spread = float(np.sqrt(design.s_lab**2 + S_ITEM**2 + S_LAB_ITEM**2))

        def surplus(mean: float) -> float:
            return float(_mean_rate(np.asarray(mean), spread)) - design.rate

        mean = float(optimize.brentq(surplus, -15, 15))
        logit = mean + design.s_lab * lab + S_ITEM * item + S_LAB_ITEM * both
        cells = rng.binomial(design.epochs, special.expit(logit)) / design.epochs
        within = design.epochs * cells * (1 - cells)
        truth = _binary_truth(mean, design)
    else:
        s_lab = NORMAL_LAB * design.s_lab
        level = s_lab * lab + NORMAL_ITEM * item + NORMAL_LAB_ITEM * both
        scores = level[..., None] + NORMAL_EPOCH * rng.normal(size=(*shape, design.epochs))
        cells = scores.mean(axis=-1)
        within = ((scores - cells[..., None]) ** 2).sum(axis=-1)
        truth = {
            "repeatability": NORMAL_EPOCH**2,
            "between_labs": s_lab**2,
            "lab_item": NORMAL_LAB_ITEM**2,
        }
    noise = truth["lab_item"] + truth["repeatability"] / design.epochs
    signal = design.items * truth["between_labs"]
    truth["reproducibility"] = sum(truth.values())
    truth["i2"] = signal / (signal + noise)
    epochs = within / (design.epochs - 1) if design.epochs > 1 else None
    return Drawn(cells, epochs, truth)


def holds(spread: Spread, truth: float) -> float:
    """Share of the intervals that hold the truth, among those that there are."""
    there = ~np.isnan(spread.lower) & ~np.isnan(spread.upper)
    held = (spread.lower[there] <= truth) & (truth <= spread.upper[there])
    return float(held.mean()) if there.any() else float("nan")


def coverage(design: Design, reps: int, rng: np.random.Generator) -> dict[str, float]:
    """Coverage of every interval, of the textbook's for two, and how often there is none."""
    drawn = draw(design, reps, rng)
    found = layout_spreads(drawn.cells, drawn.epochs, float(design.epochs), 0.95)
    result = {}
    absent = np.zeros(reps, dtype=bool)
    for name in NAMES:
        spread: Spread | None = getattr(found, name)
        result[name] = float("nan") if spread is None else holds(spread, drawn.truth[name])
        if spread is not None:
            absent |= np.isnan(spread.upper)
    result["absent"] = float(absent.mean())
    for name, spread in _textbook(design, drawn, found).items():
        result[f"textbook {name}"] = holds(spread, drawn.truth[name])
    return result


def _textbook(design: Design, drawn: Drawn, found: Spreads) -> dict[str, Spread]:
    """Chi-square for repeatability and Graybill and Wang for reproducibility: scores as normal."""
    ms = mean_squares(drawn.cells)
    df = (design.labs - 1) * (design.items - 1)
    parts = [
        chi_square(ms.lab / design.items, design.labs - 1, 0.95),
        chi_square(ms.lab_item * (1 - 1 / design.items), df, 0.95),
    ]
    if found.repeatability is None:
        return {"reproducibility": sum_of(*parts)}
    repeats = design.labs * design.items * (design.epochs - 1)
    epoch = found.repeatability.value
    parts.append(chi_square(epoch * (1 - 1 / design.epochs), repeats, 0.95))
    return {"repeatability": chi_square(epoch, repeats, 0.95), "reproducibility": sum_of(*parts)}


def compare_precision(reps: int, rng: np.random.Generator) -> None:
    print(f"## Intervals for precision: coverage of nominal 0.95 ({reps} repetitions)\n")
    columns = (*NAMES, "absent", "textbook repeatability", "textbook reproducibility")
    head = ("scores", "labs", "items", "epochs", "rate", "s_lab", *columns)
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for design in DESIGNS:
        figures = coverage(design, reps, rng)
        rate = f"{design.rate:.2f}" if design.scores == "binary" else ""
        place = (design.scores, str(design.labs), str(design.items), str(design.epochs), rate)
        shown = (figures.get(name, float("nan")) for name in columns)
        cells = ("" if np.isnan(figure) else f"{figure:.3f}" for figure in shown)
        print("| " + " | ".join((*place, f"{design.s_lab:.2f}", *cells)) + " |")
    print()


def main() -> None:
    parser = argparse.ArgumentParser(description="Coverage of the intervals for precision.")
    parser.add_argument("--reps", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    compare_precision(options.reps, np.random.default_rng(options.seed))


if __name__ == "__main__":
    main()
