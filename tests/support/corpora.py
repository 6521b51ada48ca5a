# SPDX-License-Identifier: Apache-2.0
"""Tables laid out as those of the Frontier Safety Framework Corpus, with rows that are made up."""

import csv
from pathlib import Path

from countermark.commitments.corpus_tables import COUNTS, FIRST_PASS, MANIFEST, PAIRS, TRACING

FILES = {
    "corpus/manifest.csv": MANIFEST,
    "corpus/pairs.csv": (*PAIRS, *COUNTS),
    "coding/tracing_FINAL.csv": (*TRACING[:6], *FIRST_PASS, *TRACING[6:]),
}
FIRST, AGAIN, SECOND = ("a" * 64, "b" * 64, "c" * 64)

Rows = list[tuple[str, ...]]

DOCUMENTS: Rows = [
    (
        "Example",
        "Example framework",
        "v1",
        "no",
        "2025-01-01",
        "https://example.org/1",
        FIRST,
        "na",
    ),
    (
        *("Example", "Example framework", "v1-reupload-20250201", "no", "2025-01-01"),
        *("https://example.org/1", AGAIN, "no"),
    ),
    ("Example", "Example framework", "v2", "no", "2025-06", "https://example.org/2", SECOND, "yes"),
    ("Example", "A companion", "v1", "yes", "2025-06-01", "", "", "na"),
    ("Other", "Other framework", "2024", "no", "2024", "", "d" * 64, "na"),
    ("Other", "Other framework", "2025", "no", "2025", "", "e" * 64, "no"),
]
UNCOUNTED = ("", "", "", "")
PAIR_ROWS: Rows = [
    ("Example", "v1", "v2", "yes", "itemised", "4", "1", "3", "0"),
    ("Other", "2024", "2025", "yes", "none", "1", "0", "0", "1"),
    ("Other", "2025", "2026", "no", "none", *UNCOUNTED),
]


def traced(number: int, pair: str = "EX-1", **codes: str) -> tuple[str, ...]:
    """Return a row of the traced commitments, which both stages coded alike if not said."""
    ends = ("Example", "v1", "v2") if pair == "EX-1" else ("Other", "2024", "2025")
    coded = {
        "category": "EC1",
        "outcome": "W",
        "material": "yes",
        "told": "SIL",
        "flags": "",
    } | codes
    first = (coded.pop("first_material", coded["material"]), coded.pop("first", coded["told"]))
    category, *adjudicated = coded.values()
    return (pair, *ends, f"{pair}-{number:03}", category, *first, *adjudicated)


TRACED_ROWS: Rows = [
    traced(1, told="ANN"),
    traced(2, told="ANN-P"),
    traced(3, outcome="X"),
    traced(4, category="G", outcome="A", flags="MIX"),
    traced(5, outcome="R", material="no", told="NA"),
    traced(1, "OT-1", told="NCL", outcome="S"),
]


def write_corpus(
    folder: Path, documents: Rows = DOCUMENTS, pairs: Rows = PAIR_ROWS, rows: Rows = TRACED_ROWS
) -> Path:
    """Write a copy of the corpus and return its folder."""
    for (name, columns), table in zip(FILES.items(), (documents, pairs, rows), strict=True):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", newline="", encoding="utf-8") as file:
            # A column that is not used here, as the published tables have several.
            writer = csv.writer(file)
            writer.writerow([*columns, "notes"])
            writer.writerows([*row, 'a note, "quoted"\nover two lines'] for row in table)
    return folder
