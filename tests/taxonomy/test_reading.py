# SPDX-License-Identifier: Apache-2.0
"""Reference files are read strictly."""

import json
from pathlib import Path
from typing import Any

import pytest

from countermark.records.errors import InputError
from countermark.records.reference import Publication
from countermark.taxonomy.reading import read_folder, read_list
from countermark.taxonomy.risks import RiskList


def publication(key: str, **changes: Any) -> str:
    source = {"title": "T", "publisher": "P", "standing": "primary"}
    value: dict[str, Any] = {
        "kind": "publication",
        "version": 1,
        "key": key,
        "publisher": "P",
        "title": "T",
        "date": "2026",
        "genre": "report",
        "notes": [],
        "sources": [source],
        "as_of": "2026-11-23",
    }
    return json.dumps(value | changes)


def read(folder: Path) -> tuple[Publication, ...]:
    return read_folder(Publication, folder, lambda record: record.key)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('{"kind": "publication", "kind": "publication"}', "twice"),
        ("[]", "not a JSON object"),
        (
            publication("a", kind="finding"),
            "is of the kind finding, where publication is asked for",
        ),
        (publication("a", titel="T"), "unknown field 'titel'"),
        (
            publication(
                "a", sources=[{"title": "T", "publisher": "P", "standing": "primary", "u": 1}]
            ),
            "unknown field 'u'",
        ),
    ],
)
def test_rule_1_a_file_is_one_record_in_strict_json(
    tmp_path: Path, text: str, complaint: str
) -> None:
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=complaint):
        read(tmp_path)


def test_rule_2_a_file_is_named_after_its_record(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text(publication("a"), encoding="utf-8")
    with pytest.raises(InputError, match=r"b\.json: holds a"):
        read(tmp_path)


def test_rule_3_records_come_sorted(tmp_path: Path) -> None:
    for key in ("b", "a", "c"):
        (tmp_path / f"{key}.json").write_text(publication(key), encoding="utf-8")
    (tmp_path / "README.md").write_text("not a record", encoding="utf-8")
    assert [record.key for record in read(tmp_path)] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('{"as_of": "2026", "as_of": "2026", "risks": []}', "twice"),
        ('{"as_of": "2026", "risks": []}', "does not fit: risks: "),
        ('{"as_of": "2026", "risks": [{"code": "A B"}]}', "does not fit: risks.0.code: "),
    ],
)
def test_rule_4_a_list_is_read_as_strictly(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "risks.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=complaint):
        read_list(RiskList, tmp_path / "risks.json")


def test_rule_4_a_list_has_no_unknown_field(tmp_path: Path) -> None:
    source = {"title": "T", "publisher": "P", "standing": "primary"}
    risk = {"code": "a", "title": "A", "words": "A.", "sources": [source]}
    text = json.dumps({"as_of": "2026", "risks": [risk], "risk": 1})
    (tmp_path / "risks.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="unknown field 'risk'"):
        read_list(RiskList, tmp_path / "risks.json")
