# SPDX-License-Identifier: Apache-2.0
"""``countermark commitments status``, as a person runs it."""

from pathlib import Path

import pytest
from command_line import countermark, done
from frameworks import DEVELOPER
from nodes import make_network
from tracked import WHOLE, determination, reply

from countermark.network.sync import settle

SHOWN = WHOLE.model_copy(update={"demonstration": True})
MISSING = determination("mitigation", "filter", "no", framework=SHOWN.digest, demonstration=True)
REPLY = reply(of=MISSING.digest, demonstration=True)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the node of GB, with what a developer and GB said of a demonstration."""
    network = make_network(tmp_path_factory.mktemp("network") / "nodes")
    network[DEVELOPER].say(SHOWN, REPLY)
    network["GB"].say(MISSING)
    some = network.some((DEVELOPER, "GB", "FR", "KE", "JP"))
    settle(some, {code: network.source(code) for code in some})
    return network.place("GB")


def test_a_grid_of_a_demonstration_has_words_statements_and_replies(place: Path) -> None:
    ran = done("commitments", "status", "--node", place, "--demonstration", "--at", "2025-12-01")
    lines = ran.out.splitlines()
    assert lines[0] == (
        "example-developer: I claimed, II claimed, III contested, IV claimed, V unknown, "
        "VI claimed, VII claimed, VIII claimed"
    )
    assert (
        "  III contested since 2025-03-01 (rule 7). GB found mitigation filter of Example "
        "framework, 1 not kept."
    ) in lines
    assert f"      determination by GB, 2025-03-01, {MISSING.digest}" in lines
    assert "    the developer replied on 2025-05-01: We see it otherwise." in lines
    assert not any(line.startswith("  V ") for line in lines)


def test_a_grid_of_companies_counts_no_demonstration(place: Path) -> None:
    value = done("commitments", "status", "--node", place, "--at", "2026-11-29", "--json").value
    assert len(value["companies"]) == 20
    assert {cell["state"] for cell in value["cells"]} == {"overdue", "unknown"}
    assert not value["demonstration"]
    overdue = {cell["company"] for cell in value["cells"] if cell["state"] == "overdue"}
    assert "anthropic" not in overdue
    assert "nvidia" not in overdue


def test_one_company_is_told_with_every_cell(place: Path) -> None:
    ran = done("commitments", "status", "--node", place, "--company", "anthropic")
    assert "  V unknown (rule 19). No statement was logged. Our sources know of " in ran.out
    assert ran.out.count("(rule ") == 8


def test_before_the_deadline_nothing_is_overdue(place: Path) -> None:
    words = ("commitments", "status", "--node", place, "--at", "2025-02-11", "--json")
    assert {cell["state"] for cell in done(*words).value["cells"]} == {"unknown"}


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--company", "nobody"), 1, "'nobody' is no company of the list"),
        (("--at", "yesterday"), 2, "does not match the format"),
    ],
)
def test_words_that_do_not_fit(
    place: Path, words: tuple[str, ...], code: int, message: str
) -> None:
    ran = countermark("commitments", "status", "--node", place, *words)
    assert ran.code == code
    assert message in ran.err


def test_a_record_is_read_like_a_node(place: Path, tmp_path: Path) -> None:
    done("site", "build", "--node", place, "--out", tmp_path / "record")
    words = ("--demonstration", "--at", "2025-12-01", "--json")
    from_node = done("commitments", "status", "--node", place, *words)
    assert done("commitments", "status", tmp_path / "record", *words).value == from_node.value
