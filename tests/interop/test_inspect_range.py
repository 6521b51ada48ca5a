# SPDX-License-Identifier: Apache-2.0
"""The oldest Inspect that we run under, in an environment of its own; the rest runs on the newest.

The model is Inspect's stand-in, which says one sentence: what is tested is the task and its log.
"""

import os
from pathlib import Path

import pytest
from exercise_small import SEED, small_protocol
from inspect_home import environment, python

from countermark.exercise.logs import read_log
from countermark.exercise.matching import match_log
from countermark.exercise.samples import samples_of

OLDEST = os.environ.get("COUNTERMARK_OLDEST_INSPECT", "")
pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(not OLDEST, reason="needs scripts/inspect_range.sh; run `make interop`"),
]
LAB = "JP-simulated"


def test_the_task_runs_under_the_oldest_inspect_and_its_log_is_read_here(tmp_path: Path) -> None:
    small = small_protocol(languages=("en",), tasks=("confidential-leak",))
    model = small.models[0].model_copy(update={"provider": "mockllm/model"})
    protocol = small.model_copy(update={"models": (model,)})
    file = tmp_path / "protocol.json"
    file.write_bytes(protocol.to_bytes())
    words = ["eval", "countermark/exercise", "--model", "mockllm/model", "--display", "none"]
    words += ["--log-dir", str(tmp_path / "logs")]
    arguments = {"protocol": file, "task": "confidential-leak", "language": "en", "lab": LAB}
    for name, value in {**arguments, "seed": SEED.hex()}.items():
        words += ["-T", f"{name}={value}"]
    code = "import runpy; runpy.run_module('inspect_ai', run_name='__main__')"
    python(code, words, environment(tmp_path), OLDEST)
    (path,) = (tmp_path / "logs").glob("*.eval")
    log = read_log(path)
    oldest = Path(__file__).parents[2].joinpath("pyproject.toml").read_text(encoding="utf-8")
    assert f'inspect-ai>={log.header.eval.packages["inspect_ai"]}"' in oldest
    found = match_log(log, protocol, LAB)
    assert found.differences == ()
    assert found.run is not None
    samples = samples_of(found.run, model.key, log)
    assert {sample.scores.outcome for sample in samples} == {"answered"}
    assert all("mockllm" in sample.transcript.messages[-1].content for sample in samples)
