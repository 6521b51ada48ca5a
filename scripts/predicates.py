# SPDX-License-Identifier: Apache-2.0
"""The text of docs/predicates.md: every kind of record field by field, from the models themselves.

Types are named as ``records/base.py`` names them; limits are written out from the fields. A piece
that one kind alone uses stands with it; pieces of several kinds stand at the end.
"""

import types
import typing
from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args, get_origin

from countermark.records import Record, base
from countermark.records.base import Part
from countermark.signing.party import MAY_SAY

NAMES = {
    base.Digest: "digest",
    base.Hex32: "32 bytes in hex",
    base.Slug: "slug",
    base.MemberCode: "member",
    base.PartyCode: "party",
    base.LabKey: "lab",
    base.LanguageTag: "language",
    base.Timestamp: "time",
    base.Date: "date",
    base.Text: "text",
    base.Count: "count",
    base.Rate: "rate",
}
PLAIN = {str: "any text", int: "integer", float: "number", bool: "true or false"}
HEAD = """\
# Predicate types

Every kind of record, field by field. A record is the predicate of an in-toto statement; how that
is signed, logged and verified is in [wire-format.md](wire-format.md). `scripts/schemas.py` writes
this page and `schemas/` from the models in `records/`; with `--check` it says where they differ.

For every kind: a field that is not required is left out when it has no value; `null` appears
nowhere. A record may have fields that are not here; they are kept and signed, and mean nothing to
this version. The *speaker* field must hold the code or the name of the party that signs.

| type | is |
|---|---|
| digest | `sha256:` and 64 hex digits, the content address of a record or a file |
| 32 bytes in hex | 64 lower-case hex digits |
| slug | small letters and digits, joined by `-`, `.` or `_`; at most 80 |
| member | two capitals: a country's ISO 3166-1 code, or EU |
| party | a member, or small letters and digits joined by `-` for others |
| lab | a member's code, `-`, and the lab's own name, like a slug |
| language | a BCP 47 tag: language, script, region |
| time | UTC, `2026-01-31T12:00:00Z` |
| date | a year, a month or a day: `2026`, `2026-01`, `2026-01-31` |
| text | 1 to 20,000 characters |
| count | an integer from 0 |
| rate | a number from 0 to 1 |
| list of … | a JSON array |
| `Name` | an object of the fields under that heading |
"""


def page() -> str:
    """Return the whole document."""
    users = _users()
    shared = sorted((part for part, kinds in users.items() if len(kinds) > 1), key=_name)
    blocks = [HEAD]
    for name, kind in sorted(Record.KINDS.items()):
        own = [part for part in _parts(kind) if users[part] == {name}]
        blocks += [_heading(name, kind), *(_section(part, 3) for part in own)]
    blocks.append("## Pieces of several kinds\n")
    blocks += [f"{_section(part, 3)}\nIn: {_listed(users[part])}.\n" for part in shared]
    return "\n".join(blocks)


def _heading(name: str, kind: type[Record]) -> str:
    roles = sorted(role for role, kinds in MAY_SAY.items() if name in kinds)
    speaker = f"`{kind.SPEAKER}`" if kind.SPEAKER else "none: whoever signs"
    return (
        f"## {name}\n\n{_purpose(kind)}\n\n"
        f"- Predicate type: `{kind.predicate_type()}`\n"
        f"- Said by: {', '.join(roles) or 'no role'}; speaker: {speaker}\n\n{_table(kind)}"
    )


def _section(part: type[Part], level: int) -> str:
    return f"{'#' * level} {_name(part)}\n\n{_purpose(part)}\n\n{_table(part)}"


def _table(part: type[Part]) -> str:
    hints = typing.get_type_hints(part, include_extras=True)
    rows = ["| field | type | required | is |", "|---|---|---|---|"]
    for name, field in part.model_fields.items():
        # A document has to say a literal that fills itself in in code (see records/schema.py).
        required = "yes" if field.is_required() or field.default is not None else "no"
        said = _fixed(name) if name in ("kind", "version") and not field.description else ""
        limits = _limits(field.metadata, hints[name])
        meaning = f"{field.description or said}{limits}".replace("|", "\\|").strip()
        rows.append(f"| `{name}` | {_type(hints[name])} | {required} | {meaning} |")
    return "\n".join(rows) + "\n"


def _fixed(name: str) -> str:
    return "Names this kind." if name == "kind" else "Names this version of the kind."


def _type(hint: Any) -> str:
    for alias, name in NAMES.items():
        if hint is alias:
            return name
    origin, inside = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _type(inside[0])
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in inside)
    if origin is tuple:
        return f"list of {_type(inside[0])}"
    if origin in (types.UnionType, typing.Union):
        return " or ".join(_type(one) for one in inside if one is not type(None))
    return PLAIN.get(hint) or f"`{_name(hint)}`"


def _limits(metadata: list[Any], hint: Any) -> str:
    # An alias has its limits in its own name; these are what the field adds to it.
    if any(hint is alias for alias in NAMES):
        return ""
    words = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
    found = [
        f"{said} {getattr(limit, word):,}"
        for limit in metadata
        for word, said in words.items()
        if hasattr(limit, word)
    ]
    unit = "of them" if get_origin(hint) is tuple else "characters"
    lengths = {"min_length": "at least", "max_length": "at most"}
    found += [
        f"{said} {getattr(limit, word):,} {unit}"
        for limit in metadata
        for word, said in lengths.items()
        if getattr(limit, word, None) is not None
    ]
    return f" ({', '.join(found)})" if found else ""


def _parts(part: type[Part]) -> Iterator[type[Part]]:
    """Yield the pieces that a model is made of, each once, in the order of its fields."""
    seen: dict[type[Part], None] = {}

    def walk(hint: Any) -> None:
        if isinstance(hint, type) and issubclass(hint, Part):
            if hint not in seen:
                seen[hint] = None
                below(hint)
            return
        for inside in get_args(hint):
            walk(inside)

    def below(owner: type[Part]) -> None:
        for name, hint in typing.get_type_hints(owner).items():
            if name not in owner.model_fields:
                continue  # what is private to the code is in no document
            walk(hint)

    below(part)
    yield from seen


def _users() -> dict[type[Part], set[str]]:
    users: dict[type[Part], set[str]] = {}
    for name, kind in Record.KINDS.items():
        for part in _parts(kind):
            users.setdefault(part, set()).add(name)
    return users


def _purpose(part: type[Part]) -> str:
    text = (part.__doc__ or "").strip().split("\n\n")[0]
    return " ".join(text.replace("``", "`").split())


def _name(part: type) -> str:
    return part.__name__


def _listed(names: set[str]) -> str:
    return ", ".join(f"[{name}](#{name})" for name in sorted(names))
