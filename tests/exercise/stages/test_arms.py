# SPDX-License-Identifier: Apache-2.0
"""Swaps from the plan to the finding: a lab's second arm, and what it says in the end."""

from dataclasses import replace
from pathlib import Path

import pytest
from exercise_joint import Scored, finding_of
from exercise_lab import Lab
from exercise_small import (
    Snapshots,
    cell_run,
    exchange,
    read_scripted,
    scripted_log,
    small_protocol,
)
from exercise_steps import refused

from countermark.exercise.cells import arms_of, full_settings, planned_keys
from countermark.exercise.logged import own_plan
from countermark.exercise.matching import cell_of, match_log
from countermark.exercise.samples import count_cells, samples_of
from countermark.exercise.stages.importing import import_log
from countermark.exercise.stages.pending import pending_runs
from countermark.exercise.stages.planning import plan_run, sign_protocol
from countermark.exercise.stages.sealing import seal_samples
from countermark.records.errors import InputError, VerificationError
from countermark.records.protocol import FactorSetting
from countermark.records.protocol_parts import Swap
from countermark.records.sample import SampleKey

PLAIN = small_protocol(languages=("en",), tasks=("confidential-leak",))
SWAPS = (
    Swap(lab="JP-simulated", factor="temperature", value="t03"),
    Swap(lab="SG-simulated", factor="temperature", value="t03", tasks=("mild-refusal",)),
    Swap(lab="GB-simulated", factor="temperature", value="t03"),
)
PROTOCOL = PLAIN.model_copy(update={"swaps": SWAPS})
LAB, ARM = "JP-simulated", "temperature.t03"
REFERENCE = cell_run(PROTOCOL, lab=LAB)
SWAPPED = replace(REFERENCE, arm=ARM)


def test_rule_1_without_swaps_there_is_one_arm() -> None:
    assert arms_of(PLAIN, LAB) == ((None, PLAIN.tasks[0]),)
    assert {key.arm for key in planned_keys(PLAIN, LAB)} == {None}
    assert "arm" not in cell_run(PLAIN, lab=LAB).metadata()


def test_rule_2_with_swaps_the_first_arm_is_the_reference() -> None:
    with pytest.raises(
        InputError, match=r"first arm is the reference, and it has temp.*=t10"
    ) as no:
        cell_run(PROTOCOL, lab=LAB, settings={"temperature": "t10"})
    assert "Declare no settings" in no.value.next_step
    assert cell_run(PROTOCOL, lab=LAB, settings={"temperature": "t07"}).arm is None


def test_rule_3_a_swap_is_its_labs_alone_and_changes_one_factor() -> None:
    changed = [
        (before.factor, before.value, after.value)
        for before, after in zip(REFERENCE.full_settings, SWAPPED.full_settings, strict=True)
        if before != after
    ]
    assert changed == [("temperature", "t07", "t03")]
    assert SWAPPED.metadata()["arm"] == ARM
    for other in (replace(SWAPPED, lab="GB-simulated"),):
        assert other.arm == ARM
    for lab in ("FR-simulated", "SG-simulated"):  # Singapore swaps another task only
        with pytest.raises(InputError, match=f"no arm 'temperature.t03' of {lab}"):
            replace(SWAPPED, lab=lab)
    arms = [key.arm for key in planned_keys(PROTOCOL, LAB)]
    assert arms == [None] * 8 + [ARM] * 8
    assert {key.arm for key in planned_keys(PROTOCOL, "SG-simulated")} == {None}
    assert {key.arm for key in planned_keys(PROTOCOL)} == {None}


def test_an_arms_log_is_matched_by_the_arms_settings(tmp_path: Path) -> None:
    log = read_scripted(tmp_path, SWAPPED)
    found = match_log(log, PROTOCOL, LAB)
    assert found.differences == ()
    assert found.run is not None
    assert (found.run.arm, found.run.full_settings) == (ARM, SWAPPED.full_settings)
    assert cell_of(log, PROTOCOL, LAB) == ("smollm2-135m", "confidential-leak", "en", ARM)
    said = (log.header.eval.metadata or {})["countermark"]
    said["settings"]["temperature"] = "t07"
    (wrong,) = match_log(log, PROTOCOL, LAB).differences
    assert (wrong.rule, wrong.waivable) == (3, False)
    said["arm"] = "temperature.t99"
    (wrong,) = match_log(log, PROTOCOL, LAB).differences
    assert (wrong.rule, wrong.waivable) == (2, False)
    said["arm"] = ["temperature.t03"]
    assert [one.rule for one in match_log(log, PROTOCOL, LAB).differences] == [2]


