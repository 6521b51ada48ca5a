# SPDX-License-Identifier: Apache-2.0
"""The worked example of docs/wire-format.md is what the code writes, and it verifies.

Each block of the document that follows a line ``<!-- example: NAME -->`` is compared with what is
computed here, so the document cannot drift from the code.
"""

import hashlib
import re
from pathlib import Path

import pytest

from countermark.signing.keys import public_hex
from countermark.transparency.statement import leaf_of
from countermark.transparency.tree import leaf_hash
from countermark.transparency.verify import verify_statement
from tests.transparency.conftest import NOON, build_network, private, run_plan

DOCUMENT = Path(__file__).parents[2] / "docs" / "wire-format.md"
LABELS = ("UK statements", "UK log", "JP witness", "KE witness")


def example() -> tuple[dict[str, str], bool]:
    """Return the blocks of the worked example, and whether the statement verifies."""
    network = build_network()
    statement = network.publish("UK", run_plan(), witnesses=("JP", "KE"), others=1)
    leaf = leaf_of(statement.envelope)
    party = network.roster.parties[0]
    assert party.log is not None
    blocks = {
        "keys": "\n".join(
            f"{label:<14} seed   {hashlib.sha256(label.encode()).hexdigest()}\n"
            f"{'':<14} public {public_hex(private(label))}"
            for label in LABELS
        ),
        "keyid": f"{party.statement_keys[0].keyid}",
        "vkeys": "\n".join(
            [
                party.log.vkey,
                *(p.witness.vkey for p in network.roster.parties[1:3] if p.witness),
            ]
        ),
        "payload": statement.envelope.payload.decode(),
        "envelope": statement.envelope.to_bytes().decode(),
        "leaf": leaf.decode(),
        "leaf-hash": leaf_hash(leaf).hex(),
        "checkpoint": statement.proof.note.text.rstrip("\n"),
        "proof": statement.proof.to_text().rstrip("\n"),
        "file-digest": hashlib.sha256(statement.to_bytes()).hexdigest(),
    }
    return blocks, verify_statement(statement.to_bytes(), network.roster, NOON).valid


BLOCKS, VALID = example()


def documented() -> dict[str, str]:
    text = DOCUMENT.read_text(encoding="utf-8")
    return dict(re.findall(r"<!-- example: ([a-z-]+) -->\n+```\w*\n(.*?)\n```", text, re.DOTALL))


def test_the_example_verifies() -> None:
    assert VALID


def test_the_document_has_each_block_once() -> None:
    assert list(documented()) == list(BLOCKS)


@pytest.mark.parametrize("name", BLOCKS)
def test_the_document_shows_what_the_code_writes(name: str) -> None:
    assert documented().get(name) == BLOCKS[name]
