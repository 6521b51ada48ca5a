# SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path
from typing import Any

import pytest
from exercise_small import SEED, Snapshots, planned_samples, scripted_log
from exercise_steps import At, files, planned_log, refused, run_of, said
from scripted import log_value, write_log

from countermark.exercise.logged import own_plan
from countermark.exercise.revealing.seal import secret_commitment
from countermark.exercise.stages.importing import import_log
from countermark.exercise.stages.planning import cell_runs
from countermark.exercise.stages.sealing import seal_samples
from countermark.exercise.stages.workspace import own_workspace
from countermark.records.errors import InputError
from countermark.records.protocol import RunPlan


def test_an_import_keeps_the_log_byte_for_byte(
    at: At, snapshots: Snapshots, tmp_path: Path
) -> None:
    node, protocol = at("planned").institutes["JP"], snapshots.protocol
    path = planned_log(node, snapshots, tmp_path, "mild-refusal", "ja")
    found = import_log(node, protocol, path, "JP-simulated", None)
    assert found.differences == ()
    assert found.kept is not None
    assert found.kept.read_bytes() == path.read_bytes()
    assert found.kept.name == "smollm2-135m_mild-refusal_ja.eval"
    assert found.kept.stat().st_mode & 0o077 == 0
    assert own_workspace(node, protocol).deviations() == ()


def test_the_json_form_is_imported_and_sealed_as_well(
    at: At, snapshots: Snapshots, tmp_path: Path
) -> None:
    node, protocol = at("planned").institutes["JP"], snapshots.protocol
    for run in cell_runs(node, protocol):
        header, samples = log_value(run, "countermark/smollm2")
        path = tmp_path / "a log.json"
        path.write_text(json.dumps({**header, "samples": samples}))
        found = import_log(node, protocol, path, "JP-simulated", None)
        assert found.kept is not None
        assert found.kept.suffix == ".json"
    assert seal_samples(node, protocol).samples == planned_samples(protocol)


def test_an_import_of_the_same_cell_twice_is_refused(
    at: At, snapshots: Snapshots, tmp_path: Path
) -> None:
    node, protocol = at("planned").institutes["JP"], snapshots.protocol
    path = planned_log(node, snapshots, tmp_path, "mild-refusal", "en")
    assert import_log(node, protocol, path, "JP-simulated", None).kept
    refused(
        node,
        "a log of mild-refusal in en was taken before",
        lambda: import_log(node, protocol, path, "JP-simulated", None),
    )
    run = next(one for one in cell_runs(node, protocol) if one.task == "mild-refusal")
    other = write_log(tmp_path / "other.eval", *log_value(run, "another/model"))
    refused(
        node,
        "was taken before",
        lambda: import_log(node, protocol, other, "JP-simulated", "another model"),
    )


def test_a_log_that_differs_is_refused_with_the_list(
    at: At, snapshots: Snapshots, tmp_path: Path
) -> None:
    node, protocol = at("planned").institutes["JP"], snapshots.protocol
    run = cell_runs(node, protocol)[0]
    header, samples = log_value(run, "another/model")
    path = write_log(tmp_path / "log.eval", header, samples[1:])
    before = files(node)
    found = import_log(node, protocol, path, "JP-simulated", None)
    assert found.kept is None
    assert [one.rule for one in found.differences] == [5, 8]
    assert files(node) == before


def test_a_declared_deviation_is_taken_and_shown(
    at: At, snapshots: Snapshots, tmp_path: Path
) -> None:
    node, protocol = at("planned").institutes["JP"], snapshots.protocol
    run = cell_runs(node, protocol)[0]
    path = write_log(tmp_path / "log.eval", *log_value(run, "another/model"))
    found = import_log(node, protocol, path, "JP-simulated", "the snapshot was withdrawn")
    assert found.kept is not None
    (declared,) = own_workspace(node, protocol).deviations()
    assert declared.reason == "the snapshot was withdrawn"
    assert declared.differences == tuple(one.text for one in found.differences)


def test_what_nobody_can_name_is_refused_with_a_reason_too(
    at: At, snapshots: Snapshots, tmp_path: Path
) -> None:
    node, protocol = at("planned").institutes["JP"], snapshots.protocol
    header, samples = log_value(cell_runs(node, protocol)[0], "countermark/smollm2")
    header["eval"]["metadata"] = {}
    path = write_log(tmp_path / "log.eval", header, samples)
    before = files(node)
    found = import_log(node, protocol, path, "JP-simulated", "please")
    assert (found.kept, [one.rule for one in found.differences]) == (None, [1])
    assert files(node) == before


