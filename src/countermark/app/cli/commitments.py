# SPDX-License-Identifier: Apache-2.0
"""``countermark commitments``: what developers promised, and what laws and codes ask beside it."""

import click

from countermark.app.cli.commitments_report import EXAMPLE, report
from countermark.app.cli.verb import Noun


@click.group(cls=Noun, example=EXAMPLE)
def command() -> None:
    """See what developers promised, and what laws and codes ask beside it."""


command.add_command(report)
