# SPDX-License-Identifier: Apache-2.0
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from exercise_small import (
    SEED,
    Snapshots,
    cell_run,
    exchange,
    planned_samples,
    scripted_log,
    with_lab,
)
from scripted import log_value, write_log

from countermark.app.demo.cast import Cast
from countermark.exercise import steps
from countermark.exercise.cells import CellRun
from countermark.exercise.sealing import secret_commitment
from countermark.node.index import book
from countermark.node.node import Node
from countermark.records import Record
from countermark.records.canonical import content_digest
from countermark.records.errors import CountermarkError, InputError, StateError
from countermark.records.evidence import Evidence, ExerciseClosing, SealedResult
from countermark.records.protocol import FactorSetting, RunPlan

Files = Mapping[str, bytes]


@pytest.fixture
def at(snapshots: Snapshots, tmp_path: Path) -> Callable[[str], Cast]:
    """Return a function that opens the small exercise as it stood after a stage."""
    return lambda stage: snapshots.at(stage, tmp_path / "exercise")


def files(node: Node) -> Files:
    """Return all that a node holds, but for its rebuildable index."""
    root = node.folder.root
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and "index.db" not in path.name
    }


def refused(
    node: Node, text: str, step: Callable[[], object], kind: type[CountermarkError] = StateError
) -> CountermarkError:
    """Return why a step is refused; nothing may have been written."""
    before = files(node)
    with pytest.raises(kind, match=text) as caught:
        step()
    assert files(node) == before
    assert caught.value.next_step
    return caught.value


def said(node: Node, kind: type[Record]) -> list[Any]:
    return [record for entry, record in book(node).of_kind(kind) if entry.author == node.code]


def run_of(node: Node, snapshots: Snapshots, seed: bytes = SEED, **cell: Any) -> CellRun:
    return cell_run(snapshots.protocol, lab=node.config.lab or "", seed=seed, **cell)


def planned_log(node: Node, snapshots: Snapshots, path: Path, task: str, language: str) -> Path:
    """Write a log of a cell as this lab planned it."""
    runs = steps.cell_runs(node, snapshots.protocol)
    run = next(one for one in runs if (one.task, one.language) == (task, language))
    return scripted_log(path / f"{task}-{language}.eval", run)


# Countersigning and planning


def test_only_participants_countersign_and_plan(
    at: Callable[[str], Cast], snapshots: Snapshots
) -> None:
    cast = at("signed")
    protocol = snapshots.protocol.model_copy(update={"participants": ("GB", "JP")})
    outsider = cast.institutes["SG"]
    refused(outsider, "not among the participants", lambda: steps.sign_protocol(outsider, protocol))
    refused(outsider, "not among the participants", lambda: steps.plan_run(outsider, protocol, ()))


def test_no_plan_before_all_have_countersigned(
    at: Callable[[str], Cast], snapshots: Snapshots
) -> None:
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


def test_a_plan_says_every_setting_and_commits_to_the_seed(
    at: Callable[[str], Cast], snapshots: Snapshots
) -> None:
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


def test_two_labs_draw_different_secrets(at: Callable[[str], Cast], snapshots: Snapshots) -> None:
    cast = at("planned")
    spaces = [steps.own_workspace(n, snapshots.protocol) for n in cast.institutes.values()]
    assert len({key for one in spaces for key in (one.seed, one.tree_key)}) == 8


def test_a_plan_is_made_once(at: Callable[[str], Cast], snapshots: Snapshots) -> None:
    node = at("planned").institutes["JP"]
    refused(node, "was planned already", lambda: steps.plan_run(node, snapshots.protocol, ()))


def test_a_plan_that_was_refused_leaves_the_way_free(
    at: Callable[[str], Cast], snapshots: Snapshots
) -> None:
    node, protocol = at("signed").institutes["JP"], snapshots.protocol
    wrong = (FactorSetting(factor="temperature", value="t99"),)
    refused(node, "no value 't99'", lambda: steps.plan_run(node, protocol, wrong), InputError)
    homeless = with_lab(node, None)
    refused(homeless, "names no lab", lambda: steps.plan_run(homeless, protocol, ()))
    assert steps.planned_workspace(node, protocol) is None
    steps.plan_run(node, protocol, ())
    assert steps.planned_workspace(node, protocol) == steps.own_workspace(node, protocol)


