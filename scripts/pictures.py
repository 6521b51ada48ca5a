# SPDX-License-Identifier: Apache-2.0
"""Draw docs/pictures/ and write the rows that docs/statistics.md analyses, or check them.

    python scripts/pictures.py [--check]

The pictures are 480 wide, so that their text can be read on a narrow screen, and follow the
reader's light or dark setting.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from pathlib import Path

import numpy as np
import simulated_exercise as exercise
from numpy.typing import NDArray

from countermark.statistics import (
    AnalysisProtocol,
    CellKey,
    Consensus,
    Crossing,
    Estimate,
    Grid,
    JointAnalysis,
    JointRate,
    Limit,
    NotComputable,
    Sensitivity,
    Size,
    Variances,
    analyse,
    consensus,
    expected_interval,
    mean_variance,
    wilson,
)

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "pictures"
ROWS = "exercise.csv"
Array = NDArray[np.float64]
WIDTH, LEFT, RIGHT = 480, 128, 16
LIMIT = Limit("leak", 0.15, "at most", 0.01, 0.05)
CELL = CellKey("leak", "model-a", "en", "exact")
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1a1a1a}.s{font-size:12px;fill:#595959}"
    ".b{font-weight:600}.l{stroke:#8a8a8a}.t{stroke:#b3261e;stroke-dasharray:5 4}"
    ".i{stroke:#1f5fa8;stroke-width:3}.p{fill:#1f5fa8}.n{stroke:#b3261e;stroke-width:3}"
    ".q{fill:#b3261e}.c{fill:#1f5fa8}.g{fill:#b3261e;opacity:.14}"
    "@media(prefers-color-scheme:dark){text{fill:#ececec}.s{fill:#b8b8b8}.l{stroke:#7a7a7a}"
    ".t{stroke:#ff8a80}.i{stroke:#8ab8f0}.p,.c{fill:#8ab8f0}.n{stroke:#ff8a80}.q{fill:#ff8a80}"
    ".g{fill:#ff8a80}}"
)


@dataclass(frozen=True, slots=True)
class Interval:
    """One line of a picture: a name, a value, its interval, and whether it misleads."""

    name: str
    value: float
    lower: float
    upper: float
    naive: bool = False


def analysed() -> tuple[Grid, JointAnalysis]:
    """Analyse the simulated exercise as the page does."""
    rows = exercise.answers()
    grid = Grid.from_rows(
        lab=[row.lab for row in rows],
        model=CELL.model,
        language=[row.language for row in rows],
        task=CELL.task,
        item=[row.item for row in rows],
        epoch=[row.epoch for row in rows],
        scorer=CELL.scorer,
        score=[row.score for row in rows],
    )
    return grid, analyse(grid, AnalysisProtocol(seed=1, limits=(LIMIT,)))


def cells(crossing: Crossing) -> str:
    """Draw labs x items, the items in order of how often the event happened."""
    rate = crossing.total / crossing.count
    rate = rate[:, np.argsort(-rate.mean(axis=0), kind="stable")]
    wide, high, top = (WIDTH - 60 - RIGHT) / rate.shape[1], 22, 62
    parts = [
        *_head("The labs ran the same items", "Share of answers with the event, by lab and item")
    ]
    for k, lab in enumerate(crossing.labs):
        y = top + k * (high + 3)
        parts.append(_text(0, y + 16, lab))
        for share, first, last in _runs(rate[k]):
            parts.append(
                f'<rect class="c" x="{60 + first * wide:.1f}" y="{y}" '
                f'width="{(last - first) * wide:.1f}" height="{high}" '
                f'opacity="{0.1 + 0.9 * share:.2f}"/>'
            )
    bottom = top + len(crossing.labs) * (high + 3)
    parts.append(
        _text(60, bottom + 14, "on the left the items where the event happens most often", "s")
    )
    said = (
        "A table of six labs and a hundred items. Nearly all events are at the same items in each "
        "lab."
    )
    return _svg(bottom + 24, said, parts)


def forest(crossing: Crossing, rate: JointRate) -> str:
    """Draw each lab's interval and the joint ones."""
    lines = list(_labs(crossing))
    events, answers = float(crossing.total.sum()), int(crossing.count.sum())
    whole = wilson(events, answers, 0.95)
    lines.append(Interval("all answers alike", events / answers, whole.lower, whole.upper, True))
    pooled = _by_lab(crossing)
    lines.append(Interval("labs as studies", pooled.mu, pooled.lower, pooled.upper, True))
    for estimand, name in (("benchmark", "these items"), ("generalised", "items like these")):
        found = rate.estimate(estimand)  # type: ignore[arg-type]
        assert isinstance(found, Estimate)  # noqa: S101
        lines.append(Interval(name, found.value, found.lower, found.upper))
    truth = exercise.LANGUAGES[CELL.language]
    parts = [*_head("What is the rate?", "Intervals at 95 %; dashed: the true rate of such items")]
    top, scale = 62, 0.32
    height = top + 24 * len(lines)
    x = _across(truth, scale)
    parts.append(f'<line class="t" x1="{x}" y1="{top - 8}" x2="{x}" y2="{height - 4}"/>')
    for n, line in enumerate(lines):
        parts += _interval(line, top + 24 * n + 8, scale)
    parts += _axis(height + 6, scale)
    said = (
        "Intervals of six labs, of two naive ways to pool them and of the crossed analysis. The "
        "naive ones are narrow and miss the true rate; that for items like these holds it."
    )
    return _svg(height + 30, said, parts)


