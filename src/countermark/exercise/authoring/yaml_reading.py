# SPDX-License-Identifier: Apache-2.0
"""Strict reading of YAML that people write: the part of YAML 1.2 that has one meaning in JSON.

1. One document, UTF-8, at most ``MAX_YAML_BYTES`` long.
2. No mapping has the same key twice, and every key is a text.
3. No aliases, so a small file cannot unfold into a large one; no merge keys and no tags of types
   that JSON lacks.
4. ``no``, ``yes``, ``on``, ``off`` and dates are texts. (YAML 1.1 reads the language code ``no`` as
   *false* and ``1e-6`` as a text.)
5. Whatever strict JSON refuses is refused: not-a-number, infinity, very large integers, deep
   nesting.
"""

import json
import re
from typing import Any

import yaml

from countermark.records.canonical import JsonValue, read_object
from countermark.records.errors import InputError

MAX_YAML_BYTES = 1024 * 1024
_TAG = "tag:yaml.org,2002:"
_TYPES = {_TAG + name for name in ("null", "bool", "int", "float", "str", "seq", "map")}
_DIGITS = list("-0123456789")


def read_yaml_object(data: bytes, *, where: str) -> dict[str, JsonValue]:
    """Read one YAML mapping strictly.

    Parameters
    ----------
    data
        The bytes of the whole file.
    where
        The file name that an error should name.

    Raises
    ------
    InputError
        If a rule of the module docstring is broken.
    """
    if len(data) > MAX_YAML_BYTES:
        raise InputError(
            f"is {len(data):,} bytes; at most {MAX_YAML_BYTES:,} are read",
            where=where,
            next_step="Move items and answers into their own .jsonl files.",
        )
    try:
        # The loader derives from SafeLoader and knows fewer types than it.
        value = yaml.load(data.decode("utf-8"), Loader=_StrictLoader)  # noqa: S506
        text = json.dumps(value)
    except UnicodeDecodeError as error:
        raise InputError(
            f"is not UTF-8 (byte {error.start})", where=where, next_step="Save the file as UTF-8."
        ) from error
    except yaml.YAMLError as error:
        raise _explained(error, where) from error
    except RecursionError as error:
        raise InputError(
            "is nested too deep", where=where, next_step="Check its indentation."
        ) from error
    return read_object(text.encode(), where=where)


def _explained(error: yaml.YAMLError, where: str) -> InputError:
    mark = getattr(error, "problem_mark", None)
    place = f"{where}:{mark.line + 1}:{mark.column + 1}" if mark else where
    problem = getattr(error, "problem", None) or getattr(error, "reason", None)
    return InputError(
        f"is not YAML as it is read here: {problem or 'it cannot be read'}",
        where=place,
        next_step="Correct that line.",
    )


class _StrictLoader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  PyYAML's own way of configuring
    yaml_constructors = {  # noqa: RUF012
        tag: make
        for tag, make in yaml.SafeLoader.yaml_constructors.items()
        if tag is None or tag in _TYPES
    }

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(
                None, None, "aliases (*name) are not read; write the value out", mark
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        mapping: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                _refuse_key(f"the key {key!r} is no text; put it in quotes", key_node)
            if key in mapping:
                _refuse_key(f"the key {key!r} stands here twice", key_node)
            mapping[key] = self.construct_object(value_node, deep=deep)
        return mapping


def _refuse_key(problem: str, node: yaml.Node) -> None:
    raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


for _name, _pattern, _first in (
    ("null", r"~|null|", ["~", "n", ""]),
    ("bool", r"true|false", ["t", "f"]),
    ("int", r"-?(?:0|[1-9][0-9]{0,16})", _DIGITS),
    ("float", r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)", _DIGITS),
):
    _StrictLoader.add_implicit_resolver(_TAG + _name, re.compile(f"^(?:{_pattern})$"), _first)
