# SPDX-License-Identifier: Apache-2.0
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countermark.app.site.charts import (
    NARROW,
    Chart,
    Line,
    Moment,
    Row,
    Span,
    Stage,
    documents,
    intervals,
    timeline,
)

CHART = Chart(
    key="one",
    title="Rates <by> language",
    description="English: 50 %.",
    rows=(Row("English", "50.0%", (Span(0.4, 0.5, 0.6, "disc"),)), Row("Japanese", "no rate")),
    legend=(("disc", "These items"),),
)


def parsed(chart: Chart) -> ET.Element:
    return ET.fromstring(str(intervals(chart)))  # noqa: S314  our own text


def test_a_chart_speaks_for_itself() -> None:
    svg = parsed(CHART)
    assert svg.attrib["role"] == "img"
    assert svg.attrib["aria-labelledby"] == "one-title one-desc"
    assert [part.text for part in svg][:2] == ["Rates <by> language", "English: 50 %."]


def test_a_chart_is_the_same_twice_and_takes_no_colour_of_its_own() -> None:
    assert intervals(CHART) == intervals(CHART)
    assert not re.search(r"#[0-9a-f]{3,6}\b|style=|fill=\"(?!url)", str(intervals(CHART)))


def test_bars_stand_where_their_rates_are() -> None:
    (bar,) = [line for line in parsed(CHART).iter("line") if line.attrib["class"] == "bar"]
    # 0.4 and 0.6 on an axis that ends at 0.6, with margins of 3 %.
    assert float(bar.attrib["x1"].rstrip("%")) == pytest.approx(3 + 94 * 0.4 / 0.6, abs=0.01)
    assert bar.attrib["x2"] == "97.00%"


def test_a_row_without_a_rate_has_words_and_no_bar() -> None:
    svg = parsed(replace(CHART, rows=(Row("Japanese", "◇ not informative"),)))
    assert not list(svg.iter("line"))
    assert "◇ not informative" in [text.text for text in svg.iter("text")]


def test_marks_differ_by_shape() -> None:
    spans = tuple(
        Span(0.1, 0.2, 0.3, mark)
        for mark in ("disc", "ring", "diamond", "kite", "square", "triangle")
    )
    svg = parsed(replace(CHART, rows=(Row("All", "", spans),), legend=()))
    shapes = [ET.tostring(group[0]) for group in svg.iter("g")]
    assert len(set(shapes)) == 6


@pytest.mark.parametrize(
    ("side", "start", "width"), [("above", "50.00%", "47.00%"), ("below", "3.00%", "47.00%")]
)
def test_the_side_beyond_a_limit_is_hatched(side: str, start: str, width: str) -> None:
    rows = (Row("English", "", (Span(0.4, 0.5, 0.9, "disc"),)),)
    line = Line("limit 50.0%", 0.5, "above" if side == "above" else "below")
    svg = parsed(replace(CHART, rows=rows, line=line))
    (hatched,) = [rect for rect in svg.iter("rect") if "url" in rect.attrib.get("fill", "")]
    assert (hatched.attrib["x"], hatched.attrib["width"]) == (start, width)


def test_a_long_note_gets_a_line_of_its_own() -> None:
    def places(note: str) -> set[str]:
        svg = parsed(replace(CHART, rows=(Row("English", note),), legend=()))
        return {text.attrib["y"] for text in svg.iter("text") if text.text in ("English", note)}

    assert len(places("short")) == 1
    assert len(places("x" * NARROW)) == 2


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)), min_size=1))
def test_nothing_is_drawn_outside_the_chart(values: list[tuple[float, float, float]]) -> None:
    ordered = [sorted(value) for value in values]
    rows = tuple(
        Row("Row", "", (Span(lower, value, upper, "disc"),)) for lower, value, upper in ordered
    )
    svg = parsed(replace(CHART, rows=rows))
    height = float(svg.attrib["height"])
    for part in svg.iter():
        for name in ("x", "x1", "x2"):
            value = part.attrib.get(name, "")
            if value.endswith("%"):
                assert 0 <= float(value[:-1]) <= 100
        for name in ("y", "y1", "y2"):
            assert float(part.attrib.get(name, 0)) <= height


def test_a_timeline_sets_its_marks_by_the_clock() -> None:
    stages = [
        Stage("Agreed", "2 of 2", ("2026-11-23T09:00:00Z", "2026-11-23T09:00:10Z")),
        Stage("Sealed", "1 of 2", ("2026-11-23T09:00:40Z",)),
        Stage("Revealed", "0 of 2", ()),
    ]
    svg = ET.fromstring(str(timeline("t", "Stages", "Said.", stages)))  # noqa: S314
    marks = [float(use.attrib["x"].rstrip("%")) for use in svg.iter("use")]
    assert marks == pytest.approx([3, 3 + 94 / 4, 97])
    words = [text.text for text in svg.iter("text")]
    assert "09:00:00 UTC" in words
    assert "0 of 2" in words


def test_a_timeline_of_one_moment_or_none_is_still_drawn() -> None:
    one = [Stage("Agreed", "1 of 2", ("2026-11-23T09:00:00Z",))]
    assert 'x="50.00%"' in timeline("t", "Stages", "Said.", one)
    assert "<use" not in timeline("t", "Stages", "Said.", [Stage("Agreed", "0 of 2", ())])


def test_documents_stand_where_their_dates_are_however_exact_they_are() -> None:
    moments = [
        Moment("first", "2024", "ring"),
        Moment("a title that is far too long for a telephone", "2025-01", "disc"),
        Moment("last", "2026-01-01", "triangle"),
    ]
    drawn = documents("d", "Documents", "Said.", moments, [("ring", "Recorded")])
    svg = ET.fromstring(str(drawn))  # noqa: S314  our own text
    marks = [float(use.attrib["x"].rstrip("%")) for use in svg.iter("use")]
    assert marks[1:] == pytest.approx([3, 3 + 94 * 366 / 731, 97], abs=0.01)
    words = [text.text or "" for text in svg.iter("text")]
    assert words[-2:] == ["2024-01-01", "2026-01-01"]
    (cut,) = [text for text in words if text.endswith("…")]
    assert len(cut) + len("2025-01") <= NARROW


def test_one_document_stands_in_the_middle_with_its_date_once() -> None:
    drawn = documents("d", "Documents", "Said.", [Moment("only", "2025-02-09", "disc")], [])
    assert 'x="50.00%"' in drawn
    assert drawn.count("2025-02-09") == 2
