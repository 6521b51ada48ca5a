# SPDX-License-Identifier: Apache-2.0
"""Every control and every test that docs/threat-model.md names is there."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "threat-model.md").read_text("utf-8")
SECTIONS = dict(re.findall(r"^## (.+)\n\n(.+?)(?=\n## |\Z)", TEXT, re.MULTILINE | re.DOTALL))
LABELS = ["Who", "Control", "Test", "Not covered"]
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TEXT)))


@cache
def names_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def part(section: str, label: str) -> str:
    found = re.search(rf"^- \*\*{label}\*\*:(.+?)(?=^- \*\*|\Z)", section, re.MULTILINE | re.DOTALL)
    return found.group(1) if found else ""


@pytest.mark.parametrize("title", SECTIONS)
def test_every_attack_has_its_four_parts(title: str) -> None:
    assert re.findall(r"^- \*\*([^*]+)\*\*:", SECTIONS[title], re.MULTILINE) == LABELS
    assert "::" in part(SECTIONS[title], "Test")


@pytest.mark.parametrize(("path", "name"), NAMED, ids=[name for _, name in NAMED])
def test_every_test_that_is_named_exists(path: str, name: str) -> None:
    assert name.startswith("test_")
    assert name in names_in(path)


@pytest.mark.parametrize("title", SECTIONS)
def test_every_rule_that_is_named_exists(title: str) -> None:
    """In "`file.py` rules 2 to 4, 8" the file's docstring numbers all of them."""
    control = " ".join(part(SECTIONS[title], "Control").split())
    assert re.search(r"`\w+/[\w/]+\.py`", control)
    for path, numbers in re.findall(r"`([\w/]+\.py)` rules? ([\d, toand]+)", control):
        source = (ROOT / "src" / "countermark" / path).read_text("utf-8")
        docstring = ast.get_docstring(ast.parse(source)) or ""
        rules = {int(number) for number in re.findall(r"^ *(\d+)\. ", docstring, re.MULTILINE)}
        assert {int(number) for number in re.findall(r"\d+", numbers)} <= rules, path
