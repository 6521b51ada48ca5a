# SPDX-License-Identifier: Apache-2.0
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from exercise_small import (
    Snapshots,
    exchange,
    planned_samples,
    with_lab,
)
from exercise_steps import At, refused, said

from countermark.exercise.revealing.seal import secret_commitment
from countermark.exercise.stages import disclosing, steps
from countermark.node.index import book
from countermark.node.node import Node
from countermark.records import Record
from countermark.records.canonical import content_digest
from countermark.records.errors import InputError
from countermark.records.evidence import Evidence, ExerciseClosing, SealedResult
from countermark.records.protocol import FactorSetting, RunPlan

# Countersigning and planning


def test_only_participants_countersign_and_plan(at: At, snapshots: Snapshots) -> None:
    cast = at("signed")
    protocol = snapshots.protocol.model_copy(update={"participants": ("GB", "JP")})
    outsider = cast.institutes["SG"]
    refused(outsider, "not among the participants", lambda: steps.sign_protocol(outsider, protocol))
    refused(outsider, "not among the participants", lambda: steps.plan_run(outsider, protocol, ()))


def test_no_plan_before_all_have_countersigned(at: At, snapshots: Snapshots) -> None:
    cast, protocol = at("logged"), snapshots.protocol
    node = cast.institutes["JP"]
    error = refused(
        node, "not countersigned by GB, JP, SG, FR", lambda: steps.plan_run(node, protocol, ())
    )
    assert "protocol sign" in error.next_step
    for code in ("GB", "JP", "SG"):
        steps.sign_protocol(cast.institutes[code], protocol)
    exchange(cast)
    assert steps.not_countersigned(book(node), protocol) == ("FR",)
    refused(node, "not countersigned by FR", lambda: steps.plan_run(node, protocol, ()))


def test_a_plan_says_every_setting_and_commits_to_the_seed(at: At, snapshots: Snapshots) -> None:
    node = at("signed").institutes["JP"]
    declared = (FactorSetting(factor="temperature", value="t03"),)
    workspace = steps.plan_run(node, snapshots.protocol, declared)
    (plan,) = said(node, RunPlan)
    assert plan == steps.own_plan(node, snapshots.protocol)
    assert {one.factor: one.value for one in plan.settings} == {
        "temperature": "t03",
        "system-prompt": "plain",
        "judge-version": "v2",
    }
    assert plan.secret_commitment == secret_commitment(workspace.seed)
    assert plan.samples == planned_samples(snapshots.protocol)
    assert len(workspace.seed) == len(workspace.tree_key) == 32


def test_two_labs_draw_different_secrets(at: At, snapshots: Snapshots) -> None:
    cast = at("planned")
    spaces = [steps.own_workspace(n, snapshots.protocol) for n in cast.institutes.values()]
    assert len({key for one in spaces for key in (one.seed, one.tree_key)}) == 8


def test_a_plan_is_made_once(at: At, snapshots: Snapshots) -> None:
    node = at("planned").institutes["JP"]
    refused(node, "was planned already", lambda: steps.plan_run(node, snapshots.protocol, ()))


def test_a_plan_that_was_refused_leaves_the_way_free(at: At, snapshots: Snapshots) -> None:
    node, protocol = at("signed").institutes["JP"], snapshots.protocol
    wrong = (FactorSetting(factor="temperature", value="t99"),)
    refused(node, "no value 't99'", lambda: steps.plan_run(node, protocol, wrong), InputError)
    homeless = with_lab(node, None)
    refused(homeless, "names no lab", lambda: steps.plan_run(homeless, protocol, ()))
    assert steps.planned_workspace(node, protocol) is None
    steps.plan_run(node, protocol, ())
    assert steps.planned_workspace(node, protocol) == steps.own_workspace(node, protocol)


