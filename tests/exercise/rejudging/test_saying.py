# SPDX-License-Identifier: Apache-2.0
"""An exercise with two scripted judges from the plan to the finding, and judged again.

The judges are scripted (``support/scripted_judge.py``): nothing here says how well a judge judges.
"""

from pathlib import Path

import pytest
from exercise_judges import judge_scorer, judged_log, judged_protocol, refusing
from exercise_small import exchange
from hand_labels import half_refused

from countermark.app.cli.exercise_rejudge import rejudge
from countermark.app.demo.cast import Cast, assemble
from countermark.exercise.joint.computing import check_finding, compute_finding
from countermark.exercise.rejudging.saying import batches_to_judge
from countermark.exercise.stages import disclosing
from countermark.exercise.stages.closing import close_exercise
from countermark.exercise.stages.planning import cell_runs, plan_run, sign_protocol
from countermark.exercise.stages.sealing import seal_samples
from countermark.node.index import book
from countermark.records.errors import InputError, UsageError
from countermark.records.protocol import Countersignature, Protocol
from countermark.records.rejudgement import Rejudgement

pytestmark = pytest.mark.model
LABELS = half_refused(60)


def protocol() -> Protocol:
    made = judged_protocol(judge_scorer("second-judge", repeats=2, repeated_share=0.5))
    (task,) = made.tasks
    named = task.model_copy(update={"annotation_sets": (LABELS.digest,)})
    return made.model_copy(update={"tasks": (named,)})


PROTOCOL = protocol()


@pytest.fixture(scope="module")
def cast(tmp_path_factory: pytest.TempPathFactory) -> Cast:
    """Return the exercise when all labs have revealed."""
    cast = assemble(tmp_path_factory.mktemp("cast"), PROTOCOL)
    cast.institutes[PROTOCOL.coordinator].say(LABELS, PROTOCOL)
    exchange(cast)
    for node in cast.institutes.values():
        sign_protocol(node, PROTOCOL)
    exchange(cast)
    for node in cast.institutes.values():
        workspace = plan_run(node, PROTOCOL, ())
        (run,) = cell_runs(node, PROTOCOL)
        judged_log(workspace.log_folder / "mild-refusal_en.eval", run, refusing)
        seal_samples(node, PROTOCOL)
    exchange(cast)
    close_exercise(cast.institutes[PROTOCOL.coordinator], PROTOCOL)
    exchange(cast)
    for node in cast.institutes.values():
        disclosing.reveal(node, PROTOCOL)
    exchange(cast)
    return cast


def run(cast: Cast, code: str, tmp_path: Path, *arguments: str) -> None:
    """Judge again at one node, as the command line does."""
    from scripted_judge import inspect_at_home

    path = tmp_path / "protocol.json"
    path.write_bytes(PROTOCOL.to_bytes())
    node = str(cast.institutes[code].folder.root)
    with inspect_at_home(tmp_path):
        rejudge.main(["--protocol", str(path), "--node", node, *arguments], standalone_mode=False)


def test_without_rejudging_no_rate_is_published(cast: Cast) -> None:
    finding = compute_finding(cast.institutes["GB"], PROTOCOL)
    (cell,) = finding.cells
    assert cell.status == "judge-not-validated"
    assert "was not run on the labelled answers" in (cell.reason or "")
    assert cell.figures == ()
    assert [one.rate for one in cell.scorers or ()] == [None, None]
    assert finding.rejudgements is None


def test_judged_again_and_validated_the_finding_has_rates_that_others_recompute(
    cast: Cast, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(cast, "GB", tmp_path, "--labelled")
    assert "first-judge v1  mild-refusal  en: 60 judged, 60 scored" in capsys.readouterr().out
    run(cast, "SG", tmp_path, "--lab", "JP-simulated", "--scorer", "first-judge", "--json")
    said = [record for _, record in book(cast.institutes["SG"]).of_kind(Rejudgement)]
    (one,) = said
    assert (one.of_lab, one.scorer, len(one.judgements)) == ("JP-simulated", "first-judge", 6)
    assert one.served_by == ("scripted-2026-11-01",)
    exchange(cast)

    coordinator = cast.institutes["GB"]
    finding = compute_finding(coordinator, PROTOCOL)
    (cell,) = finding.cells
    assert cell.status == "reported"
    assert cell.figure("benchmark", "rogan-gladen") is not None
    first, second = cell.scorers or ()
    assert (first.status, second.status) == ("reported", "reported")
    assert [run.labs for run in first.rejudged] == [("SG-simulated",)]
    assert first.rejudged[0].flips > 0  # the scripted judge follows another rule than the log's
    assert second.repeated is not None
    assert second.repeated.flips == 0
    (further,) = cell.further_validity or ()
    assert further.scorer == "second-judge"
    assert [one.left_out for one in finding.rejudgements or ()] == [None, None, None]
    coordinator.say(finding)
    exchange(cast)
    assert isinstance(
        check_finding(cast.institutes["JP"], PROTOCOL, finding).said, Countersignature
    )


def test_what_was_judged_is_not_judged_again(cast: Cast, tmp_path: Path) -> None:
    node = cast.institutes["FR"]
    assert len(batches_to_judge(node, PROTOCOL, "JP-simulated")) == 2
    run(cast, "FR", tmp_path, "--lab", "JP-simulated", "--judge-version", "v1")
    assert batches_to_judge(node, PROTOCOL, "JP-simulated") == ()


def test_what_cannot_be_judged_is_refused(cast: Cast, tmp_path: Path) -> None:
    node = cast.institutes["FR"]
    with pytest.raises(InputError, match="has revealed nothing"):
        batches_to_judge(node, PROTOCOL, "US-unknown")
    with pytest.raises(InputError, match="no answers for such a judge"):
        batches_to_judge(node, PROTOCOL, "JP-simulated", "refusal-judge")
    for arguments in ((), ("--lab", "JP-simulated", "--labelled")):
        with pytest.raises(UsageError, match="one of --lab and --labelled"):
            run(cast, "FR", tmp_path, *arguments)
