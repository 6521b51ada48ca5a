# SPDX-License-Identifier: Apache-2.0
"""Hypothesis strategies made from JSON Schemas, and walks through the documents they make.

Only the words that the schemas of records use are known; any other is an error, so that a new word
cannot be passed over.
"""

import datetime as dt
from collections.abc import Iterator
from functools import cache
from typing import Any

from hypothesis import strategies as st

from countermark.records import Record

Schema = dict[str, Any]
Document = dict[str, Any]
Place = tuple[str | int, ...]

# A canonical number outside these is written as an integer that other languages misread.
LARGEST = 2**53 - 1
KNOWN = {
    "$defs", "$ref", "additionalProperties", "anyOf", "const", "description", "discriminator",
    "enum", "exclusiveMaximum", "exclusiveMinimum", "format", "items", "maxItems", "maxLength",
    "maximum", "minItems", "minLength", "minimum", "oneOf", "pattern", "properties", "required",
    "title", "type",
}  # fmt: skip
_HEX = "[0-9a-f]{64}$"
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NUMBERS = st.one_of(
    st.integers(-LARGEST, LARGEST),
    st.floats(-LARGEST, LARGEST, allow_nan=False),
)
JSON_VALUES = st.recursive(
    st.one_of(st.booleans(), NUMBERS, TEXT),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)
WRONG: dict[str, Any] = {
    "string": 7, "integer": "7", "number": "0.5", "boolean": 1, "array": {"0": 1}, "object": [1],
}  # fmt: skip


@cache
def documents(kind: str) -> st.SearchStrategy[Document]:
    """Documents that the schema of a kind admits, with unknown fields at any level."""
    schema = Record.KINDS[kind].model_json_schema()
    return _Maker(schema).make(schema)


def named(kind: str, document: Document) -> Iterator[tuple[Place, str]]:
    """Yield where a document holds what its schema names, and of which type each is."""
    schema = Record.KINDS[kind].model_json_schema()
    return _walk(schema, schema, document, ())


def objects(document: Any, place: Place = ()) -> Iterator[Place]:
    """Yield where a document holds objects, itself included."""
    if isinstance(document, dict):
        yield place
        for key, value in document.items():
            yield from objects(value, (*place, key))
    elif isinstance(document, list):
        for index, value in enumerate(document):
            yield from objects(value, (*place, index))


def replaced(document: Any, place: Place, value: Any) -> Any:
    """Return a copy of a document with another value at one place."""
    if not place:
        return value
    first, rest = place[0], place[1:]
    copy: Any = dict(document) if isinstance(document, dict) else list(document)
    # A key that is not there yet is added.
    old = copy.get(first) if isinstance(copy, dict) else copy[first]
    copy[first] = replaced(old, rest, value)
    return copy


class _Maker:
    """Makes strategies from the parts of one schema; each definition is made once."""

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._made: dict[str, st.SearchStrategy[Any]] = {}

    def make(self, schema: Schema) -> st.SearchStrategy[Any]:
        unknown = schema.keys() - KNOWN
        if unknown:
            raise NotImplementedError(f"words that are not known here: {unknown}")
        if "$ref" in schema:
            name = schema["$ref"]
            if name not in self._made:
                self._made[name] = self.make(_resolved(self._root, schema))
            return self._made[name]
        if "const" in schema:
            return st.just(schema["const"])
        if "enum" in schema:
            return st.sampled_from(schema["enum"])
        for word in ("anyOf", "oneOf"):
            if word in schema:
                return st.one_of([self.make(part) for part in schema[word]])
        made: st.SearchStrategy[Any] = getattr(self, f"_{schema['type']}")(schema)
        return made

    def _object(self, schema: Schema) -> st.SearchStrategy[Document]:
        properties = {name: self.make(part) for name, part in schema["properties"].items()}
        required = set(schema.get("required", ()))
        named = st.fixed_dictionaries(
            {name: part for name, part in properties.items() if name in required},
            optional={name: part for name, part in properties.items() if name not in required},
        )
        assert schema["additionalProperties"] is True
        keys = TEXT.filter(lambda key: key not in properties)
        others = st.dictionaries(keys, JSON_VALUES, max_size=1)
        return st.builds(lambda a, b: {**b, **a}, named, others)

    def _array(self, schema: Schema) -> st.SearchStrategy[list[Any]]:
        least = schema.get("minItems", 0)
        most = min(schema.get("maxItems", least + 1), least + 1)
        return st.lists(self.make(schema["items"]), min_size=least, max_size=most)

    def _string(self, schema: Schema) -> st.SearchStrategy[str]:
        if schema.get("format") == "date-time":
            times = st.datetimes(dt.datetime(1, 1, 1), dt.datetime(9999, 1, 1))
            return times.map(lambda at: at.replace(microsecond=0).isoformat() + "Z")
        if schema.get("format") == "iso-8601-date":
            days = st.dates().map(dt.date.isoformat)
            return st.builds(lambda day, end: day[:end], days, st.sampled_from([4, 7, 10]))
        assert "format" not in schema
        least, longest = schema.get("minLength", 0), schema.get("maxLength", 200)
        if schema.get("pattern", "").endswith(_HEX):
            start = schema["pattern"].removeprefix("^").removesuffix(_HEX)
            return _hex(start)
        if "pattern" in schema:
            texts = st.from_regex(str(schema["pattern"]), fullmatch=True)
            return texts.filter(lambda text: least <= len(text) <= longest)
        characters = st.characters(exclude_categories=["Cs"])
        return st.text(characters, min_size=least, max_size=min(longest, 20))

    def _integer(self, schema: Schema) -> st.SearchStrategy[int]:
        assert "exclusiveMinimum" not in schema
        return st.integers(schema.get("minimum", -LARGEST), schema.get("maximum", LARGEST))

    def _number(self, schema: Schema) -> st.SearchStrategy[float]:
        low = schema.get("exclusiveMinimum", schema.get("minimum", -LARGEST))
        high = schema.get("exclusiveMaximum", schema.get("maximum", LARGEST))
        return st.floats(
            low,
            high,
            allow_nan=False,
            exclude_min="exclusiveMinimum" in schema,
            exclude_max="exclusiveMaximum" in schema,
        )

    def _boolean(self, schema: Schema) -> st.SearchStrategy[bool]:
        assert schema["type"] == "boolean"
        return st.booleans()


def _hex(start: str) -> st.SearchStrategy[str]:
    # As from_regex would, and ten times as fast.
    return st.binary(min_size=32, max_size=32).map(lambda data: f"{start}{data.hex()}")


def _walk(root: Schema, schema: Schema, value: Any, place: Place) -> Iterator[tuple[Place, str]]:
    schema = _resolved(root, schema)
    for word in ("anyOf", "oneOf"):
        if word in schema:
            wanted = value["kind"]
            parts = [_resolved(root, part) for part in schema[word]]
            schema = next(p for p in parts if p["properties"]["kind"]["const"] == wanted)
    yield place, schema["type"]
    if schema["type"] == "object":
        for name, part in schema["properties"].items():
            if name in value:
                yield from _walk(root, part, value[name], (*place, name))
    if schema["type"] == "array":
        for index, item in enumerate(value):
            yield from _walk(root, schema["items"], item, (*place, index))


def _resolved(root: Schema, schema: Schema) -> Schema:
    if "$ref" not in schema:
        return schema
    found: Schema = root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    return found
