# SPDX-License-Identifier: Apache-2.0
"""What is known about the world from public sources: nobody in the network has signed it."""

from dataclasses import dataclass

from countermark.commitments.frameworks import load_frameworks
from countermark.commitments.law import Instrument, instruments
from countermark.commitments.reference import Company, companies, load_commitments
from countermark.network.reference import (
    load_declarations,
    load_institutes,
    load_partnerships,
)
from countermark.records.framework import Framework
from countermark.records.reference import Declaration, Institute, Partnership


@dataclass(frozen=True, slots=True)
class Reference:
    """Members, declarations, partnerships, commitments, frameworks and law."""

    institutes: tuple[Institute, ...]
    declarations: tuple[Declaration, ...]
    partnerships: tuple[Partnership, ...]
    commitments: Declaration
    companies: tuple[Company, ...]
    frameworks: tuple[Framework, ...]
    law: tuple[Instrument, ...]


def load_reference() -> Reference:
    """Return the reference data that comes with the package."""
    return Reference(
        load_institutes(),
        tuple(sorted(load_declarations(), key=lambda found: (found.date, found.key))),
        tuple(sorted(load_partnerships(), key=lambda found: (found.date, found.key))),
        load_commitments(),
        companies(),
        load_frameworks(),
        instruments(),
    )
