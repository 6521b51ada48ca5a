# SPDX-License-Identifier: Apache-2.0
"""What was once signed verifies for ever: every frozen file, with the clock ten years on.

A failure here is never mended by changing a file of ``v0.1``. The code is wrong, or a new version
of the format needs a new folder beside this one.
"""

import json
import sys
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from command_line import countermark

from countermark.records import Record
from countermark.records.base import record_from_value
from countermark.records.canonical import read_object
from countermark.signing.roster import (
    ROSTER_FILE,
    Roster,
    load_roster,
    parse_content,
    refuse_rewriting,
)
from countermark.signing.vkey import parse_vkey
from countermark.transparency.checkpoint import parse_checkpoint
from countermark.transparency.cosignature import verify_cosignature
from countermark.transparency.disclosure import read_disclosed, to_file, verify_disclosure
from countermark.transparency.equivocation import Equivocation, verify_equivocation
from countermark.transparency.note import parse_note
from countermark.transparency.policy import sighting
from countermark.transparency.proof import parse_proof
from countermark.transparency.statement import StatementFile
from countermark.transparency.tile_audit import audit
from countermark.transparency.tiles import read_entries, root_of
from countermark.transparency.tree import leaf_hash, verify_inclusion
from countermark.transparency.verify import Check, verify_statement
from countermark.transparency.witness import WitnessState, consider, parse_request

FOLDER = Path(__file__).parent / "v0.1"
SCRIPTS = Path(__file__).parents[2] / "scripts"
INDEX = json.loads((FOLDER / "index.json").read_bytes())
TURN = datetime.fromisoformat(INDEX["turn"])
CLOCKS = (TURN + timedelta(days=400), datetime(2036, 3, 1, tzinfo=UTC))
LONG_AGO = datetime(2026, 2, 1, tzinfo=UTC)
Vector = dict[str, Any]


def of_kind(kind: str) -> Any:
    found = [vector for vector in INDEX["files"] if vector["kind"] == kind]
    assert found
    return pytest.mark.parametrize("vector", found, ids=[vector["file"] for vector in found])


@cache
def folder(name: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (FOLDER / name).iterdir()}


@cache
def roster(name: str = "roster") -> Roster:
    return load_roster(folder(name), LONG_AGO)


def contents(vector: Vector) -> bytes:
    return (FOLDER / vector["file"]).read_bytes()


def log_file(path: str) -> bytes | None:
    file = FOLDER / "log" / path
    return file.read_bytes() if file.is_file() else None


def failing(checks: tuple[Check, ...]) -> list[int]:
    return [check.rule for check in checks if not check.ok and check.reached]


