# SPDX-License-Identifier: Apache-2.0
"""What was logged, from a public record that a person names or from a node."""

from pathlib import Path

import click

from countermark.app.cli.output import open_node
from countermark.app.cli.reading import read_public_record
from countermark.node.book import Book

record_argument = click.argument(
    "record", required=False, type=click.Path(path_type=Path, file_okay=False)
)


def read_logged(record: Path | None, node_folder: Path) -> Book:
    """Return the statements of a public record, or of a node where none is named.

    Raises
    ------
    InputError
        If a file cannot be read.
    VerificationError
        If a statement, or the roster, does not check out.
    """
    if record is not None:
        return read_public_record(record)
    # It brings the database library.
    from countermark.node.index import book  # noqa: PLC0415

    return book(open_node(node_folder, None, ask=False))
