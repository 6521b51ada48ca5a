# SPDX-License-Identifier: Apache-2.0
"""The demonstration exercise that ships with Countermark: a protocol folder, in this folder."""

from functools import cache
from importlib.resources import as_file, files

from countermark.exercise.authoring.folder import read_folder
from countermark.records.evidence import AnnotationSet
from countermark.records.protocol import Protocol


@cache
def demonstration() -> tuple[Protocol, tuple[AnnotationSet, ...]]:
    """Return the protocol of the demonstration, and the labelled answers that it names."""
    with as_file(files(__package__)) as folder:
        return read_folder(folder)
