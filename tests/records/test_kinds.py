# SPDX-License-Identifier: Apache-2.0
"""Every kind of record, by documents made from its own published schema."""

import json
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic_core import PydanticUndefined
from strategies import WRONG, documents, named, objects, replaced

from countermark.records import Record
from countermark.records.base import Part
from countermark.records.canonical import canonical
from countermark.records.errors import InputError
from countermark.records.threshold_rules import ThresholdRule

KINDS = sorted(Record.KINDS)
every_kind = pytest.mark.parametrize("kind", KINDS)
# Documents of findings are large; that is what they are.
some = settings(
    deadline=None,
    max_examples=10,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def read(kind: str, document: dict[str, Any]) -> Record:
    return Record.KINDS[kind].from_bytes(json.dumps(document).encode(), where="a.json")


def parts(kind: type[Part] = Part) -> list[type[Part]]:
    return [part for child in kind.__subclasses__() for part in (child, *parts(child))]


@every_kind
@some
@given(data=st.data())
def test_what_the_schema_admits_is_written_back_byte_for_byte(
    kind: str, data: st.DataObject
) -> None:
    document = data.draw(documents(kind))
    record = read(kind, document)
    assert record.to_bytes() == canonical(document)
    again = Record.KINDS[kind].from_bytes(record.to_bytes(), where="a.json")
    assert again.to_bytes() == record.to_bytes()
    assert again.digest == record.digest
    # Unknown fields are kept at every level.
    for place in objects(document):
        document = replaced(document, (*place, "from-the-future"), {"deep": [0.5, {"a": "b"}]})
    assert read(kind, document).to_bytes() == canonical(document)


@every_kind
@some
@given(data=st.data())
def test_null_a_wrong_type_and_a_missing_field_are_refused(kind: str, data: st.DataObject) -> None:
    document = data.draw(documents(kind))
    places = [(place, type_) for place, type_ in named(kind, document) if place]
    for place, type_ in data.draw(st.lists(st.sampled_from(places), min_size=3, max_size=3)):
        with pytest.raises(InputError, match="has null at"):
            read(kind, replaced(document, place, None))
        with pytest.raises(InputError, match=f"is not a valid {kind}"):
            read(kind, replaced(document, place, WRONG[type_]))
    with pytest.raises(InputError, match="has null at"):
        read(kind, {**document, "from-the-future": [None]})
    required = Record.KINDS[kind].model_json_schema()["required"]
    assert {"kind", "version"} <= set(required)
    for name in required:
        rest = {key: value for key, value in document.items() if key != name}
        with pytest.raises(InputError, match=f"is not a valid {kind}") as caught:
            read(kind, rest)
        assert name in str(caught.value)


@every_kind
def test_the_schema_knows_neither_null_nor_defaults(kind: str) -> None:
    text = json.dumps(Record.KINDS[kind].model_json_schema())
    assert '"null"' not in text
    assert '"default"' not in text


def test_rule_2_no_field_has_a_default_other_than_absent() -> None:
    seen = 0
    for part in parts():
        for name, field in part.model_fields.items():
            assert field.default_factory is None, (part, name)
            # A kind and a version fill themselves in in code; every document has to say them.
            own = name in ("kind", "version") and isinstance(field.default, (str, int))
            assert own or field.default in (PydanticUndefined, None), (part, name)
            if own:
                assert name in part.model_json_schema()["required"] or part.__name__ in _TAGGED
            seen += 1
    assert seen > 200


_TAGGED = {rule.__name__ for rule in get_args(ThresholdRule)}


@pytest.mark.parametrize("tagged", sorted(_TAGGED))
def test_rule_2_a_part_that_is_told_by_its_kind_has_to_say_it(tagged: str) -> None:
    schema = Record.KINDS["framework"].model_json_schema()
    assert "kind" in schema["$defs"][tagged]["required"]


def test_the_strategies_reach_every_kind_of_the_house() -> None:
    assert len(KINDS) >= 15
    assert {"protocol", "evidence", "finding", "framework", "decision"} <= set(KINDS)
