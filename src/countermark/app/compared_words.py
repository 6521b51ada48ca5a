# SPDX-License-Identifier: Apache-2.0
"""How compared settings are written for people: each status has a shape, a word and a colour."""

from countermark.records.canonical import read_json
from countermark.records.compared import ComparedSetting, ComparedValue, SettingStatus
from countermark.records.errors import InputError

SHAPES: dict[SettingStatus, str] = {
    "same": "●",
    "declared-factor": "◆",
    "declared-deviation": "◇",
    "undeclared": "✕",
    "allowed": "○",
    "unknown": "?",
}
WORDS: dict[SettingStatus, str] = {
    "same": "same",
    "declared-factor": "declared factor",
    "declared-deviation": "declared deviation",
    "undeclared": "undeclared",
    "allowed": "may differ",
    "unknown": "not told",
}
TONES: dict[SettingStatus, str] = {
    "same": "yes",
    "declared-factor": "yes",
    "declared-deviation": "open",
    "undeclared": "no",
    "allowed": "",
    "unknown": "open",
}
_DIGEST = "sha256:"
_SHOWN = 12
_LONGEST = 60


def value_text(text: str | None) -> str:
    """Return a value, which is canonical JSON, as people read it."""
    if text is None:
        return "–"
    try:
        value = read_json(text.encode("utf-8", "replace"), where="a setting")
    except InputError:
        value = text
    if value is None or value == []:
        return "none"
    shown = value if isinstance(value, str) else text
    if shown.startswith(_DIGEST):
        return f"text {shown.removeprefix(_DIGEST)[:_SHOWN]}…"
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"


def said(one: ComparedValue) -> str:
    """Return what one lab has, in a few words."""
    if one.values is not None:
        return f"{one.values} values, by cell"
    if one.value is None:
        return "not told"
    return value_text(one.value)


def value_line(one: ComparedValue, who: str) -> str:
    """Return a lab's value as a line: shape, who, value, in which cells, and why."""
    cells = f" in {', '.join(one.cells)}" if one.cells else ""
    why = f" ({one.reason})" if one.reason else ""
    return f"{SHAPES[one.status]} {who}: {said(one)}{cells}{why}"


def asked_text(row: ComparedSetting) -> str:
    """Return what the protocol asks for, over all labs."""
    wanted = sorted({one.asked for one in row.values if one.asked is not None})
    if any(one.values is not None for one in row.values):
        return "by cell"
    if len(wanted) > 1:
        return " or ".join(value_text(one) for one in wanted[:3])
    return value_text(wanted[0]) if wanted else "–"


def of_lab(row: ComparedSetting, lab: str) -> tuple[ComparedValue, ...]:
    """Return what a row says of one lab."""
    return tuple(one for one in row.values if one.lab == lab)
