# SPDX-License-Identifier: Apache-2.0
"""``countermark demo``: the promised folder, whole or not at all. Its labs answer by a script."""

import json
import shutil
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from command_line import Ran, countermark, done, tree
from exercise_small import annotations, open_cast, small_protocol
from scripted import run_scripted

from countermark.app.cli import demo as command
from countermark.app.demo import conduct as conduct_module
from countermark.app.demo.cast import Cast
from countermark.app.demo.conduct import Outcome
from countermark.app.demo.measure import Timings
from countermark.exercise.cells import planned_keys
from countermark.exercise.stages.planning import cell_runs
from countermark.exercise.stages.running import SampleDone
from countermark.node.index import book
from countermark.records.decision import Decision
from countermark.records.finding import Finding
from countermark.records.protocol import Protocol

FIVE = ("GB", "JP", "SG", "FR", "KE")
Labs = Callable[[Cast, Protocol], None]
Conduct = Callable[[Path, Timings, Callable[[str], None], Labs], Outcome]


@dataclass(frozen=True, slots=True)
class Demo:
    """A demonstration that was run once, and what the command said."""

    folder: Path
    ran: Ran


def protocol() -> Protocol:
    return small_protocol().model_copy(update={"participants": FIVE})


def answering(cast: Cast, protocol: Protocol, *, answered: Callable[..., None], **_: Any) -> None:
    """Answer by a script, and count as the model's run does."""
    run_scripted(cast, protocol)
    for node in cast.institutes.values():
        for run in cell_runs(node, protocol):
            for _sample in range(run.samples):
                answered(run, SampleDone(tokens=5))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """Run the whole demonstration once, small and with scripted labs."""
    folder = tmp_path_factory.mktemp("whole") / "demo"
    with pytest.MonkeyPatch.context() as patch:
        for module in (command, conduct_module):
            patch.setattr(module, "demonstration", lambda: (protocol(), annotations()))
        patch.setattr(command, "run_on_model", answering)
        return Demo(folder, done("demo", "--no-serve", "--out", folder))


@pytest.fixture
def quick(whole: Demo, monkeypatch: pytest.MonkeyPatch) -> Callable[[Labs], None]:
    """Let the demonstration bring back the finished exercise; return what sets its labs' part."""

    def use(labs: Labs) -> None:
        def conduct(root: Path, timings: Timings, stage: Callable[[str], None], _: Labs) -> Outcome:
            stage("A finished exercise is brought back")
            for name in ("nodes", "developer"):
                shutil.copytree(whole.folder / name, root / name)
            cast = open_cast(root, protocol())
            with timings.stage("runs"):
                labs(cast, protocol())
            known = book(cast.institutes["GB"])
            ((_entry, finding),) = known.of_kind(Finding)
            decisions = tuple(decision for _, decision in known.of_kind(Decision))
            return Outcome(cast.institutes["GB"], protocol(), finding, decisions, 0)

        monkeypatch.setattr(command, "conduct", conduct)

    use(lambda *_: None)
    return use


def test_the_promised_folder(whole: Demo) -> None:
    out = whole.folder
    assert [path.name for path in out.parent.iterdir()] == ["demo"]
    assert {path.name for path in out.iterdir()} == {
        "README.txt", "developer", "nodes", "record", "timings.json",
    }  # fmt: skip
    assert {path.name for path in (out / "nodes").iterdir()} == set(FIVE)
    assert {"statements", "roster", "site"} <= {path.name for path in (out / "record").iterdir()}
    assert (out / "record" / "site" / "index.html").is_file()
    timings = json.loads((out / "timings.json").read_text())
    assert {"runs", "record", "whole"} <= timings["stages_seconds"].keys()


def test_its_record_and_its_logs_check_out(whole: Demo) -> None:
    files = sorted((whole.folder / "record" / "statements").glob("*.json"))
    kinds = {path.name.rsplit("-", 2)[0] for path in files}
    assert {"protocol", "run-plan", "sealed-result", "evidence", "finding"} <= kinds
    done("verify", *files)
    done("log", "audit", *(whole.folder / "nodes" / code for code in FIVE))


def test_it_says_what_came_of_it_and_where_it_lies(whole: Demo) -> None:
    assert "5 of 5 countersigned the finding." in whole.ran.out
    assert str(whole.folder / "record" / "site" / "index.html") in whole.ran.out
    assert f"countermark verify {whole.folder}/record/statements/*.json" in whole.ran.out


def test_progress_is_talk_and_names_lab_language_and_what_is_left(whole: Demo) -> None:
    task = protocol().tasks[0]
    asked = sum(
        1 for key in planned_keys(protocol()) if (key.task, key.language) == (task.key, "en")
    )
    place = f"GB-simulated  {task.title}  English"
    assert f"{place}: 0 of {asked} done, 0 tokens" in whole.ran.err
    assert f"{place}: {asked} of {asked} done, " in whole.ran.err
    assert "Japanese" in whole.ran.err
    assert " done, " not in whole.ran.out


@pytest.mark.usefixtures("quick")
def test_json_holds_the_decisions(tmp_path: Path) -> None:
    decisions = done("demo", "--no-serve", "--out", tmp_path / "demo", "--json").value
    assert {one["action"] for one in decisions} == {"develop", "deploy"}
    assert all(one["demonstration"] for one in decisions)


@pytest.mark.usefixtures("quick")
def test_a_second_run_replaces_the_first_as_a_whole(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    done("demo", "--no-serve", "--out", out)
    first = tree(out).keys()
    (out / "stray.txt").write_text("left behind")
    (out / "nodes" / "GB" / "keys" / "log.pem").unlink()
    done("demo", "--no-serve", "--out", out)
    assert tree(out).keys() == first
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]


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
    tmp_path: Path, quick: Callable[[Labs], None], *, earlier: bool
) -> None:
    out = tmp_path / "demo"
    if earlier:
        done("demo", "--no-serve", "--out", out)
    before = tree(tmp_path)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    quick(interrupted)
    ran = countermark("demo", "--no-serve", "--out", out)
    assert ran.code == 1
    assert ran.err.splitlines()[-1].startswith("Stopped.")
    assert tree(tmp_path) == before
    quick(lambda *_: None)
    done("demo", "--no-serve", "--out", out)
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]


@pytest.mark.usefixtures("quick")
def test_what_a_killed_run_left_is_cleared_away(tmp_path: Path) -> None:
    for name in (".demo.building-abc", ".demo.building-abc.old", ".demo2.building-abc"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "half.txt").write_text("half")
    done("demo", "--no-serve", "--out", tmp_path / "demo")
    assert {path.name for path in tmp_path.iterdir()} == {"demo", ".demo2.building-abc"}


@pytest.mark.usefixtures("quick")
def test_a_folder_given_as_a_link_is_written_where_it_leads(tmp_path: Path) -> None:
    (tmp_path / "large-disk").mkdir()
    (tmp_path / "demo").symlink_to("large-disk")
    done("demo", "--no-serve", "--out", tmp_path / "demo")
    assert (tmp_path / "demo").is_symlink()
    assert (tmp_path / "large-disk" / "README.txt").is_file()


@pytest.mark.network
@pytest.mark.usefixtures("quick")
def test_it_serves_what_it_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Path, int]] = []
    monkeypatch.setattr(
        "countermark.app.web.server.serve",
        lambda node, port: asked.append((node.folder.root, port)),
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    done("demo", "--out", tmp_path / "demo", "--port", port)
    assert asked == [(tmp_path / "demo" / "nodes" / "GB", port)]
