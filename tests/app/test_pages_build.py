# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest
from sample_book import sample_book

from countermark.app.site.build import build_site
from countermark.app.site.reference import load_reference
from countermark.records.errors import StorageError


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_the_same_book_gives_the_same_bytes(tmp_path: Path) -> None:
    first = build_site(sample_book(), load_reference(), tmp_path / "a")
    second = build_site(sample_book(), load_reference(), tmp_path / "b")
    assert first == second > 50
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_an_earlier_site_is_replaced_as_a_whole(tmp_path: Path) -> None:
    out = tmp_path / "site"
    build_site(sample_book(), load_reference(), out)
    (out / "old.html").write_text("old")
    build_site(sample_book(), load_reference(), out)
    assert not (out / "old.html").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_what_is_no_site_is_left_alone(tmp_path: Path, kind: str) -> None:
    out = tmp_path / "site"
    if kind == "folder":
        out.mkdir()
        (out / "thesis.txt").write_text("mine")
    else:
        out.write_text("mine")
    with pytest.raises(StorageError, match="holds something else than a site"):
        build_site(sample_book(), load_reference(), out)
    assert out.exists()


def test_a_folder_that_cannot_be_written_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="cannot be written") as caught:
        build_site(sample_book(), load_reference(), tmp_path / "file" / "site")
    assert "build again" in caught.value.next_step
