# SPDX-License-Identifier: Apache-2.0
import importlib.util
import json
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import get_args

import pytest

from countermark.records import Record, base
from countermark.records.base import Part
from countermark.records.protocol_parts import Tlp
from countermark.signing.party import MAY_SAY

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "scripts")
    spec = importlib.util.spec_from_file_location("schemas_script", ROOT / "scripts/schemas.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(script: ModuleType, monkeypatch: pytest.MonkeyPatch, folder: Path, *arguments: str) -> int:
    monkeypatch.setattr(script, "FOLDER", folder)
    page = ROOT / "docs" if folder == ROOT / "schemas" else folder.parent
    monkeypatch.setattr(script, "PAGE", page / "predicates.md")
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
    (tmp_path / "predicates.md").write_text("# None\n", "utf-8")
    assert run(script, monkeypatch, folder, "--check") == 1
    said = capsys.readouterr().err
    names = ("evidence", "finding", "rumour", "predicates.md", "protocol")
    assert [name for name in names if name in said] == list(names[:4])
    assert run(script, monkeypatch, folder) == 0
    assert run(script, monkeypatch, folder, "--check") == 0


def pieces(owner: type[Part]) -> list[type[Part]]:
    return [owner, *(piece for part in owner.__subclasses__() for piece in pieces(part))]


ALIASES = {
    metadata.description
    for alias in vars(base).values()
    for metadata in getattr(alias, "__metadata__", ())
    if getattr(metadata, "description", None)
}
PIECES = [piece for piece in pieces(Part) if piece.__module__.startswith("countermark.records.")]


@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: piece.__name__)
def test_every_field_is_described_in_words_of_its_own(piece: type[Part]) -> None:
    bare = [
        name
        for name, field in piece.model_fields.items()
        # What a record's kind and version are, their one value says.
        if name not in ("kind", "version") and field.description in (None, "", *ALIASES)
    ]
    assert bare == []


def test_the_page_has_every_kind_and_every_field(script: ModuleType) -> None:
    page = script.predicates.page()
    for name, kind in Record.KINDS.items():
        section = page.split(f"\n## {name}\n")[1].split("\n## ")[0]
        assert f"`{kind.predicate_type()}`" in section
        roles = sorted(role for role, kinds in MAY_SAY.items() if name in kinds)
        assert f"Said by: {', '.join(roles)}; " in section
        for field in kind.model_fields:
            assert f"\n| `{field}` | " in section
    headings = set(re.findall(r"^### (\w+)$", page, re.MULTILINE))
    named = set(re.findall(r"`([A-Z][A-Za-z]+)`", page)) - {"Name", "MAY", "FLOP", *get_args(Tlp)}
    assert named <= headings


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("| `epochs` | integer | yes | How often each item is asked. (at least 1, at most 1,000) |",
         "limits"),
        ("| `lab_item` | number | no | Absent with one epoch. (at least 0) |", "not required"),
        ("| `verdict` | `MAY` or `MUST NOT` or `NOT ENOUGH EVIDENCE` | yes | The verdict. |",
         "a choice"),
        ("| `kind` | `finding` | yes | Names this kind. |", "a literal has to be said"),
        ("| `protocol` | digest | yes | The protocol of the exercise. |", "a named type"),
    ],
)  # fmt: skip
def test_a_row_says_type_need_and_limits(script: ModuleType, row: str, why: str) -> None:
    assert row in script.predicates.page().splitlines(), why
