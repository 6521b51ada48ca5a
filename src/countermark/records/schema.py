# SPDX-License-Identifier: Apache-2.0
"""The JSON Schema of a record says what reading accepts, so it differs from pydantic's own.

1. No field may be ``null``; a field without a value is left out.
2. A field that names its own kind or version is required: a document has to say it.
"""

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema


class RecordSchema(GenerateJsonSchema):
    """Generates the schema of a record as it is read."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """Return the schema without ``null`` (rule 1)."""
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Return the schema without a default: reading never fills one in."""
        return self.generate_inner(schema["schema"])

    def field_is_required(
        self,
        field: core_schema.ModelField | core_schema.DataclassField | core_schema.TypedDictField,
        total: bool,
    ) -> bool:
        """Tell whether a document has to hold the field (rule 2)."""
        schema = field["schema"]
        absent = schema["type"] == "default" and schema.get("default") is None
        return super().field_is_required(field, total) or not absent
