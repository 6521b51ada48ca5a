# SPDX-License-Identifier: Apache-2.0
"""How often the intervals of a joint test hold the truth. Prints Markdown.

    python benchmarks/coverage.py --reps 1500 --seed 1

Scores are simulated as 0/1 answers with logit(rate) = mean + lab + item + lab x item, normal with
standard deviations ``s_lab``, 1.2 and 0.3. The generalised truth is the mean rate over that
population; the benchmark truth is the mean over labs given the simulated items. A coverage of 0.95
has a Monte Carlo error of about 1.1 points at 1,500 repetitions (two standard errors).
"""

import argparse
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy import optimize, special, stats

from countermark.statistics.estimate import Estimand
from countermark.statistics.layout import (
    Array,
    ErrorVariance,
    degrees_of_freedom,
    error_variance,
    mean_squares,
)

S_ITEM, S_LAB_ITEM = 1.2, 0.3
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(60)


@dataclass(frozen=True, slots=True)
class Setting:
    """A simulated exercise."""

    labs: int
    items: int
    rate: float
    s_lab: float
    epochs: int = 2


@dataclass(frozen=True, slots=True)
class Simulated:
    """``cells`` ``(R, K, I)``, the benchmark truth ``(R,)`` and the generalised truth."""

    cells: Array
    benchmark: Array
    generalised: float

    def truth(self, estimand: Estimand) -> Array:
        """Return the truth of each repetition."""
        if estimand == "benchmark":
            return self.benchmark
        return np.full(len(self.cells), self.generalised)


def _mean_rate(logit: Array | float, deviation: float) -> Array:
    rates = special.expit(np.asarray(logit)[..., None] + deviation * _NODES)
    return np.asarray((rates * _WEIGHTS).sum(axis=-1) / _WEIGHTS.sum())


def simulate(setting: Setting, reps: int, rng: np.random.Generator) -> Simulated:
    """Draw ``reps`` exercises."""
    s = setting
    spread = float(np.sqrt(s.s_lab**2 + S_ITEM**2 + S_LAB_ITEM**2))
    mean = float(optimize.brentq(lambda b: float(_mean_rate(b, spread)) - s.rate, -15, 15))
    item = mean + S_ITEM * rng.normal(size=(reps, 1, s.items))
    lab = s.s_lab * rng.normal(size=(reps, s.labs, 1))
    both = S_LAB_ITEM * rng.normal(size=(reps, s.labs, s.items))
    cells = rng.binomial(s.epochs, special.expit(item + lab + both)) / s.epochs
    benchmark = _mean_rate(item[:, 0, :], float(np.hypot(s.s_lab, S_LAB_ITEM))).mean(axis=1)
    return Simulated(cells, benchmark, s.rate)


@dataclass(frozen=True, slots=True)
class Ends:
    """Interval ends of each repetition."""

    lower: Array
    upper: Array

    def cover(self, truth: Array) -> float:
        """Share of intervals that hold the truth."""
        return float(((self.lower <= truth) & (truth <= self.upper)).mean())


def score_ends(cells: Array, error: ErrorVariance, df: Array, level: float) -> Ends:
    """Compute ``countermark.statistics.crossed`` intervals of many repetitions at once."""
    value, items = cells.mean(axis=(1, 2)), cells.shape[2]
    none, all_ = value == 0, value == 1
    p = np.where(none | all_, 0.5, value)
    t = special.stdtrit(df, (1 + level) / 2)
    weight = t**2 * error.total / (p * (1 - p))
    root = np.sqrt(t**2 * error.total + weight**2 / 4)
    exact = 1 - ((1 - level) / 2) ** (1 / items)
    lower = np.where(none, 0, np.where(all_, 1 - exact, (p + weight / 2 - root) / (1 + weight)))
    upper = np.where(none, exact, np.where(all_, 1, (p + weight / 2 + root) / (1 + weight)))
    return Ends(lower, upper)


def crossed_ends(cells: Array, estimand: Estimand, level: float = 0.95) -> Ends:
    """Compute crossed intervals."""
    error = error_variance(mean_squares(cells), estimand)
    return score_ends(cells, error, degrees_of_freedom(error), level)


def symmetric_ends(cells: Array, estimand: Estimand, level: float = 0.95) -> Ends:
    """Take the same standard error, but value plus or minus t times it."""
    error = error_variance(mean_squares(cells), estimand)
    t = special.stdtrit(degrees_of_freedom(error), (1 + level) / 2)
    return _around(cells.mean(axis=(1, 2)), np.sqrt(error.total), t)


def _around(value: Array, se: Array, quantile: Array | float) -> Ends:
    return Ends(value - quantile * se, value + quantile * se)


def naive(cells: Array, epochs: int) -> Ends:
    """Every answer counted as independent."""
    value = cells.mean(axis=(1, 2))
    answers = cells.shape[1] * cells.shape[2] * epochs
    return _around(value, np.sqrt(value * (1 - value) / answers), 1.96)


def lab_means(cells: Array) -> Ends:
    """Take a t interval on the labs' means."""
    means = cells.mean(axis=2)
    labs = means.shape[1]
    se = means.std(axis=1, ddof=1) / np.sqrt(labs)
    return _around(means.mean(axis=1), se, float(stats.t.ppf(0.975, labs - 1)))


