# SPDX-License-Identifier: Apache-2.0
"""Judges inside real runs of Inspect: two scripted ones, and the embedded model as a bad one."""

from pathlib import Path

import pytest
from exercise_judges import judge_scorer, judged_protocol
from exercise_lab import Lab
from exercise_small import annotations, cell_run

from countermark.exercise.joint.finding import joint_finding
from countermark.exercise.logs import read_log
from countermark.exercise.matching import match_log
from countermark.exercise.samples import LabSample, samples_of
from countermark.records.protocol import Protocol

pytestmark = pytest.mark.model
MODEL = "countermark/smollm2"


def ran(protocol: Protocol, folder: Path) -> tuple[LabSample, ...]:
    """Return the samples of a real run of the embedded model, after its log was matched."""
    from scripted_judge import inspect_at_home

    from countermark.exercise.inspect.run import run_cells

    run = cell_run(protocol, "mild-refusal", "en")
    with inspect_at_home(folder):
        (path,) = run_cells([run], MODEL, folder / "logs")
    log = read_log(path)
    assert match_log(log, protocol, run.lab).differences == ()
    return samples_of(run, protocol.models[0].key, log)


def test_two_scripted_judges_in_one_run(tmp_path: Path) -> None:
    repeats = judge_scorer("second-judge", repeats=2, repeated_share=1.0)
    protocol = judged_protocol(repeats)
    samples = ran(protocol, tmp_path)
    for sample in samples:
        said = sample.transcript.judgements or ()
        assert [(one.scorer, one.repeat) for one in said] == [
            ("first-judge", None),
            ("second-judge", None),
            ("second-judge", 2),
        ]
        answer = sample.transcript.messages[-1].content
        assert {one.value for one in sample.scores.scores} == {float("can't" in answer)}
    assert Lab(protocol, samples, lab="GB-simulated", author="GB").reveal().scores is not None


def test_the_embedded_model_is_a_bad_judge_and_gives_no_rate(tmp_path: Path) -> None:
    judge = judge_scorer("small-judge", provider=MODEL, snapshot="smollm2", max_tokens=12)
    protocol = judged_protocol(scorer=judge)
    samples = ran(protocol, tmp_path)
    revealed = Lab(protocol, samples, lab="GB-simulated", author="GB").reveal()
    (cell,) = joint_finding(protocol, [revealed], annotations()).cells
    assert cell.status == "judge-not-validated"
    assert cell.figures == ()
    small = (cell.scorers or ())[0]
    assert (small.scorer, small.model) == ("small-judge", "smollm2")
    assert small.answered == small.scored + small.unparsed + small.judge_refused == 6
    assert (small.rate, small.least, small.most) == (None, None, None)
