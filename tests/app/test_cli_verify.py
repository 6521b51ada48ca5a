# SPDX-License-Identifier: Apache-2.0
"""``countermark verify``: whole statements pass, and nothing else does."""

import random
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from command_line import countermark, done, statement
from exercise_small import annotations, exchange, small_protocol

from countermark.app.demo.cast import assemble
from countermark.app.record import write_record

FLIPS = 50
FORBIDDEN = ("inspect_ai", "fastapi", "uvicorn", "starlette", "jinja2", "sqlalchemy", "numpy")


def statements(record: Path) -> list[Path]:
    return sorted((record / "statements").glob("*.json"))


def altered(record: Path, folder: Path, source: Path, contents: bytes) -> Path:
    """Return a statement with other contents, in a record with the same roster."""
    shutil.copytree(record / "roster", folder / "roster", dirs_exist_ok=True)
    (folder / "statements").mkdir(exist_ok=True)
    path = folder / "statements" / source.name
    path.write_bytes(contents)
    return path


def test_every_statement_of_the_record_is_valid(record: Path) -> None:
    files = statements(record)
    ran = done("verify", *files)
    assert len(files) > 30
    assert ran.err.splitlines()[-1] == f"{len(files)} of {len(files)} valid."
    assert ran.out.count("✓") == 7 * len(files)
    assert "✗" not in ran.out


def test_each_check_is_one_line_with_its_number(record: Path) -> None:
    lines = done("verify", statement(record, "finding")).out.splitlines()
    assert [line.split()[1] for line in lines[1:8]] == [f"{rule}." for rule in range(1, 8)]


def test_json_holds_every_check(record: Path) -> None:
    (one,) = done("verify", "--json", statement(record, "finding")).value
    assert (one["valid"], one["kind"], one["author"]) == (True, "finding", "GB")
    assert [check["rule"] for check in one["checks"]] == list(range(1, 8))


@pytest.mark.parametrize("number", range(FLIPS))
def test_one_changed_byte_anywhere_is_caught(record: Path, tmp_path: Path, number: int) -> None:
    draw = random.Random(number)  # noqa: S311  a test's choice, and repeatable
    source = draw.choice(statements(record))
    contents = bytearray(source.read_bytes())
    place = draw.randrange(len(contents))
    contents[place] ^= draw.randrange(1, 256)
    ran = countermark("verify", altered(record, tmp_path, source, bytes(contents)))
    assert ran.code == 5, f"{source.name} byte {place}"
    assert ran.err.splitlines()[-1] == "0 of 1 valid."
    assert "✗" in ran.out


@pytest.mark.parametrize("place", [0, -1])
def test_the_first_and_the_last_byte_count_too(record: Path, tmp_path: Path, place: int) -> None:
    source = statement(record, "decision")
    contents = bytearray(source.read_bytes())
    contents[place] ^= 1
    assert countermark("verify", altered(record, tmp_path, source, bytes(contents))).code == 5


@pytest.mark.parametrize("keep", [0, 1, 1000, -1])
def test_a_truncated_file_fails(record: Path, tmp_path: Path, keep: int) -> None:
    source = statement(record, "evidence")
    ran = countermark("verify", altered(record, tmp_path, source, source.read_bytes()[:keep]))
    assert ran.code == 5
    assert "✗ 1." in ran.out


def test_a_file_with_more_behind_it_fails(record: Path, tmp_path: Path) -> None:
    source = statement(record, "evidence")
    longer = altered(record, tmp_path, source, source.read_bytes() + b"\n")
    assert countermark("verify", longer).code == 5


def test_a_missing_file_is_an_error_and_no_verdict(record: Path) -> None:
    ran = countermark("verify", record / "statements" / "none.json")
    assert ran.code == 1
    assert "none.json: cannot be read: No such file" in ran.err
    assert "Next:" in ran.err


def test_a_folder_is_no_file(record: Path) -> None:
    assert countermark("verify", record / "statements").code == 1


def test_a_good_file_does_not_excuse_a_bad_one(record: Path, tmp_path: Path) -> None:
    decision, protocol = statement(record, "decision"), statement(record, "protocol")
    bad = altered(record, tmp_path, decision, decision.read_bytes().replace(b"=", b"A", 1))
    good = altered(record, tmp_path, protocol, protocol.read_bytes())
    ran = countermark("verify", good, bad, good, "--quiet")
    assert (ran.code, ran.err.splitlines()[-1]) == (5, "2 of 3 valid.")
    assert str(good) not in ran.out


def test_a_statement_of_another_roster_fails(
    record: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    stranger = assemble(tmp_path_factory.mktemp("stranger"), small_protocol())
    roster = stranger.institutes["GB"].folder.roster
    ran = countermark("verify", statement(record, "finding"), "--roster", roster)
    assert ran.code == 5
    assert "is not in the roster" in ran.out


def test_a_roster_that_was_changed_is_refused(record: Path, tmp_path: Path) -> None:
    path = altered(record, tmp_path, statement(record, "finding"), b"")
    roster = tmp_path / "roster" / "roster.json"
    roster.write_bytes(roster.read_bytes().replace(b'"coordinator"', b'"developer","coordinator"'))
    ran = countermark("verify", path)
    assert ran.code == 5
    assert "roster.json" in ran.err


def test_a_file_without_a_roster_beside_it_says_what_to_give(record: Path, tmp_path: Path) -> None:
    lone = tmp_path / "lone.json"
    lone.write_bytes(statement(record, "finding").read_bytes())
    ran = countermark("verify", lone)
    assert ran.code == 1
    assert "--roster" in ran.err
    assert countermark("verify", lone, "--roster", record / "roster").code == 0


def test_what_was_witnessed_in_time_stays_valid_after_the_roster_has_expired(
    tmp_path: Path,
) -> None:
    """The roster of this exercise ran out in 2021; nobody's clock is asked."""
    protocol = small_protocol()
    cast = assemble(tmp_path, protocol, lambda: datetime(2020, 5, 1, 12, tzinfo=UTC))
    coordinator = cast.institutes[protocol.coordinator]
    coordinator.say(*annotations(), protocol)
    exchange(cast)
    write_record(coordinator, tmp_path / "record")
    assert coordinator.roster.expires < datetime(2022, 1, 1, tzinfo=UTC)
    ran = done("verify", *statements(tmp_path / "record"))
    assert "witnessed 2020-05-01" in ran.out


def test_it_runs_in_its_own_process_without_inspect_or_the_web(record: Path) -> None:
    script = (
        "import sys\n"
        "from countermark.app.cli.main import main\n"
        "try:\n"
        "    main(sys.argv[1:])\n"
        "finally:\n"
        f"    print([name for name in {FORBIDDEN} if name in sys.modules], file=sys.stderr)\n"
    )
    words = ["verify", str(statement(record, "finding"))]
    ran = subprocess.run(
        [sys.executable, "-c", script, *words], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0
    assert ran.stderr.splitlines()[-1] == "[]"
