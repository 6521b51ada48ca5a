# SPDX-License-Identifier: Apache-2.0
"""How often the intervals of a joint test hold the truth. Prints Markdown.

    python benchmarks/coverage.py --reps 1500 --seed 1

Scores are simulated as 0/1 answers with logit(rate) = mean + lab + item + lab x item, normal with
standard deviations ``s_lab``, ``s_item`` (1.2 unless a table says otherwise) and 0.3. The
generalised truth is the mean rate over that population; the benchmark truth is the mean over labs
given the simulated items. A further lab's report is drawn the same way. A coverage of 0.95 has a
Monte Carlo error of about 1.1 points at 1,500 repetitions (two standard errors).

Many repetitions are computed at once by the functions that the library itself is made of;
``tests/statistics/test_coverage.py`` shows that this is what its public functions compute.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special, stats

from countermark.statistics.bootstrap import Bootstrap, bootstrapped, pigeonhole
from countermark.statistics.crossed import carried_by_few, crossed
from countermark.statistics.crossing import Crossing
from countermark.statistics.estimate import Estimand, NotComputable
from countermark.statistics.grid import Grid
from countermark.statistics.layout import (
    Array,
    ErrorVariance,
    degrees_of_freedom,
    error_variance,
    mean_squares,
    new_lab_error,
)
from countermark.statistics.marginal import marginal_rate
from countermark.statistics.modelled import lab_model, modelled

S_LAB_ITEM = 0.3
BOTH: tuple[Estimand, ...] = ("benchmark", "generalised")
LABS, S_LABS, EPOCHS = (3, 4, 6, 10), (0.0, 0.1, 0.3, 0.6), (1, 3)
ITEMS, RATES = (30, 100, 300, 1000), (0.02, 0.05, 0.1, 0.2, 0.5)
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(40)
_CELLS = 3_000_000  # simulated at once


@dataclass(frozen=True, slots=True)
class Setting:
    """A simulated exercise."""

    labs: int
    items: int
    rate: float
    s_lab: float
    epochs: int = 2
    s_item: float = 1.2

    @property
    def events(self) -> float:
        """Expected events among the items."""
        return self.items * self.rate


@dataclass(frozen=True, slots=True)
class Simulated:
    """``cells`` ``(R, K, I)``, the truths, and what a further lab reports.

    ``benchmark`` ``(R,)`` and ``generalised`` are the true rates; ``same_items`` and ``new_items``
    ``(R,)`` are the reports of a further lab on the same and on new items.
    """

    cells: Array
    benchmark: Array
    generalised: float
    same_items: Array
    new_items: Array

    def truth(self, estimand: Estimand) -> Array:
        """Return the truth of each repetition."""
        if estimand == "benchmark":
            return self.benchmark
        return np.full(len(self.cells), self.generalised)

    def report(self, estimand: Estimand) -> Array:
        """Return the further lab's report of each repetition."""
        return self.same_items if estimand == "benchmark" else self.new_items


def _mean_rate(logit: Array | float, deviation: float) -> Array:
    """Mean of ``expit`` over a normal spread about each ``logit``."""
    total = np.zeros_like(np.asarray(logit, dtype=np.float64))
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        total = total + weight * special.expit(logit + deviation * node)
    return np.asarray(total / _WEIGHTS.sum())


