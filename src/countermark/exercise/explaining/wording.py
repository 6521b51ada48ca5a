# SPDX-License-Identifier: Apache-2.0
"""How figures stand in sentences: percentages and points with one decimal, never broken apart."""

SPACE = "\N{NO-BREAK SPACE}"


def percent(value: float, digits: int = 1) -> str:
    """Return a rate as a percentage."""
    return f"{100 * value:.{digits}f}{SPACE}%"


def points(value: float) -> str:
    """Return a difference of rates, without its sign, in percentage points."""
    return f"{100 * abs(value):.1f}{SPACE}points"


def signed(value: float) -> str:
    """Return a difference of rates with its sign, in percentage points."""
    return f"{100 * value:+.1f}{SPACE}points"


def counted(number: int, what: str) -> str:
    """Return a number of things."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def ended(text: str) -> str:
    """Return a text as a sentence."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
