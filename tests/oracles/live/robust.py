# SPDX-License-Identifier: Apache-2.0
"""Algorithm A by pt13528 for each list of values in the JSON on standard input."""

import json
import sys

import pt13528.robust

answers = []
for values in json.load(sys.stdin):
    found = pt13528.robust.algorithm_a(values, tol=1e-14)
    answers.append([found["location"], found["scale"]])
json.dump(answers, sys.stdout)
