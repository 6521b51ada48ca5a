# SPDX-License-Identifier: Apache-2.0
"""A lint's report as one page that loads nothing: it can be sent by mail."""

import base64
import hashlib
from importlib.resources import files

from markupsafe import Markup

from countermark import __version__
from countermark.app.site.context import fill
from countermark.exercise.lint.finding import Report
from countermark.exercise.lint.wording import printable

MOST_ROWS = 100


def lint_page(report: Report, title: str) -> bytes:
    """Return the page.

    Parameters
    ----------
    report
        What the lint found.
    title
        What was linted.
    """
    style = files("countermark.app.site").joinpath("style.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return fill(
        "lint",
        report=report,
        title=printable(title),
        most=MOST_ROWS,
        version=__version__,
        style=Markup(style),  # noqa: S704  ours
        style_hash=f"sha256-{digest}",
    )
