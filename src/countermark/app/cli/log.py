# SPDX-License-Identifier: Apache-2.0
"""``countermark log``: audit a log."""

import click

from countermark.app.cli.audit import audit
from countermark.app.cli.repair import repair
from countermark.app.cli.verb import Noun


@click.group(cls=Noun, example="countermark log audit demo/nodes/KE")
def command() -> None:
    """Audit a log."""


command.add_command(audit)
command.add_command(repair)
