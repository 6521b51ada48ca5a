# SPDX-License-Identifier: Apache-2.0
"""Write the cells of a size as CSV, for a peer in another language.

python cells.py SIZE FILE
"""

import csv
import sys
from pathlib import Path

import numpy as np
from rows import SIZES, add_up, simulate


def main() -> None:
    design, file = SIZES[sys.argv[1]], Path(sys.argv[2])
    cells = add_up(simulate(design), design)
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(("lab", "model", "language", "both", "item", "total", "count"))
        for group, item in zip(*np.nonzero(cells.count), strict=True):
            lab, language = int(cells.lab[group]), int(cells.language[group])
            writer.writerow(
                (
                    lab, int(cells.model[group]), language, lab * design.languages + language,
                    int(item), int(cells.total[group, item]), int(cells.count[group, item]),
                )
            )  # fmt: skip


if __name__ == "__main__":
    main()
