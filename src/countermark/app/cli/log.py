# SPDX-License-Identifier: Apache-2.0
"""``countermark log``: audit a log, prove what is in it, and witness others' by hand."""

from pathlib import Path

import click

from countermark.app.cli.audit import audit
from countermark.app.cli.output import (
    answer,
    data,
    data_json,
    json_option,
    node_option,
    open_node,
    passphrase_option,
    read_input,
    talk,
)
from countermark.app.cli.repair import repair
from countermark.app.cli.verb import Noun
from countermark.node.files import write_atomic
from countermark.node.index import refresh
from countermark.node.node import Node
from countermark.node.proving import proved_statement
from countermark.node.witnessed import take_lines
from countermark.node.witnessing import OK, add_checkpoint, open_witness, own_request, refusal
from countermark.records.errors import UsageError


@click.group(cls=Noun, example="countermark log audit demo/nodes/KE")
def command() -> None:
    """Audit a log, prove what is in it, and witness others' by hand."""


command.add_command(audit)
command.add_command(repair)


@command.command(example="countermark log prove 0 --node demo/nodes/KE --out protocol.json")
@click.argument("which", metavar="[INDEX_OR_DIGEST]", required=False)
@node_option
@click.option("--log", "author", help="Roster code of the log that INDEX is in; else the own one.")
@click.option("--tlog-proof", is_flag=True, help="The bare proof (C2SP tlog-proof), no statement.")
@click.option("--for-witness", is_flag=True, help="A request that a witness can sign by hand.")
@click.option("--since", type=click.IntRange(0), help="Size that this witness has cosigned last.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write.")
def prove(
    which: str | None,
    node_folder: Path,
    author: str | None,
    since: int | None,
    out: Path | None,
    *,
    tlog_proof: bool,
    for_witness: bool,
) -> None:
    """Write a statement's file with its proof, or the request for a witness out of reach."""
    if for_witness == (which is not None) or (for_witness and (tlog_proof or author)):
        raise UsageError(
            "takes a statement or --for-witness, one of them",
            where="countermark log prove",
            next_step="Give its number or digest: countermark log prove 0. "
            "Or: countermark log prove --for-witness",
        )
    if since is not None and not for_witness:
        raise UsageError(
            "belongs to --for-witness", where="--since", next_step="Add it, or leave --since out."
        )
    node = Node.open(node_folder)
    if which is None:
        written = own_request(node, since or 0).to_bytes()
    else:
        written = proved_statement(node, which, author or node.code, bare=tlog_proof)
    if out is None:
        data(written.decode().removesuffix("\n"))
    else:
        write_atomic(out, written)
        talk(f"Wrote {out}.")


@command.command(example="countermark log witness --file request.txt --node demo/nodes/GB")
@click.option("--file", type=click.Path(path_type=Path), help="Another log's request, to cosign.")
@click.option("--add", type=click.Path(path_type=Path), help="Witnesses' lines, to take in.")
@node_option
@passphrase_option
@json_option
def witness(
    file: Path | None,
    add: Path | None,
    node_folder: Path,
    passphrase_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Cosign another log's request by hand, or take in the lines that witnesses made so.

    A file may be - for standard input.
    """
    if (file is None) == (add is None):
        raise UsageError(
            "takes --file or --add, one of them",
            where="countermark log witness",
            next_step="To cosign: --file REQUEST. To take in what others cosigned: --add LINES.",
        )
    if file is not None:
        _cosign(file, open_node(node_folder, passphrase_file), as_json=as_json)
    elif add is not None:
        _take(add, Node.open(node_folder), as_json=as_json)


def _cosign(file: Path, node: Node, *, as_json: bool) -> None:
    verdict = add_checkpoint(node, open_witness(node), read_input(file))
    if verdict.status != OK:
        raise refusal(verdict, where=str(file))
    line = verdict.body.decode().removesuffix("\n")
    answer(line, {"origin": verdict.origin, "line": line}, as_json=as_json)
    talk(f"{verdict.origin}: {verdict.reason}. Send this line to whoever runs the log.")


def _take(file: Path, node: Node, *, as_json: bool) -> None:
    names = take_lines(node, read_input(file), where=str(file))
    refresh(node)
    if as_json:
        data_json({"witnesses": names})
        return
    for name in names:
        data(f"✓ {name}")