def test_an_import_for_another_lab_is_refused(at: At, snapshots: Snapshots, tmp_path: Path) -> None:
    cast, protocol = at("planned"), snapshots.protocol
    node = cast.institutes["JP"]
    path = planned_log(cast.institutes["SG"], snapshots, tmp_path, "mild-refusal", "en")
    error = refused(
        node,
        "not this node's lab JP-simulated",
        lambda: import_log(node, protocol, path, "SG-simulated", None),
        InputError,
    )
    assert error.where == "--lab SG-simulated"
    found = import_log(node, protocol, path, "JP-simulated", "ours now")
    assert (found.kept, [one.rule for one in found.differences]) == (None, [2])


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"seed": bytes(32)}, "its secret seed is not the run plan's"),
        ({"settings": {"temperature": "t10"}}, "its settings are not those of the run plan"),
    ],
)
def test_an_import_that_is_not_what_was_planned_is_refused(
    at: At,
    snapshots: Snapshots,
    tmp_path: Path,
    change: dict[str, Any],
    text: str,
) -> None:
    node, protocol = at("planned").institutes["JP"], snapshots.protocol
    plan, workspace = own_plan(node, protocol), own_workspace(node, protocol)
    planned = {
        "settings": {one.factor: one.value for one in plan.settings},
        "seed": workspace.seed,
    }
    path = scripted_log(tmp_path / "log.eval", run_of(node, snapshots, **{**planned, **change}))
    before = files(node)
    found = import_log(node, protocol, path, "JP-simulated", "please")
    assert found.kept is None
    assert [(one.rule, one.waivable) for one in found.differences] == [(3, False)]
    assert text in found.differences[0].text
    assert files(node) == before


def test_an_import_without_a_plan_makes_one_and_declares_that_it_is_late(
    at: At, snapshots: Snapshots, tmp_path: Path
) -> None:
    node, protocol = at("signed").institutes["JP"], snapshots.protocol
    settings = {"temperature": "t03", "system-prompt": "strict"}
    for language in ("en", "ja"):
        run = run_of(node, snapshots, language=language, settings=settings)
        path = scripted_log(tmp_path / f"{language}.eval", run)
        assert import_log(node, protocol, path, "JP-simulated", None).kept
    (plan,) = said(node, RunPlan)
    assert plan.secret_commitment == secret_commitment(SEED)
    assert plan.setting("system-prompt") == "strict"
    (declared,) = own_workspace(node, protocol).deviations()
    assert declared.reason == "the run plan was logged after the run"
    assert declared.differences == ()


def test_an_import_makes_no_plan_before_all_have_countersigned(
    at: At, snapshots: Snapshots, tmp_path: Path
) -> None:
    node, protocol = at("logged").institutes["JP"], snapshots.protocol
    path = scripted_log(tmp_path / "log.eval", run_of(node, snapshots))
    refused(
        node,
        "not countersigned",
        lambda: import_log(node, protocol, path, "JP-simulated", None),
    )


def test_nothing_is_imported_after_the_seal(at: At, snapshots: Snapshots, tmp_path: Path) -> None:
    node, protocol = at("planned").institutes["JP"], snapshots.protocol
    first = planned_log(node, snapshots, tmp_path, "mild-refusal", "en")
    later = planned_log(node, snapshots, tmp_path, "mild-refusal", "ja")
    import_log(node, protocol, first, "JP-simulated", None)
    seal_samples(node, protocol, missing="no time")
    refused(
        node,
        "was sealed already",
        lambda: import_log(node, protocol, later, "JP-simulated", None),
    )


def test_a_log_that_cannot_be_sealed_is_not_imported(
    at: At, snapshots: Snapshots, tmp_path: Path
) -> None:
    node, protocol = at("planned").institutes["JP"], snapshots.protocol
    run = cell_runs(node, protocol)[0]
    endless = write_log(
        tmp_path / "log.eval", *log_value(run, "countermark/smollm2", lambda *_: "x" * 200_001)
    )
    refused(
        node,
        "no sample can hold",
        lambda: import_log(node, protocol, endless, "JP-simulated", None),
        InputError,
    )


def test_a_file_that_is_no_log_is_not_imported(
    at: At, snapshots: Snapshots, tmp_path: Path
) -> None:
    node, protocol = at("planned").institutes["JP"], snapshots.protocol
    path = tmp_path / "log.eval"
    path.write_bytes(b"PK\x03\x04 and no more")
    refused(
        node,
        "truncated or damaged",
        lambda: import_log(node, protocol, path, "JP-simulated", None),
        InputError,
    )
