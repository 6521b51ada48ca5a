# SPDX-License-Identifier: Apache-2.0
"""Our reader gives the values that Inspect's own gives: on real logs of 2024 to now, and on logs
that Inspect writes here, with errors, retries, edits, limits and calls of tools."""

import math
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import Task, task_with
from inspect_ai import eval as inspect_eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.log import (
    EvalLog,
    EvalSample,
    MetadataEdit,
    ProvenanceData,
    TagsEdit,
    edit_eval_log,
    edit_score,
    invalidate_samples,
    read_eval_log,
    resolve_sample_attachments,
    write_eval_log,
)
from inspect_ai.model import GenerateConfig, Model, ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import (
    CORRECT,
    INCORRECT,
    NOANSWER,
    PARTIAL,
    Score,
    ScoreEdit,
    Scorer,
    Target,
    match,
    mean,
    scorer,
    value_to_float,
)
from inspect_ai.solver import Generate, Solver, TaskState, generate, solver, use_tools
from inspect_ai.tool import Tool, ToolError, tool
from inspect_warnings import inspects_own_warnings

from countermark.exercise.reading.found import FoundRun, FoundSample, FoundScore
from countermark.exercise.reading.inspect_log import columns, read

FIXTURES = Path(__file__).parents[4] / "shared" / "fixtures" / "inspect"
WHO = ProvenanceData(author="an auditor", reason="the key was wrong")
VALUES: list[Any] = [
    CORRECT, INCORRECT, PARTIAL, NOANSWER, True, 0.25, math.nan, "yes", "12.5",
    {"help": 1, "harm": "C", "none": None}, [1, "I"],
]  # fmt: skip


def run_of(path: Path) -> FoundRun:
    (run,) = read(path)
    return run


def by_key(run: FoundRun) -> dict[tuple[str, int], FoundSample]:
    return {(one.item, one.epoch): one for one in run.samples() if one.outcome != "missing"}


def flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from ((f"{name}/{key}", one) for key, one in value.items())
    elif isinstance(value, list):
        yield from ((f"{name}/{index}", one) for index, one in enumerate(value))
    else:
        yield name, value


def is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def same_score(mine: FoundScore, value: Any) -> bool:
    """Tell whether a score is what Inspect read, and its number what Inspect makes of it."""
    if is_nan(value):
        return (mine.status, mine.value, mine.raw) == ("unparsed", None, "NaN")
    if value is None:
        return (mine.status, mine.value, mine.raw) == ("unparsed", None, None)
    return mine.raw == value and mine.status == "scored" and mine.value == value_to_float()(value)


def text_of(message: Any) -> str:
    if isinstance(message.content, str):
        return message.content
    return "\n".join(part.text for part in message.content if part.type == "text")


def assert_same_sample(mine: FoundSample, theirs: EvalSample) -> None:
    theirs = resolve_sample_attachments(theirs, "core")
    scores = {one.scorer: one for one in mine.scores if one.status != "not-attempted"}
    wanted = {
        part: (value, score)
        for name, score in (theirs.scores or {}).items()
        for part, value in flat(name, score.value)
    }
    assert scores.keys() == wanted.keys()
    for name, (value, score) in wanted.items():
        assert same_score(scores[name], value), (name, scores[name], value)
        assert (scores[name].answer, scores[name].explanation) == (score.answer, score.explanation)
        assert scores[name].reason == score.reason
        if score.history and not isinstance(score.value, dict | list):
            edits = [edit.value for edit in score.history if edit.value != "UNCHANGED"]
            assert scores[name].history == tuple(edits[:-1])
    assert [(one.role, one.text) for one in mine.messages] == [
        (one.role, text_of(one)) for one in theirs.messages
    ]
    assert (mine.error is not None) == (theirs.error is not None or mine.outcome == "errored")
    assert mine.retries == len(theirs.error_retries or ())
    assert (mine.invalidated is None) == (theirs.invalidation is None)
    limit = mine.trajectory.limit if mine.trajectory else None
    assert limit == (theirs.limit.type if theirs.limit else None)
    used = theirs.model_usage.values()
    assert (mine.usage.total_tokens if mine.usage else None) == (
        sum(one.total_tokens for one in used) if used else None
    )
    calls = [event for event in theirs.events if event.event == "tool"]
    assert (mine.trajectory.tool_calls if mine.trajectory else 0) == len(calls)
    failed = sum(event.error is not None for event in calls)
    assert (mine.trajectory.failed_calls if mine.trajectory else 0) == failed


def assert_same(path: Path) -> tuple[FoundRun, EvalLog]:
    """Hold a log as we read it against the log as Inspect reads it."""
    run, log = run_of(path), read_eval_log(str(path))
    assert (run.model, run.task, run.status) == (log.eval.model, log.eval.task, log.status)
    assert run.tool_version == log.eval.packages.get("inspect_ai")
    mine = by_key(run)
    theirs = {(str(one.id), one.epoch): one for one in log.samples or []}
    assert mine.keys() == theirs.keys()
    for key, sample in theirs.items():
        assert_same_sample(mine[key], sample)
    assert_same_columns(path, theirs)
    return run, log


