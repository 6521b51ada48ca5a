# SPDX-License-Identifier: Apache-2.0
"""The shape of in-toto's Statement v1, test-result v0.1 and svr v0.2, written down by hand.

From the texts in in-toto/attestation, ``spec/v1/statement.md``, ``resource_descriptor.md``,
``spec/predicates/test-result.md`` and ``svr.md``. Their parsing rules let producers add fields, so
none is closed here; what is required and of which type is all that is said.
"""

from typing import Any

from jsonschema import Draft202012Validator

TEXTS: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
RESOURCE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "uri": {"type": "string"},
        "digest": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {"type": "string", "pattern": "^[0-9a-f]+$"},
        },
    },
    "anyOf": [{"required": ["uri"]}, {"required": ["digest"]}, {"required": ["content"]}],
}
TEST_RESULT: dict[str, Any] = {
    "type": "object",
    "required": ["result", "configuration"],
    "properties": {
        "result": {"enum": ["PASSED", "WARNED", "FAILED"]},
        "configuration": {"type": "array", "items": RESOURCE},
        "url": {"type": "string"},
        "passedTests": TEXTS,
        "warnedTests": TEXTS,
        "failedTests": TEXTS,
    },
}
SVR: dict[str, Any] = {
    "type": "object",
    "required": ["verifier", "timeCreated", "properties"],
    "properties": {
        "verifier": {
            "type": "object",
            "required": ["id", "policies"],
            "properties": {
                "id": {"type": "string", "pattern": "^[a-z][a-z0-9+.-]*:"},
                "policies": {"type": "array", "items": RESOURCE},
            },
        },
        "timeCreated": {
            "type": "string",
            "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z$",
        },
        "properties": TEXTS,
    },
}


def statement(predicate_type: str, predicate: dict[str, Any]) -> dict[str, Any]:
    """Return the shape of a statement with one type of predicate."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": ["_type", "subject", "predicateType", "predicate"],
        "properties": {
            "_type": {"const": "https://in-toto.io/Statement/v1"},
            "subject": {
                "type": "array",
                "minItems": 1,
                "items": {**RESOURCE, "required": ["digest"]},
            },
            "predicateType": {"const": predicate_type},
            "predicate": predicate,
        },
    }


def faults(schema: dict[str, Any], value: Any) -> list[str]:
    """Return where a value is not of a shape."""
    found = Draft202012Validator(schema).iter_errors(value)
    return sorted(f"{error.json_path}: {error.message}" for error in found)
