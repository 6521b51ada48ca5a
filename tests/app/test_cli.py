# SPDX-License-Identifier: Apache-2.0
"""The command line's contract: help, exit codes, data to stdout and talk to stderr."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from command_line import countermark, done, statement
from exercise_finished import FinishedExercise

from countermark.app.cli.main import NOUNS, cli

MAIN = "import sys; from countermark.app.cli.main import main; main(sys.argv[1:])"
# Some write JSON at any rate, or the file that was asked for.
SILENT = {
    ("finding", "export"),
    ("gate", "export"),
    ("node", "init"),
    ("node", "rotate"),
    ("node", "serve"),
    ("log", "prove"),
    ("annotate", "scores"),
}


def verbs() -> Iterator[tuple[str, ...]]:
    """Every command that a person can type: nouns that are verbs, and the verbs of the others."""
    context = click.Context(cli)
    for noun in sorted(NOUNS):
        command = cli.get_command(context, noun)
        if isinstance(command, click.Group):
            yield from ((noun, verb) for verb in sorted(command.commands))
        else:
            yield (noun,)


VERBS = list(verbs())


def process(*words: str, **environment: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [sys.executable, "-c", MAIN, *words],
        capture_output=True,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.fixture(scope="module")
def node(finished_exercise: FinishedExercise, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a node of a copy of the finished exercise; nothing here changes what it says."""
    root = tmp_path_factory.mktemp("cli")
    finished_exercise.copy(root)
    return root / "nodes" / "GB"


@pytest.fixture
def protocol(record: Path) -> Path:
    return statement(record, "protocol")


@pytest.mark.parametrize("words", [(), *((noun,) for noun in NOUNS), *VERBS], ids=" ".join)
def test_help_leads_with_an_example_that_parses(words: tuple[str, ...]) -> None:
    first, empty, usage = done(*words, "--help").out.splitlines()[:3]
    assert first.startswith(" ".join(("Example: countermark", *words)))
    assert empty == ""
    assert usage.startswith("Usage: countermark")
    typed = shlex.split(first.removeprefix("Example: countermark"))
    command: click.Command = cli
    context = click.Context(command)
    while isinstance(command, click.Group):
        found = command.get_command(context, typed.pop(0))
        assert found is not None
        command = found
    # A folder that the example names need not be here; everything else about it must be right.
    try:
        command.make_context("countermark", typed)
    except click.BadParameter as error:
        assert "does not exist" in error.message  # noqa: PT017


@pytest.mark.parametrize("words", VERBS, ids=" ".join)
def test_every_verb_says_what_it_does_and_offers_json(words: tuple[str, ...]) -> None:
    text = done(*words, "--help").out
    assert re.search(r"^  [A-Z][^.]*\.", text, re.MULTILINE)
    assert ("--json" in text) == (words not in SILENT)


def test_the_list_of_commands_is_whole() -> None:
    text = done("--help").out
    assert all(f"\n  {noun} " in text for noun in NOUNS)


def test_the_version_goes_to_stdout() -> None:
    assert re.fullmatch(r"countermark, version \d+\.\d+\.\d+\n", done("--version").out)


