# SPDX-License-Identifier: Apache-2.0
"""``countermark site``: the public record as files."""

from pathlib import Path

import click

from countermark.app.cli.output import data, node_option, open_node, talk
from countermark.app.record import write_record


@click.group()
def command() -> None:
    """Write the public record as files."""


@command.command(epilog="Example: countermark site build --node demo/nodes/GB --out record")
@node_option
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True)
def build(node_folder: Path, out: Path) -> None:
    """Write pages, statement files, roster and revealed samples; any web server can publish them."""
    written = write_record(open_node(node_folder, None), out)
    data(str(out / "site" / "index.html"))
    talk(f"{written.pages} files of pages and {written.statements} statements.")