def errors(rate: JointRate, crossing: Crossing) -> str:
    """Draw where the error comes from, and what an addition saves."""
    known = Variances.of(_estimate(rate))
    assert isinstance(known, Variances)  # noqa: S101
    now = Size(len(crossing.labs), len(crossing.items), exercise.EPOCHS)
    k, i, e = now.labs, now.items, now.epochs
    shares = (
        ("labs", known.lab / k),
        ("items", known.item / i),
        ("items at labs", known.lab_item / (k * i)),
        ("epochs", known.epoch / (k * i * e)),
    )
    total = sum(share for _, share in shares)
    parts = [*_head("Where the error comes from", "Share of the variance of the joint rate")]
    y = 62
    for name, share in shares:
        wide = (WIDTH - LEFT - 70) * share / total
        parts += [
            _text(0, y + 15, name),
            f'<rect class="c" x="{LEFT}" y="{y}" width="{wide:.1f}" height="20"/>',
            _text(LEFT + wide + 6, y + 15, f"{share / total:.0%}".replace("%", " %")),
        ]
        y += 26
    parts.append(_text(0, y + 22, "Half the interval to be expected", "b"))
    y += 34
    for name, size in (
        ("as it was run", now),
        ("two labs more", Size(k + 2, i, e)),
        ("50 items more", Size(k, i + 50, e)),
        ("an epoch more", Size(k, i, e + 1)),
    ):
        found = expected_interval(known, size, "generalised")
        assert not isinstance(found, NotComputable)  # noqa: S101
        assert not isinstance(mean_variance(known, size, "generalised"), NotComputable)  # noqa: S101
        wide = (WIDTH - LEFT - 70) * found.half_width / 0.06
        parts += [
            _text(0, y + 15, name),
            f'<rect class="c" x="{LEFT}" y="{y}" width="{wide:.1f}" height="20" opacity=".6"/>',
            _text(LEFT + wide + 6, y + 15, f"± {100 * found.half_width:.1f}"),
        ]
        y += 26
    said = (
        "Two bar charts. Items and labs make most of the error, epochs less; two labs or fifty "
        "items more narrow the interval more than another epoch."
    )
    return _svg(y + 8, said, parts)


def threshold(found: Sensitivity) -> str:
    """Draw every case against the limit."""
    what = "Every case: upper bound at 99 %, lower at 95 %"
    parts = [*_head("Is the rate at most 15 %?", what)]
    top, scale = 62, 0.32
    height = top + 20 * len(found.outcomes)
    x = _across(LIMIT.limit, scale)
    parts.append(
        f'<rect class="g" x="{x}" y="{top - 8}" width="{WIDTH - RIGHT - x:.1f}" '
        f'height="{height - top + 4}"/>'
    )
    parts.append(f'<line class="t" x1="{x}" y1="{top - 8}" x2="{x}" y2="{height - 4}"/>')
    for n, case in enumerate(found.outcomes):
        estimate, decision = case.labelled.estimate, case.decision
        assert isinstance(estimate, Estimate)  # noqa: S101
        assert decision.lower is not None  # noqa: S101
        assert decision.upper is not None  # noqa: S101
        where = {"benchmark": "these", "generalised": "like these"}[case.labelled.estimand]
        without = case.labelled.without_lab
        name = f"{where}{f', no {without}' if without else ', all labs'}"
        line = Interval(name, estimate.value, decision.lower, decision.upper)
        parts += _interval(line, top + 20 * n + 6, scale)
    parts += _axis(height + 6, scale)
    parts.append(_text(0, height + 44, f"The worst case decides: {found.worst}.", "b"))
    said = (
        "Fourteen cases of estimand and lab left out against the limit of 15 %. The upper bounds "
        f"of most cross it, so the decision is {found.worst}."
    )
    return _svg(height + 54, said, parts)


