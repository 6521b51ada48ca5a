# SPDX-License-Identifier: Apache-2.0
"""The framework of the demonstration's example developer, which ships with Countermark."""

from importlib.resources import files

from countermark.records.framework import Framework

_FILE = "demonstration.json"


def demonstration_framework() -> Framework:
    """Return the example developer's framework."""
    return Framework.from_bytes((files(__package__) / _FILE).read_bytes(), where=_FILE)
