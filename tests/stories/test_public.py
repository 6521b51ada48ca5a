# SPDX-License-Identifier: Apache-2.0
"""An official, a journalist, anyone: the record on a stick, without a network or a node."""

import os
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest

MAIN = "import sys; from countermark.app.cli.main import main; main(sys.argv[1:])"
ELSEWHERE = "404.html"  # a web server shows it at any address, so its links start at the root
LINKS = {"a": "href"}
LOADED = {"link": "href", "img": "src", "script": "src", "source": "src", "iframe": "src"}


class Reading(HTMLParser):
    """What a page links to, and the places in it that others may link to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the links and the ids."""
        for name, value in attrs:
            if name == "id" and value:
                self.places.add(value)
            if value is not None and name in {LINKS.get(tag), LOADED.get(tag)}:
                self.links.append(value)
            if value is not None and LOADED.get(tag) == name:
                self.loaded.append(value)


@pytest.fixture(scope="module")
def stick(record: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the record somewhere else: nothing in it may depend on where it lies."""
    return Path(shutil.copytree(record, tmp_path_factory.mktemp("stick") / "a record"))


@pytest.fixture(scope="module")
def pages(stick: Path) -> dict[Path, Reading]:
    found = {
        path: Reading(path.read_text(encoding="utf-8")) for path in (stick / "site").rglob("*.html")
    }
    assert len(found) > 40
    return found


def test_one_command_checks_every_statement(stick: Path) -> None:
    files = sorted(str(path) for path in (stick / "statements").iterdir())
    bare = {"PATH": os.defpath, "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    ran = subprocess.run(
        [sys.executable, "-c", MAIN, "verify", "--quiet", *files],
        capture_output=True,
        text=True,
        check=False,
        env=bare,
        cwd=stick.parent,
    )
    assert (ran.returncode, ran.stdout) == (0, "")
    assert ran.stderr.splitlines()[-1] == f"{len(files)} of {len(files)} valid."


def test_every_link_of_every_page_leads_somewhere(stick: Path, pages: dict[Path, Reading]) -> None:
    dead = []
    followed = 0
    for path, page in pages.items():
        if path.name == ELSEWHERE:
            continue
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme:
                assert parts.scheme in {"https", "data", "mailto"}, f"{path}: {link}"
                continue
            address, fragment = urldefrag(link)
            assert not address.startswith("/"), f"{path}: {link} depends on where the record lies"
            target = (path.parent / unquote(urlsplit(address).path)).resolve() if address else path
            followed += 1
            if not target.is_file() or not target.is_relative_to(stick.resolve()):
                dead.append(f"{path.relative_to(stick)}: {link}")
            elif fragment and fragment not in pages[target].places:
                dead.append(f"{path.relative_to(stick)}: {link} (no such place)")
    assert dead == []
    assert followed > 1000


def test_every_page_can_be_reached_from_the_front(stick: Path, pages: dict[Path, Reading]) -> None:
    front = stick / "site" / "index.html"
    reached, waiting = {front}, [front]
    while waiting:
        path = waiting.pop()
        for link in pages[path].links:
            parts = urlsplit(link)
            if parts.scheme or not parts.path:
                continue
            target = path.parent / unquote(parts.path)
            target = Path(os.path.normpath(target))
            if target in pages and target not in reached:
                reached.add(target)
                waiting.append(target)
    assert {path.name for path in pages.keys() - reached} == {ELSEWHERE}


def test_pages_load_nothing_from_elsewhere(pages: dict[Path, Reading]) -> None:
    for path, page in pages.items():
        assert [link for link in page.loaded if urlsplit(link).scheme not in {"", "data"}] == [], (
            path
        )


def test_the_page_of_a_finding_shows_the_command_that_checks_it(
    stick: Path, pages: dict[Path, Reading]
) -> None:
    name = next((stick / "statements").glob("finding-*.json")).name
    showing = [path for path in pages if f"statements/{name}" in path.read_text(encoding="utf-8")]
    texts = [path.read_text(encoding="utf-8") for path in showing if "findings" in path.parts]
    assert any("countermark verify" in text for text in texts)
