# SPDX-License-Identifier: Apache-2.0
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import countermark.app.site
from countermark.app.site.figures import (
    date,
    figure,
    figure_text,
    interval,
    moment,
    rate_text,
)

CSS = Path(countermark.app.site.__file__).with_name("style.css").read_text()
ON_PAPER = ("ink", "quiet", "link", "yes", "no", "open", "bar", "mark")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0%"),
        (1.0, "100.0%"),
        (0.62345, "62.3%"),
        (0.0001, "<0.1%"),
        (0.9999, ">99.9%"),
        (0.0005, "0.1%"),
    ],
)
def test_rule_1_a_rate_is_a_percentage_with_one_decimal(value: float, text: str) -> None:
    assert rate_text(value) == text


@given(st.floats(0, 1, exclude_min=True, exclude_max=True))
def test_rule_1_what_is_not_certain_never_reads_as_certain(value: float) -> None:
    assert rate_text(value) not in ("0.0%", "100.0%")


def test_rule_2_a_scatter_is_in_points() -> None:
    assert figure_text(0.0633, "points") == "6.3"
    assert figure_text(-0.05, "points") == "−5.0"


def test_rule_3_a_level_has_no_needless_zeros() -> None:
    assert figure_text(0.95, "level") == "95%"
    assert figure_text(0.975, "level") == "97.5%"


def test_rule_4_other_numbers_have_three_significant_digits() -> None:
    assert figure_text(7.123456, "number") == "7.12"
    assert figure_text(2.5e-9, "number") == "2.5×10⁻⁹"
    assert figure_text(1234567, "count") == "1,234,567"


def test_a_figure_runs_from_left_to_right_and_keeps_its_value() -> None:
    assert figure(0.62345678) == '<bdi dir="ltr" title="0.62345678">62.3%</bdi>'
    assert interval(0.1, 0.25) == '<bdi dir="ltr" title="0.1 to 0.25">10.0% to 25.0%</bdi>'
    assert figure(None) == "–"


def test_times_and_dates_are_written_out() -> None:
    assert "3 November 2026, 09:00:07\N{NO-BREAK SPACE}UTC" in moment("2026-11-03T09:00:07Z")
    assert moment(None) == "not yet witnessed"
    assert date("2026-02") == '<time datetime="2026-02">February 2026</time>'
    assert ">5 May 2026<" in date("2026-05-05")
    assert ">2026<" in date("2026")


def _palette(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block))


def _luminance(colour: str) -> float:
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(first: str, second: str) -> float:
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_of_the_palette_can_be_told_from_their_ground(scheme: str) -> None:
    light, dark = CSS.split("prefers-color-scheme: dark", 1)
    # A colour that the dark scheme does not name is the light one's.
    palette = _palette(light) | (_palette(dark) if scheme == "dark" else {})
    assert len(palette) == 17
    # WCAG 2.2, 1.4.3: 4.5 to 1 for text.
    for name in ON_PAPER:
        assert _contrast(palette[name], palette["paper"]) >= 4.5, name
        assert _contrast(palette[name], palette["wash"]) >= 4.5, name
    for name in ("band", "note", "focus"):
        assert _contrast(palette[f"on-{name}"], palette[name]) >= 4.5, name


def test_the_style_names_no_side_of_the_page() -> None:
    assert not re.findall(r"(?:margin|padding|border)-(?:left|right)", CSS)
    assert not re.findall(r"(?<![-\w])(?:left|right|width|height|top|bottom) *: ", CSS)
