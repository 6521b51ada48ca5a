# SPDX-License-Identifier: Apache-2.0
"""Charts as small SVG, drawn so that they need neither a script nor a style of their own.

Places across are percentages and places down are pixels, so a chart fills whatever width it has
while its text keeps the reader's size: it reads the same on a telephone and on a wall. Labels
stand above their bars. Marks differ by shape, colour only repeats what the shape says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from markupsafe import Markup, escape

Mark: TypeAlias = Literal["disc", "ring", "diamond", "kite", "square", "triangle"]

SHAPES: dict[Mark, str] = {
    "disc": '<circle r="5" class="full"/>',
    "ring": '<circle r="4.5" class="hollow"/>',
    "diamond": '<path d="M0-6.5 6.5 0 0 6.5-6.5 0z" class="full"/>',
    "kite": '<path d="M0-6 6 0 0 6-6 0z" class="hollow"/>',
    "square": '<path d="M-4.5-4.5h9v9h-9z" class="full"/>',
    "triangle": '<path d="M0-6.5 6.5 5h-13z" class="full"/>',
}
SCALES = ((0.05, 5), (0.1, 5), (0.2, 4), (0.4, 4), (0.6, 4), (0.8, 4), (1.0, 4))
"""Ends that an axis of rates may have, each with its number of steps."""

HATCH = (
    '<pattern id="{key}-hatch" width="6" height="6" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><path d="M0 0v6" class="hatch"/></pattern>'
)
MARGIN, SPREAD = 3.0, 94.0
"""Percentages of the width that lie left of an axis, and under it."""

NARROW = 44
"""Characters that fit side by side on the narrowest telephone."""

LINE, TRACK, GAP, AXIS = 20, 18, 12, 18
"""Heights in pixels: of a line of text, of one interval, between rows, and of the axis."""


@dataclass(frozen=True, slots=True)
class Span:
    """One estimate with its interval, as rates."""

    lower: float
    value: float
    upper: float
    mark: Mark


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a chart: what it is, what to say at its end, and its estimates, if any."""

    label: str
    note: str
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """A rate that all rows are held against; ``barred`` is the side that is hatched."""

    label: str
    at: float
    barred: Literal["above", "below", "neither"] = "neither"


