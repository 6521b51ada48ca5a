# SPDX-License-Identifier: Apache-2.0
"""The worked replica of docs/replica.md: its folder, its planning, its simulated analysis.

    python scripts/replica.py folder DIR     write the protocol folder
    python scripts/replica.py --check        say whether the tables of docs/replica.md are today's
    python scripts/replica.py                write them anew

The answers are simulated from known rates: nothing here says anything of a real model.
"""

import functools
import re
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import replica_design as design
from replica_damage import damaged
from scipy import special

from countermark.exercise.lint import lint
from countermark.statistics import (
    AnalysisProtocol,
    Assumed,
    CellKey,
    Estimate,
    Grid,
    JointAnalysis,
    JointRate,
    KnownBeside,
    Margin,
    NotComputable,
    analyse,
    items_needed,
    wilson,
)

PAGE = Path(__file__).resolve().parent.parent / "docs" / "replica.md"
SEED = 2025
LINTED = 24
"""Items of a task in the folders that are damaged: fewer, so that the page is made in seconds."""
RATES = {"model-a": 0.12, "model-b": 0.25}
"""Simulated shares of unacceptable answers in English; others are shifted by SHIFT."""
SHIFT = {"en": 0.0, "fr": 0.05, "fa": 0.2, "ja": 0.1, "ko": 0.15, "ms": 0.1, "sw": 0.4, "te": 0.5,
         "yue": 0.3, "zh-Hans": 0.05}  # fmt: skip
