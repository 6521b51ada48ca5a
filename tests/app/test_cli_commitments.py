# SPDX-License-Identifier: Apache-2.0
"""``countermark commitments status``, as a person runs it."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import countermark, done
from frameworks import DEVELOPER
from nodes import make_network
from tracked import WHOLE, determination, reply

from countermark.commitments.frameworks import frameworks_of
from countermark.commitments.reference import companies
from countermark.network.sync import settle
from countermark.records.framework import Framework

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
        "framework, 1 not in place."
    ) in lines
    # Its own day is the one it gives itself; when witnesses had seen it stands beside.
    assert any(
        re.fullmatch(
            rf"      determination by GB, 2025-03-01 \(witnessed .*\), {MISSING.digest}", line
        )
        for line in lines
    )
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


AT = ("--at", "2026-11-29")
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "commitments.md"


class Known:
    """The node of an institute before and after it logged every framework that ships."""

    def __init__(self, root: Path) -> None:
        self.place = make_network(root / "nodes").place("GB")
        self.before, told = self.status(), self.told()
        self.keys = done("framework", "known", "--keys").out.split()
        self.added = done("framework", "add", *self.keys, "--node", self.place)
        self.after = self.status()
        self.shown = {"before": told, "after": self.told()}

    def told(self) -> list[str]:
        """Return the lines about one company."""
        words = ("commitments", "status", "--node", self.place, "--company", "g42", *AT)
        return done(*words).out.splitlines()

    def status(self) -> dict[tuple[str, str], Any]:
        """Return every cell by company and commitment."""
        words = ("commitments", "status", "--node", self.place, *AT, "--json")
        return {(cell["company"], cell["commitment"]): cell for cell in done(*words).value["cells"]}

    def cells(self, *, encoded: bool) -> Iterator[tuple[tuple[Framework, ...], str, Any]]:
        """Yield a company's frameworks in force, a commitment and its cell, where there are some.

        With ``encoded`` off, the cells of companies of which none is known.
        """
        for company in companies():
            versions = frameworks_of(company.slug)
            standing = tuple(one for one in versions if one.status == "in-force")
            for (slug, key), cell in self.after.items():
                if slug == company.slug and bool(versions) == encoded:
                    yield standing, key, cell


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Known:
    return Known(tmp_path_factory.mktemp("known"))


def test_known_frameworks_that_an_institute_logs_are_the_companies_claims(known: Known) -> None:
    assert len(known.added.out.split()) == len(known.keys)
    assert {cell["state"] for cell in known.before.values()} == {"unknown", "overdue"}
    for standing, key, cell in known.cells(encoded=True):
        assert standing, cell["company"]
        # A recorded framework is the developer's word: it claims, and is never evidence. That the
        # published file changed under its label is seen from what was recorded, too.
        assert cell["state"] in ({"claimed", "contested"} if key in ("ii", "vii") else STATES)
        assert cell["state"] != "contested" or cell["rule"] == 9
        assert {one["author"] for one in cell["statements"]} <= {"GB"}
        assert cell["state"] == "unknown" or cell["statements"]


STATES = {"claimed", "unknown"}
ASKED: dict[str, Callable[[Framework], object]] = {
    "i": lambda one: one.domains,
    "ii": lambda one: one.thresholds,
    "iii": lambda one: one.mitigations,
    "iv": lambda one: one.process,
    "vi": lambda one: one.governance,
    "viii": lambda one: [duty for duty in one.disclosure or () if duty.to == "trusted-actors"],
}


def test_a_cell_stays_unknown_where_no_framework_in_force_speaks_to_it(known: Known) -> None:
    for standing, key, cell in known.cells(encoded=True):
        if key in ASKED and cell["state"] == "unknown":
            assert not any(ASKED[key](one) for one in standing), cell
            assert "as written down, speaks to it" in cell["words"]
        elif key in ASKED:
            assert any(ASKED[key](one) for one in standing), cell
        if key == "v" and cell["state"] == "unknown":
            titles = [one.title for one in frameworks_of(cell["company"])]
            assert len(titles) == len(set(titles)), "a later version claims it"
    for _, key, cell in known.cells(encoded=False):
        assert cell == known.before[cell["company"], key]


def test_logging_what_is_known_a_second_time_changes_nothing(known: Known) -> None:
    log = (known.place / "log" / "checkpoint").read_bytes()
    again = done("framework", "add", *known.keys, "--node", known.place)
    assert again.out == known.added.out
    assert again.err.count("Logged before, and skipped") == len(known.keys)
    assert (known.place / "log" / "checkpoint").read_bytes() == log
    assert known.status() == known.after


@pytest.mark.parametrize("when", ["before", "after"])
def test_the_document_shows_what_is_said_before_and_after(known: Known, when: str) -> None:
    text = DOCUMENT.read_text("utf-8")
    (block,) = re.findall(rf"<!-- status: {when} -->\n```\n(.*?)```", text, re.DOTALL)
    assert set(block.splitlines()) <= set(known.shown[when])
