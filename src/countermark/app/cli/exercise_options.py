# SPDX-License-Identifier: Apache-2.0
"""Options that several verbs about an exercise share."""

from pathlib import Path

import click

protocol_option = click.option(
    "--protocol",
    "protocol_file",
    type=click.Path(path_type=Path),
    required=True,
    help="The frozen protocol.",
)

private_option = click.option(
    "--private",
    "private_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The private part of the protocol; it is kept with the run.",
)