def test_a_plan_interrupted_before_it_was_logged_is_made_anew(
    at: Callable[[str], Cast], snapshots: Snapshots, monkeypatch: pytest.MonkeyPatch
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


def test_nothing_goes_on_without_a_plan(
    at: Callable[[str], Cast], snapshots: Snapshots, tmp_path: Path
) -> None:
    node, protocol = at("signed").institutes["JP"], snapshots.protocol
    refused(node, "has no run plan", lambda: steps.cell_runs(node, protocol))
    refused(node, "has no run plan", lambda: steps.seal(node, protocol))
    refused(node, "not begun", lambda: steps.reveal(node, protocol))


# Importing


def test_an_import_keeps_the_log_byte_for_byte(
    at: Callable[[str], Cast], snapshots: Snapshots, tmp_path: Path
) -> None:
    node, protocol = at("planned").institutes["JP"], snapshots.protocol
    path = planned_log(node, snapshots, tmp_path, "mild-refusal", "ja")
    found = steps.import_log(node, protocol, path, "JP-simulated", None)
    assert found.differences == ()
    assert found.kept is not None
    assert found.kept.read_bytes() == path.read_bytes()
    assert found.kept.name == "smollm2-135m_mild-refusal_ja.eval"
    assert found.kept.stat().st_mode & 0o077 == 0
    assert steps.own_workspace(node, protocol).deviations() == ()


def test_the_json_form_is_imported_and_sealed_as_well(
    at: Callable[[str], Cast], snapshots: Snapshots, tmp_path: Path
) -> None:
    node, protocol = at("planned").institutes["JP"], snapshots.protocol
    for run in steps.cell_runs(node, protocol):
        header, samples = log_value(run, "countermark/smollm2")
        path = tmp_path / "a log.json"
        path.write_text(json.dumps({**header, "samples": samples}))
        found = steps.import_log(node, protocol, path, "JP-simulated", None)
        assert found.kept is not None
        assert found.kept.suffix == ".json"
    assert steps.seal(node, protocol).samples == planned_samples(protocol)


def test_an_import_of_the_same_cell_twice_is_refused(
    at: Callable[[str], Cast], snapshots: Snapshots, tmp_path: Path
) -> None:
    node, protocol = at("planned").institutes["JP"], snapshots.protocol
    path = planned_log(node, snapshots, tmp_path, "mild-refusal", "en")
    assert steps.import_log(node, protocol, path, "JP-simulated", None).kept
    refused(
        node,
        "a log of mild-refusal in en was taken before",
        lambda: steps.import_log(node, protocol, path, "JP-simulated", None),
    )
    run = next(one for one in steps.cell_runs(node, protocol) if one.task == "mild-refusal")
    other = write_log(tmp_path / "other.eval", *log_value(run, "another/model"))
    refused(
        node,
        "was taken before",
        lambda: steps.import_log(node, protocol, other, "JP-simulated", "another model"),
    )


def test_a_log_that_differs_is_refused_with_the_list(
    at: Callable[[str], Cast], snapshots: Snapshots, tmp_path: Path
) -> None:
    node, protocol = at("planned").institutes["JP"], snapshots.protocol
    run = steps.cell_runs(node, protocol)[0]
    header, samples = log_value(run, "another/model")
    path = write_log(tmp_path / "log.eval", header, samples[1:])
    before = files(node)
    found = steps.import_log(node, protocol, path, "JP-simulated", None)
    assert found.kept is None
    assert [one.rule for one in found.differences] == [5, 8]
    assert files(node) == before


def test_a_declared_deviation_is_taken_and_shown(
    at: Callable[[str], Cast], snapshots: Snapshots, tmp_path: Path
) -> None:
    node, protocol = at("planned").institutes["JP"], snapshots.protocol
    run = steps.cell_runs(node, protocol)[0]
    path = write_log(tmp_path / "log.eval", *log_value(run, "another/model"))
    found = steps.import_log(node, protocol, path, "JP-simulated", "the snapshot was withdrawn")
    assert found.kept is not None
    (declared,) = steps.own_workspace(node, protocol).deviations()
    assert declared.reason == "the snapshot was withdrawn"
    assert declared.differences == tuple(one.text for one in found.differences)


def test_what_nobody_can_name_is_refused_with_a_reason_too(
    at: Callable[[str], Cast], snapshots: Snapshots, tmp_path: Path
) -> None:
    node, protocol = at("planned").institutes["JP"], snapshots.protocol
    header, samples = log_value(steps.cell_runs(node, protocol)[0], "countermark/smollm2")
    header["eval"]["metadata"] = {}
    path = write_log(tmp_path / "log.eval", header, samples)
    before = files(node)
    found = steps.import_log(node, protocol, path, "JP-simulated", "please")
    assert (found.kept, [one.rule for one in found.differences]) == (None, [1])
    assert files(node) == before


def test_an_import_for_another_lab_is_refused(
    at: Callable[[str], Cast], snapshots: Snapshots, tmp_path: Path
) -> None:
    cast, protocol = at("planned"), snapshots.protocol
    node = cast.institutes["JP"]
    path = planned_log(cast.institutes["SG"], snapshots, tmp_path, "mild-refusal", "en")
    error = refused(
        node,
        "not this node's lab JP-simulated",
        lambda: steps.import_log(node, protocol, path, "SG-simulated", None),
        InputError,
    )
    assert error.where == "--lab SG-simulated"
    found = steps.import_log(node, protocol, path, "JP-simulated", "ours now")
    assert (found.kept, [one.rule for one in found.differences]) == (None, [2])


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"seed": bytes(32)}, "its secret seed is not the run plan's"),
        ({"settings": {"temperature": "t10"}}, "its settings are not those of the run plan"),
    ],
)
def test_an_import_that_is_not_what_was_planned_is_refused(
    at: Callable[[str], Cast],
    snapshots: Snapshots,
    tmp_path: Path,
    change: dict[str, Any],
    text: str,
) -> None:
    node, protocol = at("planned").institutes["JP"], snapshots.protocol
    plan, workspace = steps.own_plan(node, protocol), steps.own_workspace(node, protocol)
    planned = {
        "settings": {one.factor: one.value for one in plan.settings},
        "seed": workspace.seed,
    }
    path = scripted_log(tmp_path / "log.eval", run_of(node, snapshots, **{**planned, **change}))
    before = files(node)
    found = steps.import_log(node, protocol, path, "JP-simulated", "please")
    assert found.kept is None
    assert [(one.rule, one.waivable) for one in found.differences] == [(3, False)]
    assert text in found.differences[0].text
    assert files(node) == before


