# SPDX-License-Identifier: Apache-2.0
"""Random-effects pooling by pymare for each case in the JSON on standard input.

A case is a list of values, a list of variances and a method (DL, ML, REML).
"""

import json
import sys

import numpy as np
import pymare

answers = []
for values, variances, method in json.load(sys.stdin):
    fit = pymare.meta_regression(
        y=np.array(values), v=np.array(variances), method=method, ci_method="QP"
    )
    row = fit.to_df().iloc[0]
    answers.append([float(row["estimate"]), float(row["se"]), float(fit.tau2.ravel()[0])])
json.dump(answers, sys.stdout)
