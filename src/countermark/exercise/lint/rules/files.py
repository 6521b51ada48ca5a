# SPDX-License-Identifier: Apache-2.0
"""L01 to L07, L40: files that cannot be read, are not what they should be, or stand aside."""

from collections.abc import Iterator

from countermark.exercise.lint.finding import Finding, Rule
from countermark.exercise.lint.model import FaultKind, LintSet
from countermark.exercise.lint.wording import printable

UNREADABLE = Rule("L01", "unreadable", "error", "A file or line cannot be read.")
FIELD_TWICE = Rule("L02", "field-twice", "error", "A field stands twice in one object.")
WRONG_SHAPE = Rule("L03", "wrong-shape", "error", "A field is missing, unknown or of another type.")
UNSAFE_NAME = Rule("L04", "unsafe-name", "error", "A file is a link or has a name nobody can type.")
STRAY_FILE = Rule("L05", "stray-file", "warning", "A file belongs to nothing that is declared.")
BROKEN_REFERENCE = Rule("L06", "broken-reference", "error", "What is named is not there.")
CELL_TWICE = Rule("L07", "cell-twice", "warning", "Two files hold one task in one language.")
BESIDE = Rule("L40", "beside-the-exercise", "note", "Datasets in no named language were not read.")
RULES = (
    UNREADABLE,
    FIELD_TWICE,
    WRONG_SHAPE,
    UNSAFE_NAME,
    STRAY_FILE,
    BROKEN_REFERENCE,
    CELL_TWICE,
    BESIDE,
)

_OF_FAULT: dict[FaultKind, Rule] = {
    "unreadable": UNREADABLE,
    "duplicate-field": FIELD_TWICE,
    "shape": WRONG_SHAPE,
    "unsafe-name": UNSAFE_NAME,
    "stray": STRAY_FILE,
    "reference": BROKEN_REFERENCE,
}


def check(lint: LintSet) -> Iterator[Finding]:
    """Yield what reading found, and cells that stand twice."""
    for fault in lint.faults:
        yield Finding(
            _OF_FAULT[fault.kind],
            fault.file,
            fault.message,
            fault.suggestion,
            line=fault.line,
            key=fault.key,
        )
    if lint.beside:
        shown = ", ".join(lint.beside[:3]) + (" …" if len(lint.beside) > 3 else "")
        yield Finding(
            BESIDE,
            "datasets",
            f"{len(lint.beside)} datasets whose names say no language stand beside the exercise, "
            f"and were not looked at: {printable(shown)}",
            "To look at one, lint its file alone.",
        )
    first: dict[tuple[str, str], str] = {}
    for file in lint.files:
        if file.tag is None:
            continue
        earlier = first.setdefault((file.task, file.tag), file.path)
        if earlier != file.path:
            yield Finding(
                CELL_TWICE,
                file.path,
                f"is {file.task!r} in {file.tag}, as {earlier} is; the rules that compare "
                "languages looked at that one",
                "Keep one of the two, or give the other task another name.",
                language=file.code,
            )
