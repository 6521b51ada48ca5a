# SPDX-License-Identifier: Apache-2.0
"""``countermark node``: make, serve, look at and reindex a node's folder."""

from pathlib import Path

import click
from pydantic import ValidationError

from countermark.app.cli.output import (
    answer,
    data,
    data_json,
    json_option,
    node_option,
    open_node,
    passphrase_option,
    pin_from,
    secret_lines,
    talk,
)
from countermark.app.cli.verb import Noun
from countermark.node.config import NODE_FORMAT, NodeConfig
from countermark.node.index import book
from countermark.node.index import reindex as rebuild
from countermark.node.node import Node
from countermark.node.rotation import KeyName, prepare
from countermark.node.witnessing import NodeWitness, Pace, open_witness
from countermark.records.errors import InputError, StateError, UsageError


@click.group(cls=Noun, example="countermark node status --node demo/nodes/KE")
def command() -> None:
    """Make, serve and look at a node's folder."""


@command.command(
    example="countermark node init nairobi --code KE --name 'Institute of Kenya' "
    "--origin ke.example/log --lab KE-nairobi"
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--code", required=True, help="Roster code, such as KE.")
@click.option("--name", required=True, help="The institute's name.")
@click.option("--origin", required=True, help="Name of the log, such as ke.example/countermark.")
@click.option("--lab", help="The lab that runs exercises here, such as KE-nairobi.")
@click.option(
    "--statement-key",
    metavar="URI",
    help="Where the key that signs statements is, if none is to be made: file:PATH, "
    "pkcs11:token=…;object=…?module-path=…, awskms:…, azurekms:…, gcpkms:….",
)
@click.option("--unencrypted", is_flag=True, help="Keep the keys without a passphrase.")
@passphrase_option
def init(
    folder: Path,
    code: str,
    name: str,
    origin: str,
    lab: str | None,
    statement_key: str | None,
    passphrase_file: Path | None,
    *,
    unencrypted: bool,
) -> None:
    """Make a node's folder with new keys, and print its entry for the roster."""
    config = _config(code=code, name=name, origin=origin, lab=lab, statement_key=statement_key)
    lines = secret_lines(passphrase_file)
    passphrase = _passphrase(lines, unencrypted=unencrypted)
    node = Node.create(folder, config, passphrase, secrets=pin_from(lines))
    data_json(node.party(("publisher", "witness")).model_dump(mode="json", exclude_none=True))
    if unencrypted:
        talk("Warning: the keys are not encrypted. Anyone who reads the folder can sign as you.")
    if config.device is not None:
        talk("Statements are signed by the device; only its public key is in the folder.")
    talk("Send the entry above to the members, who sign it into the roster.")


@command.command(example="countermark node rotate statement witness --node nairobi")
@click.argument(
    "names", nargs=-1, required=True, type=click.Choice(["statement", "log", "witness"])
)
@node_option
@passphrase_option
def rotate(names: tuple[KeyName, ...], node_folder: Path, passphrase_file: Path | None) -> None:
    """Make new keys, and print the entry with which the members renew them in the roster."""
    node = open_node(node_folder, passphrase_file)
    data_json(prepare(node, tuple(dict.fromkeys(names))).model_dump(mode="json", exclude_none=True))
    talk("Send the entry above to the members: countermark roster change --renew FILE.")
    talk("The old keys are used until this node accepts the roster with the new ones.")


@command.command(example="countermark node status --node demo/nodes/KE")
@node_option
@json_option
def status(node_folder: Path, *, as_json: bool) -> None:
    """Show what the node knows of each log."""
    node = open_node(node_folder, None, ask=False)
    known = book(node)
    if as_json:
        data_json(
            [
                {"author": log.author, "origin": log.origin, "size": log.size, "root": log.root,
                 "witnessed": log.witnessed, "witnesses": list(log.witnesses)}
                for log in known.logs
            ]
        )  # fmt: skip
        return
    data(f"{node.code} {node.config.name}; roster version {known.roster.version}")
    for log in known.logs:
        seen = (
            f"witnessed {log.witnessed} by {len(log.witnesses)}" if log.witnessed else "unwitnessed"
        )
        data(f"{log.author:<4} {log.size:>5} leaves  {seen}  {log.origin}")


@command.command(example="countermark node reindex --node demo/nodes/KE")
@node_option
@json_option
def reindex(node_folder: Path, *, as_json: bool) -> None:
    """Build the index anew from the logs and blobs."""
    count = rebuild(open_node(node_folder, None, ask=False))
    answer(f"{count} statements", {"statements": count}, as_json=as_json)


@command.command(example="countermark node serve --node demo/nodes/GB --port 8401")
@node_option
@click.option("--port", type=click.IntRange(1, 65535), default=8400, show_default=True)
@click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File whose first line opens the witness key; without it only pages are served.",
)
def serve(node_folder: Path, port: int, passphrase_file: Path | None) -> None:
    """Serve the public record, and the node's witness, at http://127.0.0.1:PORT."""
    from countermark.app.web.server import serve as serve_pages  # noqa: PLC0415  heavy

    node = (
        Node.open(node_folder)
        if passphrase_file is None
        else open_node(node_folder, passphrase_file)
    )
    try:
        witness = NodeWitness(node, open_witness(node), Pace())
        talk(f"Witness: http://127.0.0.1:{port}/witness/add-checkpoint")
    except (StateError, InputError) as error:
        if passphrase_file is not None:
            raise
        witness = None
        talk(f"Pages only, no witness: {error}")
    talk(f"Serving http://127.0.0.1:{port}; Ctrl-C stops it.")
    serve_pages(node, port=port, witness=witness)


def _config(**fields: str | None) -> NodeConfig:
    try:
        return NodeConfig.model_validate({"format": NODE_FORMAT, **fields})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise UsageError(
            f"is not one: {first['msg']}",
            where="--" + ".".join(map(str, first["loc"])).replace("_", "-"),
            next_step="A code is two capitals (KE) or a slug (example-developer); an origin has no "
            "space and no plus. See the example: countermark node init --help.",
        ) from error


def _passphrase(lines: list[str] | None, *, unencrypted: bool) -> str | None:
    if unencrypted:
        if lines is not None:
            raise UsageError(
                "--unencrypted and --passphrase-file exclude each other",
                next_step="Give one of them.",
            )
        return None
    if lines is not None:
        return lines[0] if lines else ""
    secret: str = click.prompt(
        "New passphrase for the node's keys", hide_input=True, confirmation_prompt=True, err=True
    )
    return secret
