# SPDX-License-Identifier: Apache-2.0
"""How figures are written: one rounding, always left to right, the exact value in the title.

1. A rate is a percentage with one decimal. One that is not 0 or 1 never reads as if it were.
2. A scatter (a standard deviation of rates) is in percentage points with one decimal.
3. A level of confidence is a percentage without needless zeros.
4. Any other number has three significant digits; a count has none taken away.
"""

from datetime import UTC, datetime
from typing import Literal, TypeAlias

from markupsafe import Markup

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

Form: TypeAlias = Literal["rate", "level", "points", "number", "count"]


def rate_text(value: float) -> str:
    """Return a rate in [0, 1] as a percentage."""
    text = f"{value * 100:.1f}%"
    if text == "0.0%" and value > 0:
        return "<0.1%"
    if text == "100.0%" and value < 1:
        return ">99.9%"
    return text


def interval_text(lower: float, upper: float) -> str:
    """Return an interval of rates."""
    return f"{rate_text(lower)} to {rate_text(upper)}"


def figure_text(value: float, form: Form = "rate") -> str:
    """Return a figure as plain text."""
    return _form_text(value, form).replace("-", "\N{MINUS SIGN}")


def _form_text(value: float, form: Form) -> str:
    match form:
        case "rate":
            return rate_text(value)
        case "level":
            return f"{value * 100:.4g}%"
        case "points":
            return f"{value * 100:.1f}"
        case "number":
            return _number_text(value)
        case "count":
            return f"{value:,}"


def _number_text(value: float) -> str:
    digits, _, exponent = f"{value:.3g}".partition("e")
    if not exponent:
        return digits
    return f"{digits}×10{str(int(exponent)).translate(RAISED)}"


def figure(value: float | None, form: Form = "rate") -> Markup:
    """Return a figure as HTML that no right-to-left page can turn round."""
    if value is None:
        return Markup("–")
    text = figure_text(value, form)
    if text == str(value):
        return Markup('<bdi dir="ltr">{}</bdi>').format(text)
    return Markup('<bdi dir="ltr" title="{}">{}</bdi>').format(repr(value), text)


def interval(lower: float, upper: float) -> Markup:
    """Return an interval of rates as HTML."""
    return Markup('<bdi dir="ltr" title="{} to {}">{}</bdi>').format(
        repr(lower), repr(upper), interval_text(lower, upper)
    )


def sentence(text: str) -> str:
    """Return a reason that a record gives, written as a sentence."""
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?", "。")) else f"{text}."


def label(text: str) -> str:
    """Return a version label as it follows a title; a document without one goes by its date."""
    return text.replace("no label, ", "dated ", 1) if text.startswith("no label, ") else text


def moment_text(moment: str) -> str:
    """Return a UTC time to the second as people write it."""
    time = datetime.strptime(moment, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    return f"{time.day} {time:%B %Y}, {time:%H:%M:%S}\N{NO-BREAK SPACE}UTC"


def moment(value: str | None) -> Markup:
    """Return a UTC time as HTML, or say that no quorum has cosigned yet."""
    if value is None:
        return Markup("not yet witnessed")
    return Markup('<time datetime="{}">{}</time>').format(value, moment_text(value))


def date_text(value: str) -> str:
    """Return an ISO 8601 date of a year, a month or a day as people write it."""
    written = {4: "%Y", 7: "%B %Y", 10: "%d %B %Y"}[len(value)]
    parsed = {4: "%Y", 7: "%Y-%m", 10: "%Y-%m-%d"}[len(value)]
    return datetime.strptime(value, parsed).replace(tzinfo=UTC).strftime(written).lstrip("0")


def date(value: str) -> Markup:
    """Return an ISO 8601 date of a year, a month or a day as HTML."""
    return Markup('<time datetime="{}">{}</time>').format(value, date_text(value))
