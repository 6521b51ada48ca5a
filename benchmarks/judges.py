# SPDX-License-Identifier: Apache-2.0
"""What correcting a judge is worth, and what it costs when its assumption fails. Prints Markdown.

    python benchmarks/judges.py --reps 1000 --seed 1

True answers have logit(rate) = mean + lab + item + lab x item, normal with standard deviations
``s_lab``, 1.2 and 0.3, and two epochs. A judge with sensitivity 0.85 and specificity 0.93 scores
them, and people label some. *As assumed*: the labels are a random sample of
the same answers, and both corrections use it. *Shifted*: people labelled other answers, with a rate
higher by 0.10; the rectified column shows what comes of calling them random all the same. *Drift*:
sensitivity and specificity were measured elsewhere, and the judge here has 0.70 and 0.97.
*leading* is what ``choose`` puts first, told the truth about the sample. Intervals are for the
generalised rate. Coverage is among repetitions with a figure; *none* is the share without one.
"""

import argparse
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from countermark.statistics import (
    Crossing,
    Estimate,
    Labelled,
    NotComputable,
    Sampling,
    Validity,
    choose,
    correct,
    crossed,
    rectify,
    wilson,
)
from countermark.statistics.layout import Array

S_ITEM, S_LAB_ITEM = 1.2, 0.3
SENSITIVITY, SPECIFICITY = 0.85, 0.93
DRIFTED = (0.70, 0.97)
SHIFT = 0.10
METHODS = ("judge only", "labels only", "rogan-gladen", "prediction-powered", "leading")
Assumption = Literal["as assumed", "shifted", "drift"]
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(60)


@dataclass(frozen=True, slots=True)
class Setting:
    """A simulated exercise."""

    labs: int
    items: int
    rate: float
    s_lab: float
    epochs: int = 2


