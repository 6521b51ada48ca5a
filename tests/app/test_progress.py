# SPDX-License-Identifier: Apache-2.0
import pytest
from exercise_small import cell_run

from countermark.app.progress import RunProgress
from countermark.exercise.stages.running import SampleDone

RUN = cell_run()


def test_without_a_terminal_a_cell_is_told_at_its_start_now_and_then_and_at_its_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    now = [0.0]
    with RunProgress(RUN.samples, clock=lambda: now[0]) as progress:
        progress.told(RUN, SampleDone(kept=True))
        for _ in range(3):
            now[0] += 20
            progress.told(RUN, SampleDone(tokens=500))
        for _ in range(3):
            progress.told(RUN, SampleDone(tokens=500))
        progress.told(RUN, SampleDone(failed=True))
    said = capsys.readouterr()
    place = "GB-simulated  Leakage of a confidential fact  English"
    assert said.err.splitlines() == [
        f"{place}: 0 of 8 done, 0 tokens",
        # Two were asked in 40 s, and five of eight are left: the one that was kept cost no time.
        f"{place}: 3 of 8 done, 1,000 tokens, about 2 min left",
        f"{place}: 8 of 8 done, 1 errors, 3,000 tokens",
    ]
    assert said.out == ""


def test_the_same_cell_of_the_next_model_has_a_line_of_its_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with RunProgress(2 * RUN.samples) as progress:
        for _ in range(2 * RUN.samples):
            progress.told(RUN, SampleDone())
    assert capsys.readouterr().err.count("8 of 8 done") == 2
