# SPDX-License-Identifier: Apache-2.0
"""What can be said: frozen document kinds, canonical bytes, content addresses, the error root."""

# Importing every kind here fills `Record.KINDS`: reading never depends on who imported what.
from countermark.records import equivocation, evidence, finding, framework, protocol, reference
from countermark.records.base import Record, record_from_value

__all__ = [
    "Record",
    "equivocation",
    "evidence",
    "finding",
    "framework",
    "protocol",
    "record_from_value",
    "reference",
]
