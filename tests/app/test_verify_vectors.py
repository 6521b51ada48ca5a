# SPDX-License-Identifier: Apache-2.0
"""verify.js over the frozen vectors: every file of the index, and the verdict that stands there."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page
from verify_script import Asked, judge, said_by, script_page, text

from countermark.app.site.pages.verify import roster_value
from countermark.signing.roster import ANY_TIME, Roster, load_roster
from countermark.transparency.proof import parse_proof
from countermark.transparency.tiles import read_entries
from countermark.transparency.tree import leaf_hash
from countermark.transparency.verify import verify_statement

pytestmark = pytest.mark.browser

FOLDER = Path(__file__).parents[1] / "vectors" / "v0.1"
FILES = json.loads((FOLDER / "index.json").read_bytes())["files"]
CLOCKS = (datetime(2027, 5, 1, tzinfo=UTC), datetime(2036, 3, 1, tzinfo=UTC))

INCLUDED = """async ([leaf, index, size, hashes, root]) => {
  const bytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return countermark.verifyInclusion(
    bytes(leaf), BigInt(index), BigInt(size), hashes.map(bytes), bytes(root));
}"""


@dataclass(frozen=True)
class Verdict:
    """What the index says of a statement, or the script."""

    failed: tuple[int, ...]
    author: str | None
    witnessed: str | None


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with script_page(tmp_path_factory.mktemp("verify")) as page:
        yield page


@cache
def roster() -> Roster:
    folder = FOLDER / "roster"
    return load_roster({path.name: path.read_bytes() for path in folder.iterdir()}, ANY_TIME)


def contents(vector: dict[str, Any]) -> bytes:
    file: Path = FOLDER / vector["file"]
    return file.read_bytes()


def log_file(path: str) -> bytes | None:
    file = FOLDER / "log" / path
    return file.read_bytes() if file.is_file() else None


@pytest.mark.parametrize("clock", CLOCKS, ids=lambda at: f"{at:%Y}")
def test_statements_are_judged_as_the_index_says(page: Page, clock: datetime) -> None:
    listed = [vector for vector in FILES if vector["kind"] == "statement"]
    value = roster_value(roster())
    found = judge(page, [Asked(contents(vector), value, clock) for vector in listed])
    assert len(listed) > 50
    assert {
        vector["file"]: Verdict(tuple(one.failed), one.author, one.witnessed)
        for vector, one in zip(listed, found, strict=True)
    } == {
        vector["file"]: Verdict(
            tuple(vector["expect"]), vector.get("author"), vector.get("witnessed")
        )
        for vector in listed
    }


def test_files_of_every_other_kind_are_no_statements(page: Page) -> None:
    others = [vector for vector in FILES if vector["kind"] != "statement"]
    value = roster_value(roster())
    found = judge(page, [Asked(contents(vector), value, CLOCKS[0]) for vector in others])
    assert len({vector["kind"] for vector in others}) == 5
    for vector, one in zip(others, found, strict=True):
        assert one.failed == [1], vector["file"]
        python = said_by(verify_statement(contents(vector), roster(), CLOCKS[0]))
        assert one.checks == python.checks, vector["file"]


def test_proofs_lead_where_the_index_says(page: Page) -> None:
    for vector in FILES:
        if vector["kind"] == "proof":
            proof = parse_proof(contents(vector))
            head = proof.checkpoint
            (entry,) = read_entries(log_file, vector["index"], vector["index"] + 1, head.size)
            hashes = [text(one) for one in proof.hashes]
            asked = [text(leaf_hash(entry)), str(proof.index), str(head.size), hashes]
            found = page.evaluate(INCLUDED, [*asked, text(head.root)])
            assert found is vector["expect"], vector["file"]
