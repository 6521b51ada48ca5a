# SPDX-License-Identifier: Apache-2.0
"""House rules that a machine can see. What ruff and mypy see already is not repeated here.

1. A Python file has at most 600 lines, and a function of the package at most 80.
2. Each source file says its licence in its first line.
3. Each error says what to do next.
4. Nothing in the package prints; results and talk go through ``app/cli/output.py``.
5. The lock pins every package with its hashes, and names no address.
6. The Makefile has at most ten verbs beside ``help``, and each says what it does.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from countermark.records import errors

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
CODE = sorted(
    path
    for name in ("src", "tests", "scripts", "benchmarks", "interop")
    for path in (ROOT / name).rglob("*.py")
)
LICENCE = "# SPDX-License-Identifier: Apache-2.0"
ERRORS = {
    name
    for name, found in vars(errors).items()
    if isinstance(found, type) and issubclass(found, errors.CountermarkError)
}
MOST_LINES, MOST_FUNCTION_LINES, MOST_VERBS = 600, 80, 10


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def calls(path: Path) -> Iterator[tuple[ast.Call, str]]:
    """Yield every call in a file with the last part of the name that is called."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                yield node, node.func.id
            elif isinstance(node.func, ast.Attribute):
                yield node, node.func.attr


def unhelpful(call: ast.Call) -> bool:
    """Tell whether a call that makes an error has no next step, or an empty one."""
    steps = [word.value for word in call.keywords if word.arg == "next_step"]
    return not steps or any(
        isinstance(step, ast.Constant) and len(str(step.value or "").strip()) < 10 for step in steps
    )


def test_there_is_something_to_look_at() -> None:
    assert len(SOURCES) > 100
    assert {"CountermarkError", "InputError", "VerificationError"} <= ERRORS


def test_rule_1_files_are_short() -> None:
    lengths = {named(path): len(path.read_text(encoding="utf-8").splitlines()) for path in CODE}
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}


def test_rule_1_functions_are_short() -> None:
    long = [
        f"{named(path)}: {node.name}, {node.end_lineno - node.lineno + 1} lines"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > MOST_FUNCTION_LINES
    ]
    assert long == []


def test_rule_2_each_file_says_its_licence() -> None:
    assert [
        named(path) for path in CODE if path.read_text(encoding="utf-8").split("\n")[0] != LICENCE
    ] == []


def test_rule_3_each_error_says_what_to_do_next() -> None:
    found = [
        f"{named(path)}:{call.lineno}: {name}"
        for path in SOURCES
        for call, name in calls(path)
        if name in ERRORS and unhelpful(call)
    ]
    assert found == []


def test_rule_3_an_error_cannot_be_made_without_a_next_step() -> None:
    for name in ERRORS:
        with pytest.raises(TypeError, match="next_step"):
            getattr(errors, name)("something is wrong")


def test_rule_4_nothing_prints() -> None:
    found = [
        f"{named(path)}:{call.lineno}"
        for path in SOURCES
        for call, name in calls(path)
        if name == "print" and not isinstance(call.func, ast.Attribute)
    ]
    assert found == []


def test_rule_5_the_lock_pins_every_package_with_its_hashes() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    entries = re.split(r"\n(?=\S)", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).strip())
    assert len(entries) > 50
    for entry in entries:
        first, *hashes = entry.split("\n")
        assert re.fullmatch(r"[a-z0-9._-]+(?:\[[a-z0-9,._-]+\])?==\S+(?: ;.*?)? \\", first), first
        assert hashes, first
        for line in hashes:
            assert re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?", line), f"{first} {line}"


def test_rule_5_the_lock_names_no_address() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert re.findall(r"https?://|file:|@ |--index|--find-links|--extra-index", text) == []


def test_rule_6_the_makefile_has_few_verbs_and_each_says_what_it_does() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    (phony,) = re.findall(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    told = dict(re.findall(r"^([a-z]+):[^#\n]*## (.+)$", text, re.MULTILINE))
    assert set(phony.split()) == told.keys()
    assert len(told.keys() - {"help"}) <= MOST_VERBS
