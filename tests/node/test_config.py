# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nodes import config, snapshot

from countermark.node.config import CONFIG_FILE, NODE_FORMAT, read_config, write_config
from countermark.node.node import Node
from countermark.records.errors import InputError, StateError, StorageError

GOOD = 'format = 1\ncode = "KE"\nname = "Kenya"\norigin = "ke.example/log"\n'
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def written(folder: Path, text: str | bytes) -> Path:
    data = text.encode() if isinstance(text, str) else text
    (folder / CONFIG_FILE).write_bytes(data)
    return folder


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=TEXT, peers=st.dictionaries(TEXT, TEXT, max_size=3))
def test_what_is_written_is_read_back(tmp_path: Path, name: str, peers: dict[str, str]) -> None:
    told = config("KE").model_copy(update={"name": name, "peers": peers})
    write_config(tmp_path, told)
    assert read_config(tmp_path) == told


def test_a_developers_node_has_no_lab(tmp_path: Path) -> None:
    told = config("example-developer")
    write_config(tmp_path, told)
    assert read_config(tmp_path).lab is None


def test_a_folder_without_a_node_says_how_to_make_one(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "gone"):
        with pytest.raises(StateError, match="is not a node's folder") as caught:
            read_config(folder)
        assert "countermark node init" in caught.value.next_step


def test_a_newer_format_is_left_alone(tmp_path: Path) -> None:
    # The newer version may well know fields that this one does not.
    written(tmp_path, GOOD.replace("format = 1", f"format = {NODE_FORMAT + 1}") + "later = 1\n")
    before = snapshot(tmp_path)
    with pytest.raises(StateError, match=r"newer Countermark \(format 2, known 1\)") as caught:
        Node.open(tmp_path)
    assert "nothing was changed" in caught.value.next_step
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize(
    ("text", "saying"),
    [
        (GOOD + "nmae = 1\n", "nmae: Extra inputs are not permitted"),
        (GOOD.replace("format = 1", "format = 0"), "format: Input should be greater"),
        (GOOD.replace("format = 1", "format = true"), "format: Input should be a valid integer"),
        (GOOD.replace("format = 1", 'format = "1"'), "format: Input should be a valid integer"),
        (GOOD.replace("format = 1\n", ""), "format: Field required"),
        (GOOD.replace('"KE"', '"../KE"'), "code: String should match pattern"),
        (GOOD + 'lab = "Nairobi"\n', "lab: String should match pattern"),
        (GOOD + "[peers]\nJP = 1\n", "peers.JP: Input should be a valid string"),
        (GOOD.replace('"KE"', "KE"), "is not TOML"),
        (GOOD + GOOD, "is not TOML: Cannot overwrite a value"),
        (b"\xff", "is not TOML"),
        (b"\xef\xbb\xbf" + GOOD.encode(), "is not TOML"),
    ],
)
def test_a_file_with_a_mistake_names_it(tmp_path: Path, text: str | bytes, saying: str) -> None:
    with pytest.raises(InputError, match=saying) as caught:
        read_config(written(tmp_path, text))
    assert caught.value.where == str(tmp_path / CONFIG_FILE)
    assert caught.value.next_step


def test_a_file_that_is_far_too_large_is_not_parsed(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="is larger than"):
        read_config(written(tmp_path, b"#" * (1024 * 1024 + 1)))
