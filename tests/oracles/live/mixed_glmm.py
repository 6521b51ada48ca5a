# SPDX-License-Identifier: Apache-2.0
"""The mixed model by the package glmm, of a CSV file of cells, as JSON.

    python mixed_glmm.py cells.csv

Columns: lab, language, model, item, total, count. One cell is one row with a weight.
"""

import csv
import json
import sys
from pathlib import Path

import glmm
import numpy as np


def main(path: Path) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if float(row["count"]) > 0]
    data = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    count = data.pop("count").astype(float)
    data["rate"] = data.pop("total").astype(float) / count
    data["both"] = np.char.add(np.char.add(data["lab"], " "), data["language"])
    formula = "rate ~ model + language + (1|item) + (1|lab) + (1|both)"
    fit = glmm.fit(data, formula, "binomial", weights=count)
    found = {
        "loglik": float(fit.loglik),
        "beta": [float(value) for value in fit.beta],
        "se": [float(value) for value in fit.se],
    }
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
