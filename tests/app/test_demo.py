# SPDX-License-Identifier: Apache-2.0
"""``countermark demo``: the promised folder, whole or not at all. Its labs answer by a script."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command_line import countermark, done, tree
from exercise_small import annotations, small_protocol
from scripted import run_scripted

from countermark.app.cli import demo as command
from countermark.app.demo import conduct
from countermark.app.demo.cast import Cast
from countermark.exercise.cells import planned_keys
from countermark.records.protocol import Protocol

FIVE = ("GB", "JP", "SG", "FR", "KE")
Run = Callable[..., None]


def answering(cast: Cast, protocol: Protocol, *, answered: Callable[..., None], **_: Any) -> None:
    """Answer by a script, and count as the model's run does."""
    run_scripted(cast, protocol)
    for node in cast.institutes.values():
        for run in conduct.steps.cell_runs(node, protocol):
            answered(run)


@pytest.fixture(autouse=True)
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[[Run], None]:
    """Let the demonstration be small and scripted; return what sets another run."""
    protocol = small_protocol().model_copy(update={"participants": FIVE})
    for module in (command, conduct):
        monkeypatch.setattr(module, "demonstration", lambda: (protocol, annotations()))

    def use(labs: Run) -> None:
        monkeypatch.setattr(command, "run_on_model", labs)

    use(answering)
    return use


def test_the_promised_folder(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    ran = done("demo", "--no-serve", "--out", out)
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]
    assert {path.name for path in out.iterdir()} == {
        "README.txt", "developer", "nodes", "record", "timings.json",
    }  # fmt: skip
    assert {path.name for path in (out / "nodes").iterdir()} == set(FIVE)
    assert {"statements", "roster", "site"} <= {path.name for path in (out / "record").iterdir()}
    assert (out / "record" / "site" / "index.html").is_file()
    timings = json.loads((out / "timings.json").read_text())
    assert {"runs", "record", "whole"} <= timings["stages_seconds"].keys()
    files = sorted((out / "record" / "statements").glob("*.json"))
    kinds = {path.name.rsplit("-", 2)[0] for path in files}
    assert {"protocol", "run-plan", "sealed-result", "evidence", "finding"} <= kinds
    done("verify", *files)
    done("log", "audit", *(out / "nodes" / code for code in FIVE))
    assert "5 of 5 countersigned the finding." in ran.out
    assert str(out / "record" / "site" / "index.html") in ran.out


def test_progress_is_talk_and_names_lab_language_and_what_is_left(tmp_path: Path) -> None:
    ran = done("demo", "--no-serve", "--out", tmp_path / "demo")
    total = 5 * sum(1 for _ in planned_keys(small_protocol()))
    line = f"GB-simulated  Leakage of a confidential fact  English: {total} of {total} answers left"
    assert line in ran.err
    assert "Japanese" in ran.err
    assert "answers left" not in ran.out


def test_json_holds_the_decisions(tmp_path: Path) -> None:
    decisions = done("demo", "--no-serve", "--out", tmp_path / "demo", "--json").value
    assert [one["action"] for one in decisions] == ["develop", "deploy"]
    assert all(one["demonstration"] for one in decisions)


def test_a_second_run_replaces_the_first_as_a_whole(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    done("demo", "--no-serve", "--out", out)
    first = (out / "nodes" / "GB" / "keys" / "log.pem").read_bytes()
    (out / "stray.txt").write_text("left behind")
    done("demo", "--no-serve", "--out", out)
    assert not (out / "stray.txt").exists()
    assert (out / "nodes" / "GB" / "keys" / "log.pem").read_bytes() != first
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]
    done("verify", *sorted((out / "record" / "statements").glob("*.json")), "--quiet")


def test_a_folder_that_no_demonstration_wrote_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    before = tree(tmp_path.parent)
    ran = countermark("demo", "--no-serve", "--out", tmp_path)
    assert ran.code == 1
    assert "holds something that no demonstration wrote" in ran.err
    assert "--out DIR" in ran.err
    assert tree(tmp_path.parent) == before


@pytest.mark.parametrize("earlier", [False, True], ids=["first run", "after an earlier run"])
def test_interrupting_leaves_no_half_state_and_running_again_works(
    tmp_path: Path, run: Callable[[Run], None], *, earlier: bool
) -> None:
    out = tmp_path / "demo"
    if earlier:
        done("demo", "--no-serve", "--out", out)
    before = tree(tmp_path)

    def interrupted(cast: Cast, protocol: Protocol, **_: Any) -> None:
        answering(cast, protocol, answered=lambda _: None)
        raise KeyboardInterrupt

    run(interrupted)
    ran = countermark("demo", "--no-serve", "--out", out)
    assert ran.code == 1
    assert ran.err.splitlines()[-1].startswith("Stopped.")
    assert tree(tmp_path) == before
    run(answering)
    done("demo", "--no-serve", "--out", out)
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]


def test_what_a_killed_run_left_is_cleared_away(tmp_path: Path) -> None:
    for name in (".demo.building-abc", ".demo.building-abc.old", ".demo2.building-abc"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "half.txt").write_text("half")
    done("demo", "--no-serve", "--out", tmp_path / "demo")
    assert {path.name for path in tmp_path.iterdir()} == {"demo", ".demo2.building-abc"}


def test_a_folder_given_as_a_link_is_written_where_it_leads(tmp_path: Path) -> None:
    (tmp_path / "large-disk").mkdir()
    (tmp_path / "demo").symlink_to("large-disk")
    done("demo", "--no-serve", "--out", tmp_path / "demo")
    assert (tmp_path / "demo").is_symlink()
    assert (tmp_path / "large-disk" / "README.txt").is_file()


@pytest.mark.network
def test_it_serves_what_it_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Path, int]] = []
    monkeypatch.setattr(
        "countermark.app.web.server.serve",
        lambda node, port: asked.append((node.folder.root, port)),
    )
    monkeypatch.setattr(
        "countermark.app.web.server.listener", lambda port: open(tmp_path / "x", "w")
    )  # noqa: E501, SIM115, PTH123
    done("demo", "--out", tmp_path / "demo", "--port", 8497)
    assert asked == [(tmp_path / "demo" / "nodes" / "GB", 8497)]