@pytest.mark.parametrize(
    "words",
    [
        ("sing",),
        ("exercise", "sing"),
        ("verify", "--sing", "x"),
        ("verify",),
        ("gate", "decide", "--action", "sing"),
        ("exercise", "seal"),
        ("demo", "--port", "0"),
        ("node", "init", "x", "--code", "no code", "--name", "N", "--origin", "o/l"),
        ("exercise", "run", "--protocol", "PROTOCOL", "--node", "NODE", "-s", "temperature"),
        ("exercise", "run", "--protocol", "PROTOCOL", "--node", "NODE", "-s", "a b=c"),
    ],
    ids=" ".join,
)
def test_words_that_are_wrong_are_exit_2(
    words: tuple[str, ...],
    node: Path,
    protocol: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    named = {"NODE": str(node), "PROTOCOL": str(protocol)}
    ran = countermark(*(named.get(word, word) for word in words))
    assert ran.code == 2
    assert ran.out == ""
    assert "Error: " in ran.err
    assert list(tmp_path.iterdir()) == []


def test_two_options_that_exclude_each_other_are_exit_2(tmp_path: Path) -> None:
    words = ("--code", "KE", "--name", "N", "--origin", "o/l")
    secret = tmp_path / "secret"
    secret.write_text("long enough")
    ran = countermark(
        "node", "init", tmp_path / "n", *words, "--unencrypted", "--passphrase-file", secret
    )
    assert ran.code == 2
    assert not (tmp_path / "n").exists()


def test_an_error_says_where_and_what_next(tmp_path: Path) -> None:
    ran = countermark("node", "status", "--node", tmp_path)
    assert ran.code == 1
    where, after = ran.err.splitlines()
    assert where == f"Error: {tmp_path}: is not a node's folder: it has no node.toml"
    assert after.startswith("Next: Make a node with `countermark node init`")


def test_status(node: Path, protocol: Path) -> None:
    lines = done("exercise", "status", "--protocol", protocol, "--node", node).out.splitlines()
    assert [line.split()[0] for line in lines] == ["GB", "JP", "SG", "FR", "KE"]
    rows = done("exercise", "status", "--protocol", protocol, "--node", node, "--json").value
    assert {row["institute"] for row in rows} == {"GB", "JP", "SG", "FR", "KE"}


def test_node_status(node: Path) -> None:
    text = done("node", "status", "--node", node).out
    assert text.startswith("GB Simulated institute of ")
    assert "unwitnessed" not in text
    logs = done("node", "status", "--node", node, "--json").value
    assert {log["author"] for log in logs} == {"GB", "JP", "SG", "FR", "KE", "example-developer"}


def test_reindex(node: Path) -> None:
    (node / "index.db").unlink()
    count = done("node", "reindex", "--node", node, "--json").value["statements"]
    assert done("node", "reindex", "--node", node).out == f"{count} statements\n"
    assert count == sum(
        log["size"] for log in done("node", "status", "--node", node, "--json").value
    )


def test_audit(node: Path) -> None:
    folders = [node.parent / code for code in ("GB", "JP", "SG", "FR", "KE")]
    assert done("log", "audit", *folders).out.count("✓") == 5
    reports = done("log", "audit", *folders, "--json").value
    assert all(report["problems"] == [] and report["size"] > 3 for report in reports)


def test_an_audit_that_fails_is_exit_5(finished_exercise: FinishedExercise, tmp_path: Path) -> None:
    finished_exercise.copy(tmp_path)
    newest = max((tmp_path / "nodes/KE/log/tile/0/000.p").iterdir(), key=lambda p: int(p.name))
    newest.write_bytes(bytes([newest.read_bytes()[0] ^ 1]) + newest.read_bytes()[1:])
    ran = countermark("log", "audit", tmp_path / "nodes" / "KE", tmp_path / "nodes" / "GB")
    assert ran.code == 5
    assert ran.out.splitlines()[0].startswith("✗ ")
    assert "✓" in ran.out


def test_pull_from_peers_that_have_nothing_new(node: Path) -> None:
    pulled = done("sync", "pull", "--node", node, "--json").value
    assert len(pulled) == 5
    assert all(one["statements"] == one["proofs"] == one["samples"] == 0 for one in pulled)
    assert done("sync", "pull", "--node", node).out.count("new: 0 statements") == 5


def test_protocol_show(protocol: Path) -> None:
    text = done("protocol", "show", protocol).out
    assert "languages English, French, Japanese, " in text
    value = done("protocol", "show", protocol, "--json").value
    assert value["coordinator"] == "GB"


def test_a_bare_record_and_its_statement_read_alike(record: Path, tmp_path: Path) -> None:
    for noun, kind in (
        ("protocol", "protocol"),
        ("finding", "finding"),
        ("framework", "framework"),
    ):
        source = statement(record, kind)
        shown = done(noun, "show", source, "--json")
        bare = tmp_path / "bare.json"
        bare.write_text(shown.out, encoding="utf-8")
        assert done(noun, "show", bare).out == done(noun, "show", source).out


def test_a_statement_that_does_not_check_out_is_not_used(record: Path, tmp_path: Path) -> None:
    for name in ("statements", "roster"):
        (tmp_path / name).mkdir()
    for file in (record / "roster").iterdir():
        (tmp_path / "roster" / file.name).write_bytes(file.read_bytes())
    copy = tmp_path / "statements" / "finding.json"
    copy.write_bytes(
        statement(record, "finding").read_bytes().replace(b'"sig":"', b'"sig":"AAAA', 1)
    )
    ran = countermark("finding", "show", copy)
    assert ran.code == 5
    assert "does not check out" in ran.err
    assert "countermark verify" in ran.err


def test_a_statement_of_another_kind_is_not_used(record: Path, protocol: Path) -> None:
    ran = countermark("finding", "show", protocol)
    assert ran.code == 1
    assert "is a protocol, not a finding" in ran.err


def test_finding_explain_says_it_in_words(record: Path) -> None:
    file = statement(record, "finding")
    text = done("finding", "explain", file).out
    assert text.startswith("What was run\n  This is a demonstration")
    assert "\n\nWhat this does not say\n" in text
    assert max(map(len, text.splitlines())) <= 92
    value = done("finding", "explain", "--json", file).value
    assert value[0]["title"] == "What was run"
    assert all(one["sentences"] for one in value)


def test_finding_explain_checks_six_qualities_by_what_a_node_holds(
    record: Path, finished_exercise: FinishedExercise
) -> None:
    node = finished_exercise.root / "nodes" / "GB"
    text = done("finding", "explain", statement(record, "finding"), "--node", node).out
    assert "Six qualities of an assessment (they are not added up)" in text
    assert "Reproducible: Participants computed the figures again and agree: shown" in text


def test_finding_show(record: Path) -> None:
    text = done("finding", "show", statement(record, "finding")).out
    assert "judge-not-validated" in text
    assert re.search(r"benchmark +none +0\.\d{4} +\(0\.\d{4} to 0\.\d{4} at 0\.95, 5 labs", text)


def test_no_color_and_no_terminal_mean_no_escape_codes(record: Path, tmp_path: Path) -> None:
    for words in (("--help",), ("verify", str(statement(record, "protocol"))), ("sing",)):
        ran = process(*words, NO_COLOR="1", PYTHONIOENCODING="utf-8")
        assert b"\x1b" not in ran.stdout + ran.stderr


def test_a_reader_that_stops_early_gets_no_traceback(record: Path) -> None:
    files = " ".join(shlex.quote(str(path)) for path in (record / "statements").iterdir())
    command = (
        f"{shlex.quote(sys.executable)} -c {shlex.quote(MAIN)} verify {files} {files} | head -1"
    )
    ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert len(ran.stdout.splitlines()) == 1
    assert "Traceback" not in ran.stderr


def test_interrupting_says_that_nothing_is_half_written(
    monkeypatch: pytest.MonkeyPatch, node: Path
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("countermark.app.cli.node.rebuild", interrupted)
    ran = countermark("node", "reindex", "--node", node)
    assert ran.code == 1
    assert "Stopped" in ran.err


def test_serving_takes_the_port_that_was_asked_for(
    monkeypatch: pytest.MonkeyPatch, node: Path
) -> None:
    asked: list[tuple[str, int, bool]] = []
    monkeypatch.setattr(
        "countermark.app.web.server.serve",
        lambda node, port, witness: asked.append((node.code, port, witness is not None)),
    )
    done("node", "serve", "--node", node, "--port", 8499)
    assert asked == [("GB", 8499, True)]
