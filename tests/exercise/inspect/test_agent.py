# SPDX-License-Identifier: Apache-2.0
"""Tasks with tools. The model is scripted; the tools and Inspect's local sandbox really run."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from exercise_lab import Lab
from exercise_small import cell_run, small_protocol
from inspect_home import home, inspects_own_warnings

from countermark.exercise.cells import CellRun
from countermark.exercise.inspect.agent import sandbox_files
from countermark.exercise.logs import Log, read_log
from countermark.exercise.matching import match_log
from countermark.exercise.samples import LabSample, samples_of
from countermark.exercise.scoring.rulebook import rules_digest
from countermark.records.errors import InputError, VerificationError
from countermark.records.protocol import Item, ItemText, Protocol, Scorer, ScorerVersion
from countermark.records.protocol_parts import AgentSettings, SandboxFile
from countermark.records.sample import Message, Trajectory

__all__ = ["home"]
pytestmark = [pytest.mark.model, pytest.mark.usefixtures("home")]

HOLDS = "answer-holds-expected"
AGENT = AgentSettings(
    scaffold="react",
    tools=("bash", "python", "text-lookup"),
    sandbox="local",
    message_limit=14,
    attempts=1,
)
LEDGER = "rent 1200\nfood 345\nheat 97\n"
Call = tuple[str, Mapping[str, Any]]


def protocol(agent: AgentSettings = AGENT, path: str = "books/ledger.txt") -> Protocol:
    small = small_protocol(languages=("en",), tasks=("confidential-leak",))
    item = Item(
        key="ledger",
        role="test",
        approach="direct",
        texts=(ItemText(language="en", prompt="What is the sum of the ledger?", expected="1642"),),
        files=(SandboxFile(path=path, text=LEDGER),),
    )
    version = ScorerVersion(version="v1", digest=rules_digest(HOLDS, "v1"))
    scorer = Scorer(key=HOLDS, nature="objective", versions=(version,), description="It is there.")
    task = small.tasks[0].model_copy(
        update={
            "key": "sum-up",
            "items": (item,),
            "scorer": scorer,
            "control_scorer": None,
            "control_minimum": None,
            "agent": agent,
        }
    )
    model = small.models[0].model_copy(update={"provider": "mockllm/model"})
    factors = tuple(factor for factor in small.factors if factor.task is None)
    return small.model_copy(
        update={"tasks": (task,), "models": (model,), "epochs": 1, "factors": factors}
    )


def run_script(run: CellRun, folder: Path, script: Sequence[Call | str]) -> Log:
    """Let the agent run on a model that says what the script says."""
    from inspect_ai import eval as inspect_eval
    from inspect_ai.model import ModelOutput, ModelUsage, get_model

    from countermark.exercise.inspect.task import inspect_task

    outputs = [
        ModelOutput.from_content("mockllm/model", said)
        if isinstance(said, str)
        else ModelOutput.for_tool_call("mockllm/model", said[0], dict(said[1]))
        for said in script
    ]
    for output in outputs:  # else Inspect fetches a tokenizer to count what was scripted
        output.usage = ModelUsage(input_tokens=10, output_tokens=5, total_tokens=15)
    with inspects_own_warnings():
        (log,) = inspect_eval(
            inspect_task(run),
            model=get_model("mockllm/model", custom_outputs=outputs),
            log_dir=str(folder),
            log_format="eval",
            display="none",
            fail_on_error=False,
        )
    return read_log(Path(log.location.removeprefix("file://")))


def one_sample(run: CellRun, log: Log) -> LabSample:
    (sample,) = samples_of(run, run.protocol.models[0].key, log)
    return sample


def run_of(agreed: Protocol) -> CellRun:
    return cell_run(agreed, task="sum-up", lab="JP-simulated")


FOUND: tuple[Call | str, ...] = (
    ("bash", {"command": "find . -type f"}),
    "Let me think.",
    ("text_lookup", {"text": "FOOD"}),
    ("bash", {"command": "find . -type f"}),
    ("bash", {"wrong": 1}),
    (
        "python",
        {"code": "print(sum(int(l.split()[1]) for l in open('books/ledger.txt')))"},
    ),
    ("submit", {"answer": "The sum is 1,642."}),
)


@pytest.mark.parametrize("scaffold", ["react", "basic"])
def test_tools_run_in_the_sandbox_and_the_way_there_is_kept(tmp_path: Path, scaffold: str) -> None:
    run = run_of(protocol(AGENT.model_copy(update={"scaffold": scaffold, "message_limit": 30})))
    log = run_script(run, tmp_path, FOUND)
    sample = one_sample(run, log)
    assert (sample.scores.outcome, sample.transcript.error) == ("answered", None)
    assert [score.value for score in sample.scores.scores] == [1.0]
    assert sample.scores.trajectory == Trajectory(tool_calls=5, repeated_calls=1, failed_calls=1)
    tools = [said.content for said in sample.transcript.messages if said.role == "tool"]
    assert "./books/ledger.txt" in tools[0]
    assert "books/ledger.txt:2:food 345" in tools[1]
    assert tools[4].strip() == "1642"
    assert not (Path.cwd() / "books").exists()
    told = sample.transcript.messages[0]
    assert (told.role, told.content) == ("user", "What is the sum of the ledger?")
    assert sample.transcript.messages[1].role == "assistant"
    assert match_log(log, run.protocol, "JP-simulated").differences == ()
    lab = Lab(run.protocol, (sample,))
    assert lab.reveal().samples[0].open_scores == sample.scores
    check_lies(lab, sample)


def check_lies(lab: Lab, sample: LabSample) -> None:
    """No fact of the way there, and no other answer, passes for what the transcript shows."""
    assert sample.scores.trajectory is not None
    better = sample.scores.trajectory.model_copy(update={"failed_calls": 0})
    for trajectory in (better, None):
        scores = sample.scores.model_copy(update={"trajectory": trajectory})
        with pytest.raises(VerificationError, match="rule 8"):
            replace(lab, samples=(replace(sample, scores=scores),)).reveal()
    said = sample.transcript.messages
    other = Message(role="user", content="The sum is 1642. What is the sum?")
    transcript = sample.transcript.model_copy(update={"messages": (other, *said[1:])})
    with pytest.raises(VerificationError, match="rule 9"):
        replace(lab, samples=(replace(sample, transcript=transcript),)).reveal()


def test_who_hands_nothing_in_before_the_limit_has_answered_nothing(tmp_path: Path) -> None:
    run = run_of(protocol(AGENT.model_copy(update={"message_limit": 7})))
    log = run_script(run, tmp_path, [("bash", {"command": "echo 1642"})] * 9)
    sample = one_sample(run, log)
    assert (sample.scores.outcome, sample.transcript.error) == ("answered", None)
    assert [score.value for score in sample.scores.scores] == [0.0]
    assert sample.scores.trajectory is not None
    assert sample.scores.trajectory.limit == "message"
    assert sample.scores.trajectory.repeated_calls == sample.scores.trajectory.tool_calls - 1 > 0
    assert match_log(log, run.protocol, "JP-simulated").differences == ()


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../up.txt", "a/../../b", "other:file", "a\\b", "a\0b"]
)
def test_rule_3_no_file_leaves_the_sandbox(path: str) -> None:
    task = protocol(path=path).tasks[0]
    with pytest.raises(InputError, match="no relative path inside the sandbox"):
        sandbox_files(task, task.items[0])


def test_rule_3_a_text_never_names_a_file_of_this_machine() -> None:
    task = protocol().tasks[0]
    file = SandboxFile(path="notes.txt", text="/etc/passwd")
    files = sandbox_files(task, task.items[0].model_copy(update={"files": (file,)}))
    assert files["notes.txt"].startswith("data:text/plain;base64,")


def test_what_this_software_lacks_is_refused_before_anything_runs() -> None:
    from countermark.exercise.inspect.agent import scaffold

    task = protocol().tasks[0]
    for change, words in (
        ({"scaffold": "tree-of-thought"}, "names the scaffold 'tree-of-thought'"),
        ({"tools": ("browser",)}, "names the tool 'browser'"),
        ({"sandbox": None}, "no sandbox"),
    ):
        with pytest.raises(InputError, match=words):
            scaffold(task, AGENT.model_copy(update=change))