def honest(folder: Path) -> Lab:
    model = PROTOCOL.models[0].key
    samples = tuple(
        sample
        for run in (REFERENCE, SWAPPED)
        for sample in samples_of(run, model, read_scripted(folder / str(run.arm), run))
    )
    return Lab(PROTOCOL, samples, lab=LAB)


def test_both_arms_are_sealed_counted_apart_and_revealed(tmp_path: Path) -> None:
    lab = honest(tmp_path)
    counts = count_cells(sample.scores for sample in lab.samples)
    assert [(one.arm, one.submitted) for one in counts] == [(None, 8), (ARM, 8)]
    shown = lab.reveal()
    assert [one.key.arm for one in shown.scores or ()] == [None] * 8 + [ARM] * 8


def test_an_arm_that_is_missing_or_passed_off_as_the_other_is_caught(tmp_path: Path) -> None:
    lab = honest(tmp_path)
    with pytest.raises(VerificationError, match="rule 4"):
        replace(lab, samples=lab.samples[:8]).reveal()
    with pytest.raises(VerificationError, match="rule 4"):
        replace(lab, samples=(*lab.samples[8:], *lab.samples[:8])).reveal()
    off = full_settings(PLAIN, (FactorSetting(factor="temperature", value="t03"),))
    with pytest.raises(VerificationError, match="rule 1"):
        replace(lab, plan={"settings": off}).reveal()


def value(key: SampleKey) -> Scored:
    if key.item.startswith("control-"):
        return 1.0
    shift = 4 if key.arm else 0
    return float((sum(key.item.encode()) * 7 + key.epoch * 3) % 10 < 3 + shift)


def test_a_finding_rates_the_reference_arm_and_gives_the_swap_as_a_designed_contrast() -> None:
    labs = dict.fromkeys(("FR-simulated", "GB-simulated", LAB, "SG-simulated"), value)
    plain, swapped = finding_of(PLAIN, labs), finding_of(PROTOCOL, labs)
    before, after = plain.cells[0], swapped.cells[0]
    assert after.counts == before.counts
    assert [(one.lab, one.value) for one in after.labs] == [
        (one.lab, one.value) for one in before.labs
    ]
    assert after.figure("benchmark") == before.figure("benchmark")
    assert plain.factors == ()
    (contrast,) = swapped.factors
    assert (contrast.factor, contrast.setting, contrast.against) == ("temperature", "t03", "t07")
    assert contrast.designed == ("GB-simulated", LAB)
    by_hand = [
        value(key.model_copy(update={"arm": ARM})) - value(key)  # type: ignore[operator]
        for key in planned_keys(PLAIN)
        if not key.item.startswith("control-")
    ]
    assert contrast.difference == pytest.approx(sum(by_hand) / len(by_hand))
    assert contrast.lower < contrast.difference < contrast.upper
    assert any(
        "No designed arm was run" in gap.reason for gap in plain.gaps if gap.section == "why"
    )
    assert not any("No designed arm was run" in gap.reason for gap in swapped.gaps)


def test_a_lab_plans_runs_imports_and_seals_its_swap_beside_the_reference(
    snapshots: Snapshots, tmp_path: Path
) -> None:
    cast = snapshots.at("logged", tmp_path / "exercise")
    protocol = snapshots.protocol.model_copy(update={"swaps": SWAPS[:1]})
    cast.institutes[protocol.coordinator].say(protocol)
    for node in cast.institutes.values():
        sign_protocol(node, protocol)
    exchange(cast)
    node, model = cast.institutes["JP"], protocol.models[0]
    other = (FactorSetting(factor="temperature", value="t10"),)
    text = "first arm is the reference"
    refused(node, text, lambda: plan_run(node, protocol, other), InputError)
    workspace = plan_run(node, protocol, ())
    assert own_plan(node, protocol).samples == 2 * (4 + 3) * 2 * 2
    runs = pending_runs(node, protocol, model)
    assert [run.arm for run in runs] == [None] * 4 + [ARM] * 4
    for number, run in enumerate(runs[:4]):
        scripted_log(workspace.run_folder / f"{number}.eval", run)
    assert pending_runs(node, protocol, model) == runs[4:]
    refused(node, f"lacks 4 cells: .* en {ARM}", lambda: seal_samples(node, protocol))
    for run in runs[4:]:
        path = scripted_log(tmp_path / f"{run.task}-{run.language}.eval", run)
        kept = import_log(node, protocol, path, LAB, None).kept
        assert kept is not None
        assert kept.name == f"{model.key}_{run.task}_{run.language}_{ARM}.eval"
    assert pending_runs(node, protocol, model) == ()
    assert seal_samples(node, protocol).samples == own_plan(node, protocol).samples
