# SPDX-License-Identifier: Apache-2.0
"""The network as public sources describe it: its members, declarations and partnerships.

The records come with the package, one JSON file each; nobody signed them. Each names its sources
and the day it was last checked.
"""

from functools import cache

from countermark.records.reference import Declaration, Institute, Partnership
from countermark.taxonomy.reading import packaged, read_folder


@cache
def load_institutes() -> tuple[Institute, ...]:
    """Return the ten members of the network, by code."""
    folder = packaged("network", "institutes")
    return read_folder(Institute, folder, lambda record: record.code)


@cache
def load_declarations() -> tuple[Declaration, ...]:
    """Return the declarations and statements behind the network, by key."""
    folder = packaged("network", "declarations")
    return read_folder(Declaration, folder, lambda record: record.key)


@cache
def load_partnerships() -> tuple[Partnership, ...]:
    """Return the memoranda and agreements of members, by key."""
    folder = packaged("network", "partnerships")
    return read_folder(Partnership, folder, lambda record: record.key)
