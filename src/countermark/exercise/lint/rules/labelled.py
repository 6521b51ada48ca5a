# SPDX-License-Identifier: Apache-2.0
"""L41, and what other rules find in the labelled answers of a protocol folder.

People's labels validate a judge in a language. So keys, language and encoding matter as they do in
items. The answers come from a model: a model may answer in another language, so that only their
encoding is looked at.
"""

from collections.abc import Iterator

from countermark.exercise.lint.finding import Finding, Rule
from countermark.exercise.lint.model import ItemFile, LintSet
from countermark.exercise.lint.rules.duplicates import DUPLICATE
from countermark.exercise.lint.rules.keys import keys_in_file
from countermark.exercise.lint.rules.languages import candidates, text_findings
from countermark.exercise.lint.rules.texts import damage
from countermark.exercise.lint.wording import folded, printable

ONE_SIDED = Rule("L41", "one-sided-labels", "warning", "Labelled answers all have the same label.")
RULES = (ONE_SIDED,)


def check(lint: LintSet) -> Iterator[Finding]:
    """Yield findings on each file of labelled answers."""
    labels = candidates(lint)
    for file in lint.labelled:
        yield from keys_in_file(file)
        for item in file.items:
            for text in (item.text, *(value for _, value in item.fields)):
                yield from damage(file, item, text, "")
        if file.tag is not None and file.items:
            yield from text_findings(file, labels, None)
        yield from _twice(file)
        yield from _one_sided(file)


def _twice(file: ItemFile) -> Iterator[Finding]:
    first: dict[tuple[str, ...], int] = {}
    for item in file.items:
        texts = (folded(item.text), *(folded(value) for _, value in item.fields))
        line = first.setdefault(texts, item.line)
        if line != item.line:
            yield Finding(
                DUPLICATE,
                file.path,
                f"the answer {printable(item.key or '?')} and its prompt stand at line {line} "
                "already",
                "Keep one: an answer that counts twice weighs twice.",
                line=item.line,
                key=item.key,
                language=file.code,
            )


def _one_sided(file: ItemFile) -> Iterator[Finding]:
    labels = [item.target for item in file.items if item.target]
    if len(labels) > 1 and len(set(labels)) == 1:
        label = labels[0]
        other = "false" if label == "true" else "true"
        yield Finding(
            ONE_SIDED,
            file.path,
            f"all {len(labels)} answers are labelled {label}: how often a judge is wrong about "
            f"answers that are {other} cannot be known",
            "Add answers of both kinds.",
            language=file.code,
        )
