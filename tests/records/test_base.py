# SPDX-License-Identifier: Apache-2.0
import hashlib
import importlib
import pkgutil
import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError

from countermark import records
from countermark.records import Record, record_from_value
from countermark.records.canonical import JsonValue, canonical
from countermark.records.errors import InputError
from countermark.records.faults import unknown_fields
from countermark.records.protocol import RunPlan

PLAN: dict[str, JsonValue] = {
    "kind": "run-plan",
    "version": 1,
    "protocol": "sha256:" + "1" * 64,
    "institute": "KE",
    "lab": "KE-nairobi",
    "settings": [{"factor": "temperature", "value": "warm"}],
    "samples": 3,
    "secret_commitment": "2" * 64,
}
SOURCE: JsonValue = {"title": "A", "publisher": "B", "standing": "primary"}
PARTNERSHIP: dict[str, JsonValue] = {
    "kind": "partnership", "version": 1, "key": "a", "title": "A", "parties": ["A", "B"],
    "members": [], "date": "2024", "opens": ["talks"], "sources": [SOURCE], "as_of": "2026-02-28",
}  # fmt: skip


def plan(**changes: Any) -> RunPlan:
    return RunPlan.from_value({**PLAN, **changes}, where="plan.json")


def refused(saying: str, **changes: Any) -> None:
    with pytest.raises(InputError, match=saying) as caught:
        plan(**changes)
    assert caught.value.where == "plan.json"
    assert caught.value.next_step


def test_a_record_is_its_canonical_bytes() -> None:
    record = RunPlan.from_bytes(b" " + canonical(PLAN) + b"\n", where="plan.json")
    assert record.to_bytes() == canonical(PLAN)
    assert record.digest == "sha256:" + hashlib.sha256(canonical(PLAN)).hexdigest()
    assert record.predicate_type() == "urn:countermark:run-plan:v1"
    assert record.speaker == "KE"


def test_rule_1_null_is_refused_anywhere() -> None:
    refused("has null at samples", samples=None)
    refused(r"has null at settings\[0\].factor", settings=[{"factor": None, "value": "warm"}])
    refused(r"has null at later.deep\[1\]", later={"deep": [1, None]})


def test_rule_2_kind_and_version_must_be_said() -> None:
    for unsaid in ("kind", "version"):
        value = {key: entry for key, entry in PLAN.items() if key != unsaid}
        with pytest.raises(InputError, match=f"says no {unsaid}"):
            RunPlan.from_value(value, where="plan.json")
    with pytest.raises(InputError, match="says no kind and no version"):
        RunPlan.from_value({}, where="plan.json")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("version", 2), ("version", "1"), ("kind", 1),
        ("samples", -1), ("samples", 1.5), ("samples", "3"), ("samples", True),
        ("institute", "ke"), ("institute", "KEN"), ("institute", "K\u00c9"),
        ("lab", "KE"), ("lab", "KE-Nairobi"), ("lab", "KE-nairobi\n"),
        ("protocol", "1" * 64), ("protocol", "sha256:" + "A" * 64),
        ("protocol", "sha256:" + "1" * 63), ("secret_commitment", "\u0662" * 64),
        ("settings", {}), ("settings", [["temperature", "warm"]]), ("settings", "warm"),
    ],
)  # fmt: skip
def test_a_field_of_another_type_or_range_is_refused(field: str, value: JsonValue) -> None:
    refused(f"is not a valid run-plan: {field}", **{field: value})


def test_another_kind_is_refused_by_name() -> None:
    refused("is of the kind evidence, where run-plan is asked for", kind="evidence")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("protocol", "1" * 64, "must be a digest: sha256: and 64"),
        ("institute", "ke", "must be a member's code of two capitals"),
        ("lab", "KE", "must be a lab's code"),
    ],
)
def test_a_text_that_is_written_otherwise_is_told_how(field: str, value: str, said: str) -> None:
    refused(f"{field}: {said}", **{field: value})


def test_a_field_that_is_missing_is_sought_under_a_name_that_is_like_it() -> None:
    written: dict[str, JsonValue] = {**PLAN, "setings": PLAN["settings"]}
    del written["settings"]
    with pytest.raises(InputError, match="settings: is missing") as caught:
        RunPlan.from_value(written, where="plan.json")
    assert caught.value.next_step == "Look at setings: is settings meant?"
    del written["setings"]
    with pytest.raises(InputError, match="settings: is missing") as caught:
        RunPlan.from_value(written, where="plan.json")
    assert "schemas/run-plan.schema.json" in caught.value.next_step