def test_every_file_is_listed_and_every_kind_is_there() -> None:
    names = {str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*") if path.is_file()}
    unlisted = {
        name for name in names if name.split("/")[0] not in ("roster", "roster-1", "records")
    }
    listed = {vector["file"] for vector in INDEX["files"]}
    assert {name for name in unlisted if not name.startswith("log/tile/")} == listed | {
        "index.json"
    }
    own = {k for k, cls in Record.KINDS.items() if cls.__module__.startswith("countermark.")}
    for when in ("before", "at-the-turn", "after"):
        said = {v["record"] for v in INDEX["files"] if v["file"].endswith(f"-{when}.json")}
        assert own <= said, "write a sample of the new kind in a newer folder"
    for rule in range(1, 8):
        assert any(v["expect"] == [rule] for v in INDEX["files"] if v["kind"] == "statement")


@pytest.mark.parametrize("clock", CLOCKS, ids=lambda at: f"{at:%Y-%m-%d}")
@of_kind("statement")
def test_statements(vector: Vector, clock: datetime) -> None:
    verdict = verify_statement(contents(vector), roster(), clock)
    assert failing(verdict.checks) == vector["expect"], verdict.failures
    if vector["expect"]:
        return
    assert verdict.record
    assert (verdict.record.kind_name(), verdict.author, verdict.witnessed) == (
        vector["record"],
        vector["author"],
        vector["witnessed"],
    )
    assert verdict.record.to_bytes() + b"\n" == folder("records")[f"{vector['record']}.json"]


@of_kind("statement")
def test_a_statement_is_written_back_byte_for_byte(vector: Vector) -> None:
    data = contents(vector)
    if 1 not in vector["expect"]:
        assert StatementFile.from_bytes(data).to_bytes() == data


@of_kind("statement")
def test_before_it_was_witnessed_a_statement_is_of_the_future(vector: Vector) -> None:
    if not vector["expect"]:
        early = datetime.fromisoformat(vector["witnessed"]) - timedelta(minutes=1)
        assert failing(verify_statement(contents(vector), roster(), early).checks) == [7]


def test_who_has_the_first_roster_alone_knows_nothing_of_the_turn() -> None:
    for vector in INDEX["files"]:
        if vector["file"].endswith("-before.json"):
            assert verify_statement(contents(vector), roster("roster-1"), CLOCKS[0]).valid
    left = (FOLDER / "invalid" / "3-and-6-left.json").read_bytes()
    assert verify_statement(left, roster("roster-1"), CLOCKS[0]).valid


def test_the_rosters() -> None:
    assert roster().anchor == roster("roster-1").anchor == INDEX["anchor"]
    refuse_rewriting(folder("roster-1"), folder("roster"))
    assert len(roster().policies) == 2
    assert {"1.root.json", "2.root.json"} <= set(folder("roster"))
    ended = {
        entry.ended
        for party in roster().parties
        for entry in (*party.statement_keys, *party.logs, *party.witnesses)
    }
    assert ended == {None, "rotated", "revoked", "left"}
    for name in ("roster", "roster-1"):
        assert parse_content(folder(name)[ROSTER_FILE]).to_bytes() == folder(name)[ROSTER_FILE]


def test_records_are_written_back_byte_for_byte() -> None:
    for name, data in folder("records").items():
        record = record_from_value(read_object(data, where=name), where=name)
        assert record.to_bytes() + b"\n" == data


@of_kind("checkpoint")
def test_checkpoints(vector: Vector) -> None:
    data = contents(vector)
    note = parse_note(data)
    assert note.to_text().encode() == data
    log = roster().by_origin(parse_checkpoint(note.text).origin)
    assert log
    assert vector["log"] in {key.text for key in log.log_keys}
    assert note.signed_by(parse_vkey(vector["log"], where="")) is vector["expect"]
    found = [sighting(line, note.text, roster()) for line in note.signatures]
    assert [one.key.name for one in found if one] == vector.get("cosigned", [])
    if vector["expect"]:
        assert parse_checkpoint(note.text).size == vector["size"]
    if "mldsa" in vector:
        key = parse_vkey(vector["mldsa"], where="")
        assert any(verify_cosignature(line, key, note.text) for line in note.signatures)


@of_kind("proof")
def test_proofs(vector: Vector) -> None:
    data = contents(vector)
    proof = parse_proof(data)
    assert proof.to_bytes() == data
    head = proof.checkpoint
    (entry,) = read_entries(log_file, vector["index"], vector["index"] + 1, head.size)
    leaf = leaf_hash(entry)
    holds = verify_inclusion(leaf, proof.index, head.size, proof.hashes, head.root)
    assert holds is vector["expect"]


def test_the_log_is_what_its_entries_give() -> None:
    head = parse_checkpoint(parse_note((FOLDER / "log" / "checkpoint").read_bytes()).text)
    assert head.size == 300
    assert audit(log_file, head.size, head.root).problems == ()


@of_kind("witness-request")
def test_witness_requests(vector: Vector) -> None:
    key = parse_vkey(vector["log"], where="")
    # What a witness that has seen so many leaves has cosigned.
    seen = WitnessState(vector["seen"], root_of(log_file, vector["seen"]))
    answer = consider(contents(vector), {key.name: key}, lambda _: seen)
    assert answer.status == vector["expect"], answer
    if vector["expect"] != 400:
        assert parse_request(contents(vector)).to_bytes() == contents(vector)


@of_kind("equivocation")
def test_evidence_of_forks(vector: Vector) -> None:
    assert failing(verify_equivocation(contents(vector), roster())) == vector["expect"]
    if 1 not in vector["expect"]:
        assert Equivocation.from_bytes(contents(vector)).to_bytes() == contents(vector)


@of_kind("sample")
def test_disclosed_samples(vector: Vector) -> None:
    data = contents(vector)
    path = FOLDER / vector["seal"]
    seal = record_from_value(read_object(path.read_bytes(), where=""), where="")
    known = {seal.digest: (str(seal.to_value()["root"]), 4)}
    assert failing(verify_disclosure(data, known)) == vector["expect"]
    assert to_file(read_disclosed(data, where="")) == data


@pytest.mark.parametrize("at", [None, "2026-03-23", "2036-03-01T00:00:00Z"])
def test_the_command_agrees(at: str | None) -> None:
    wanted = {v["file"]: v["expect"] for v in INDEX["files"] if v["kind"] == "statement"}
    words = ["--at", at] if at else []
    files = [FOLDER / name for name in wanted]
    ran = countermark("verify", *files, "--roster", FOLDER / "roster", "--json", *words)
    assert ran.code == 5
    for found in ran.value:
        name = str(Path(found["file"]).relative_to(FOLDER))
        assert found["valid"] is (wanted[name] == [])


def test_the_script_writes_what_is_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    from vectors import NOT_DETERMINISTIC, make  # type: ignore[import-not-found]

    try:
        made: dict[str, bytes] = make()
    finally:
        sys.modules.pop("vectors", None)
    there = {str(p.relative_to(FOLDER)): p.read_bytes() for p in FOLDER.rglob("*") if p.is_file()}
    differing = {name for name in made if made[name] != there.get(name)}
    assert differing <= {NOT_DETERMINISTIC}
    assert {name for name in there if not name.startswith("records/")} <= set(made)
