# SPDX-License-Identifier: Apache-2.0
"""Files of disclosed samples: where a command writes them, and lists of items that it reads."""

from pathlib import Path

import click

from countermark.app.cli.output import read_input
from countermark.node.files import write_atomic
from countermark.records.errors import InputError
from countermark.records.sample import DisclosedSample
from countermark.transparency.disclosure import to_file

out_option = click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="With --sample: folder for the files.",
)


def write_disclosed(disclosed: DisclosedSample, folder: Path) -> Path:
    """Write a sample's file, named by the seal and the sample's place in it."""
    path = folder / f"sample-{disclosed.seal[7:15]}-{disclosed.index:05d}.json"
    write_atomic(path, to_file(disclosed))
    return path


def read_keys(path: Path | None) -> tuple[str, ...] | None:
    """Read item keys, one a line; nothing if there is no file.

    Raises
    ------
    InputError
        If the file cannot be read or is not text.
    """
    if path is None:
        return None
    try:
        lines = read_input(path).decode("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(
            "is not UTF-8 text", where=str(path), next_step="Write one item key a line."
        ) from error
    return tuple(key for line in lines if (key := line.strip()))