def test_fields_that_are_not_known_are_told_with_their_place() -> None:
    told = plan(later=1, settings=[{"factor": "temperature", "value": "warm", "valu": "hot"}])
    assert list(unknown_fields(told)) == [
        "the field later is not known and changes nothing",
        "the field settings.0.valu is not known and changes nothing; is value meant?",
    ]
    assert list(unknown_fields(plan())) == []


def test_what_would_be_written_back_otherwise_is_refused() -> None:
    # In Python true equals 1, and a literal 1 is what it would be written back as.
    refused("would not be written back as it is", version=True)


@pytest.mark.parametrize("date", ["2024", "2024-02", "2024-02-29", "0001", "9999-12-31"])
def test_dates_are_to_the_year_month_or_day(date: str) -> None:
    assert record_from_value({**PARTNERSHIP, "date": date}, where="a.json").to_value()["date"] == (
        date
    )


@pytest.mark.parametrize(
    "date", ["2023-02-29", "2024-13", "2024-00", "0000", "24", "2024-1-1", "2024-02-29T00:00:00Z",
             "\u0662\u0660\u0662\u0664", "2024-", "2024\n"],
)  # fmt: skip
def test_a_date_that_is_none_is_refused(date: str) -> None:
    with pytest.raises(InputError, match="is not a valid partnership: date"):
        record_from_value({**PARTNERSHIP, "date": date}, where="a.json")


def test_unknown_fields_are_kept_and_are_part_of_the_address() -> None:
    told = plan(later={"b": [1, {"c": 0.1}], "a": "x"}, settings=[
        {"factor": "temperature", "value": "warm", "unit": "kelvin"}
    ])  # fmt: skip
    assert told.to_value()["later"] == {"b": [1, {"c": 0.1}], "a": "x"}
    assert told.to_value()["settings"] == [
        {"factor": "temperature", "value": "warm", "unit": "kelvin"}
    ]
    assert told.digest != plan().digest


def test_a_record_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        plan().samples = 4  # type: ignore[misc]
    with pytest.raises(ValidationError, match="frozen"):
        plan().settings[0].value = "cold"  # type: ignore[misc]


@pytest.mark.parametrize("kind", ["sealed", "", 1, None, ["run-plan"], {"a": 1}])
def test_a_kind_that_is_not_known_is_refused_by_name(kind: JsonValue) -> None:
    with pytest.raises(InputError, match="which this version does not know") as caught:
        record_from_value({**PLAN, "kind": kind}, where="plan.json")
    assert "run-plan" in caught.value.next_step


def test_the_kind_decides_what_a_value_is_read_as() -> None:
    assert type(record_from_value(PLAN, where="plan.json")) is RunPlan


def test_every_kind_of_the_design_that_is_built_is_registered_under_its_own_name() -> None:
    for name, kind in Record.KINDS.items():
        assert kind.kind_name() == name
        assert kind.predicate_type() == f"urn:countermark:{name}:v1"
        assert set(kind.speaker_fields()) <= set(kind.model_fields)


def test_every_kind_is_listed_with_the_module_that_defines_it() -> None:
    for module in pkgutil.iter_modules(records.__path__):
        importlib.import_module(f"{records.__name__}.{module.name}")
    defined = {
        kind for kind in Record.__subclasses__() if kind.__module__.startswith("countermark")
    }
    code = (
        "import sys; from countermark.records import Record\n"
        "before = {name for name in sys.modules if name.startswith('countermark.records.')}\n"
        "print(*sorted(before))\n"
        "print(*(f'{name}:{kind.__module__}' for name, kind in Record.KINDS.items()))"
    )
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    loaded, listed = told.stdout.splitlines()
    assert set(listed.split()) == {f"{kind.kind_name()}:{kind.__module__}" for kind in defined}
    # A command pays for the kinds that it reads, and for no others.
    assert not {kind.__module__ for kind in defined} & set(loaded.split())


def test_an_error_names_the_first_of_many() -> None:
    refused(r"\(2 more\)", samples=-1, lab="x", institute="x")


def test_a_document_that_is_no_json_says_where() -> None:
    with pytest.raises(InputError, match="is not JSON") as caught:
        RunPlan.from_bytes(b'{"kind": }', where="plan.json")
    assert str(caught.value).startswith("plan.json:1:10")
