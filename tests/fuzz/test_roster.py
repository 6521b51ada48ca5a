# SPDX-License-Identifier: Apache-2.0
"""A roster folder in which one file is bent is refused by an error of ours that names the file."""

from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fuzzing import FAMILIES, NASTY, bent, shown
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nodes import START, make_network

from countermark.signing.roster import Roster, load_roster


class Files(dict[str, bytes]):
    """A roster folder; hypothesis should not print it whole."""

    def __repr__(self) -> str:
        return f"{len(self)} files"


def said(roster: Roster) -> dict[str, Any]:
    """Return all that a roster says; the anchor is of the bytes of a file."""
    return {
        field.name: getattr(roster, field.name)
        for field in fields(roster)
        if field.name != "anchor"
    }


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    network = make_network(tmp_path_factory.mktemp("roster") / "nodes")
    return Files(network["GB"].roster_files())


def check(files: Files, name: str, data: bytes, at: datetime = START) -> None:
    try:
        roster = load_roster({**files, name: data}, at)
    except FAMILIES as error:
        shown(error)
    else:
        # TUF signs what metadata says, not how it is spaced; and a signature may be one too many.
        assert said(roster) == said(load_roster(files, at)), f"a changed {name} says something else"


def test_the_roster_itself_loads(files: Files) -> None:
    assert load_roster(files, START).parties
    assert len(files) >= 4


def test_each_file_cut_short_or_with_a_nasty_piece(files: Files) -> None:
    for name, data in files.items():
        for end in range(0, len(data), max(1, len(data) // 40)):
            check(files, name, data[:end])
        for piece in NASTY:
            check(files, name, piece)
            if piece:
                check(files, name, piece + data)
                check(files, name, data + piece)
                check(files, name, data[: len(data) // 2] + piece + data[len(data) // 2 :])


@settings(
    deadline=None,
    max_examples=400,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_bent_files(files: Files, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(files)))
    check(files, name, data.draw(st.one_of(st.binary(max_size=60), bent(files[name]))))


def test_times_at_the_ends_of_the_calendar(files: Files) -> None:
    for at in (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)):
        for name in sorted(files):
            check(files, name, b"{}", at)


def test_files_of_other_names_are_not_read(files: Files) -> None:
    others = {f"{name}.part": b"\xff" for name in files} | {"../1.root.json": b"{}"}
    assert load_roster({**files, **others}, START) == load_roster(files, START)


def test_a_missing_file_is_named(files: Files, tmp_path: Path) -> None:
    for name in files:
        rest = {other: data for other, data in files.items() if other != name}
        with pytest.raises(FAMILIES, match=r"\.json|policy") as caught:
            load_roster(rest, START)
        assert caught.value.next_step