def assert_same_columns(path: Path, theirs: dict[tuple[str, int], EvalSample]) -> None:
    found = columns(path)
    assert len(found.item) == len(theirs)
    for row, key in enumerate(zip(found.item, found.epoch, strict=True)):
        for name, score in (theirs[key].scores or {}).items():
            for part, value in flat(name, score.value):
                number = found.scores[part][row]
                if is_nan(value) or value is None:
                    assert math.isnan(number)
                else:
                    assert number == value_to_float()(value)


@pytest.mark.skipif(
    not FIXTURES.is_dir(), reason="no folder of files by real systems beside the project root"
)
@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.*")), ids=lambda path: path.name)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_real_logs(path: Path) -> None:
    assert_same(path)


@pytest.mark.skipif(
    not FIXTURES.is_dir(), reason="no folder of files by real systems beside the project root"
)
def test_real_logs_as_data_frames() -> None:
    pytest.importorskip("pandas", reason="Inspect's data frames need pandas")
    from inspect_ai.analysis import samples_df

    path = FIXTURES / "popularity-b.eval"
    frame, found = samples_df(str(path), quiet=True), columns(path)
    assert list(frame["id"]) == found.item
    assert [value_to_float()(one) for one in frame["score_match"]] == list(found.scores["match"])


# Logs that Inspect writes here


@scorer(metrics=[mean()])
def every_value() -> Scorer:
    """Give each sample another form of value."""

    async def score(state: TaskState, target: Target) -> Score:
        value = VALUES[int(str(state.sample_id))]
        return Score(value=value, answer="a", explanation="because", metadata={"note": 1})

    return score


@tool
def measure() -> Tool:
    """Measure something."""

    async def execute(what: str) -> str:
        """Measure.

        Args:
            what: The thing to measure.
        """
        if what == "nothing":
            raise ToolError("there is nothing to measure")
        return f"{what} is 3 metres long, " + "and that is a long text " * 20

    return execute