@dataclass(frozen=True, slots=True)
class Chart:
    """Intervals of rates under each other.

    Parameters
    ----------
    key
        Name that no other chart of the page has.
    title, description
        What a screen reader says in place of the drawing.
    legend
        What each mark stands for.
    line
        A rate to hold the rows against.
    """

    key: str
    title: str
    description: str
    rows: tuple[Row, ...]
    legend: tuple[tuple[Mark, str], ...]
    line: Line | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of an exercise with the moments (UTC, ISO 8601) at which labs delivered."""

    label: str
    note: str
    moments: tuple[str, ...]


def intervals(chart: Chart) -> Markup:
    """Draw a forest plot, with or without a line that the intervals are held against."""
    end, steps = _scale(chart)
    parts: list[str] = []
    top = 0
    for mark, words in chart.legend:
        parts += [_use(chart.key, mark, "8", top + 10), _text("22", top + 15, words)]
        top += LINE
    if chart.legend:
        top += GAP // 2
    if chart.line:
        parts.append(_centred(chart.line.at / end, top + 15, chart.line.label, "strong"))
        top += LINE
    for row in chart.rows:
        drawn, top = _row(chart, row, top, end, steps)
        parts += drawn
    for step in range(steps + 1):
        parts.append(_centred(step / steps, top + 6, f"{100 * end * step / steps:.3g}%"))
    return _svg(chart.key, chart.title, chart.description, top + AXIS, parts)


def timeline(key: str, title: str, description: str, stages: Sequence[Stage]) -> Markup:
    """Draw when each lab delivered at each stage."""
    moments = sorted(moment for stage in stages for moment in stage.moments)
    parts: list[str] = []
    top = 0
    for stage in stages:
        parts += [_text("0", top + 15, stage.label, "strong"), _text_at_end(top + 15, stage.note)]
        top += LINE
        parts.append(_track(top, TRACK))
        parts += [
            _use(key, "disc", _across(_share(moment, moments[0], moments[-1])), top + TRACK // 2)
            for moment in stage.moments
        ]
        top += TRACK + GAP
    if moments:
        first, last = (moment[11:19] + " UTC" for moment in (moments[0], moments[-1]))
        parts += [_centred(0.0, top + 6, first), _centred(1.0, top + 6, last)]
    return _svg(key, title, description, top + AXIS, parts)


@dataclass(frozen=True, slots=True)
class Moment:
    """One document in time: what it is, its date (to the year, month or day) and its mark."""

    label: str
    date: str
    mark: Mark


def documents(
    key: str,
    title: str,
    description: str,
    moments: Sequence[Moment],
    legend: Sequence[tuple[Mark, str]],
) -> Markup:
    """Draw when documents were published, one under the other, on one line of time."""
    days = [_first_day(moment.date) for moment in moments]
    parts: list[str] = []
    top = 0
    for mark, words in legend:
        parts += [_use(key, mark, "8", top + 10), _text("22", top + 15, words)]
        top += LINE
    top += GAP // 2
    for moment, day in zip(moments, days, strict=True):
        room = NARROW - len(moment.date)
        label = moment.label
        if len(label) > room:
            label = f"{label[: room - 1].rstrip()}…"
        parts += [_text("0", top + 15, label, "strong"), _text_at_end(top + 15, moment.date)]
        top += LINE
        share = _share(day, min(days), max(days))
        parts += [_track(top, TRACK), _use(key, moment.mark, _across(share), top + TRACK // 2)]
        top += TRACK + GAP // 2
    ends = {_share(day, min(days), max(days)): day for day in (min(days), max(days))}
    parts += [_centred(share, top + 12, day) for share, day in ends.items()]
    return _svg(key, title, description, top + AXIS, parts)


def _first_day(date: str) -> str:
    return f"{date}-01-01"[:10] if len(date) == 4 else f"{date}-01"[:10]


def _row(chart: Chart, row: Row, top: int, end: float, steps: int) -> tuple[list[str], int]:
    parts = [_text("0", top + 15, row.label, "strong")]
    if len(row.label) + len(row.note) > NARROW:
        top += LINE
    parts.append(_text_at_end(top + 15, row.note))
    top += LINE
    if not row.spans:
        return parts, top + GAP
    height = TRACK * len(row.spans)
    parts.append(_track(top, height))
    parts += [_upright(step / steps, top, height, "grid") for step in range(steps + 1)]
    if chart.line:
        parts += _held_against(chart, chart.line, top, height, end)
    for place, span in enumerate(row.spans):
        middle = top + TRACK * place + TRACK // 2
        low, high = _across(span.lower / end), _across(span.upper / end)
        parts.append(f'<line x1="{low}" x2="{high}" y1="{middle}" y2="{middle}" class="bar"/>')
        parts.append(_use(chart.key, span.mark, _across(span.value / end), middle))
    return parts, top + height + GAP


def _held_against(chart: Chart, line: Line, top: int, height: int, end: float) -> list[str]:
    if line.barred == "neither":
        return [_upright(line.at / end, top, height, "joint")]
    start, stop = (line.at / end, 1.0) if line.barred == "above" else (0.0, line.at / end)
    hatched = (
        f'<rect x="{_across(start)}" y="{top}" width="{(stop - start) * SPREAD:.2f}%" '
        f'height="{height}" fill="url(#{chart.key}-hatch)"/>'
    )
    return [hatched, _upright(line.at / end, top, height, "limit")]


def _scale(chart: Chart) -> tuple[float, int]:
    highest = max((span.upper for row in chart.rows for span in row.spans), default=1.0)
    highest = max(highest, chart.line.at if chart.line else 0.0)
    return next((end, steps) for end, steps in SCALES if highest <= end)


def _share(moment: str, first: str, last: str) -> float:
    start, now, stop = (datetime.fromisoformat(time) for time in (first, moment, last))
    return (now - start) / (stop - start) if stop > start else 0.5


def _across(share: float) -> str:
    return f"{MARGIN + SPREAD * share:.2f}%"


def _track(top: int, height: int) -> str:
    return f'<rect y="{top}" width="100%" height="{height}" class="track"/>'


def _upright(share: float, top: int, height: int, name: str) -> str:
    at = _across(share)
    return f'<line x1="{at}" x2="{at}" y1="{top}" y2="{top + height}" class="{name}"/>'


def _use(key: str, mark: Mark, x: str, y: int) -> str:
    return f'<use href="#{key}-{mark}" x="{x}" y="{y}"/>'


def _text(x: str, y: int, words: str, name: str = "plain") -> str:
    return f'<text x="{x}" y="{y}" class="{name}">{escape(words)}</text>'


def _text_at_end(y: int, words: str) -> str:
    return f'<text x="100%" y="{y}" text-anchor="end">{escape(words)}</text>'


def _centred(share: float, y: int, words: str, name: str = "plain") -> str:
    # Near an edge a centred text would be cut, so it is anchored at its nearer end.
    anchor = "start" if share < 0.2 else "end" if share > 0.8 else "middle"
    return (
        f'<text x="{_across(share)}" y="{y}" text-anchor="{anchor}" class="{name}">'
        f"{escape(words)}</text>"
    )


def _svg(key: str, title: str, description: str, height: int, parts: Sequence[str]) -> Markup:
    body = "".join(parts)
    shapes = "".join(
        f'<g id="{key}-{mark}">{shape}</g>'
        for mark, shape in SHAPES.items()
        if f"#{key}-{mark}" in body
    )
    if f"#{key}-hatch" in body:
        shapes += HATCH.format(key=key)
    return Markup(  # noqa: S704  every text in it went through escape()
        f'<svg role="img" class="chart" width="100%" height="{height}" '
        f'aria-labelledby="{key}-title {key}-desc">'
        f'<title id="{key}-title">{escape(title)}</title>'
        f'<desc id="{key}-desc">{escape(description)}</desc>'
        f"<defs>{shapes}</defs>{body}</svg>"
    )
