# SPDX-License-Identifier: Apache-2.0
"""``countermark log audit``: read whole logs again."""

from collections.abc import Iterator
from pathlib import Path

import click

from countermark.app.cli.output import data, data_json, json_option
from countermark.app.cli.verb import Verb
from countermark.app.wiring import peer_sources
from countermark.node.audit import Report, audit_node
from countermark.node.forks import keep_evidence
from countermark.node.node import Node

FAILED = 5


@click.command(cls=Verb, example="countermark log audit demo/nodes/KE demo/nodes/GB --mirrors")
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--of", "codes", multiple=True, help="Audit the mirror of this peer's log instead.")
@click.option("--mirrors", is_flag=True, help="Audit every mirror as well.")
@click.option(
    "--evidence",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for evidence of forks; else `evidence` in the node's folder.",
)
@json_option
def audit(
    folders: tuple[Path, ...],
    codes: tuple[str, ...],
    evidence: Path | None,
    *,
    mirrors: bool,
    as_json: bool,
) -> int:
    """Read whole logs again: every leaf, tile, statement, signature and proof.

    Each is compared with the checkpoints of it that the peers show. Two that cannot both be are
    written down as evidence.
    """
    reports = [
        (
            folder,
            report,
            [keep_evidence(evidence or folder / "evidence", e) for e in report.evidence],
        )
        for folder in folders
        for report in _reports(Node.open(folder), codes, mirrors=mirrors)
    ]
    if as_json:
        data_json([_value(*each) for each in reports])
    else:
        for each in reports:
            _print(*each)
    return FAILED if any(report.problems for _, report, _ in reports) else 0


def _reports(node: Node, codes: tuple[str, ...], *, mirrors: bool) -> Iterator[Report]:
    peers = peer_sources(node) if node.config.peers else {}
    if not codes:
        yield audit_node(node, peers=peers)
    held = sorted(path.name for path in (node.folder.root / "peers").glob("*")) if mirrors else ()
    for code in dict.fromkeys((*codes, *held)):
        yield audit_node(node, code, peers)


def _value(folder: Path, report: Report, kept: list[Path]) -> dict[str, object]:
    return {
        "folder": str(folder),
        "origin": report.origin,
        "size": report.size,
        "statements": report.statements,
        "compared": report.compared,
        "problems": list(report.problems),
        "evidence": [str(path) for path in kept],
    }


def _print(folder: Path, report: Report, kept: list[Path]) -> None:
    mark = "✗" if report.problems else "✓"
    data(
        f"{mark} {folder}: {report.origin}, {report.size} leaves, {report.statements} "
        f"statements verified, {len(report.witnesses)} witnesses, "
        f"{report.compared} checkpoints compared"
    )
    for problem in report.problems:
        data(f"    ✗ {problem}")
    for path in kept:
        data(f"    evidence: {path}")
