# SPDX-License-Identifier: Apache-2.0
"""``countermark log audit``: read whole logs again."""

from pathlib import Path

import click

from countermark.app.cli.output import data, data_json, json_option
from countermark.app.cli.verb import Verb
from countermark.node.audit import audit_node
from countermark.node.node import Node

FAILED = 5


@click.command(cls=Verb, example="countermark log audit demo/nodes/KE demo/nodes/GB")
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@json_option
def audit(folders: tuple[Path, ...], *, as_json: bool) -> int:
    """Read whole logs again: every leaf, tile, statement, signature and proof."""
    reports = [(folder, audit_node(Node.open(folder))) for folder in folders]
    if as_json:
        data_json(
            [
                {
                    "folder": str(folder),
                    "origin": report.origin,
                    "size": report.size,
                    "statements": report.statements,
                    "problems": list(report.problems),
                }
                for folder, report in reports
            ]
        )
    for folder, report in reports:
        if not as_json:
            mark = "✗" if report.problems else "✓"
            data(
                f"{mark} {folder}: {report.origin}, {report.size} leaves, {report.statements} "
                f"statements verified, {len(report.witnesses)} witnesses"
            )
            for problem in report.problems:
                data(f"    ✗ {problem}")
    return FAILED if any(report.problems for _, report in reports) else 0
