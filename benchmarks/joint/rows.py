# SPDX-License-Identifier: Apache-2.0
"""Simulated rows of a joint test, the same for whoever analyses them. Needs numpy only."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MISSING = 0.05


@dataclass(frozen=True)
class Design:
    """How many labs, models, languages, items and epochs."""

    labs: int
    models: int
    languages: int
    items: int
    epochs: int


SIZES = {
    "10k": Design(6, 2, 4, 208, 1),
    "100k": Design(8, 3, 6, 347, 2),
    "1M": Design(10, 4, 10, 1250, 2),
    "10M": Design(12, 5, 12, 5800, 2),
}


@dataclass(frozen=True)
class Rows:
    """``(n,)`` codes from 0 up, and scores of 0 or 1."""

    lab: NDArray[np.int32]
    model: NDArray[np.int32]
    language: NDArray[np.int32]
    item: NDArray[np.int32]
    epoch: NDArray[np.int32]
    score: NDArray[np.int8]


def simulate(design: Design, missing: float = MISSING, seed: int = 1) -> Rows:
    """Draw 0/1 answers by a logit-normal model, a share of them missing."""
    d, rng = design, np.random.Generator(np.random.PCG64(seed))
    item = 1.2 * rng.standard_normal(d.items)
    lab = 0.35 * rng.standard_normal(d.labs)
    both = 0.2 * rng.standard_normal((d.labs, d.languages))
    parts = []
    for k in range(d.labs):  # one lab at a time, so that the largest design fits into memory
        shape = (d.models, d.languages, d.items, d.epochs)
        m, n, i, e = (index.ravel() for index in np.indices(shape, dtype=np.int32))
        kept = rng.random(m.size) >= missing
        m, n, i, e = m[kept], n[kept], i[kept], e[kept]
        eta = -1 + lab[k] + both[k, n] + 0.1 * m - 0.1 * n + item[i]
        score = (rng.random(eta.size) * (1 + np.exp(-eta)) < 1).astype(np.int8)
        parts.append((np.full(m.size, k, dtype=np.int32), m, n, i, e, score))
    codes = [np.concatenate([part[n] for part in parts]) for n in range(5)]
    score = np.concatenate([part[5] for part in parts]).astype(np.int8)
    return Rows(codes[0], codes[1], codes[2], codes[3], codes[4], score)


@dataclass(frozen=True)
class Cells:
    """Groups (lab, model, language) x items: events and answers, and the groups' codes."""

    total: NDArray[np.float64]
    count: NDArray[np.float64]
    lab: NDArray[np.intp]
    model: NDArray[np.intp]
    language: NDArray[np.intp]


def add_up(rows: Rows, design: Design) -> Cells:
    """Add rows up to cells by counting."""
    d = design
    group = (rows.lab * d.models + rows.model) * d.languages + rows.language
    cell = group * d.items + rows.item
    shape = (d.labs * d.models * d.languages, d.items)
    size = shape[0] * shape[1]
    count = np.bincount(cell, minlength=size).reshape(shape).astype(np.float64)
    total = np.bincount(cell, weights=rows.score, minlength=size).reshape(shape).astype(np.float64)
    codes = np.indices((d.labs, d.models, d.languages), dtype=np.intp).reshape(3, -1)
    return Cells(total, count, codes[0], codes[1], codes[2])
