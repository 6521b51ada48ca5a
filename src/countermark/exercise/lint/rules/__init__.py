# SPDX-License-Identifier: Apache-2.0
"""All rules of the lint, by number; docs/lint.md explains each."""

from collections.abc import Callable, Iterator

from countermark.exercise.lint.finding import Finding, Rule
from countermark.exercise.lint.model import LintSet
from countermark.exercise.lint.rules import (
    cells,
    duplicates,
    files,
    keys,
    labelled,
    labels,
    languages,
    metadata,
    scoring,
    texts,
)

_MODULES = (files, keys, cells, labels, languages, texts, duplicates, metadata, scoring, labelled)
RULES: tuple[Rule, ...] = tuple(
    sorted((rule for module in _MODULES for rule in module.RULES), key=lambda rule: rule.number)
)
CHECKS: tuple[Callable[[LintSet], Iterator[Finding]], ...] = tuple(
    module.check for module in _MODULES
)
