# SPDX-License-Identifier: Apache-2.0
"""Tables that other implementations have fitted, from ``tests/oracles/mixed.json``."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from countermark.statistics.mixed import RandomFactor
from countermark.statistics.response import Binomial, Gaussian, Ordinal

ORACLES = Path(__file__).resolve().parents[1] / "oracles"
GOLDEN: dict[str, Any] = json.loads((ORACLES / "mixed.json").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    response: Any
    fixed: np.ndarray
    random: tuple[RandomFactor, ...]
    golden: dict[str, Any]


def dummies(codes: Any) -> np.ndarray:
    """Columns of treatment contrasts; the lowest value is the reference."""
    values = np.unique(codes)
    found: np.ndarray = np.equal.outer(np.asarray(codes), values[1:]).astype(float)
    return found


def cbpp() -> Table:
    golden = GOLDEN["cbpp"]
    data = {name: np.asarray(values) for name, values in golden["data"].items()}
    total, count = np.zeros((4, 15)), np.zeros((4, 15))
    total[data["period"] - 1, data["herd"] - 1] = data["total"]
    count[data["period"] - 1, data["herd"] - 1] = data["count"]
    fixed = np.column_stack([np.ones(4), dummies(np.arange(4))])
    return Table(Binomial(total, count), fixed, (), golden)


def verbagg() -> Table:
    golden = GOLDEN["verbagg"]
    data = golden["data"]
    total = np.array([[int(c) for c in answers] for answers in data["answers"]], dtype=float)
    names = ("btype", "situ", "mode")
    fixed = np.column_stack([np.ones(len(total)), *(dummies(data[name]) for name in names)])
    factor = RandomFactor("question", np.arange(len(total)))
    return Table(Binomial(total, np.ones_like(total)), fixed, (factor,), golden)


def penicillin() -> Table:
    golden = GOLDEN["penicillin"]
    data = {name: np.asarray(values) for name, values in golden["data"].items()}
    shape = (data["sample"].max(), data["plate"].max())
    total, count = np.zeros(shape), np.zeros(shape)
    total[data["sample"] - 1, data["plate"] - 1] = data["diameter"]
    count[data["sample"] - 1, data["plate"] - 1] = 1
    factor = RandomFactor("sample", np.arange(shape[0]))
    return Table(Gaussian(total, total**2, count), np.ones((shape[0], 1)), (factor,), golden)


def wine() -> Table:
    golden = GOLDEN["wine"]
    data = {name: np.asarray(values) for name, values in golden["data"].items()}
    levels = np.zeros((8, 9, 5))
    fixed = np.ones((8, 3))
    for rating, temp, contact, bottle, judge in zip(
        *(data[name] for name in ("rating", "temp", "contact", "bottle", "judge")), strict=True
    ):
        levels[bottle - 1, judge - 1, rating - 1] += 1
        fixed[bottle - 1, 1:] = temp - 1, contact - 1
    factor = RandomFactor("bottle", np.arange(8))
    return Table(Ordinal(levels), fixed, (factor,), golden)


def simulated() -> Table:
    golden = GOLDEN["simulated"]
    lab, model, language = np.array(
        [group.split() for group in golden["data"]["groups"]], dtype=int
    ).T
    answers = golden["data"]["answers"]
    count = np.array([[c != "." for c in row] for row in answers], dtype=float)
    total = np.array([[c == "1" for c in row] for row in answers], dtype=float)
    fixed = np.column_stack([np.ones(len(lab)), dummies(model), dummies(language)])
    return Table(
        Binomial(total, count),
        fixed,
        (RandomFactor("lab", lab), RandomFactor("lab:language", lab * 1000 + language)),
        golden,
    )
