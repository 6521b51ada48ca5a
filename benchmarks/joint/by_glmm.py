# SPDX-License-Identifier: Apache-2.0
"""The mixed model of ``ours.py`` by the package glmm. Prints JSON.

    python by_glmm.py SIZE cells|rows

Runs in the environment of ``make oracles``: glmm is under the LGPL, and Countermark neither depends
on it nor imports it. It takes answers of one cell together, as a rate with a weight, or row by row.
"""

import json
import resource
import sys
import time
from typing import Any

import glmm
import numpy as np
from numpy.typing import NDArray
from rows import SIZES, Design, add_up, simulate

FORMULA = "rate ~ model + language + (1|item) + (1|lab) + (1|both)"


Codes = NDArray[np.integer[Any]]


def _columns(
    lab: Codes, model: Codes, language: Codes, item: Codes, design: Design
) -> dict[str, Codes]:
    both = lab * design.languages + language
    return {"lab": lab, "model": model, "language": language, "item": item, "both": both}


def main() -> None:
    design = SIZES[sys.argv[1]]
    rows = simulate(design)
    if sys.argv[2] == "rows":
        columns = _columns(rows.lab, rows.model, rows.language, rows.item, design)
        rate, weights = rows.score.astype(np.float64), np.ones(len(rows.score))
    else:
        cells = add_up(rows, design)
        group, item = np.nonzero(cells.count)
        columns = _columns(
            cells.lab[group], cells.model[group], cells.language[group], item, design
        )
        weights = cells.count[group, item]
        rate = cells.total[group, item] / weights
    del rows
    data: dict[str, object] = {name: np.char.mod("%d", codes) for name, codes in columns.items()}
    data["rate"] = rate
    start = time.process_time()
    fit = glmm.fit(data, FORMULA, "binomial", weights=weights)
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak": peak, "loglik": float(fit.loglik)}))


if __name__ == "__main__":
    main()
