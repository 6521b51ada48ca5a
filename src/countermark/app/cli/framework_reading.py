# SPDX-License-Identifier: Apache-2.0
"""A framework that a person names: a file, or one that ships."""

from pathlib import Path

from countermark.app.cli.reading import read_record
from countermark.commitments.frameworks import known_framework
from countermark.records.errors import InputError
from countermark.records.framework import Framework


def read_framework(word: str) -> Framework:
    """Return the framework of a file, or the one that ships under a key.

    Raises
    ------
    InputError
        If there is neither, or the file holds something else.
    VerificationError
        If it is a published statement that does not check out.
    """
    path = Path(word)
    shipped = None if word == "-" or path.exists() else known_framework(word)
    if shipped is not None:
        return shipped
    if word != "-" and not path.exists():
        raise InputError(
            "cannot be read: it is neither a file nor the key of a framework that ships",
            where=word,
            next_step="Check the name of the file, or list the keys: countermark framework known",
        )
    return read_record(Framework, path)
