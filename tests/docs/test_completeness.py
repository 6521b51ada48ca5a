# SPDX-License-Identifier: Apache-2.0
"""What the documents have to name: rooms, kinds, settings, errors, decisions; and the picture."""

import re
import tomllib
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from countermark.app.site.addresses import short
from countermark.commitments.demonstration import demonstration_frameworks
from countermark.node.config import NodeConfig
from countermark.records import Record, errors
from countermark.signing.party import MAY_SAY

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
HEADINGS = ["Context", "Options", "Decision", "Consequences"]
SVG = "{http://www.w3.org/2000/svg}"


def in_code(name: str, *documents: str) -> bool:
    """Tell whether one of the documents names ``name`` in code."""
    return any(f"`{name}`" in (DOCS / document).read_text("utf-8") for document in documents)


def rooms() -> list[str]:
    """Return the rooms as import-linter enforces them."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = config["tool"]["importlinter"]["contracts"]
    (layers,) = (one["layers"] for one in contracts if one["type"] == "layers")
    return [room.strip() for layer in layers for room in layer.split("|")]


def decision_faults(text: str) -> list[str]:
    """Return what a decision record lacks."""
    faults = [] if re.match(r"# \d+\. \S", text) else ["no numbered title"]
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    faults += [] if headings == HEADINGS else [f"headings are {headings}"]
    faults += [] if len(re.findall(r"^- \*\*[A-Z]\.", text, re.MULTILINE)) > 1 else ["no options"]
    return faults + ([] if "- Bad:" in text else ["no bad consequence"])


@pytest.mark.parametrize("room", rooms())
def test_every_room_is_explained_and_drawn(room: str) -> None:
    assert in_code(room, "architecture.md")
    drawn = ET.parse(DOCS / "architecture.svg").getroot().iter(f"{SVG}text")  # noqa: S314  ours
    assert room in {text.text for text in drawn}


@pytest.mark.parametrize("kind", sorted(Record.KINDS))
def test_every_kind_of_record_is_named(kind: str) -> None:
    assert in_code(kind, "architecture.md")


@pytest.mark.parametrize("role", sorted(MAY_SAY))
def test_the_wire_format_says_which_role_may_say_what(role: str) -> None:
    text = (DOCS / "wire-format.md").read_text("utf-8")
    (row,) = re.findall(rf"^\| {role} \| (.+) \|$", text, re.MULTILINE)
    assert set(row.split(", ")) == (MAY_SAY[role] or {"none"})  # type: ignore[index]


@pytest.mark.parametrize("field", sorted(NodeConfig.model_fields))
def test_every_field_of_a_node_is_explained(field: str) -> None:
    assert in_code(field, "architecture.md")


@pytest.mark.parametrize(
    "family",
    [kind for kind in vars(errors).values() if isinstance(kind, type)],
    ids=lambda kind: kind.__name__,
)
def test_every_error_is_listed_with_its_exit_code(family: type[errors.CountermarkError]) -> None:
    text = (DOCS / "errors.md").read_text("utf-8")
    if family is errors.CountermarkError:
        assert f"`{family.__name__}`" in text
    else:
        (code,) = re.findall(rf"^\| `{family.__name__}` \|.*\| (\d) \|$", text, re.MULTILINE)
        assert int(code) == family.exit_code


@pytest.mark.parametrize(
    "path", sorted((DOCS / "adr").glob("[0-9]*.md")), ids=lambda path: path.stem
)
def test_every_decision_is_whole_and_listed(path: Path) -> None:
    text = path.read_text("utf-8")
    assert decision_faults(text) == []
    title = text.splitlines()[0].removeprefix("# ")
    assert f"[{title}]({path.name})" in (DOCS / "adr" / "README.md").read_text("utf-8")
    assert int(path.name[:4]) == int(title.split(".")[0])


def test_a_decision_without_a_price_is_seen() -> None:
    text = "# 1. X\n## Context\n## Options\n- **A.** a\n## Decision\n## Consequences\n- Good: x\n"
    assert decision_faults(text) == ["no options", "no bad consequence"]


def test_the_picture_is_readable_in_the_dark_and_by_ear() -> None:
    text = (DOCS / "architecture.svg").read_text("utf-8")
    root = ET.fromstring(text)  # noqa: S314  ours
    assert root.get("role") == "img"
    assert [part.tag for part in root][:2] == [f"{SVG}title", f"{SVG}desc"]
    assert "prefers-color-scheme: dark" in text
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)


def test_the_files_of_frameworks_that_tutorials_name_are_the_demonstrations() -> None:
    named = {
        found
        for path in (ROOT / "docs" / "tutorials").glob("*.md")
        for found in re.findall(r"framework-([0-9a-f]{12})\.json", path.read_text("utf-8"))
    }
    assert named == {short(one.digest) for one in demonstration_frameworks()}