def test_an_import_without_a_plan_makes_one_and_declares_that_it_is_late(
    at: Callable[[str], Cast], snapshots: Snapshots, tmp_path: Path
) -> None:
    node, protocol = at("signed").institutes["JP"], snapshots.protocol
    settings = {"temperature": "t03", "system-prompt": "strict"}
    for language in ("en", "ja"):
        run = run_of(node, snapshots, language=language, settings=settings)
        path = scripted_log(tmp_path / f"{language}.eval", run)
        assert steps.import_log(node, protocol, path, "JP-simulated", None).kept
    (plan,) = said(node, RunPlan)
    assert plan.secret_commitment == secret_commitment(SEED)
    assert plan.setting("system-prompt") == "strict"
    (declared,) = steps.own_workspace(node, protocol).deviations()
    assert declared.reason == "the run plan was logged after the run"
    assert declared.differences == ()


def test_an_import_makes_no_plan_before_all_have_countersigned(
    at: Callable[[str], Cast], snapshots: Snapshots, tmp_path: Path
) -> None:
    node, protocol = at("logged").institutes["JP"], snapshots.protocol
    path = scripted_log(tmp_path / "log.eval", run_of(node, snapshots))
    refused(
        node,
        "not countersigned",
        lambda: steps.import_log(node, protocol, path, "JP-simulated", None),
    )


def test_nothing_is_imported_after_the_seal(
    at: Callable[[str], Cast], snapshots: Snapshots, tmp_path: Path
) -> None:
    node, protocol = at("planned").institutes["JP"], snapshots.protocol
    first = planned_log(node, snapshots, tmp_path, "mild-refusal", "en")
    later = planned_log(node, snapshots, tmp_path, "mild-refusal", "ja")
    steps.import_log(node, protocol, first, "JP-simulated", None)
    steps.seal(node, protocol, missing="no time")
    refused(
        node,
        "was sealed already",
        lambda: steps.import_log(node, protocol, later, "JP-simulated", None),
    )


