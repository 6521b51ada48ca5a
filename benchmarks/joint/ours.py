# SPDX-License-Identifier: Apache-2.0
"""One piece of work by Countermark in a process of its own. Prints JSON.

    python ours.py mixed|grid|analysis|bootstrap|loop SIZE [REPEAT]

CPU seconds of this process, the least of the repetitions; making the rows is not counted, nor are
imports. ``peak`` is the most memory that the process ever held, rows and imports included.
"""

import json
import resource
import sys
import time
from collections.abc import Callable

import numpy as np
from rows import SIZES, Design, Rows, add_up, simulate

from countermark.statistics import (
    AnalysisProtocol,
    Binomial,
    Crossing,
    Grid,
    KnownBeside,
    Limit,
    Margin,
    MixedFit,
    RandomFactor,
    analyse,
    bootstrap,
    mixed,
)

REPLICATES = 2000


def mixed_model(design: Design) -> Callable[[], dict[str, object]]:
    """Fit ``model + language + (1|item) + (1|lab) + (1|lab:language)`` by maximum likelihood."""
    rows = simulate(design)

    def work() -> dict[str, object]:
        cells = add_up(rows, design)
        ones = np.ones(len(cells.lab))
        fixed = np.column_stack(
            [ones]
            + [cells.model == m for m in range(1, design.models)]
            + [cells.language == n for n in range(1, design.languages)]
        ).astype(np.float64)
        both = cells.lab * design.languages + cells.language
        factors = (RandomFactor("lab", cells.lab), RandomFactor("lab:language", both))
        fit = mixed(Binomial(cells.total, cells.count), fixed, factors, restricted=False)
        if not isinstance(fit, MixedFit):
            raise SystemExit(f"The mixed model was not fitted: {fit.reason}")
        return {"rows": len(rows.score), "loglik": fit.loglik}

    return work


def _named(prefix: str, codes: np.ndarray) -> list[str]:
    names = [f"{prefix}{code:05}" for code in range(int(codes.max()) + 1)]
    return [names[code] for code in codes.tolist()]


def _columns(rows: Rows) -> dict[str, object]:
    return {
        "lab": _named("lab", rows.lab),
        "model": _named("model", rows.model),
        "language": _named("lang", rows.language),
        "task": "task",
        "item": _named("item", rows.item),
        "epoch": rows.epoch,
        "scorer": "exact",
        "score": rows.score.astype(np.float64),
    }


def grid_making(design: Design) -> Callable[[], dict[str, object]]:
    """Reduce rows of text keys to a grid."""
    columns = _columns(simulate(design))

    def work() -> dict[str, object]:
        grid = Grid.from_rows(**columns)  # type: ignore[arg-type]
        return {"rows": int(grid.count.sum())}

    return work


def full_analysis(design: Design) -> Callable[[], dict[str, object]]:
    """Reduce the rows and run every section, with 2,000 replicates."""
    # Without missing answers: the joint rate keeps only items that every lab scored.
    columns = _columns(simulate(design, missing=0.0))
    labs = sorted(set(columns["lab"]))  # type: ignore[call-overload]
    protocol = AnalysisProtocol(
        seed=1,
        replicates=REPLICATES,
        comparison=Margin("lang00000", 0.05, {"task": "higher"}),
        limits=(Limit("task", 0.3, "at most", 0.01, 0.05),),
    )
    settings = {lab: {"tool": "xy"[number % 2]} for number, lab in enumerate(labs)}

    def work() -> dict[str, object]:
        grid = Grid.from_rows(**columns)  # type: ignore[arg-type]
        found = analyse(grid, protocol, KnownBeside(settings=settings))
        return {"cells": len(found.rates)}

    return work


def _one_cell(design: Design) -> Crossing:
    cells = add_up(simulate(design, missing=0.0), design)
    first = (cells.model == 0) & (cells.language == 0)
    keys = (
        tuple(f"lab{k:03}" for k in range(design.labs)),
        tuple(f"item{i:05}" for i in range(design.items)),
    )
    total = cells.total[first]
    return Crossing(*keys, cells.count[first].astype(np.int64), total, total)


def redrawing(design: Design) -> Callable[[], dict[str, object]]:
    """Draw labs and items of one cell 2,000 times, as matrix products."""
    crossing = _one_cell(design)

    def work() -> dict[str, object]:
        bootstrap(crossing, "generalised", 1, replicates=REPLICATES)
        return {}

    return work


def row_loop(design: Design) -> Callable[[], dict[str, object]]:
    """Do what redrawing does, one replicate after the other over the rows."""
    d, rng = design, np.random.Generator(np.random.PCG64(1))
    crossing = _one_cell(design)
    lab, item = (np.repeat(index.ravel(), d.epochs) for index in np.indices(crossing.total.shape))
    score = np.repeat((crossing.total / crossing.count).ravel(), d.epochs)

    def work() -> dict[str, object]:
        for _ in range(REPLICATES):
            labs = np.bincount(rng.integers(0, d.labs, d.labs), minlength=d.labs)
            items = np.bincount(rng.integers(0, d.items, d.items), minlength=d.items)
            weight = labs[lab] * items[item]
            float((weight * score).sum() / weight.sum())
        return {}

    return work


WORK = {
    "mixed": mixed_model,
    "grid": grid_making,
    "analysis": full_analysis,
    "bootstrap": redrawing,
    "loop": row_loop,
}


def main() -> None:
    kind, size, *repeat = sys.argv[1:]
    work = WORK[kind](SIZES[size])
    least, found = float("inf"), {}
    for _ in range(int(repeat[0]) if repeat else 1):
        start = time.process_time()
        found = work()
        least = min(least, time.process_time() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": least, "peak": peak, **found}))


if __name__ == "__main__":
    main()