def meta_analysis(cells: Array, *, knapp_hartung: bool) -> Ends:
    """DerSimonian-Laird on lab rates, each with the standard error clustered by item."""
    y = cells.mean(axis=2)
    labs, items = cells.shape[1:]
    v = np.maximum(cells.var(axis=2, ddof=1) / items, 1e-9)
    w = 1 / v
    fixed = (w * y).sum(1) / w.sum(1)
    q = (w * (y - fixed[:, None]) ** 2).sum(1)
    tau2 = np.maximum(0, (q - (labs - 1)) / (w.sum(1) - (w**2).sum(1) / w.sum(1)))
    w = 1 / (v + tau2[:, None])
    pooled = (w * y).sum(1) / w.sum(1)
    if not knapp_hartung:
        return _around(pooled, 1 / np.sqrt(w.sum(1)), 1.96)
    square = (w * (y - pooled[:, None]) ** 2).sum(1) / ((labs - 1) * w.sum(1))
    return _around(pooled, np.sqrt(square), float(stats.t.ppf(0.975, labs - 1)))


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def _row(setting: Setting, *figures: float) -> tuple[str, ...]:
    s = setting
    place = (str(s.labs), f"{s.s_lab:.2f}", str(s.items), f"{s.rate:.2f}")
    return (*place, *(f"{figure:.3f}" for figure in figures))


def compare_methods(reps: int, rng: np.random.Generator) -> None:
    print("## Generalised rate: what labs that share items do to a meta-analysis\n")
    rows = []
    for labs, s_lab in ((3, 0.3), (4, 0.15), (6, 0.0), (6, 0.3), (10, 0.1), (15, 0.2)):
        setting = Setting(labs, 300, 0.3, s_lab)
        drawn = simulate(setting, reps, rng)
        cells, truth = drawn.cells, drawn.truth("generalised")
        intervals = (
            naive(cells, setting.epochs),
            meta_analysis(cells, knapp_hartung=False),
            meta_analysis(cells, knapp_hartung=True),
            lab_means(cells),
            crossed_ends(cells, "generalised"),
        )
        rows.append(_row(setting, *(ends.cover(truth) for ends in intervals)))
    methods = ("naive binomial", "DL, item-clustered SE", "DL + Knapp-Hartung", "t on lab means")
    _table(("labs", "s_lab", "items", "rate", *methods, "**crossed**"), rows)


def compare_degrees_of_freedom(reps: int, rng: np.random.Generator) -> None:
    print(f"## Generalised rate at three labs: degrees of freedom ({reps} repetitions)\n")
    rows = []
    for rate, s_lab in product((0.05, 0.2, 0.5), (0.0, 0.1, 0.3)):
        setting = Setting(3, 300, rate, s_lab)
        drawn = simulate(setting, reps, rng)
        error = error_variance(mean_squares(drawn.cells), "generalised")
        spread = sum(part.square**2 / part.df for part in error.parts)
        spread = spread + error.subtracted**2 / error.subtracted_df
        satterthwaite = error.total**2 / spread
        quantile = sum(
            part.variance / error.total * special.stdtrit(part.df, 0.975) ** 2
            for part in error.parts
        )
        matched = special.stdtridf(0.975, np.sqrt(quantile))
        choices = (satterthwaite, matched, np.minimum(satterthwaite, matched))
        truth = drawn.truth("generalised")
        covers = [score_ends(drawn.cells, error, df, 0.95).cover(truth) for df in choices]
        rows.append(_row(setting, *covers))
    head = ("labs", "s_lab", "items", "rate", "Satterthwaite", "matched", "**smaller of both**")
    _table(head, rows)


def coverage(reps: int, rng: np.random.Generator) -> None:
    print("## Coverage of the crossed interval, and misses of its 99 % upper bound\n")
    rows = []
    for labs, s_lab, items, rate in product(
        (2, 3, 4, 6, 10), (0.0, 0.1, 0.3), (12, 50, 300), (0.05, 0.2, 0.5)
    ):
        setting = Setting(labs, items, rate, s_lab)
        drawn = simulate(setting, reps, rng)
        cells, truth = drawn.cells, drawn.truth("generalised")
        rows.append(
            (
                *_row(setting)[:4],
                f"{items * rate:g}",
                f"{crossed_ends(cells, 'benchmark').cover(drawn.benchmark):.3f}",
                f"{crossed_ends(cells, 'generalised').cover(truth):.3f}",
                f"{(crossed_ends(cells, 'generalised', 0.98).upper < truth).mean():.3f}",
                f"{(symmetric_ends(cells, 'generalised', 0.98).upper < truth).mean():.3f}",
            )
        )
    head = ("labs", "s_lab", "items", "rate", "expected events among items", "benchmark")
    _table((*head, "generalised", "upper 99 % missed", "the same, value + t·se"), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reps", type=int, default=1500, help="repetitions a row")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    rng = np.random.default_rng(asked.seed)
    print(f"{asked.reps} repetitions, seed {asked.seed}; nominal 95 %; two epochs.\n")
    compare_methods(asked.reps, rng)
    compare_degrees_of_freedom(4 * asked.reps, rng)  # the choices lie close together
    coverage(asked.reps, rng)


if __name__ == "__main__":
    main()
