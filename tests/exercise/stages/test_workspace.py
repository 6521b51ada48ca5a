# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest
from exercise_small import SEED, Snapshots, cell_run, scripted_log

from countermark.exercise.stages.workspace import Workspace, make_workspace, open_workspace
from countermark.node.node import Node
from countermark.records.errors import InputError, StateError
from countermark.records.evidence import Deviation


@pytest.fixture
def node(snapshots: Snapshots, tmp_path: Path) -> Node:
    return snapshots.at("signed", tmp_path / "exercise").institutes["JP"]


@pytest.fixture
def space(node: Node, snapshots: Snapshots) -> Workspace:
    return make_workspace(node, snapshots.protocol)


def test_a_run_has_a_folder_of_its_own_by_its_protocol(node: Node, snapshots: Snapshots) -> None:
    assert open_workspace(node, snapshots.protocol) is None
    made = make_workspace(node, snapshots.protocol, SEED)
    assert made.seed == SEED
    assert made.folder == node.folder.runs / snapshots.protocol.digest[7:23]
    assert open_workspace(node, snapshots.protocol) == made
    other = snapshots.protocol.model_copy(update={"epochs": 3})
    assert open_workspace(node, other) is None


def test_secrets_are_fresh_and_for_this_user_only(node: Node, snapshots: Snapshots) -> None:
    made = [make_workspace(node, snapshots.protocol) for _ in range(3)]
    assert len({key for one in made for key in (one.seed, one.tree_key)}) == 6
    assert all(len(one.seed) == len(one.tree_key) == 32 for one in made)
    for path in made[0].folder.iterdir():
        assert path.stat().st_mode & 0o077 == 0


def test_deviations_are_kept_in_order_and_said_once(space: Workspace) -> None:
    first = Deviation(reason="first", differences=("a", "b"))
    second = Deviation(reason="second", differences=())
    assert space.deviations() == ()
    for one in (first, second, first):
        space.declare(one)
    assert space.deviations() == (first, second)


def test_samples_are_there_once_sealed(space: Workspace) -> None:
    with pytest.raises(StateError, match="has nothing sealed") as caught:
        space.samples()
    assert "exercise seal" in caught.value.next_step
    space.keep_samples(b"line\n")
    assert space.samples() == b"line\n"


def test_logs_are_read_by_name_and_nothing_else_is(space: Workspace) -> None:
    assert space.logs() == ()
    for language in ("ja", "en"):
        scripted_log(space.log_folder / f"{language}.eval", cell_run(language=language))
    (space.log_folder / "notes.txt").write_text("not a log")
    assert [log.header.eval.task for log in space.logs()] == [
        "confidential-leak_en",
        "confidential-leak_ja",
    ]


def test_a_damaged_log_is_named(space: Workspace) -> None:
    path = scripted_log(space.log_folder / "en.eval", cell_run())
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InputError, match="truncated") as caught:
        space.logs()
    assert caught.value.where == str(path)


def test_damaged_secrets_are_an_error_that_names_the_file(
    space: Workspace, node: Node, snapshots: Snapshots
) -> None:
    path = space.folder / "secrets.json"
    path.write_bytes(b'{"seed": "00", "seed": "11"}')
    with pytest.raises(InputError, match="twice") as caught:
        open_workspace(node, snapshots.protocol)
    assert caught.value.where == str(path)
    for damaged in (b"{}", b'{"seed": "zz", "tree_key": "00"}', b'{"seed": 1, "tree_key": 2}'):
        path.write_bytes(damaged)
        with pytest.raises(InputError) as caught:
            open_workspace(node, snapshots.protocol)
        assert caught.value.where == str(path)


def test_damaged_deviations_are_an_error_that_names_the_file(space: Workspace) -> None:
    path = space.folder / "deviations.json"
    for damaged in (b"", b"[]", b"{}", b'{"deviations": 1}', b'{"deviations": [{"reason": "r"}]}'):
        path.write_bytes(damaged)
        with pytest.raises(InputError) as caught:
            space.deviations()
        assert str(path) in (caught.value.where or "")
