# SPDX-License-Identifier: Apache-2.0
"""L18 to L20, L42: what an item is labelled with means the same in every language."""

import re
from collections.abc import Iterator, Sequence

from countermark.exercise.lint.finding import Finding, Replace, Rule
from countermark.exercise.lint.matching import counterparts
from countermark.exercise.lint.model import Item, ItemFile, LintSet, source_of
from countermark.exercise.lint.wording import folded, printable
from countermark.records.errors import InputError
from countermark.taxonomy.risks import risk

TRANSLATED_LABEL = Rule("L18", "translated-label", "error", "A category's code was translated.")
TARGET_DIFFERS = Rule(
    "L19", "target-differs", "error", "The target means something else in another language."
)
UNKNOWN_RISK = Rule("L20", "unknown-risk", "error", "A risk category is not in the taxonomy.")
WORD_DIFFERS = Rule(
    "L42", "wanted-word-differs", "warning", "The target asks for a word that the prompt lacks."
)
RULES = (TRANSLATED_LABEL, TARGET_DIFFERS, UNKNOWN_RISK, WORD_DIFFERS)

_CODE = re.compile(r"[A-Za-z0-9]+(?:[-_.][A-Za-z0-9]+)*")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_QUESTION = re.compile(r"[?？؟]\W*$")
_QUOTED = re.compile(r"[‘’'\"“”「『«《„]\s?([^‘’'\"“”「」『』«»《》„]{1,40}?)\s?[’'\"“”」』»》]")
_LONGEST_CODE = 24
_END = 10  # characters in which the question mark stands, with quotes after it
_FEW_VALUES = 3
_LEAST_OTHERS = 2
_MOST = 0.8


def check(lint: LintSet) -> Iterator[Finding]:
    """Yield labels that were translated or mean something else, and unknown risks."""
    for task, files in lint.by_task.items():
        labelled = [file for file in files if any(item.target for item in file.items)]
        translated = [file for file in labelled if _code_lost(file, labelled)]
        for file in translated:
            yield _translated(file, str(_code_lost(file, labelled)), task)
        yield from _meanings([file for file in labelled if file not in translated], files)
    for source, other in lint.pairs():
        for place, item in counterparts(other, source).items():
            yield from _wanted(other, other.items[place], item, str(source.code))
    for task, code in lint.risks:
        try:
            risk(code)
        except InputError as error:
            yield Finding(
                UNKNOWN_RISK,
                "protocol.yaml",
                f"the task {printable(task)!r}: {printable(str(error))}",
                error.next_step,
            )


def _code_lost(file: ItemFile, files: Sequence[ItemFile]) -> str | None:
    """Return the one code of all other files, where this one has a few values that are none."""
    others = [other for other in files if other is not file]
    codes = [code for other in others if (code := _constant_code(other)) is not None]
    mine = {item.target for item in file.items}
    if (
        len(codes) < _LEAST_OTHERS
        or len(set(codes)) != 1
        or codes[0] in mine
        or len(mine) > _FEW_VALUES
    ):
        return None
    return codes[0]


def _constant_code(file: ItemFile) -> str | None:
    values = {item.target for item in file.items}
    value = values.pop() if len(values) == 1 else None
    if value is None or len(value) > _LONGEST_CODE or not _CODE.fullmatch(value):
        return None
    return None if _NUMBER.fullmatch(value) else value


def _translated(file: ItemFile, code: str, task: str) -> Finding:
    first = file.items[0]
    shown = ", ".join(sorted({printable(str(item.target))[:40] for item in file.items}))
    return Finding(
        TRANSLATED_LABEL,
        file.path,
        f"the category of {task!r} is {code!r} in the other languages, and here {shown}, in "
        f"{len(file.items)} items",
        f"Write {code!r}; codes are never translated.",
        line=first.line,
        key=first.key,
        language=file.code,
        fixes=tuple(
            Replace(file.path, item.start, item.end, "target", item.target, code)
            for item in file.items
            if item.target is not None
        ),
    )


def _meanings(labelled: Sequence[ItemFile], files: tuple[ItemFile, ...]) -> Iterator[Finding]:
    source = source_of(files)
    if source not in labelled:
        return
    prompts = frozenset(source.folded)
    kinds = {file.path: _kind(file, source, prompts) for file in labelled}
    for file in labelled:
        if kinds[file.path] != kinds[source.path]:
            item = next(item for item in file.items if item.target)
            yield Finding(
                TARGET_DIFFERS,
                file.path,
                f"'target' is {kinds[file.path]} here, and {kinds[source.path]} in {source.code}: "
                f"{printable(str(item.target))[:60]!r}",
                "Let one field mean one thing; put what it means here into a field of another "
                "name.",
                line=item.line,
                key=item.key,
                language=file.code,
            )


def _kind(file: ItemFile, source: ItemFile, prompts: frozenset[str]) -> str:
    """Say in words what the targets of a file are."""
    values = [item.target for item in file.items if item.target]
    if _mostly(values, _NUMBER.fullmatch):
        return "a number"
    if all(_CODE.fullmatch(value) and len(value) <= _LONGEST_CODE for value in values):
        return "a code"
    if file is not source and _mostly(values, lambda value: folded(value) in prompts):
        return "the source prompt"
    if _mostly(values, lambda value: _QUESTION.search(value[-_END:])):
        return "a question"
    return "a text"


def _wanted(file: ItemFile, item: Item, before: Item, code: str) -> Iterator[Finding]:
    """Find a word in quotes that target and prompt share in the source, and here do not (L42)."""
    asked = [word for word in _quoted(before.target) if folded(word) in folded(before.text)]
    words = _quoted(item.target)
    text = folded(item.text)
    kept = [word for word in asked if folded(word) in folded(item.target or "")]
    if not asked or not words or any(folded(word) in text for word in (*words, *kept)):
        return
    yield Finding(
        WORD_DIFFERS,
        file.path,
        f"the target asks for {printable(words[0])!r}, which is not in the prompt; in {code} it "
        f"asks for {printable(asked[0])!r}, which is",
        "Name it in target and prompt in the same way, or no right answer is found.",
        line=item.line,
        key=item.key,
        language=file.code,
    )


def _quoted(text: str | None) -> list[str]:
    return [word for word in _QUOTED.findall(text or "") if word.strip()]


def _mostly(values: Sequence[str], test: object) -> bool:
    if not callable(test):
        return False
    return sum(bool(test(value)) for value in values) >= _MOST * len(values)