def _runs(shares: Array) -> Iterator[tuple[float, int, int]]:
    """Join neighbours that are equal: their share, and where they begin and end."""
    edges = [0, *(np.flatnonzero(np.diff(shares)) + 1).tolist(), len(shares)]
    for first, last in pairwise(edges):
        yield float(shares[first]), first, last


def _labs(crossing: Crossing) -> Iterator[Interval]:
    for k, lab in enumerate(crossing.labs):
        events, answers = float(crossing.total[k].sum()), int(crossing.count[k].sum())
        found = wilson(events, answers, 0.95)
        yield Interval(lab, events / answers, found.lower, found.upper)


def _by_lab(crossing: Crossing) -> Consensus:
    """Pool the labs' rates as if they were independent studies (DerSimonian and Laird)."""
    rate = crossing.total / crossing.count
    variance = rate.var(axis=1, ddof=1) / rate.shape[1]
    found = consensus(rate.mean(axis=1), np.diag(variance), "dl", interval="normal")
    assert isinstance(found, Consensus)  # noqa: S101
    return found


def _estimate(rate: JointRate) -> Estimate:
    found = rate.estimate("generalised")
    assert isinstance(found, Estimate)  # noqa: S101
    return found


def _across(value: float, scale: float) -> float:
    return round(LEFT + (WIDTH - LEFT - RIGHT) * value / scale, 1)


def _interval(line: Interval, y: int, scale: float) -> list[str]:
    stroke, dot = ("n", "q") if line.naive else ("i", "p")
    low, high = _across(line.lower, scale), _across(min(line.upper, scale), scale)
    return [
        _text(0, y + 5, line.name),
        f'<line class="{stroke}" x1="{low}" y1="{y}" x2="{high}" y2="{y}"/>',
        f'<circle class="{dot}" cx="{_across(line.value, scale)}" cy="{y}" r="4.5"/>',
    ]


def _axis(y: int, scale: float) -> list[str]:
    parts = [f'<line class="l" x1="{LEFT}" y1="{y - 6}" x2="{WIDTH - RIGHT}" y2="{y - 6}"/>']
    for step in range(0, int(100 * scale) + 1, 10):
        x = _across(step / 100, scale)
        parts.append(f'<text class="s" x="{x}" y="{y + 10}" text-anchor="middle">{step} %</text>')
    return parts


def _head(title: str, what: str) -> tuple[str, str]:
    return _text(0, 16, title, "b"), _text(0, 35, f"{what}. Simulated data.", "s")


def _text(x: float, y: float, words: str, name: str = "") -> str:
    kind = f' class="{name}"' if name else ""
    return f'<text{kind} x="{x:g}" y="{y:g}">{escape(words)}</text>'


def _svg(height: float, said: str, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" role="img">'
        f"<title>{escape(said)} Simulated data.</title><style>{STYLE}</style>\n"
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def made() -> dict[str, str]:
    """Return every file of the folder by its name."""
    grid, analysis = analysed()
    crossing = grid.crossing(language=CELL.language)
    rate = next(one.result for one in analysis.rates if one.cell == CELL)
    decided = next(one.result for one in analysis.threshold if one.cell == CELL)
    assert isinstance(rate, JointRate)  # noqa: S101
    assert isinstance(decided, Sensitivity)  # noqa: S101
    return {
        ROWS: exercise.as_csv(exercise.answers()),
        "items.svg": cells(crossing),
        "intervals.svg": forest(crossing, rate),
        "errors.svg": errors(rate, crossing),
        "threshold.svg": threshold(decided),
    }


def alike(one: str, other: str) -> bool:
    """Say whether two files differ in no more than the last digit of a place in a picture."""
    if "<svg" not in one:
        return one == other
    first, second = (re.findall(r"\d+\.\d+|\d+|[^\d]+", text) for text in (one, other))
    return len(first) == len(second) and all(
        a == b or (a[0].isdigit() and b[0].isdigit() and abs(float(a) - float(b)) < 0.21)
        for a, b in zip(first, second, strict=True)
    )


def main() -> int:
    """Write the files; with ``--check``, say which are out of date and return 1."""
    wanted = made()
    present = {path.name: path.read_text("utf-8") for path in sorted(FOLDER.glob("*"))}
    if "--check" in sys.argv[1:]:
        stale = [
            name
            for name in sorted(wanted.keys() | present.keys())
            if name not in wanted or name not in present or not alike(wanted[name], present[name])
        ]
        for name in stale:
            print(f"docs/pictures/{name} is out of date: run scripts/pictures.py", file=sys.stderr)  # noqa: T201
        return 1 if stale else 0
    FOLDER.mkdir(exist_ok=True)
    for name, text in wanted.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
