# SPDX-License-Identifier: Apache-2.0
"""docs/frameworks.md: its table is that of the data, and its example passes the checks."""

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest
from command_line import countermark, done

from countermark.commitments.checks import check_framework, framework_warnings
from countermark.commitments.frameworks import framework_key, load_frameworks
from countermark.commitments.reference import companies
from countermark.records.framework import Framework

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "frameworks.md").read_text(encoding="utf-8")


def example() -> str:
    (text,) = re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return str(text)


@pytest.fixture(scope="module")
def script() -> ModuleType:
    path = ROOT / "scripts" / "frameworks.py"
    spec = importlib.util.spec_from_file_location("frameworks_script", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_table_is_that_of_the_data(script: ModuleType) -> None:
    assert script.page(PAGE) == PAGE
    for framework in load_frameworks():
        assert f"| `{framework_key(framework)}` |" in PAGE
    for company in companies():
        assert f"\n| {company.name} | " in PAGE


def test_a_table_that_is_not_up_to_date_is_noticed(script: ModuleType) -> None:
    assert script.page(PAGE.replace("| superseded |", "| in-force |", 1)) == PAGE


def test_the_example_passes_the_checks_and_is_shown(tmp_path: Path) -> None:
    framework = Framework.from_bytes(example().encode(), where="docs/frameworks.md")
    check_framework(framework)
    assert framework_warnings(framework) == ()
    file = tmp_path / "framework.json"
    file.write_text(example(), encoding="utf-8")
    text = done("framework", "show", file).out
    assert "the rate in confidential-leak is at most 0.1 in English, French" in text
    assert (
        "the capability stays below the level “alone” on the scale none / with help / alone" in text
    )
    assert "from 4 times of compute on, this is due" in text


def test_an_unknown_kind_in_the_example_is_refused_by_name(tmp_path: Path) -> None:
    value = json.loads(example())
    value["thresholds"][1]["rule"]["kind"] = "feeling"
    file = tmp_path / "framework.json"
    file.write_text(json.dumps(value), encoding="utf-8")
    refused = countermark("framework", "show", file)
    assert refused.code == 1
    assert "framework.json: " in refused.err
    assert "thresholds.no-self-copying.rule: has the kind 'feeling'" in refused.err
    assert "known kinds: metric-bound, regression, uplift, capability-level" in refused.err
