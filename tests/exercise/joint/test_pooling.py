# SPDX-License-Identifier: Apache-2.0
import pytest
from exercise_configured import configured
from exercise_joint import Scored, control_passed, revealed
from exercise_small import annotations, small_protocol

from countermark.exercise.explaining.finding import explain
from countermark.exercise.explaining.settings import SAME
from countermark.exercise.joint.finding import joint_finding
from countermark.exercise.joint.pooling import Pool, pooled
from countermark.exercise.revealing.checking import Revealed
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


def pool_of(*but: Revealed) -> Pool:
    given = {one.evidence.lab: one for one in but}
    return pooled(PROTOCOL, [given.get(name) or lab(name) for name in LABS])


def labs_of(pool: Pool) -> list[str]:
    return [one.evidence.lab for one in pool.labs]


@pytest.fixture(scope="module")
def found() -> Finding:
    """Return the finding of three labs, of which one has one cell with an undeclared top_p."""
    labs = [lab(LABS[0]), lab(LABS[1], {"generation.top_p": 0.5}, LEAK), lab(LABS[2])]
    return joint_finding(PROTOCOL, labs[::-1], annotations())


def test_labs_that_ran_the_same_are_all_pooled_and_the_table_says_so() -> None:
    pool = pool_of()
    assert labs_of(pool) == list(LABS)
    assert pool.table is not None
    assert {row.status for row in pool.table} == {"same"}
    assert (pool.left_out, pool.gaps) == ((), ())
    assert pool.of_cell(MODEL, *LEAK) == pool.labs
    assert pool.left_out_of(MODEL, *LEAK) is None


def test_rule_1_one_cell_that_was_run_otherwise_is_left_out_and_named(found: Finding) -> None:
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
    assert leak.counts.submitted == 2 * 8
    assert other.left_out is None


def test_rule_1_it_is_said_in_plain_words(found: Finding) -> None:
    said = {section.title: " ".join(section.sentences) for section in explain(found)}
    assert "JP-simulated ran with another generation.top_p and did not say so" in said[SAME]
    assert any("JP-simulated is not in these figures" in words for words in said.values())


def test_rule_2_a_lab_that_ran_everything_otherwise_is_left_out_wholly() -> None:
    pool = pool_of(lab("SG-simulated", {"model.route": "azure"}))
    assert labs_of(pool) == ["GB-simulated", "JP-simulated"]
    (out,) = pool.left_out
    assert (out.lab, out.because) == ("SG-simulated", "not-comparable")
    assert out.reason == "it ran with another model.route, and did not say so"
    assert out.evidence is not None


def test_rule_2_a_declared_deviation_is_pooled() -> None:
    declared = Deviation(reason="another contract", differences=(), settings=("model.route",))
    pool = pool_of(lab("SG-simulated", {"model.route": "azure"}, None, (declared,)))
    assert labs_of(pool) == list(LABS)


def test_rule_2_where_no_two_labs_agree_there_is_nothing_to_pool() -> None:
    labs = [lab(name, {"model.route": name}) for name in LABS]
    with pytest.raises(StateError, match="no labs whose runs can be pooled") as caught:
        pooled(PROTOCOL, labs)
    assert "--without" in caught.value.next_step


def test_rule_3_evidence_without_configurations_is_pooled_and_the_gap_is_named() -> None:
    pool = pool_of(revealed(PROTOCOL, "SG-simulated", scores))
    assert labs_of(pool) == list(LABS)
    (gap,) = pool.gaps
    assert gap.reason.startswith("how SG-simulated ran it is not told")
    assert pool.table is not None
    assert {row.status for row in pool.table} == {"unknown"}
    nobody = pooled(PROTOCOL, [revealed(PROTOCOL, name, scores) for name in LABS])
    assert nobody.table is None
    assert len(nobody.gaps) == 1


def test_every_participant_gets_the_same_table_in_any_order(found: Finding) -> None:
    labs = [lab(LABS[0]), lab(LABS[1], {"generation.top_p": 0.5}, LEAK), lab(LABS[2])]
    assert pooled(PROTOCOL, labs).table == found.comparability
    assert Finding.from_bytes(found.to_bytes(), where="x") == found