def test_a_plan_interrupted_before_it_was_logged_is_made_anew(
    at: At, snapshots: Snapshots, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, protocol = at("signed").institutes["JP"], snapshots.protocol

    def full_disk(*records: Record) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(Node, "say", full_disk)
        with pytest.raises(OSError, match="No space"):
            steps.plan_run(node, protocol, ())
    assert steps.planned_workspace(node, protocol) is None
    workspace = steps.plan_run(node, protocol, ())
    assert steps.own_plan(node, protocol).secret_commitment == secret_commitment(workspace.seed)


def test_nothing_goes_on_without_a_plan(at: At, snapshots: Snapshots, tmp_path: Path) -> None:
    node, protocol = at("signed").institutes["JP"], snapshots.protocol
    refused(node, "has no run plan", lambda: steps.cell_runs(node, protocol))
    refused(node, "has no run plan", lambda: steps.seal(node, protocol))
    refused(node, "not begun", lambda: disclosing.reveal(node, protocol))


# Sealing


def test_a_seal_commits_to_every_planned_sample(at: At, snapshots: Snapshots) -> None:
    node, protocol = at("run").institutes["JP"], snapshots.protocol
    sealed = steps.seal(node, protocol)
    assert said(node, SealedResult) == [sealed]
    assert sealed.samples == planned_samples(protocol)
    assert sealed.run_plan == steps.own_plan(node, protocol).digest
    workspace = steps.own_workspace(node, protocol)
    assert len(workspace.samples().splitlines()) == sealed.samples
    assert workspace.deviations() == ()
    # Nothing that could tell a peer the answers is published.
    assert node.blobs.get(content_digest(workspace.samples())) is None
    spoken = b"".join(entry.record.to_bytes() for entry in book(node).entries)
    for secret in (workspace.tree_key, workspace.seed):
        assert secret.hex().encode() not in spoken


def test_a_seal_needs_logs(at: At, snapshots: Snapshots) -> None:
    node = at("planned").institutes["JP"]
    refused(node, "has no logs", lambda: steps.seal(node, snapshots.protocol))


def test_a_lab_seals_once(at: At, snapshots: Snapshots) -> None:
    node = at("sealed").institutes["JP"]
    refused(node, "was sealed already", lambda: steps.seal(node, snapshots.protocol))


def test_missing_cells_need_a_reason_and_are_sealed_as_missing(
    at: At, snapshots: Snapshots
) -> None:
    cast, protocol = at("run"), snapshots.protocol
    node = cast.institutes["JP"]
    workspace = steps.own_workspace(node, protocol)
    (workspace.log_folder / "mild-refusal_ja.eval").unlink()
    error = refused(
        node,
        "lacks 1 cells: smollm2-135m mild-refusal ja",
        lambda: steps.seal(node, protocol),
    )
    assert "--missing" in error.next_step
    sealed = steps.seal(node, protocol, missing="the machine broke")
    assert sealed.samples == planned_samples(protocol)
    (declared,) = workspace.deviations()
    assert declared.reason == "the machine broke"
    assert declared.differences == ("not run: smollm2-135m mild-refusal ja",)
    for code in ("GB", "SG", "FR"):
        steps.seal(cast.institutes[code], protocol)
    exchange(cast)
    steps.close(cast.institutes["GB"], protocol)
    exchange(cast)
    evidence = disclosing.reveal(node, protocol)
    counts = {(one.task, one.language): one for one in evidence.counts}
    assert counts["mild-refusal", "ja"].missing == counts["mild-refusal", "ja"].submitted == 6
    assert counts["mild-refusal", "en"].missing == 0
    assert evidence.deviations == (declared,)


def test_a_reason_is_not_declared_where_nothing_is_missing(at: At, snapshots: Snapshots) -> None:
    node, protocol = at("run").institutes["JP"], snapshots.protocol
    steps.seal(node, protocol, missing="just in case")
    assert steps.own_workspace(node, protocol).deviations() == ()


def test_a_seal_that_was_interrupted_declares_its_reason_once(
    at: At, snapshots: Snapshots, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, protocol = at("run").institutes["JP"], snapshots.protocol
    workspace = steps.own_workspace(node, protocol)
    (workspace.log_folder / "mild-refusal_ja.eval").unlink()
    with monkeypatch.context() as broken:
        broken.setattr(Node, "say", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
        with pytest.raises(OSError, match="full"):
            steps.seal(node, protocol, missing="the machine broke")
    steps.seal(node, protocol, missing="the machine broke")
    assert len(workspace.deviations()) == 1


def test_two_logs_of_one_cell_are_not_sealed(at: At, snapshots: Snapshots) -> None:
    node, protocol = at("run").institutes["JP"], snapshots.protocol
    folder = steps.own_workspace(node, protocol).log_folder
    (folder / "again.eval").write_bytes((folder / "mild-refusal_ja.eval").read_bytes())
    error = refused(node, "of the same cell as", lambda: steps.seal(node, protocol))
    assert "mild-refusal_ja.eval" in f"{error.where} {error}"


def test_a_run_that_did_not_finish_is_not_sealed(at: At, snapshots: Snapshots) -> None:
    node, protocol = at("run").institutes["JP"], snapshots.protocol
    path = steps.own_workspace(node, protocol).log_folder / "mild-refusal_ja.eval"
    path.write_bytes(path.read_bytes()[:200])
    refused(node, "truncated", lambda: steps.seal(node, protocol), InputError)


# Closing


def test_only_the_coordinator_closes(at: At, snapshots: Snapshots) -> None:
    node = at("sealed").institutes["JP"]
    refused(node, "coordinated by GB, not JP", lambda: steps.close(node, snapshots.protocol))


def test_nothing_is_closed_before_a_seal_was_witnessed(at: At, snapshots: Snapshots) -> None:
    cast, protocol = at("run"), snapshots.protocol
    node = cast.institutes["GB"]
    refused(node, "no witnessed seal yet", lambda: steps.close(node, protocol))
    steps.seal(node, protocol)
    refused(node, "no witnessed seal yet", lambda: steps.close(node, protocol))


def test_a_closing_lists_who_sealed_and_who_did_not(at: At, snapshots: Snapshots) -> None:
    cast, protocol = at("run"), snapshots.protocol
    for code in ("JP", "GB"):
        steps.seal(cast.institutes[code], protocol)
    exchange(cast)
    closing = steps.close(cast.institutes["GB"], protocol)
    assert [one.lab for one in closing.seals] == ["GB-simulated", "JP-simulated"]
    assert closing.not_sealed == ("FR-simulated", "SG-simulated")
    late = cast.institutes["SG"]
    exchange(cast)
    refused(late, "was closed without this lab", lambda: steps.seal(late, protocol))


def test_an_exercise_is_closed_once(at: At, snapshots: Snapshots) -> None:
    node = at("closed").institutes["GB"]
    refused(node, "was closed already", lambda: steps.close(node, snapshots.protocol))


# Revealing


def test_nothing_is_revealed_before_the_closing(at: At, snapshots: Snapshots) -> None:
    node, protocol = at("sealed").institutes["JP"], snapshots.protocol
    refused(node, "is not closed yet", lambda: disclosing.reveal(node, protocol))


def test_nothing_is_revealed_that_was_not_sealed(at: At, snapshots: Snapshots) -> None:
    node = at("run").institutes["JP"]
    refused(node, "has nothing sealed", lambda: disclosing.reveal(node, snapshots.protocol))


def test_another_coordinators_closing_opens_nothing(at: At, snapshots: Snapshots) -> None:
    cast, protocol = at("closed"), snapshots.protocol
    known = book(cast.institutes["JP"])
    assert steps.closing_of(known, protocol) is not None
    forged = tuple(
        replace(entry, author="SG") if isinstance(entry.record, ExerciseClosing) else entry
        for entry in known.entries
    )
    assert steps.closing_of(replace(known, entries=forged), protocol) is None


def test_a_lab_whose_seal_the_closing_lacks_does_not_reveal(at: At, snapshots: Snapshots) -> None:
    cast, protocol = at("run"), snapshots.protocol
    late = cast.institutes["SG"]
    steps.seal(cast.institutes["GB"], protocol)
    exchange(cast)
    steps.close(cast.institutes["GB"], protocol)
    steps.seal(late, protocol)  # it has not pulled the closing yet
    exchange(cast)
    refused(late, "closed without this lab's seal", lambda: disclosing.reveal(late, protocol))


def test_a_reveal_opens_what_was_sealed(at: At, snapshots: Snapshots) -> None:
    node, protocol = at("closed").institutes["JP"], snapshots.protocol
    workspace = steps.own_workspace(node, protocol)
    evidence = disclosing.reveal(node, protocol)
    assert said(node, Evidence) == [evidence]
    assert node.blobs.get(evidence.samples.digest) == workspace.samples()
    assert evidence.tree_key == workspace.tree_key.hex()
    assert evidence.secret_seed == workspace.seed.hex()
    assert evidence.deviations == ()
    assert (evidence.started, evidence.finished) == ("2026-11-01T10:00:00Z", "2026-11-01T10:01:00Z")
    assert {one.name for one in evidence.software} == {"countermark", "inspect_ai"}
    for counts in evidence.counts:
        outcomes = counts.answered + counts.refused + counts.errored + counts.missing
        scores = sum(s.scored + s.unparsed + s.not_attempted for s in counts.scorers)
        assert outcomes == scores == counts.submitted > 0


def test_a_lab_reveals_once(at: At, snapshots: Snapshots) -> None:
    node = at("revealed").institutes["JP"]
    refused(node, "was revealed already", lambda: disclosing.reveal(node, snapshots.protocol))


@pytest.mark.parametrize("change", [lambda _: b"", lambda data: data.replace(b"No.", b"Yes", 1)])
def test_samples_that_are_not_what_was_sealed_are_not_revealed(
    at: At, snapshots: Snapshots, change: Callable[[bytes], bytes]
) -> None:
    node, protocol = at("closed").institutes["JP"], snapshots.protocol
    path = steps.own_workspace(node, protocol).folder / "samples.jsonl"
    assert change(path.read_bytes()) != path.read_bytes()
    path.write_bytes(change(path.read_bytes()))
    error = refused(node, "no longer what was sealed", lambda: disclosing.reveal(node, protocol))
    assert error.where == str(path)


def test_the_counts_are_those_of_the_sealed_samples_whatever_became_of_the_logs(
    at: At, snapshots: Snapshots
) -> None:
    node, protocol = at("closed").institutes["JP"], snapshots.protocol
    folder = steps.own_workspace(node, protocol).log_folder
    os.unlink(folder / "mild-refusal_ja.eval")  # noqa: PTH108  as a clean-up job would
    evidence = disclosing.reveal(node, protocol)
    assert sum(one.missing for one in evidence.counts) == 0
