# SPDX-License-Identifier: Apache-2.0
"""``exercise run`` through real Inspect on a scripted provider: killed, and gone on with.

The provider is scripted: it writes down each request, and never gives the same answer twice.
"""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from exercise_small import Snapshots, exchange, small_protocol
from inspect_home import COUNTERMARK, RECORDED, environment, python

from countermark.exercise.cells import CellRun
from countermark.exercise.logs import Log
from countermark.exercise.matching import match_log
from countermark.exercise.samples import samples_of
from countermark.exercise.stages.pending import pending_runs
from countermark.exercise.stages.planning import cell_runs, sign_protocol
from countermark.exercise.stages.workspace import own_workspace
from countermark.node.node import Node
from countermark.records.protocol import Protocol

pytestmark = pytest.mark.model

TASK, LANGUAGE = "confidential-leak", "en"
EPOCHS = 3
CELL = ("--task", TASK, "--language", LANGUAGE)


class Lab:
    """One lab whose model is the scripted provider."""

    def __init__(self, snapshots: Snapshots, folder: Path, **change: object) -> None:
        cast = snapshots.at("logged", folder / "exercise")
        model = snapshots.protocol.models[0].model_copy(update={"provider": "recorded/x"})
        self.protocol: Protocol = snapshots.protocol.model_copy(
            update={"models": (model,), "epochs": EPOCHS, **change}
        )
        self.node: Node = cast.institutes["GB"]
        self.requests = folder / "requests"
        self.talk = folder / "talk"
        self.file = folder / "protocol.json"
        self.file.write_bytes(self.protocol.to_bytes())
        self.env = environment(folder, RECORDED_REQUESTS=str(self.requests), RECORDED_SECONDS="0.3")
        cast.institutes[self.protocol.coordinator].say(self.protocol)
        for node in cast.institutes.values():
            sign_protocol(node, self.protocol)
        exchange(cast)

    @property
    def words(self) -> tuple[str, ...]:
        root = str(self.node.folder.root)
        return ("exercise", "run", "--protocol", str(self.file), "--node", root)

    def run(self, *more: str) -> subprocess.CompletedProcess[str]:
        return python(RECORDED + COUNTERMARK, (*self.words, *more), self.env)

    def stopped(self, after: int, with_signal: int, *more: str) -> None:
        """Begin a run, and stop it once the model was asked ``after`` times."""
        # A shell starts what runs in its background with this signal ignored, and so do its heirs.
        heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        command = [sys.executable, "-c", heard + RECORDED + COUNTERMARK, *self.words, *more]
        with self.talk.open("wb") as talk:
            process = subprocess.Popen(
                command, env=self.env, stdout=subprocess.DEVNULL, stderr=talk
            )
        began = time.monotonic()
        while len(self.asked()) < after:
            assert process.poll() is None
            assert time.monotonic() - began < 200
            time.sleep(0.05)
        process.send_signal(with_signal)
        process.wait(60)
        assert process.returncode != 0, self.talk.read_text()

    def asked(self) -> list[dict[str, object]]:
        if not self.requests.exists():
            return []
        return [json.loads(line) for line in self.requests.read_text().splitlines()]

    def log(self) -> Log:
        (log,) = own_workspace(self.node, self.protocol).logs()
        return log


@pytest.fixture
def lab(snapshots: Snapshots, tmp_path: Path) -> Callable[..., Lab]:
    return lambda **change: Lab(snapshots, tmp_path, **change)


def answers(log: Log) -> dict[tuple[str, int], str]:
    return {
        (str(sample.id), sample.epoch): sample.text(sample.messages[-1])
        for sample in log.samples
        if sample.error is None
    }