def simulate(setting: Setting, reps: int, rng: np.random.Generator) -> Simulated:
    """Draw ``reps`` exercises."""
    s = setting
    spread = float(np.sqrt(s.s_lab**2 + s.s_item**2 + S_LAB_ITEM**2))
    mean = float(optimize.brentq(lambda b: float(_mean_rate(b, spread)) - s.rate, -25, 25))

    def scored(item: Array, labs: int) -> Array:
        logit = S_LAB_ITEM * rng.standard_normal((reps, labs, s.items))
        logit += item + s.s_lab * rng.standard_normal((reps, labs, 1))
        p = special.expit(logit)
        answers = [rng.random(p.shape) < p for _ in range(s.epochs)]
        return np.asarray(np.mean(answers, axis=0))

    item = mean + s.s_item * rng.standard_normal((reps, 1, s.items))
    other = mean + s.s_item * rng.standard_normal((reps, 1, s.items))
    cells = scored(item, s.labs + 1)
    benchmark = _mean_rate(item[:, 0, :], float(np.hypot(s.s_lab, S_LAB_ITEM))).mean(axis=1)
    return Simulated(
        cells=cells[:, : s.labs],
        benchmark=benchmark,
        generalised=s.rate,
        same_items=cells[:, s.labs].mean(axis=1),
        new_items=scored(other, 1).mean(axis=(1, 2)),
    )