def test_a_log_that_cannot_be_sealed_is_not_imported(
    at: Callable[[str], Cast], snapshots: Snapshots, tmp_path: Path
) -> None:
    node, protocol = at("planned").institutes["JP"], snapshots.protocol
    run = steps.cell_runs(node, protocol)[0]
    endless = write_log(
        tmp_path / "log.eval", *log_value(run, "countermark/smollm2", lambda *_: "x" * 200_001)
    )
    refused(
        node,
        "no sample can hold",
        lambda: steps.import_log(node, protocol, endless, "JP-simulated", None),
        InputError,
    )


def test_a_file_that_is_no_log_is_not_imported(
    at: Callable[[str], Cast], snapshots: Snapshots, tmp_path: Path
) -> None:
    node, protocol = at("planned").institutes["JP"], snapshots.protocol
    path = tmp_path / "log.eval"
    path.write_bytes(b"PK\x03\x04 and no more")
    refused(
        node,
        "truncated or damaged",
        lambda: steps.import_log(node, protocol, path, "JP-simulated", None),
        InputError,
    )


# Sealing


def test_a_seal_commits_to_every_planned_sample(
    at: Callable[[str], Cast], snapshots: Snapshots
) -> None:
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


def test_a_seal_needs_logs(at: Callable[[str], Cast], snapshots: Snapshots) -> None:
    node = at("planned").institutes["JP"]
    refused(node, "has no logs", lambda: steps.seal(node, snapshots.protocol))


def test_a_lab_seals_once(at: Callable[[str], Cast], snapshots: Snapshots) -> None:
    node = at("sealed").institutes["JP"]
    refused(node, "was sealed already", lambda: steps.seal(node, snapshots.protocol))


