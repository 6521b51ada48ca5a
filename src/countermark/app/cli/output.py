# SPDX-License-Identifier: Apache-2.0
"""Where words go: data to stdout, talk to stderr; and the options that most commands share."""

import json
import re
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from countermark.records.errors import InputError

if TYPE_CHECKING:
    from countermark.node.node import Node

F = TypeVar("F", bound=Callable[..., object])

node_option = click.option(
    "--node",
    "node_folder",
    type=click.Path(path_type=Path),
    default=Path(),
    show_default="this folder",
    help="The node's folder.",
)
passphrase_option = click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File whose first line opens the node's keys, and whose second is the PIN of a statement "
    "key in a device; else they are asked for.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Write JSON to stdout.")


# Records quote strangers. Line ends and tabs stay; what moves a terminal's cursor, or turns the
# order of what is read, could show another verdict than the one that was given.
_MOVING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def _still(text: str, form: str) -> str:
    return _MOVING.sub(lambda found: form.format(ord(found.group())), text)


def talk(text: str) -> None:
    """Write a line for people to stderr."""
    click.echo(_still(text, "[U+{:04X}]"), err=True)


def data(text: str) -> None:
    """Write a line of results to stdout."""
    click.echo(_still(text, "[U+{:04X}]"))


def data_json(value: object) -> None:
    """Write results to stdout as JSON."""
    click.echo(_still(json.dumps(value, ensure_ascii=False, indent=2), "\\u{:04x}"))


def answer(text: str, value: object, *, as_json: bool) -> None:
    """Write a result to stdout: a line, or the JSON that was asked for."""
    if as_json:
        data_json(value)
    else:
        data(text)


def read_input(path: Path) -> bytes:
    """Return the bytes of a file that a person named; ``-`` is standard input.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    try:
        return sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise InputError(
            f"cannot be read: {error.strerror}",
            where=str(path),
            next_step="Check the name of the file.",
        ) from error


def open_node(folder: Path, passphrase_file: Path | None, *, ask: bool = True) -> "Node":
    """Open a node, asking for its passphrase if its keys are encrypted and no file is given.

    With ``ask`` off it is not asked for: what follows needs none of the keys. Else new keys whose
    time in the roster has come are put in use first. A node whose log is damaged is refused;
    `log audit` and `log repair` do without this.
    """
    # It brings the database library, which `verify` and `show` do without.
    from countermark.node.node import Node  # noqa: PLC0415

    Node.open(folder).refuse_damage()
    lines = secret_lines(passphrase_file)
    node = Node.open(folder, lines[0] if lines else None, secrets=pin_from(lines))
    if lines is None and ask and node.keys_are_encrypted():
        secret = click.prompt("Passphrase of the node's keys", hide_input=True, err=True)
        node = Node.open(folder, secret, secrets=pin_from(None))
    if lines is not None or ask:
        _use_new_keys(node)
    return node


def _use_new_keys(node: "Node") -> None:
    from countermark.node.rotation import has_new_keys, switch  # noqa: PLC0415  the database

    if node.has_roster() and has_new_keys(node):
        for name in switch(node):
            talk(f"The new {name} key is in use; the old one was deleted.")


def secret_lines(passphrase_file: Path | None) -> list[str] | None:
    """Return the lines of a passphrase file, if one is given."""
    if passphrase_file is None:
        return None
    return read_input(passphrase_file).decode("utf-8", "replace").splitlines()


def pin_from(lines: list[str] | None) -> Callable[[str], str]:
    """Return what gives the PIN of a statement key in a device, each time that it is needed.

    It is the second line of the passphrase file, or the first where there is but one. Without a
    file the person is asked, once.
    """

    @cache
    def secret(name: str) -> str:
        if lines:
            return lines[min(1, len(lines) - 1)]
        answer: str = click.prompt(f"{name} of the statement key", hide_input=True, err=True)
        return answer

    return secret
