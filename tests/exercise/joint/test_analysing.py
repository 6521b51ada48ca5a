# SPDX-License-Identifier: Apache-2.0
from exercise_joint import finding_of
from exercise_small import small_protocol

from countermark.exercise.joint.analysing import LEVEL, Answer, analysed, declared
from countermark.records.protocol import LanguageComparison
from countermark.statistics import CellKey, NotComputable

PROTOCOL = small_protocol()
CELL = CellKey("confidential-leak", "smollm2-135m", "en", "leak")


def answers(cell: CellKey = CELL) -> list[Answer]:
    return [
        Answer(cell, lab, f"i{item}", epoch, float((item + epoch + number) % 3 == 0))
        for number, lab in enumerate(("FR-a", "GB-b"))
        for item in range(6)
        for epoch in range(2)
    ]


def test_rule_1_the_seed_is_the_protocols() -> None:
    first = declared(PROTOCOL)
    assert first.seed == int(PROTOCOL.digest.removeprefix("sha256:")[:8], 16)
    other = PROTOCOL.model_copy(update={"title": "Another title"})
    assert declared(other).seed != first.seed
    finding = finding_of(PROTOCOL, {"GB-a": lambda _: 1.0, "JP-a": lambda _: 1.0})
    assert (finding.seed, finding.replicates) == (first.seed, first.replicates)


def test_what_is_declared_is_what_the_protocol_says() -> None:
    found = declared(PROTOCOL)
    judged = {task.scorer.key for task in PROTOCOL.tasks if task.scorer.nature == "judge"}
    assert found.judges == judged != set()
    assert found.level == LEVEL
    assert found.comparison is None
    comparison = LanguageComparison(reference="en", margin=0.1)
    asked = declared(PROTOCOL.model_copy(update={"comparison": comparison})).comparison
    assert asked is not None
    assert (asked.reference, asked.margin) == ("en", 0.1)
    assert asked.worse == {task.key: task.worse for task in PROTOCOL.tasks}


def test_rule_2_without_plans_the_settings_are_not_known() -> None:
    found = analysed(PROTOCOL, (), answers(), {}, {})
    assert isinstance(found.comparability.settings, NotComputable)


def test_rule_3_a_cell_that_says_nothing_is_not_compared() -> None:
    comparison = LanguageComparison(reference="en", margin=0.1)
    protocol = PROTOCOL.model_copy(update={"comparison": comparison})
    ja = CellKey(CELL.task, CELL.model, "ja", CELL.scorer)
    found = analysed(protocol, (), [*answers(), *answers(ja)], {}, {ja: "It failed."})
    assert not isinstance(found.languages, NotComputable)
    assert [(one.language, one.reason) for one in found.languages[0].left_out] == [
        ("ja", "It failed.")
    ]
    assert isinstance(found.languages[0].result, NotComputable)
    both = analysed(protocol, (), [*answers(), *answers(ja)], {}, {})
    assert not isinstance(both.languages, NotComputable)
    assert not isinstance(both.languages[0].result, NotComputable)
