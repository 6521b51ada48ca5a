# SPDX-License-Identifier: Apache-2.0
"""docs/replica.md: its folder freezes, and its tables are those that the script computes."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from command_line import countermark

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def script() -> Iterator[ModuleType]:
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        spec = importlib.util.spec_from_file_location("replica", ROOT / "scripts" / "replica.py")
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(ROOT / "scripts"))


def told(name: str) -> str:
    """Return a table as the page has it."""
    page = (ROOT / "docs" / "replica.md").read_text(encoding="utf-8")
    return page.split(f"<!-- table: {name} -->\n\n")[1].split("\n<!-- end -->")[0]


def test_the_folder_freezes_and_lints_without_an_error(script: ModuleType, tmp_path: Path) -> None:
    folder = tmp_path / "replica"
    script.design.write_folder(folder, items=12)
    assert countermark("protocol", "freeze", folder, "-o", tmp_path / "p.json").code == 0
    assert not [one for one in script.lint(folder).findings if one.rule.severity == "error"]


@pytest.mark.parametrize("name", ["planning", "aggregates"])
def test_tables_that_need_no_analysis_are_todays(script: ModuleType, name: str) -> None:
    assert told(name) == script.TABLES[name](None)


def test_the_page_has_every_table(script: ModuleType) -> None:
    assert all(told(name).startswith("| ") for name in script.TABLES)


@pytest.mark.slow
def test_all_tables_are_todays(script: ModuleType) -> None:
    assert script.main(["--check"]) == 0
