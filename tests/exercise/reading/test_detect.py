# SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path

import pytest
from exercise_zip import HEADER, honest, zip_of

from countermark.exercise.reading.detect import FORMATS, read_runs
from countermark.records.errors import InputError


@pytest.mark.parametrize("name", ["a.eval", "a.zip", "a.json", "a"])
def test_rule_1_contents_tell_the_format(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(json.dumps(HEADER).encode() if "." not in name else zip_of(honest()))
    (run,) = read_runs(path)
    assert (run.tool, run.model) == ("inspect", "m")


@pytest.mark.parametrize("contents", [b"", b"{}", b"PK", b"\xff" * 9, b"[" * 100_000, b"a,b\n1,2"])
def test_rule_2_recognising_raises_nothing(contents: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(contents)
    for one in FORMATS:
        assert one.recognises(path, contents) in {True, False}
        assert one.recognises(tmp_path, b"") in {True, False}


def test_rule_3_what_nobody_recognises_is_refused_with_what_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("words")
    for path, words in (
        (tmp_path / "a.txt", "no log of a tool"),
        (tmp_path, "no log of a tool"),
        (tmp_path / "absent", "cannot be read"),
    ):
        with pytest.raises(InputError, match=words) as caught:
            list(read_runs(path))
        assert caught.value.where == str(path)
    with pytest.raises(InputError) as caught:
        list(read_runs(tmp_path))
    assert all(one.name in caught.value.next_step for one in FORMATS)