SCENARIOS: tuple[tuple[Setting, int, Assumption], ...] = (
    (Setting(4, 300, 0.10, 0.1), 300, "as assumed"),
    (Setting(4, 300, 0.10, 0.1), 100, "as assumed"),
    (Setting(3, 300, 0.30, 0.3), 300, "as assumed"),
    (Setting(6, 100, 0.50, 0.0), 100, "as assumed"),
    (Setting(4, 500, 0.02, 0.1), 300, "as assumed"),
    (Setting(4, 300, 0.10, 0.1), 300, "shifted"),
    (Setting(4, 300, 0.10, 0.1), 300, "drift"),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one method: coverage and mean width where it gave a figure, and how often it did not."""

    method: str
    cover: float
    width: float
    none: float


@dataclass(frozen=True, slots=True)
class _Repetition:
    crossing: Crossing
    labelled: Labelled
    validity: Validity | None


def _mean_logit(setting: Setting) -> float:
    spread = float(np.sqrt(setting.s_lab**2 + S_ITEM**2 + S_LAB_ITEM**2))

    def excess(mean: float) -> float:
        rates = special.expit(mean + spread * _NODES)
        return float((rates * _WEIGHTS).sum() / _WEIGHTS.sum()) - setting.rate

    return float(optimize.brentq(excess, -15, 15))


def _true(setting: Setting, mean: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    s = setting
    logit = mean + S_ITEM * rng.normal(size=(1, s.items)) + s.s_lab * rng.normal(size=(s.labs, 1))
    logit = logit + S_LAB_ITEM * rng.normal(size=(s.labs, s.items))
    chance: Array = special.expit(logit)[:, :, None]
    return rng.random((s.labs, s.items, s.epochs)) < chance


def _judged(true: NDArray[np.bool_], rates: tuple[float, float], rng: np.random.Generator) -> Array:
    at = rng.random(true.shape)
    return np.where(true, at < rates[0], at > rates[1]).astype(np.float64)


def _validity(judge: Array, human: Array) -> Validity | None:
    event = human == 1
    if event.all() or not event.any():
        return None
    right = judge == human
    return Validity(
        int(right[event].sum()),
        int(event.sum()),
        int(right[~event].sum()),
        int((~event).sum()),
        "sw",
    )


def _draw(
    setting: Setting, mean: float, labels: int, assumption: Assumption, rng: np.random.Generator
) -> _Repetition:
    usual = (SENSITIVITY, SPECIFICITY)
    true = _true(setting, mean, rng)
    judge = _judged(true, DRIFTED if assumption == "drift" else usual, rng)
    total = judge.sum(axis=2)
    labs = tuple(f"lab{k}" for k in range(setting.labs))
    items = tuple(f"item{i:05}" for i in range(setting.items))
    crossing = Crossing(labs, items, np.full(total.shape, setting.epochs), total, total)
    chosen = rng.choice(true.size, labels, replace=False)
    if assumption == "shifted":
        # What people label has more events; that it is drawn from these answers only gives it
        # places in the crossing, as a wrong record would.
        weight = np.where(true.ravel(), setting.rate + SHIFT, 0.0) / max(true.sum(), 1)
        weight += np.where(true.ravel(), 0.0, 1 - setting.rate - SHIFT) / max((~true).sum(), 1)
        chosen = rng.choice(true.size, labels, replace=False, p=weight / weight.sum())
    lab, item, _ = np.unravel_index(chosen, true.shape)
    labelled = Labelled(
        [labs[k] for k in lab],
        [items[i] for i in item],
        judge.ravel()[chosen],
        true.ravel()[chosen].astype(np.float64),
        "sw",
        "random-same-cell",
    )
    validity = _validity(labelled.judge, labelled.human)
    if assumption == "drift":
        elsewhere = rng.random(labels) < setting.rate
        validity = _validity(_judged(elsewhere, usual, rng), elsewhere.astype(np.float64))
    return _Repetition(crossing, labelled, validity)


def _intervals(one: _Repetition, sampling: Sampling) -> list[tuple[float, float] | None]:
    versions = dict.fromkeys(one.crossing.labs, "v1")
    human = one.labelled.human
    alone = wilson(float(human.sum()), len(human))
    called_random = rectify(one.crossing, versions, one.labelled, "sw")
    leading = corrected = None
    if one.validity is not None:
        both = correct(one.crossing, versions, {"v1": one.validity}, "sw")
        corrected = both.generalised
        label = one.labelled
        told = Labelled(label.lab, label.item, label.judge, human, "sw", sampling)
        leading = choose(rectify(one.crossing, versions, told, "sw"), both, "generalised").leading
    found: list[Estimate | NotComputable | None] = [
        crossed(one.crossing, "generalised"),
        corrected,
        called_random.generalised,
        leading,
    ]
    ends = [(f.lower, f.upper) if isinstance(f, Estimate) else None for f in found]
    return [ends[0], (alone.lower, alone.upper), *ends[1:]]


def judge_study(
    setting: Setting, labels: int, assumption: Assumption, reps: int, rng: np.random.Generator
) -> tuple[Outcome, ...]:
    """Simulate ``reps`` exercises and return what each of ``METHODS`` did."""
    sampling: Sampling = "elsewhere" if assumption == "shifted" else "random-same-cell"
    mean = _mean_logit(setting)
    ends = [
        _intervals(_draw(setting, mean, labels, assumption, rng), sampling) for _ in range(reps)
    ]
    outcomes = []
    for place, method in enumerate(METHODS):
        found = np.array([row[place] for row in ends if row[place] is not None], dtype=np.float64)
        if not len(found):
            outcomes.append(Outcome(method, float("nan"), float("nan"), 1.0))
            continue
        lower, upper = found.T
        hit = (lower <= setting.rate) & (setting.rate <= upper)
        outcomes.append(
            Outcome(method, float(hit.mean()), float((upper - lower).mean()), 1 - len(found) / reps)
        )
    return tuple(outcomes)


def compare_corrections(reps: int, rng: np.random.Generator) -> None:
    """Print the table of all scenarios."""
    print(f"## Rate corrected for a judge: coverage (mean width; none) in {reps} repetitions\n")
    print("| labs | s_lab | items | rate | labels | assumption | " + " | ".join(METHODS) + " |")
    print("|" + "---|" * (6 + len(METHODS)))
    for setting, labels, assumption in SCENARIOS:
        figures = [
            f"{one.cover:.3f} ({one.width:.3f}; {one.none:.2f})"
            for one in judge_study(setting, labels, assumption, reps, rng)
        ]
        s = setting
        place = (str(s.labs), f"{s.s_lab:.2f}", str(s.items), f"{s.rate:.2f}", str(labels))
        print("| " + " | ".join((*place, assumption, *figures)) + " |")
    print()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reps", type=int, default=1000, help="repetitions a row")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    compare_corrections(asked.reps, np.random.default_rng(asked.seed))


if __name__ == "__main__":
    main()