def test_a_killed_run_goes_on_and_no_finished_sample_is_asked_again(
    lab: Callable[..., Lab],
) -> None:
    one = lab()
    one.stopped(5, signal.SIGKILL, *CELL, "--max-connections", "2")
    one.stopped(8, signal.SIGKILL, *CELL, "--max-connections", "2")
    before = one.asked()
    ran = one.run(*CELL)
    log = one.log()
    found = match_log(log, one.protocol, "GB-simulated")
    assert found.differences == ()
    said = list(answers(log).values())
    assert len(said) == len(set(said)) == 4 * EPOCHS
    asked = one.asked()
    # At most two were under way at each of the two stops; whatever was answered before is kept.
    again = len(asked) - len({entry["seed"] for entry in asked})
    assert len({entry["seed"] for entry in asked}) == 4 * EPOCHS
    assert again <= 4
    kept = [entry["answer"] for entry in before if entry["answer"] in said]
    assert len(kept) >= len(before) - 4
    by_seed: dict[object, list[object]] = {}
    for entry in asked:
        by_seed.setdefault(entry["seed"], []).append(entry["answer"])
    assert all(answered[-1] in said for answered in by_seed.values())
    assert f"{4 * EPOCHS} of {4 * EPOCHS} done" in ran.stderr
    unfinished = own_workspace(one.node, one.protocol).folder / "unfinished"
    assert len(list(unfinished.glob("*.eval"))) == 2
    tasks = {
        (run.task, run.language)
        for run in pending_runs(one.node, one.protocol, one.protocol.models[0])
    }
    assert (TASK, LANGUAGE) not in tasks
    assert len(tasks) == 3
    one.run(*CELL)
    assert one.asked() == asked, "a finished cell is not run again"


def test_ctrl_c_stops_a_run_and_what_was_finished_is_kept(lab: Callable[..., Lab]) -> None:
    one = lab()
    one.stopped(7, signal.SIGINT, *CELL, "--max-connections", "1")
    before = one.asked()
    assert len(before) < 4 * EPOCHS, "it stopped early"
    assert "Stopped. Nothing was left half written" in one.talk.read_text()
    assert own_workspace(one.node, one.protocol).logs() == ()
    one.run(*CELL)
    said = set(answers(one.log()).values())
    assert len(said) == 4 * EPOCHS
    # One was under way at the stop; it alone is asked again.
    kept = [entry["answer"] for entry in before if entry["answer"] in said]
    assert len(kept) >= len(before) - 1
    assert len(one.asked()) <= 4 * EPOCHS + 1


def test_a_sample_that_fails_is_tried_as_often_as_the_protocol_says_and_never_again(
    lab: Callable[..., Lab],
) -> None:
    generation = small_protocol().generation.model_copy(update={"retries": 1})
    one = lab(generation=generation)
    prompt = next(
        text.prompt
        for item in one.protocol.tasks[0].items
        if item.key == "direct-order"
        for text in item.texts
        if text.language == LANGUAGE
    )
    one.env["RECORDED_FAILS"] = str(prompt)
    one.stopped(7, signal.SIGKILL, *CELL, "--max-samples", "1")
    one.run(*CELL)
    failing = [entry for entry in one.asked() if entry["failed"]]
    # One sample was under way at the stop. Its second failure may not have been on the disk yet,
    # and then it is tried anew; those that were finished are not.
    assert 2 * EPOCHS <= len(failing) <= 2 * EPOCHS + 2
    log = one.log()
    (run,) = [
        run
        for run in cell_runs(one.node, one.protocol)
        if (run.task, run.language) == (TASK, LANGUAGE)
    ]
    outcomes = outcomes_of(run, one.protocol, log)
    assert outcomes["direct-order"] == {"errored"}
    assert outcomes["pretext-repair"] == {"answered"}


def outcomes_of(run: CellRun, protocol: Protocol, log: Log) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for sample in samples_of(run, protocol.models[0].key, log):
        found.setdefault(sample.scores.key.item, set()).add(sample.scores.outcome)
    return found


def test_arguments_reach_the_provider_and_keys_are_refused(lab: Callable[..., Lab]) -> None:
    one = lab()
    one.run(*CELL, "-M", "manner=polite", "--base-url", "https://models.example/v1")
    log = one.log()
    assert all(answer.endswith(" polite") for answer in answers(log).values())
    assert log.header.eval.model_args == {"manner": "polite"}
