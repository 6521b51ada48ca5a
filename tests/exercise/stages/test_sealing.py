# SPDX-License-Identifier: Apache-2.0

import pytest
from exercise_small import Snapshots, exchange, planned_samples
from exercise_steps import At, refused, said

from countermark.exercise.logged import own_plan
from countermark.exercise.stages import disclosing
from countermark.exercise.stages.closing import close_exercise
from countermark.exercise.stages.sealing import seal_samples
from countermark.exercise.stages.workspace import own_workspace
from countermark.node.index import book
from countermark.node.node import Node
from countermark.records.canonical import content_digest
from countermark.records.errors import InputError
from countermark.records.evidence import SealedResult


def test_a_seal_commits_to_every_planned_sample(at: At, snapshots: Snapshots) -> None:
    node, protocol = at("run").institutes["JP"], snapshots.protocol
    sealed = seal_samples(node, protocol)
    assert said(node, SealedResult) == [sealed]
    assert sealed.samples == planned_samples(protocol)
    assert sealed.run_plan == own_plan(node, protocol).digest
    workspace = own_workspace(node, protocol)
    assert len(workspace.samples().splitlines()) == sealed.samples
    assert workspace.deviations() == ()
    # Nothing that could tell a peer the answers is published.
    assert node.blobs.get(content_digest(workspace.samples())) is None
    spoken = b"".join(entry.record.to_bytes() for entry in book(node).entries)
    for secret in (workspace.tree_key, workspace.seed):
        assert secret.hex().encode() not in spoken


def test_a_seal_needs_logs(at: At, snapshots: Snapshots) -> None:
    node = at("planned").institutes["JP"]
    refused(node, "has no logs", lambda: seal_samples(node, snapshots.protocol))


def test_a_lab_seals_once(at: At, snapshots: Snapshots) -> None:
    node = at("sealed").institutes["JP"]
    refused(node, "was sealed already", lambda: seal_samples(node, snapshots.protocol))


def test_missing_cells_need_a_reason_and_are_sealed_as_missing(
    at: At, snapshots: Snapshots
) -> None:
    cast, protocol = at("run"), snapshots.protocol
    node = cast.institutes["JP"]
    workspace = own_workspace(node, protocol)
    (workspace.log_folder / "mild-refusal_ja.eval").unlink()
    error = refused(
        node,
        "lacks 1 cells: smollm2-135m mild-refusal ja",
        lambda: seal_samples(node, protocol),
    )
    assert "--missing" in error.next_step
    sealed = seal_samples(node, protocol, missing="the machine broke")
    assert sealed.samples == planned_samples(protocol)
    (declared,) = workspace.deviations()
    assert declared.reason == "the machine broke"
    assert declared.differences == ("not run: smollm2-135m mild-refusal ja",)
    for code in ("GB", "SG", "FR"):
        seal_samples(cast.institutes[code], protocol)
    exchange(cast)
    close_exercise(cast.institutes["GB"], protocol)
    exchange(cast)
    evidence = disclosing.reveal(node, protocol)
    counts = {(one.task, one.language): one for one in evidence.counts}
    assert counts["mild-refusal", "ja"].missing == counts["mild-refusal", "ja"].submitted == 6
    assert counts["mild-refusal", "en"].missing == 0
    assert evidence.deviations == (declared,)


def test_a_reason_is_not_declared_where_nothing_is_missing(at: At, snapshots: Snapshots) -> None:
    node, protocol = at("run").institutes["JP"], snapshots.protocol
    seal_samples(node, protocol, missing="just in case")
    assert own_workspace(node, protocol).deviations() == ()


def test_a_seal_that_was_interrupted_declares_its_reason_once(
    at: At, snapshots: Snapshots, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, protocol = at("run").institutes["JP"], snapshots.protocol
    workspace = own_workspace(node, protocol)
    (workspace.log_folder / "mild-refusal_ja.eval").unlink()
    with monkeypatch.context() as broken:
        broken.setattr(Node, "say", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
        with pytest.raises(OSError, match="full"):
            seal_samples(node, protocol, missing="the machine broke")
    seal_samples(node, protocol, missing="the machine broke")
    assert len(workspace.deviations()) == 1


def test_two_logs_of_one_cell_are_not_sealed(at: At, snapshots: Snapshots) -> None:
    node, protocol = at("run").institutes["JP"], snapshots.protocol
    folder = own_workspace(node, protocol).log_folder
    (folder / "again.eval").write_bytes((folder / "mild-refusal_ja.eval").read_bytes())
    error = refused(node, "of the same cell as", lambda: seal_samples(node, protocol))
    assert "mild-refusal_ja.eval" in f"{error.where} {error}"


def test_a_run_that_did_not_finish_is_not_sealed(at: At, snapshots: Snapshots) -> None:
    node, protocol = at("run").institutes["JP"], snapshots.protocol
    path = own_workspace(node, protocol).log_folder / "mild-refusal_ja.eval"
    path.write_bytes(path.read_bytes()[:200])
    refused(node, "truncated", lambda: seal_samples(node, protocol), InputError)
