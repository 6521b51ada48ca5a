# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest
from exercise_small import Snapshots, exchange, planned_samples, with_lab
from exercise_steps import At, refused, said

from countermark.exercise.logged import not_countersigned, own_plan
from countermark.exercise.revealing.seal import secret_commitment
from countermark.exercise.stages import disclosing
from countermark.exercise.stages.planning import cell_runs, plan_run, sign_protocol
from countermark.exercise.stages.sealing import seal_samples
from countermark.exercise.stages.workspace import own_workspace, planned_workspace
from countermark.node.index import book
from countermark.node.node import Node
from countermark.records import Record
from countermark.records.errors import InputError
from countermark.records.protocol import FactorSetting, RunPlan


def test_only_participants_countersign_and_plan(at: At, snapshots: Snapshots) -> None:
    cast = at("signed")
    protocol = snapshots.protocol.model_copy(update={"participants": ("GB", "JP")})
    outsider = cast.institutes["SG"]
    refused(outsider, "not among the participants", lambda: sign_protocol(outsider, protocol))
    refused(outsider, "not among the participants", lambda: plan_run(outsider, protocol, ()))


def test_no_plan_before_all_have_countersigned(at: At, snapshots: Snapshots) -> None:
    cast, protocol = at("logged"), snapshots.protocol
    node = cast.institutes["JP"]
    error = refused(
        node, "not countersigned by GB, JP, SG, FR", lambda: plan_run(node, protocol, ())
    )
    assert "protocol sign" in error.next_step
    for code in ("GB", "JP", "SG"):
        sign_protocol(cast.institutes[code], protocol)
    exchange(cast)
    assert not_countersigned(book(node), protocol) == ("FR",)
    refused(node, "not countersigned by FR", lambda: plan_run(node, protocol, ()))


def test_a_plan_says_every_setting_and_commits_to_the_seed(at: At, snapshots: Snapshots) -> None:
    node = at("signed").institutes["JP"]
    declared = (FactorSetting(factor="temperature", value="t03"),)
    workspace = plan_run(node, snapshots.protocol, declared)
    (plan,) = said(node, RunPlan)
    assert plan == own_plan(node, snapshots.protocol)
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
    spaces = [own_workspace(n, snapshots.protocol) for n in cast.institutes.values()]
    assert len({key for one in spaces for key in (one.seed, one.tree_key)}) == 8


def test_a_plan_is_made_once(at: At, snapshots: Snapshots) -> None:
    node = at("planned").institutes["JP"]
    refused(node, "was planned already", lambda: plan_run(node, snapshots.protocol, ()))


def test_a_plan_that_was_refused_leaves_the_way_free(at: At, snapshots: Snapshots) -> None:
    node, protocol = at("signed").institutes["JP"], snapshots.protocol
    wrong = (FactorSetting(factor="temperature", value="t99"),)
    refused(node, "no value 't99'", lambda: plan_run(node, protocol, wrong), InputError)
    homeless = with_lab(node, None)
    refused(homeless, "names no lab", lambda: plan_run(homeless, protocol, ()))
    assert planned_workspace(node, protocol) is None
    plan_run(node, protocol, ())
    assert planned_workspace(node, protocol) == own_workspace(node, protocol)


def test_a_plan_interrupted_before_it_was_logged_is_made_anew(
    at: At, snapshots: Snapshots, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, protocol = at("signed").institutes["JP"], snapshots.protocol

    def full_disk(*records: Record) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(Node, "say", full_disk)
        with pytest.raises(OSError, match="No space"):
            plan_run(node, protocol, ())
    assert planned_workspace(node, protocol) is None
    workspace = plan_run(node, protocol, ())
    assert own_plan(node, protocol).secret_commitment == secret_commitment(workspace.seed)


def test_nothing_goes_on_without_a_plan(at: At, snapshots: Snapshots, tmp_path: Path) -> None:
    node, protocol = at("signed").institutes["JP"], snapshots.protocol
    refused(node, "has no run plan", lambda: cell_runs(node, protocol))
    refused(node, "has no run plan", lambda: seal_samples(node, protocol))
    refused(node, "not begun", lambda: disclosing.reveal(node, protocol))
