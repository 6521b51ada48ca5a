# SPDX-License-Identifier: Apache-2.0
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from countermark.records import Record

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("schemas_script", ROOT / "scripts/schemas.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(script: ModuleType, monkeypatch: pytest.MonkeyPatch, folder: Path, *arguments: str) -> int:
    monkeypatch.setattr(script, "FOLDER", folder)
    monkeypatch.setattr(sys, "argv", ["schemas.py", *arguments])
    code: int = script.main()
    return code


def test_the_published_schemas_are_those_of_the_code(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(script, monkeypatch, ROOT / "schemas", "--check") == 0, capsys.readouterr().err


def test_one_schema_for_each_kind_under_its_predicate_type(script: ModuleType) -> None:
    texts = script.schemas()
    assert set(texts) == {f"{name}.schema.json" for name in Record.KINDS}
    for name, kind in Record.KINDS.items():
        assert json.loads(texts[f"{name}.schema.json"])["$id"] == kind.predicate_type()


def test_a_schema_that_is_stale_missing_or_left_over_is_found_and_mended(
    script: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "schemas"
    assert run(script, monkeypatch, folder) == 0
    assert run(script, monkeypatch, folder, "--check") == 0
    (folder / "evidence.schema.json").write_text("{}\n", "utf-8")
    (folder / "finding.schema.json").unlink()
    (folder / "rumour.schema.json").write_text("{}\n", "utf-8")
    assert run(script, monkeypatch, folder, "--check") == 1
    said = capsys.readouterr().err
    assert [name for name in ("evidence", "finding", "rumour", "protocol") if name in said] == [
        "evidence", "finding", "rumour",
    ]  # fmt: skip
    assert run(script, monkeypatch, folder) == 0
    assert run(script, monkeypatch, folder, "--check") == 0
