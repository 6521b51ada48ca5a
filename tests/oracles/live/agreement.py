# SPDX-License-Identifier: Apache-2.0
"""Coefficients of agreement by krippendorff and statsmodels: tables in, figures out, as JSON.

Runs in the oracles' environment. Input on stdin: {"levels": [...], "tables": [[[...]]]}, null where
a rating is missing.
"""

import json
import sys

import krippendorff
import numpy as np
from statsmodels.stats.inter_rater import aggregate_raters, cohens_kappa, fleiss_kappa


def figures(table: list[list[float | None]], levels: list[float]) -> dict[str, float]:
    ratings = np.array(table, dtype=float)
    found = {
        f"alpha-{kind}": krippendorff.alpha(
            ratings.T, value_domain=levels, level_of_measurement=kind
        )
        for kind in ("nominal", "ordinal", "interval")
    }
    if not np.isnan(ratings).any():
        codes = np.searchsorted(levels, ratings)
        counts, _ = aggregate_raters(codes, n_cat=len(levels))
        found["fleiss"] = fleiss_kappa(counts)
        if ratings.shape[1] == 2:
            square = np.zeros((len(levels), len(levels)))
            np.add.at(square, (codes[:, 0], codes[:, 1]), 1)
            for name, weights in (("", None), ("-linear", "linear"), ("-quadratic", "quadratic")):
                found["cohen" + name] = cohens_kappa(square, wt=weights).kappa
    return {name: float(value) for name, value in found.items()}


given = json.load(sys.stdin)
json.dump([figures(table, given["levels"]) for table in given["tables"]], sys.stdout)