def blocks(setting: Setting, reps: int, rng: np.random.Generator) -> Iterator[Simulated]:
    """Draw ``reps`` exercises, as many at a time as fit the memory."""
    most = max(1, _CELLS // (setting.labs * setting.items))
    while reps > 0:
        yield simulate(setting, min(most, reps), rng)
        reps -= most


@dataclass(frozen=True, slots=True)
class Ends:
    """Interval ends of each repetition; not a number where none was computed."""

    lower: Array
    upper: Array

    def cover(self, truth: Array) -> float:
        """Share of the computed intervals that hold the truth."""
        return float(self.holds(truth)[self.computed].mean())

    def holds(self, truth: Array) -> NDArray[np.bool_]:
        """Say for each repetition whether the truth is held."""
        return np.asarray((self.lower <= truth) & (truth <= self.upper))

    @property
    def computed(self) -> NDArray[np.bool_]:
        """Say for each repetition whether there is an interval."""
        return np.isfinite(self.upper)


def score_ends(value: Array, error: ErrorVariance, df: Array, level: float) -> Ends:
    """Take score bounds, as ``countermark.statistics.bound`` does."""
    p = np.clip(value, 1e-9, 1 - 1e-9)
    t = special.stdtrit(df, (1 + level) / 2)
    weight = t**2 * error.total / (p * (1 - p))
    root = np.sqrt(t**2 * error.total + weight**2 / 4)
    return Ends((p + weight / 2 - root) / (1 + weight), (p + weight / 2 + root) / (1 + weight))


def crossed_ends(cells: Array, estimand: Estimand, level: float = 0.95) -> Ends:
    """Compute ``countermark.statistics.crossed`` intervals of many repetitions at once."""
    value, items, tail = cells.mean(axis=(1, 2)), cells.shape[2], (1 - level) / 2
    ms = mean_squares(cells)
    error = error_variance(ms, estimand)
    ends = score_ends(value, error, degrees_of_freedom(error), level)
    exact = (ms.lab == 0) & (ms.item == 0) & (ms.lab_item == 0)
    if estimand == "generalised":
        exact |= carried_by_few(cells)
    events = np.where(exact, value * items, 1.0)
    others = np.maximum(items - events, 0.0)
    lower = special.betaincinv(np.maximum(events, 1e-12), others + 1, tail)
    upper = special.betaincinv(events + 1, np.maximum(others, 1e-12), 1 - tail)
    return Ends(
        np.where(exact, np.where(events > 0, lower, 0.0), ends.lower),
        np.where(exact, np.where(others > 0, upper, 1.0), ends.upper),
    )


def new_lab_ends(cells: Array, estimand: Estimand, level: float = 0.95) -> Ends:
    """Compute ``countermark.statistics.new_lab`` intervals of many repetitions at once."""
    ms = mean_squares(cells)
    error = new_lab_error(ms, estimand)
    ends = score_ends(cells.mean(axis=(1, 2)), error, degrees_of_freedom(error), level)
    none = (ms.lab == 0) & (ms.item == 0) & (ms.lab_item == 0)
    if estimand == "generalised":
        none |= carried_by_few(cells)
    return Ends(np.where(none, np.nan, ends.lower), np.where(none, np.nan, ends.upper))


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


def crossing_of(cells: Array, epochs: Array | int) -> Crossing:
    """Make a crossing of 0/1 scores of the cell means of one repetition."""
    labs, items = cells.shape
    count = np.broadcast_to(np.asarray(epochs), cells.shape)
    total = np.where(count > 0, cells, 0.0) * count  # of 0/1 scores, the sum of squares is the sum
    keys = tuple(map(str, range(10, 10 + labs))), tuple(f"{i:06}" for i in range(items))
    return Crossing(*keys, count.astype(np.int64), total, total)


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


PLACE = ("labs", "s_lab", "items", "rate", "epochs", "expected events")


def _row(setting: Setting, *figures: float) -> tuple[str, ...]:
    s = setting
    place = (str(s.labs), f"{s.s_lab:g}", str(s.items), f"{s.rate:g}", str(s.epochs))
    return (*place, f"{s.events:g}", *(f"{figure:.3f}" for figure in figures))


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
    _table((*PLACE, *methods, "**crossed**"), rows)


def compare_degrees_of_freedom(reps: int, rng: np.random.Generator) -> None:
    print(f"## Generalised rate at three labs: degrees of freedom ({reps} repetitions)\n")
    rows = []
    for rate, s_lab in product((0.05, 0.2, 0.5), (0.0, 0.1, 0.3)):
        setting = Setting(3, 300, rate, s_lab)
        drawn = simulate(setting, reps, rng)
        error = error_variance(mean_squares(drawn.cells), "generalised")
        both = degrees_of_freedom(error)
        lab, item = error.parts
        satterthwaite = 1 / sum((p.square / error.total) ** 2 / p.df for p in error.parts)
        share = lab.variance / error.total
        quantile = share * special.stdtrit(lab.df, 0.975) ** 2
        quantile = quantile + (1 - share) * special.stdtrit(item.df, 0.975) ** 2
        matched = special.stdtridf(0.975, np.sqrt(quantile))
        truth, value = drawn.truth("generalised"), drawn.cells.mean(axis=(1, 2))
        choices = (np.maximum(satterthwaite, lab.df), matched, both)
        covers = [score_ends(value, error, df, 0.95).cover(truth) for df in choices]
        rows.append(_row(setting, *covers))
    _table((*PLACE, "Satterthwaite", "matched", "**smaller of both**"), rows)


FIGURES = (
    "benchmark",
    "generalised",
    "not computable",
    "exact on items",
    "upper 95 % missed",
    "lower 95 % missed",
    "upper 99 % missed",
    "F test, p < 0.05",
    "further lab, same items",
    "further lab, new items",
    "further lab not computable",
)


def figures(setting: Setting, reps: int, rng: np.random.Generator) -> list[float]:
    """Compute the ``FIGURES`` of a design."""
    found: list[list[Array]] = []
    for drawn in blocks(setting, reps, rng):
        cells, truth = drawn.cells, drawn.truth("generalised")
        ends = {estimand: crossed_ends(cells, estimand) for estimand in BOTH}
        one_sided = crossed_ends(cells, "generalised", 0.9)
        new = {estimand: new_lab_ends(cells, estimand) for estimand in BOTH}
        ms = mean_squares(cells)
        ratio = ms.lab / np.where(ms.lab_item > 0, ms.lab_item, np.inf)
        df = setting.labs - 1, (setting.labs - 1) * (setting.items - 1)
        columns = [
            *(np.where(e.computed, e.holds(drawn.truth(k)), np.nan) for k, e in ends.items()),
            ~ends["generalised"].computed,
            carried_by_few(cells),
            one_sided.upper < truth,
            one_sided.lower > truth,
            crossed_ends(cells, "generalised", 0.98).upper < truth,
            special.fdtrc(*df, ratio) < 0.05,
            *(np.where(e.computed, e.holds(drawn.report(k)), np.nan) for k, e in new.items()),
            ~new["generalised"].computed,
        ]
        found.append([np.asarray(column, dtype=np.float64) for column in columns])
    joined = [np.concatenate(parts) for parts in zip(*found, strict=True)]
    return [float(np.nanmean(x)) if np.isfinite(x).any() else np.nan for x in joined]


def coverage(reps: int, rng: np.random.Generator) -> None:
    print("## Coverage in every design\n")
    print("The F test's column is its size where s_lab is 0, and its power elsewhere.\n")
    rows, kept = [], []
    for labs, items, rate, s_lab, epochs in product(LABS, ITEMS, RATES, S_LABS, EPOCHS):
        setting = Setting(labs, items, rate, s_lab, epochs)
        result = figures(setting, reps, rng)
        kept.append((setting, result))
        rows.append(_row(setting, *result))
    _table((*PLACE, *FIGURES), rows)
    _again(kept, 4 * reps, rng)
    print("## The same in short: least and most over the designs\n")
    short = []
    for enough, s_lab in product((True, False), S_LABS):
        chosen = [r for s, r in kept if s.s_lab == s_lab and (s.events >= 10) == enough]
        spans = (
            f"{np.nanmin(column):.3f} to {np.nanmax(column):.3f}"
            for column in zip(*chosen, strict=True)
        )
        short.append(("10 or more" if enough else "fewer", f"{s_lab:g}", str(len(chosen)), *spans))
    _table(("expected events", "s_lab", "designs", *FIGURES), short)


def _again(kept: list[tuple[Setting, list[float]]], reps: int, rng: np.random.Generator) -> None:
    """Take the designs that fell outside once more, so that chance is told from a shortfall."""
    outside = [
        s for s, r in kept if s.events >= 10 and not all(0.93 <= found <= 0.97 for found in r[:2])
    ]
    print(f"## Designs outside 0.93 to 0.97, with ten events or more, again ({reps} repetitions)\n")
    _table((*PLACE, *FIGURES[:2]), [_row(s, *figures(s, reps, rng)[:2]) for s in outside])


def other_items(reps: int, rng: np.random.Generator) -> None:
    print("## Items that differ less or more\n")
    rows = []
    for s_item, labs, (items, rate), epochs in product(
        (0.5, 2.5), (3, 6, 10), ((30, 0.02), (30, 0.5), (300, 0.02), (300, 0.1)), EPOCHS
    ):
        setting = Setting(labs, items, rate, 0.1, epochs, s_item)
        rows.append((f"{s_item:g}", *_row(setting, *figures(setting, reps, rng)[:4])))
    _table(("s_item", *PLACE, *FIGURES[:4]), rows)


def bootstraps(reps: int, rng: np.random.Generator) -> None:
    print(f"## Pigeonhole bootstrap, 2,000 replicates ({reps} repetitions)\n")
    rows = []
    for labs, s_lab in product(LABS, (0.0, 0.1, 0.3)):
        setting = Setting(labs, 300, 0.2, s_lab)
        drawn = simulate(setting, reps, rng)
        held: list[list[bool]] = []
        for j, cells in enumerate(drawn.cells):
            (again,) = pigeonhole((crossing_of(cells, setting.epochs),), seed=j)
            if isinstance(again, NotComputable):
                continue
            row: list[bool] = []
            for estimand in BOTH:
                result, truth = bootstrapped(again, estimand, seed=j), drawn.truth(estimand)[j]
                if isinstance(result, Bootstrap):
                    inner = result.percentile
                    row.append(bool(inner.lower <= truth <= inner.upper))
                    row.append(bool(result.lower <= truth <= result.upper))
            if len(row) == 2 * len(BOTH):
                held.append(row)
        rows.append(_row(setting, *np.mean(held, axis=0)))
    kinds = ("percentile", "**interval**")
    _table((*PLACE, *(f"{estimand}, {kind}" for estimand in BOTH for kind in kinds)), rows)


def mixed_models(reps: int, rng: np.random.Generator) -> None:
    print(f"## Generalised rate by the mixed model ({reps} repetitions)\n")
    rows = []
    for labs, items, rate, s_lab, epochs in (
        (3, 300, 0.1, 0.3, 1), (6, 100, 0.15, 0.3, 2), (6, 100, 0.15, 0.3, 6),
        (6, 300, 0.3, 0.0, 2), (10, 300, 0.05, 0.1, 2),
    ):  # fmt: skip
        setting = Setting(labs, items, rate, s_lab, epochs)
        drawn = simulate(setting, reps, rng)
        laplace, ours, held = [], [], []
        for cells in drawn.cells:
            crossing = crossing_of(cells, epochs)
            lab, item = np.nonzero(crossing.count)
            cell = Grid.from_cells(
                lab=[crossing.labs[k] for k in lab],
                model="m",
                language="en",
                task="t",
                item=[crossing.items[i] for i in item],
                scorer="s",
                count=crossing.count[lab, item],
                total=crossing.total[lab, item],
            )
            model = lab_model(cell)
            if isinstance(model, NotComputable):
                continue
            known = marginal_rate(model.fit, np.ones(1), "generalised")
            found = modelled(model, "generalised", 0.95)
            if isinstance(known, NotComputable) or isinstance(found, NotComputable):
                continue
            laplace.append(known.value - rate)
            ours.append(found.value - rate)
            held.append(found.lower <= rate <= found.upper)
        lost = 1 - len(held) / reps
        rows.append(_row(setting, *(float(np.mean(x)) for x in (laplace, ours, held)), lost))
    heads = ("Laplace, mean error", "**integrated**, mean error", "its interval", "not computable")
    _table((*PLACE, *heads), rows)


def gaps(reps: int, rng: np.random.Generator) -> None:
    print(f"## Cells missing at random, and epochs that differ from 1 to 3 ({reps} repetitions)\n")
    rows = []
    for labs, s_lab, missing in product((3, 6, 10), (0.0, 0.3), (0.0, 0.05)):
        setting = Setting(labs, 300, 0.2, s_lab, epochs=3)
        drawn = simulate(setting, reps, rng)
        kept, width, held = [], [], []
        for cells in drawn.cells:
            epochs = rng.integers(1, 4, cells.shape) * (rng.random(cells.shape) >= missing)
            events = np.rint(setting.epochs * cells).astype(np.int64)
            total = rng.hypergeometric(events, setting.epochs - events, epochs)
            crossing = crossing_of(total / np.maximum(epochs, 1), epochs)
            result = crossed(crossing, "generalised")
            if isinstance(result, NotComputable):
                continue
            kept.append(result.items / setting.items)
            width.append(result.upper - result.lower)
            held.append(result.lower <= setting.rate <= result.upper)
        means = (float(np.mean(x)) for x in (kept, width, held))
        rows.append((*_row(setting), f"{missing:g}", *(f"{mean:.3f}" for mean in means)))
    _table((*PLACE, "cells missing", "items kept", "mean width", "generalised"), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reps", type=int, default=1500, help="repetitions a row")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    rng = np.random.default_rng(asked.seed)
    print(f"{asked.reps} repetitions, seed {asked.seed}; nominal 95 %.\n")
    compare_methods(asked.reps, rng)
    compare_degrees_of_freedom(4 * asked.reps, rng)  # the choices lie close together
    coverage(asked.reps, rng)
    other_items(asked.reps, rng)
    bootstraps(asked.reps // 3, rng)
    mixed_models(asked.reps // 3, rng)
    gaps(asked.reps // 3, rng)


if __name__ == "__main__":
    main()
