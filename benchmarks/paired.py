# SPDX-License-Identifier: Apache-2.0
"""Size and power of the tests of a paired difference between two languages. Prints Markdown.

    python benchmarks/paired.py --reps 2000 --seed 1

Answers are 0/1, with logit(rate) = mean + lab + item + lab x language + item x language +
lab x item x language, normal with standard deviations 0.2, 1.2, ``s_lab_language``, 0.6 and 0.3.
Harm is scored, so higher is worse; alpha is 5 %. A size of 0.05 has a Monte Carlo error of about 1
point at 2,000 repetitions (two standard errors).
"""

import argparse
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy import optimize, special

from countermark.statistics.estimate import Estimand
from countermark.statistics.layout import Array, clipped_variance, error_variance, mean_squares
from countermark.statistics.pairs import Pairs, pairs

S_LAB, S_ITEM, S_ITEM_LANGUAGE, S_ALL = 0.2, 1.2, 0.6, 0.3
ALPHA = 0.05
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(60)
_TINY = 1e-300


@dataclass(frozen=True, slots=True)
class Setting:
    """Two languages: ``rate`` in the reference, ``rate + loss`` in the other."""

    labs: int
    items: int
    rate: float
    loss: float
    s_lab_language: float
    epochs: int = 1


@dataclass(frozen=True, slots=True)
class Drawn:
    """Differences ``(R, K, I)``, and the true difference ``(R,)`` for each estimand."""

    cells: Array
    benchmark: Array
    generalised: Array


@dataclass(frozen=True, slots=True)
class Rejections:
    """How often each null hypothesis was rejected at 5 %; ``t`` is ``d ± t * se`` instead.

    ``loss``: the true loss is at least what it is. ``gain``: at most. ``equal``: it is what it is,
    two-sided. All three are true, so these are sizes.
    """

    loss: float
    gain: float
    equal: float
    t_loss: float
    t_equal: float


def _mean_rate(logit: Array | float, deviation: float) -> Array:
    rates = special.expit(np.asarray(logit)[..., None] + deviation * _NODES)
    return np.asarray((rates * _WEIGHTS).sum(axis=-1) / _WEIGHTS.sum())


def simulate(setting: Setting, reps: int, rng: np.random.Generator) -> Drawn:
    """Draw ``reps`` exercises in two languages."""
    s = setting
    labs_only = float(np.hypot(np.hypot(S_LAB, s.s_lab_language), S_ALL))
    spread = float(np.hypot(labs_only, np.hypot(S_ITEM, S_ITEM_LANGUAGE)))
    lab = S_LAB * rng.normal(size=(reps, s.labs, 1))
    item = S_ITEM * rng.normal(size=(reps, 1, s.items))
    cells, truth = [], []
    for rate in (s.rate + s.loss, s.rate):
        mean = optimize.brentq(lambda b, r=rate: float(_mean_rate(b, spread)) - r, -20, 20)
        items = mean + item + S_ITEM_LANGUAGE * rng.normal(size=(reps, 1, s.items))
        labs = lab + s.s_lab_language * rng.normal(size=(reps, s.labs, 1))
        rest = S_ALL * rng.normal(size=(reps, s.labs, s.items))
        cells.append(rng.binomial(s.epochs, special.expit(items + labs + rest)) / s.epochs)
        truth.append(_mean_rate(items[:, 0], labs_only).mean(axis=1))
    return Drawn(cells[0] - cells[1], truth[0] - truth[1], np.full(reps, s.loss))


def tests(cells: Array, estimand: Estimand) -> Pairs:
    """Make the tests of many repetitions ready, as ``difference`` does for one."""
    ms = mean_squares(cells)
    error = clipped_variance(ms) if estimand == "generalised" else error_variance(ms, estimand)
    return pairs(cells, ms, error)


def _two_sided(found: Pairs, null: Array | float) -> Array:
    return 2 * np.minimum(found.p_at_least(null), found.p_at_most(null))


def sizes(drawn: Drawn, estimand: Estimand) -> Rejections:
    """How often true null hypotheses are rejected."""
    truth = drawn.benchmark if estimand == "benchmark" else drawn.generalised
    found = tests(drawn.cells, estimand)
    se = np.sqrt(np.maximum(found.variance, _TINY))
    t = (found.value - truth) / se
    return Rejections(
        loss=float((found.p_at_least(truth) < ALPHA).mean()),
        gain=float((found.p_at_most(truth) < ALPHA).mean()),
        equal=float((_two_sided(found, truth) < ALPHA).mean()),
        t_loss=float((special.stdtr(found.df, t) < ALPHA).mean()),
        t_equal=float((2 * special.stdtr(found.df, -np.abs(t)) < ALPHA).mean()),
    )


def power(setting: Setting, margin: float, reps: int, rng: np.random.Generator) -> float:
    """How often the other language is shown to be non-inferior, for the generalised estimand."""
    found = tests(simulate(setting, reps, rng).cells, "generalised")
    return float((found.p_at_least(margin) < ALPHA).mean())


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def print_sizes(reps: int, rng: np.random.Generator) -> None:
    """Print how often true null hypotheses are rejected at 5 %; the bar is 0.06."""
    print("## Two languages: size of the 5 % tests\n")
    rows = []
    for labs, items, (rate, loss), s in product(
        (3, 4, 6, 10),
        (30, 100, 300),
        ((0.02, 0.05), (0.02, 0.0), (0.1, 0.05), (0.3, 0.1), (0.5, 0.0)),
        (0.0, 0.3, 0.5),
    ):
        figures: list[float] = []
        drawn = simulate(Setting(labs, items, rate, loss, s), reps, rng)
        for estimand in ("generalised", "benchmark"):
            r = sizes(drawn, estimand)
            figures += [r.loss, r.gain, r.equal, r.t_loss, r.t_equal]
        where = (str(labs), str(items), f"{rate:g}", f"{loss:g}", f"{s:g}")
        rows.append((*where, *(f"{figure:.3f}" for figure in figures)))
    tested = ("loss", "gain", "equal", "loss, d ± t·se", "equal, d ± t·se")
    head = ("labs", "items", "rate", "true loss", "s_lab_language", *tested)
    _table((*head, *(f"benchmark: {name}" for name in tested)), rows)


def print_power(reps: int, rng: np.random.Generator) -> None:
    """Print how often a language with no loss is shown to be non-inferior."""
    print("## Two languages: power of the test of non-inferiority, margin 0.1, no true loss\n")
    rows = []
    for labs, items, rate in product((3, 4, 6, 10), (30, 100, 300), (0.02, 0.1, 0.5)):
        shown = [power(Setting(labs, items, rate, 0.0, s), 0.1, reps, rng) for s in (0.0, 0.3, 0.5)]
        rows.append((str(labs), str(items), f"{rate:g}", *(f"{share:.3f}" for share in shown)))
    spreads = ("s_lab_language 0", "0.3", "0.5")
    _table(("labs", "items", "rate", *spreads), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reps", type=int, default=2000, help="repetitions a row")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    rng = np.random.Generator(np.random.PCG64(asked.seed))
    print(f"{asked.reps} repetitions, seed {asked.seed}; one epoch.\n")
    print_sizes(asked.reps, rng)
    print_power(asked.reps, rng)


if __name__ == "__main__":
    main()