"""In log-odds."""
S_LAB, S_LAB_LANGUAGE, S_ITEM, S_LAB_ITEM = 0.25, 0.15, 1.2, 0.3
UNREADABLE = dict.fromkeys(design.LANGUAGES, 0.01) | {"te": 0.12, "sw": 0.08}
"""Simulated share of judgements that cannot be read; a biased scorer counts them as bad answers."""
_TABLE = re.compile(r"(<!-- table: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
# Pass rates in per cent by language, strand 1 of the third exercise, as a third party renders
# the published table (ownyourai.com, as of November 2026); we have not checked it
# against the paper, arXiv 2601.15679.
PASSED = {
    "English": (57, 24), "Farsi": (47, 20), "French": (51, 35), "Hindi": (48, 20),
    "Japanese": (51, 20), "Kiswahili": (32, 20), "Korean": (35, 14), "Mandarin": (47, 26),
    "Telugu": (33, 15),
}  # fmt: skip
STATED = (46, 23)


@dataclass(frozen=True, slots=True)
class Simulated:
    """Scores of nine labs, ``(lab, model, category, language, item)``: 1 for an unacceptable one.

    ``readable`` says of which the judge's reply could be read.
    """

    scores: np.ndarray
    readable: np.ndarray


def simulate() -> Simulated:
    """Draw every lab's answers; an item is as hard in every language but for chance."""
    rng = np.random.Generator(np.random.PCG64(SEED))
    labs, models = len(design.PARTICIPANTS), len(design.MODELS)
    categories, languages = len(design.CATEGORIES), len(design.LANGUAGES)
    eta = np.empty((labs, models, categories, languages, design.ITEMS))
    eta[:] = special.logit(np.array([RATES[one] for one in design.MODELS]))[:, None, None, None]
    eta += np.array([SHIFT[one] for one in design.LANGUAGES])[:, None]
    eta += S_LAB * rng.standard_normal((labs, 1, 1, 1, 1))
    eta += S_LAB_LANGUAGE * rng.standard_normal((labs, 1, 1, languages, 1))
    eta += S_ITEM * rng.standard_normal((categories, 1, design.ITEMS))
    eta += S_LAB_ITEM * rng.standard_normal(eta.shape)
    scores = rng.random(eta.shape) < special.expit(eta)
    unreadable = np.array([UNREADABLE[one] for one in design.LANGUAGES])[:, None]
    return Simulated(scores, rng.random(eta.shape) >= unreadable)


def grid_of(found: Simulated) -> Grid:
    """Put the readable scores into a grid; the unreadable are counted beside."""
    lab, model, category, language, item = np.nonzero(found.readable)
    return Grid.from_rows(
        lab=_named(design.PARTICIPANTS, lab),
        model=_named(design.MODELS, model),
        language=_named(design.LANGUAGES, language),
        task=_named(tuple(design.CATEGORIES), category),
        item=[f"item-{number:03}" for number in item.tolist()],
        epoch=np.ones(len(item), dtype=np.int64),
        scorer="judge",
        score=found.scores[found.readable].astype(np.float64),
    )


def analysis(found: Simulated) -> JointAnalysis:
    """Analyse it as ``finding compute`` would."""
    protocol = AnalysisProtocol(
        seed=1,
        replicates=200,
        comparison=Margin("en", 0.05, dict.fromkeys(design.CATEGORIES, "higher")),
    )
    settings = {lab: {"route": "own" if n % 3 else "hosted"}
                for n, lab in enumerate(design.PARTICIPANTS)}  # fmt: skip
    return analyse(grid_of(found), protocol, KnownBeside(settings=settings))


def _named(names: tuple[str, ...], codes: np.ndarray) -> list[str]:
    return [names[code] for code in codes.tolist()]


def table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return a Markdown table; all columns but the first are figures."""
    aligned = "---|" if header[1].startswith("found") else "---:|"
    lines = ["| " + " | ".join(header) + " |", "|---|" + aligned * (len(header) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"


def planning(_: JointAnalysis) -> str:
    """Items that a generalised rate needs in each cell, with nine labs and one epoch."""
    rows = []
    for rate in (0.05, 0.1, 0.2, 0.4):
        known = Assumed(rate, S_LAB, S_ITEM, S_LAB_ITEM).variances
        needed = [items_needed(known, half, labs=9) for half in (0.03, 0.05, 0.1)]
        words = ["–" if isinstance(one, NotComputable) else f"{one:,}" for one in needed]
        rows.append((f"{rate:.0%}", *words))
    return table(("expected rate", "± 3 points", "± 5 points", "± 10 points"), rows)


def aggregates(_: JointAnalysis) -> str:
    """Plain means of the published rows beside the stated overall."""
    rows = [(name, *(f"{rate}" for rate in rates)) for name, rates in PASSED.items()]
    means = [float(np.mean(column)) for column in zip(*PASSED.values(), strict=True)]
    rows.append(("**plain mean of the nine**", *(f"**{mean:.1f}**" for mean in means)))
    rows.append(("**stated overall**", *(f"**{rate}**" for rate in STATED)))
    return table(("language", "Model A, %", "Model B, %"), rows)


def truth(model: str, language: str) -> float:
    """Return the simulated rate over labs and items like these."""
    spread = float(np.sqrt(S_LAB**2 + S_LAB_LANGUAGE**2 + S_ITEM**2 + S_LAB_ITEM**2))
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    centre = special.logit(RATES[model]) + SHIFT[language]
    return float(special.expit(centre + spread * nodes) @ weights / weights.sum())


def rates(found: JointAnalysis) -> str:
    """One model and category in ten languages, by what is usual and by the joint analysis."""
    drawn, rows = simulate(), []
    model, category = 0, list(design.CATEGORIES).index("privacy")
    for number, language in enumerate(design.LANGUAGES):
        cell = (slice(None), model, category, number)
        scores, readable = drawn.scores[cell], drawn.readable[cell]
        events, judged = int(scores[readable].sum()), int(readable.sum())
        naive = wilson(events, judged)
        biased = (events + int((~readable).sum())) / readable.size
        key = CellKey("privacy", design.MODELS[model], language, "judge")
        joint = next(one.result for one in found.rates if one.cell == key)
        estimate = joint.estimate("generalised") if isinstance(joint, JointRate) else None
        ours = (
            f"{estimate.value:.1%} ({estimate.lower:.1%} to {estimate.upper:.1%})"
            if isinstance(estimate, Estimate)
            else "–"
        )
        rows.append(
            (
                language,
                f"{truth(design.MODELS[model], language):.1%}",
                f"{events / judged:.1%} ({naive.lower:.1%} to {naive.upper:.1%})",
                f"{biased:.1%}",
                ours,
            )
        )
    header = (
        "language",
        "simulated truth",
        "every answer independent",
        "unreadable as bad",
        "joint rate",
    )
    return table(header, rows)


def held(found: JointAnalysis) -> str:
    """How many of the cells' intervals hold the simulated truth."""
    drawn = simulate()
    naive = joint = cells = 0
    for one in found.rates:
        key = one.cell
        true = truth(key.model, key.language)
        estimate = one.result.estimate("generalised") if isinstance(one.result, JointRate) else None
        if not isinstance(estimate, Estimate):
            continue
        cells += 1
        joint += estimate.lower <= true <= estimate.upper
        place = (
            slice(None),
            design.MODELS.index(key.model),
            list(design.CATEGORIES).index(key.task),
            design.LANGUAGES.index(key.language),
        )
        readable = drawn.readable[place]
        usual = wilson(int(drawn.scores[place][readable].sum()), int(readable.sum()))
        naive += usual.lower <= true <= usual.upper
    rows = [
        ("every answer independent (Wilson)", f"{naive} of {cells}"),
        ("crossed labs × items", f"{joint} of {cells}"),
    ]
    return table(("interval", "holds the simulated truth"), rows)


def languages(found: JointAnalysis) -> str:
    """Verdicts of the comparisons with English, by language, over ten tasks and models."""
    if isinstance(found.languages, NotComputable):
        raise SystemExit(found.languages.reason)
    counts: dict[str, list[str]] = {}
    for one in found.languages:
        if one.estimand == "generalised" and not isinstance(one.result, NotComputable):
            for compared in one.result.languages:
                counts.setdefault(compared.language, []).append(compared.verdict)
    verdicts = ("non-inferior", "different", "undetermined")
    rows = [
        (language, *(str(counts[language].count(verdict)) for verdict in verdicts))
        for language in design.LANGUAGES
        if language in counts
    ]
    return table(("language against English", *verdicts), rows)


def caught(_: JointAnalysis) -> str:
    """Return what the lint says of each kind of damage that it does not say of the whole folder."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "replica"
        make = functools.partial(design.write_folder, items=LINTED)
        make(folder)
        usual = {one.rule.number for one in lint(folder).findings}
        for damage in damaged(make, folder):
            found = {one.rule.number: one.rule.name for one in lint(folder).findings}
            told = [f"{number} `{found[number]}`" for number in sorted(found.keys() - usual)]
            rows.append((damage.words, ", ".join(told) or "nothing"))
    return table(("damage", "found by the lint, before anyone ran"), rows)


TABLES: dict[str, Callable[[JointAnalysis], str]] = {
    "caught": caught,
    "planning": planning,
    "aggregates": aggregates,
    "rates": rates,
    "held": held,
    "languages": languages,
}


def page(text: str, found: JointAnalysis) -> str:
    """Return the page with its tables as they are computed today."""
    return _TABLE.sub(lambda place: f"{place[1]}\n{TABLES[place[2]](found)}\n{place[3]}", text)


def main(words: list[str]) -> int:
    """Do what the command line says."""
    if words[:1] == ["folder"] and len(words) == 2:
        design.write_folder(Path(words[1]))
        return 0
    text = PAGE.read_text(encoding="utf-8")
    today = page(text, analysis(simulate()))
    if words == ["--check"]:
        return int(today != text)
    PAGE.write_text(today, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
