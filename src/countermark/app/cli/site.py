# SPDX-License-Identifier: Apache-2.0
"""``countermark site``: the public record as files."""

from dataclasses import asdict
from pathlib import Path

import click

from countermark.app.cli.output import answer, json_option, node_option, open_node, talk
from countermark.app.cli.verb import Noun
from countermark.app.record import write_record


@click.group(cls=Noun, example="countermark site build --node demo/nodes/GB --out record")
def command() -> None:
    """Write the public record as files."""


@command.command(example="countermark site build --node demo/nodes/GB --out record")
@node_option
@json_option
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True)
def build(node_folder: Path, out: Path, *, as_json: bool) -> None:
    """Write pages, statement files, roster and revealed samples, for any web server."""
    written = write_record(open_node(node_folder, None, ask=False), out)
    front = str(out / "site" / "index.html")
    answer(front, {"front": front, **asdict(written)}, as_json=as_json)
    talk(f"{written.pages} files of pages and {written.statements} statements.")