@solver
def failing(times: dict[str, int]) -> Solver:
    """Fail for some samples, as often as is said."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        key = f"{state.sample_id}/{state.epoch}"
        if times.get(key, 0) > 0:
            times[key] -= 1
            raise RuntimeError("the network is down")
        return state

    return solve


def output(text: str) -> ModelOutput:
    made = ModelOutput.from_content("mockllm/model", text)
    made.usage = ModelUsage(input_tokens=7, output_tokens=2, total_tokens=9)
    return made


def call(what: str) -> ModelOutput:
    made = ModelOutput.for_tool_call("mockllm/model", "measure", {"what": what})
    made.usage = ModelUsage(input_tokens=7, output_tokens=2, total_tokens=9)
    return made


def model(*outputs: ModelOutput) -> Model:
    def forever() -> Iterator[ModelOutput]:
        while True:
            yield from outputs

    return get_model("mockllm/model", custom_outputs=forever(), memoize=False)


def task(count: int = 3, **changes: Any) -> Task:
    samples = [Sample(id=index, input=f"Question {index}?", target="Yes") for index in range(count)]
    plain = Task(dataset=MemoryDataset(samples), solver=generate(), scorer=match(), name="asked")
    return task_with(plain, **changes) if changes else plain


@pytest.fixture
def ran(tmp_path: Path) -> Callable[..., Path]:
    def run(what: Task, *outputs: ModelOutput, form: Any = "eval", **options: Any) -> Path:
        with inspects_own_warnings():
            (log,) = inspect_eval(
                what,
                model=model(*(outputs or (output("Yes"), output("No")))),
                log_dir=str(tmp_path / "logs"),
                log_format=form,
                display="none",
                **options,
            )
        return Path(log.location.removeprefix("file://"))

    return run


Ran = Callable[..., Path]


@pytest.mark.parametrize("form", ["eval", "json"])
def test_every_form_of_value(ran: Ran, form: str) -> None:
    path = ran(task(len(VALUES), scorer=[match(), every_value()]), form=form)
    run, _ = assert_same(path)
    values = {
        score.scorer: score for score in by_key(run)["9", 1].scores if score.status == "scored"
    }
    assert values["every_value/harm"].value == 1.0
    # A part that one sample has, every sample has.
    parts = {"every_value/help", "every_value/harm", "every_value/none", "every_value/1", "match"}
    assert all(parts <= {score.scorer for score in sample.scores} for sample in run.samples())


def test_epochs_errors_and_retries(ran: Ran) -> None:
    path = ran(
        task(3, solver=[failing({"0/1": 1, "1/2": 9}), generate()]),
        epochs=2,
        retry_on_error=2,
        fail_on_error=False,
        max_samples=1,
    )
    run, _ = assert_same(path)
    found = by_key(run)
    assert found["0", 1].retries == 1
    assert found["0", 1].outcome == "answered"
    assert found["1", 2].outcome == "errored"
    assert "the network is down" in (found["1", 2].error or "")
    assert [score.status for score in found["1", 2].scores] == ["not-attempted"]
    assert run.submitted == 6


def test_a_run_that_failed_has_missing_samples(ran: Ran) -> None:
    path = ran(task(12, solver=[failing({"1/1": 9}), generate()]), max_samples=1)
    run, _ = assert_same(path)
    assert run.status == "error"
    outcomes = [sample.outcome for sample in run.samples()]
    assert len(outcomes) == run.submitted == 12
    assert "missing" in outcomes
    assert "the network is down" in run.notes[0]


def test_calls_of_tools_and_a_limit(ran: Ran) -> None:
    what = task(2, solver=[use_tools(measure()), generate()])
    path = ran(
        what, call("the door"), call("the door"), call("nothing"), call("a wall"), message_limit=6
    )
    run, _ = assert_same(path)
    first = by_key(run)["0", 1].trajectory
    assert first is not None
    assert (first.repeated_calls, first.limit) == (1, "message")
    assert by_key(run)["0", 1].messages[1].calls == ("measure",)


def test_edited_and_invalidated_samples(ran: Ran, tmp_path: Path) -> None:
    log = read_eval_log(str(ran(task(3, scorer=[match(), every_value()]))))
    edit_score(log, 0, "match", ScoreEdit(value="I", provenance=WHO))
    edit_score(log, 0, "match", ScoreEdit(explanation="seen again", provenance=WHO))
    edit_score(log, 0, "match", ScoreEdit(value="P", provenance=WHO))
    edit_score(log, 1, "person", ScoreEdit(value=1, provenance=WHO))
    assert log.samples is not None
    log = invalidate_samples(log, [str(log.samples[2].uuid)], WHO)
    edits = [TagsEdit(tags_add=["audited"]), MetadataEdit(metadata_set={"language": "sw"})]
    log = edit_eval_log(log, edits, WHO)
    for form in ("eval", "json"):
        path = tmp_path / f"edited.{form}"
        write_eval_log(log, str(path))
        run, _ = assert_same(path)
        found = by_key(run)
        assert found["0", 1].scores[0].value == 0.5
        assert found["0", 1].scores[0].history == ("C", "I")
        assert found["2", 1].invalidated == "an auditor: the key was wrong"
        assert found["2", 1].outcome == "answered"
        assert run.language == "sw"
        assert run.settings is not None
        assert run.settings["tags"] == ["audited"]
        assert any("declared invalid" in note for note in run.notes)


def test_a_refusal_by_the_provider(ran: Ran) -> None:
    filtered = ModelOutput.from_content("mockllm/model", "I cannot.", stop_reason="content_filter")
    filtered.usage = ModelUsage()
    run, _ = assert_same(ran(task(1), filtered))
    assert by_key(run)["0", 1].outcome == "refused"


def test_settings_are_the_effective_ones(ran: Ran) -> None:
    what = task(1, config=GenerateConfig(temperature=0.5, top_p=0.9))
    run = run_of(ran(what, temperature=0.25, epochs=2, message_limit=9, limit=1))
    assert run.settings is not None
    assert run.settings["generate.temperature"] == 0.25
    assert run.settings["generate.top_p"] == 0.9
    assert run.settings["eval.message_limit"] == 9
    assert run.settings["scorer.match.metrics"]
    assert run.settings["plan.1.solver"] == "generate"
    assert all(value is not None for value in run.settings.values())
    assert [sample.settings for sample in run.samples()] == [None, None]


def test_a_journal_of_a_run_that_was_interrupted(ran: Ran, tmp_path: Path) -> None:
    import zipfile

    whole = ran(task(4))
    with zipfile.ZipFile(whole) as source:
        names = [
            name for name in source.namelist() if name not in ("header.json", "summaries.json")
        ]
        kept = {name: source.read(name) for name in names if "samples/3" not in name}
    path = tmp_path / "journal.eval"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name, contents in kept.items():
            target.writestr(name, contents)
    run = run_of(path)
    log = read_eval_log(str(path))
    assert run.status == log.status == "started"
    assert run.notes[0] == "the run did not finish: this is its journal"
    assert [one.outcome for one in run.samples()] == ["answered"] * 3 + ["missing"]
    assert by_key(run).keys() == {(str(one.id), one.epoch) for one in log.samples or []}


def test_a_header_changed_in_place_leaves_dead_bytes(ran: Ran, tmp_path: Path) -> None:
    path = tmp_path / "changed.eval"
    shutil.copy(ran(task(2)), path)
    log = read_eval_log(str(path), header_only=True)
    log = edit_eval_log(log, [TagsEdit(tags_add=["late"])], WHO)
    write_eval_log(log, str(path), header_only=True)
    run, _ = assert_same(path)
    assert run.settings is not None
    assert run.settings["tags"] == ["late"]


def test_settings_of_a_single_sample(ran: Ran) -> None:
    @solver
    def warmer() -> Solver:
        async def solve(state: TaskState, generate: Generate) -> TaskState:
            if state.sample_id == 1:
                return await generate(state, temperature=1.5)
            return await generate(state)

        return solve

    run, _ = assert_same(ran(task(2, solver=warmer())))
    found = by_key(run)
    assert found["0", 1].settings is None
    assert found["1", 1].settings == {"generate.temperature": 1.5}
