# SPDX-License-Identifier: Apache-2.0
"""The page on the folder of a protocol names every field, and its example freezes."""

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from command_line import done
from documented_folder import PAGE, documented_folder
from pydantic import BaseModel

from countermark.exercise.authoring.lines import ItemLine, LabelledBy, LabelledLine
from countermark.records.protocol import Protocol

# What freezing makes, or takes from the names of files and of lines.
MADE = {"kind", "version", "sealed", "items", "annotation_sets", "texts", "files", "path"}
MADE |= {"guidelines", "language", "text", "prompt", "expected", "salt"}


def fields(kind: object) -> Iterator[str]:
    """Yield the names of all fields of a model, and of the models within."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        for name, field in kind.model_fields.items():
            yield name
            yield from fields(field.annotation)
    for inner in get_args(kind):
        yield from fields(inner)


@pytest.mark.parametrize("kind", [Protocol, ItemLine, LabelledLine, LabelledBy])
def test_every_field_is_explained(kind: type[BaseModel]) -> None:
    text = PAGE.read_text("utf-8")
    for name in set(fields(kind)) - (MADE if kind is Protocol else set()):
        assert f"`{name}`" in text, name


def test_the_example_freezes_as_it_stands_on_the_page(tmp_path: Path) -> None:
    folder = documented_folder(tmp_path / "my-exercise")
    out, private = tmp_path / "protocol.json", tmp_path / "private.json"
    done("protocol", "freeze", folder, "-o", out, "--private", private)
    assert "each of its 3 seals opens" in done("protocol", "show", out, "--private", private).out


def test_the_example_uses_every_field(tmp_path: Path) -> None:
    folder = documented_folder(tmp_path / "my-exercise")
    written = (folder / "protocol.yaml").read_text("utf-8")
    of_items = {"approach", "role"}
    for name in set(fields(Protocol)) - MADE - of_items:
        assert f"{name}:" in written, name
