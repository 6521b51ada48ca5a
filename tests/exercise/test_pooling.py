# SPDX-License-Identifier: Apache-2.0
import pytest
from exercise_configured import configured
from exercise_joint import Scored, control_passed, revealed
from exercise_small import annotations, small_protocol

from countermark.exercise.explaining import explain
from countermark.exercise.joint import joint_finding
from countermark.exercise.pooling import pooled
from countermark.exercise.recheck import compare
from countermark.exercise.revealing import Revealed
from countermark.records.canonical import JsonValue
from countermark.records.errors import StateError
from countermark.records.evidence import Deviation
from countermark.records.finding import Finding
from countermark.records.sample import SampleKey

PROTOCOL = small_protocol(languages=("en",))
MODEL = PROTOCOL.models[0].key
LABS = ("GB-simulated", "JP-simulated", "SG-simulated")
LEAK = ("confidential-leak", "en")


def scores(key: SampleKey) -> Scored:
    return 1.0 if control_passed(key) else float(sum(key.item.encode()) % 2)


def lab(
    name: str,
    change: dict[str, JsonValue] | None = None,
    only: tuple[str, str] | None = None,
    deviations: tuple[Deviation, ...] = (),
) -> Revealed:
    told = configured(PROTOCOL, None, change, only)
    return revealed(PROTOCOL, name, scores, None, deviations, told)


def finding(*but: Revealed) -> Finding:
    given = {one.evidence.lab: one for one in but}
    labs = [given.get(name) or lab(name) for name in LABS]
    return joint_finding(PROTOCOL, labs, annotations())


def test_labs_that_ran_the_same_are_all_pooled_and_the_table_says_so() -> None:
    found = finding()
    assert [one.lab for one in found.labs] == list(LABS)
    assert found.comparability is not None
    assert {row.status for row in found.comparability} == {"same"}
    assert [gap for gap in found.gaps if gap.section == "comparability"] == []
    assert {cell.left_out for cell in found.cells} == {None}


def test_rule_1_one_cell_that_was_run_otherwise_is_left_out_and_named() -> None:
    found = finding(lab("JP-simulated", {"generation.top_p": 0.5}, LEAK))
    assert [one.lab for one in found.labs] == list(LABS)
    leak, other = found.cell(MODEL, *LEAK), found.cell(MODEL, "mild-refusal", "en")
    assert leak is not None
    assert other is not None
    assert [(one.lab, one.settings) for one in leak.left_out or ()] == [
        ("JP-simulated", ("generation.top_p",))
    ]
    figure, whole = leak.figure("benchmark"), other.figure("benchmark")
    assert figure is not None
    assert whole is not None
    assert (figure.labs, whole.labs) == (2, 3)
    assert [one.lab for one in leak.labs] == ["GB-simulated", "SG-simulated"]
    assert leak.counts.submitted * 3 == 2 * 24
    assert other.left_out is None


def test_rule_2_a_lab_that_ran_everything_otherwise_is_left_out_wholly() -> None:
    found = finding(lab("SG-simulated", {"model.route": "azure"}))
    assert [one.lab for one in found.labs] == ["GB-simulated", "JP-simulated"]
    (out,) = found.left_out
    assert (out.lab, out.because) == ("SG-simulated", "not-comparable")
    assert out.reason == "it ran with another model.route, and did not say so"
    assert out.evidence is not None
    said = {section.title: " ".join(section.sentences) for section in explain(found)}
    same = said["Did the labs run the same?"]
    assert "SG-simulated ran with another model.route and did not say so: it changes which" in same


def test_rule_2_a_declared_deviation_is_pooled() -> None:
    declared = Deviation(reason="another contract", differences=(), settings=("model.route",))
    found = finding(lab("SG-simulated", {"model.route": "azure"}, None, (declared,)))
    assert [one.lab for one in found.labs] == list(LABS)
    same = next(one for one in explain(found) if one.title == "Did the labs run the same?")
    assert "SG-simulated declared another model.route." in same.sentences


def test_rule_2_where_no_two_labs_agree_there_is_nothing_to_pool() -> None:
    labs = [lab(name, {"model.route": name}) for name in LABS]
    with pytest.raises(StateError, match="no labs whose runs can be pooled") as caught:
        joint_finding(PROTOCOL, labs, annotations())
    assert "--without" in caught.value.next_step


def test_rule_3_evidence_without_configurations_is_pooled_and_the_gap_is_named() -> None:
    old = revealed(PROTOCOL, "SG-simulated", scores)
    found = finding(old)
    assert [one.lab for one in found.labs] == list(LABS)
    (gap,) = [one for one in found.gaps if one.section == "comparability"]
    assert gap.reason.startswith("how SG-simulated ran it is not told")
    assert found.comparability is not None
    assert {row.status for row in found.comparability} == {"unknown"}
    nobody = joint_finding(
        PROTOCOL, [revealed(PROTOCOL, name, scores) for name in LABS], annotations()
    )
    assert nobody.comparability is None
    section = next(one for one in explain(nobody) if one.title == "Did the labs run the same?")
    assert section.sentences == ("No lab told its settings, so nothing could be compared.",)


def test_every_participant_gets_the_same_finding_in_any_order() -> None:
    labs = [lab(LABS[0]), lab(LABS[1], {"epochs": 3}, LEAK), lab(LABS[2])]
    one = joint_finding(PROTOCOL, labs, annotations())
    other = joint_finding(PROTOCOL, labs[::-1], annotations())
    assert one.to_bytes() == other.to_bytes()
    assert compare(one, Finding.from_bytes(other.to_bytes(), where="x")).agrees


def test_nobody_is_left_out_of_a_pool_of_the_same() -> None:
    pool = pooled(PROTOCOL, [lab(name) for name in LABS])
    assert pool.left_out == ()
    assert pool.of_cell(MODEL, *LEAK) == pool.labs
    assert pool.left_out_of(MODEL, *LEAK) is None