def test_missing_cells_need_a_reason_and_are_sealed_as_missing(
    at: Callable[[str], Cast], snapshots: Snapshots
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
    evidence = steps.reveal(node, protocol)
    counts = {(one.task, one.language): one for one in evidence.counts}
    assert counts["mild-refusal", "ja"].missing == counts["mild-refusal", "ja"].submitted == 6
    assert counts["mild-refusal", "en"].missing == 0
    assert evidence.deviations == (declared,)


def test_a_reason_is_not_declared_where_nothing_is_missing(
    at: Callable[[str], Cast], snapshots: Snapshots
) -> None:
    node, protocol = at("run").institutes["JP"], snapshots.protocol
    steps.seal(node, protocol, missing="just in case")
    assert steps.own_workspace(node, protocol).deviations() == ()


def test_a_seal_that_was_interrupted_declares_its_reason_once(
    at: Callable[[str], Cast], snapshots: Snapshots, monkeypatch: pytest.MonkeyPatch
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


def test_two_logs_of_one_cell_are_not_sealed(
    at: Callable[[str], Cast], snapshots: Snapshots
) -> None:
    node, protocol = at("run").institutes["JP"], snapshots.protocol
    folder = steps.own_workspace(node, protocol).log_folder
    (folder / "again.eval").write_bytes((folder / "mild-refusal_ja.eval").read_bytes())
    error = refused(node, "of the same cell as", lambda: steps.seal(node, protocol))
    assert "mild-refusal_ja.eval" in f"{error.where} {error}"


def test_a_run_that_did_not_finish_is_not_sealed(
    at: Callable[[str], Cast], snapshots: Snapshots
) -> None:
    node, protocol = at("run").institutes["JP"], snapshots.protocol
    path = steps.own_workspace(node, protocol).log_folder / "mild-refusal_ja.eval"
    path.write_bytes(path.read_bytes()[:200])
    refused(node, "truncated", lambda: steps.seal(node, protocol), InputError)


# Closing


def test_only_the_coordinator_closes(at: Callable[[str], Cast], snapshots: Snapshots) -> None:
    node = at("sealed").institutes["JP"]
    refused(node, "coordinated by GB, not JP", lambda: steps.close(node, snapshots.protocol))


def test_nothing_is_closed_before_a_seal_was_witnessed(
    at: Callable[[str], Cast], snapshots: Snapshots
) -> None:
    cast, protocol = at("run"), snapshots.protocol
    node = cast.institutes["GB"]
    refused(node, "no witnessed seal yet", lambda: steps.close(node, protocol))
    steps.seal(node, protocol)
    refused(node, "no witnessed seal yet", lambda: steps.close(node, protocol))


def test_a_closing_lists_who_sealed_and_who_did_not(
    at: Callable[[str], Cast], snapshots: Snapshots
) -> None:
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


def test_an_exercise_is_closed_once(at: Callable[[str], Cast], snapshots: Snapshots) -> None:
    node = at("closed").institutes["GB"]
    refused(node, "was closed already", lambda: steps.close(node, snapshots.protocol))


# Revealing


def test_nothing_is_revealed_before_the_closing(
    at: Callable[[str], Cast], snapshots: Snapshots
) -> None:
    node, protocol = at("sealed").institutes["JP"], snapshots.protocol
    refused(node, "is not closed yet", lambda: steps.reveal(node, protocol))


def test_nothing_is_revealed_that_was_not_sealed(
    at: Callable[[str], Cast], snapshots: Snapshots
) -> None:
    node = at("run").institutes["JP"]
    refused(node, "has nothing sealed", lambda: steps.reveal(node, snapshots.protocol))


def test_another_coordinators_closing_opens_nothing(
    at: Callable[[str], Cast], snapshots: Snapshots
) -> None:
    cast, protocol = at("closed"), snapshots.protocol
    known = book(cast.institutes["JP"])
    assert steps.closing_of(known, protocol) is not None
    forged = tuple(
        replace(entry, author="SG") if isinstance(entry.record, ExerciseClosing) else entry
        for entry in known.entries
    )
    assert steps.closing_of(replace(known, entries=forged), protocol) is None


def test_a_lab_whose_seal_the_closing_lacks_does_not_reveal(
    at: Callable[[str], Cast], snapshots: Snapshots
) -> None:
    cast, protocol = at("run"), snapshots.protocol
    late = cast.institutes["SG"]
    steps.seal(cast.institutes["GB"], protocol)
    exchange(cast)
    steps.close(cast.institutes["GB"], protocol)
    steps.seal(late, protocol)  # it has not pulled the closing yet
    exchange(cast)
    refused(late, "closed without this lab's seal", lambda: steps.reveal(late, protocol))


def test_a_reveal_opens_what_was_sealed(at: Callable[[str], Cast], snapshots: Snapshots) -> None:
    node, protocol = at("closed").institutes["JP"], snapshots.protocol
    workspace = steps.own_workspace(node, protocol)
    evidence = steps.reveal(node, protocol)
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


def test_a_lab_reveals_once(at: Callable[[str], Cast], snapshots: Snapshots) -> None:
    node = at("revealed").institutes["JP"]
    refused(node, "was revealed already", lambda: steps.reveal(node, snapshots.protocol))


@pytest.mark.parametrize("change", [lambda _: b"", lambda data: data.replace(b"No.", b"Yes", 1)])
def test_samples_that_are_not_what_was_sealed_are_not_revealed(
    at: Callable[[str], Cast], snapshots: Snapshots, change: Callable[[bytes], bytes]
) -> None:
    node, protocol = at("closed").institutes["JP"], snapshots.protocol
    path = steps.own_workspace(node, protocol).folder / "samples.jsonl"
    assert change(path.read_bytes()) != path.read_bytes()
    path.write_bytes(change(path.read_bytes()))
    error = refused(node, "no longer what was sealed", lambda: steps.reveal(node, protocol))
    assert error.where == str(path)


def test_the_counts_are_those_of_the_sealed_samples_whatever_became_of_the_logs(
    at: Callable[[str], Cast], snapshots: Snapshots
) -> None:
    node, protocol = at("closed").institutes["JP"], snapshots.protocol
    folder = steps.own_workspace(node, protocol).log_folder
    os.unlink(folder / "mild-refusal_ja.eval")  # noqa: PTH108  as a clean-up job would
    evidence = steps.reveal(node, protocol)
    assert sum(one.missing for one in evidence.counts) == 0
