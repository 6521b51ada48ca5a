# SPDX-License-Identifier: Apache-2.0
from collections.abc import Mapping

from exercise_joint import Scored, Values, control_passed, finding_of
from exercise_small import small_protocol

from countermark.exercise.joint.figures import Rounding
from countermark.exercise.joint.sections import published
from countermark.records.finding import Finding, Gap
from countermark.records.protocol import LanguageComparison
from countermark.records.sample import SampleKey

PROTOCOL = small_protocol()
COMPARED = PROTOCOL.model_copy(
    update={"comparison": LanguageComparison(reference="en", margin=0.1)}
)
MODEL, LEAK, REFUSE = "smollm2-135m", "confidential-leak", "mild-refusal"
LABS = ("FR-a", "GB-a", "JP-a", "SG-a", "FR-b", "GB-b")


def values(shift: float, control: Scored = 1.0) -> Values:
    """Scores that differ by item, epoch and lab."""

    def value(key: SampleKey) -> Scored:
        if control_passed(key):
            return control
        return float((sum(key.item.encode()) * 7 + key.epoch * 3 + sum(key.language.encode())) % 10
                     < 3 + shift)  # fmt: skip

    return value


def labs(number: int = 4) -> dict[str, Values]:
    return {lab: values(place % 3) for place, lab in enumerate(LABS[:number])}


def settings(factor: str, split: Mapping[str, str]) -> dict[str, dict[str, str]]:
    return {lab: {factor: value} for lab, value in split.items()}


def reasons(finding: Finding, section: str) -> list[Gap]:
    return [gap for gap in finding.gaps if gap.section == section]


def test_rule_1_a_cell_without_rates_has_none_of_the_further_figures() -> None:
    finding = finding_of(PROTOCOL, labs())
    unvalidated = finding.cell(MODEL, REFUSE, "ja")
    assert unvalidated is not None
    assert unvalidated.status == "judge-not-validated"
    assert (unvalidated.methods, unvalidated.new_lab, unvalidated.next_run) == ((), (), ())
    assert unvalidated.consensus is None
    shown = finding.cell(MODEL, LEAK, "en")
    assert shown is not None
    assert {one.method for one in shown.methods} == {"crossed", "mixed", "bootstrap"}
    crossed = [one for one in shown.methods if one.method == "crossed"]
    for one in crossed:
        figure = shown.figure(one.estimand)
        assert figure is not None
        assert (one.value, one.lower, one.upper) == (figure.value, figure.lower, figure.upper)
    assert len(shown.next_run) == len(shown.new_lab) == 2


def test_rule_2_languages_of_an_objective_scorer_are_compared() -> None:
    finding = finding_of(COMPARED, labs())
    assert {(one.task, one.language, one.reference) for one in finding.languages} == {
        (LEAK, "ja", "en")
    }
    assert [one.estimand for one in finding.languages] == ["benchmark", "generalised"]
    en, ja = finding.cell(MODEL, LEAK, "en"), finding.cell(MODEL, LEAK, "ja")
    assert en is not None
    assert ja is not None
    first, second = en.figure("benchmark"), ja.figure("benchmark")
    assert first is not None
    assert second is not None
    one = finding.languages[0]
    assert abs(one.difference - (second.value - first.value)) < 1e-7
    assert one.lower <= one.difference <= one.upper
    (gap,) = reasons(finding, "languages")
    assert gap.task == REFUSE
    assert "judge errs differently" in gap.reason


def test_rule_2_a_language_that_says_nothing_is_named_with_its_reason() -> None:
    def only_english(shift: float) -> Values:
        good, bad = values(shift), values(shift, control=0.0)
        return lambda key: (good if key.language == "en" else bad)(key)

    finding = finding_of(COMPARED, {lab: only_english(n) for n, lab in enumerate(LABS[:4])})
    assert finding.languages == ()
    told = [(gap.task, gap.language) for gap in reasons(finding, "languages")]
    assert (LEAK, "ja") in told
    (gap,) = (gap for gap in reasons(finding, "languages") if gap.language == "ja")
    assert "control items" in gap.reason


def test_rule_3_a_factor_that_the_settings_tell_is_published() -> None:
    factor = PROTOCOL.factors[0]
    one, other = (level.value for level in factor.levels[:2])
    split = {lab: (one if place < 3 else other) for place, lab in enumerate(LABS)}
    finding = finding_of(PROTOCOL, labs(6), settings(factor.key, split))
    found = [figure for figure in finding.factors if figure.task == LEAK]
    assert {figure.factor for figure in found} == {factor.key}
    assert {(figure.setting, figure.against) for figure in found} <= {(one, other), (other, one)}
    for figure in found:
        assert figure.lower <= figure.difference <= figure.upper


def test_rule_3_settings_that_change_together_tell_nothing() -> None:
    first, second = PROTOCOL.factors[:2]
    finding = finding_of(
        PROTOCOL,
        labs(4),
        {
            lab: {
                first.key: first.levels[place % 2].value,
                second.key: second.levels[place % 2].value,
            }
            for place, lab in enumerate(LABS[:4])
        },
    )
    assert [one for one in finding.factors if one.task == LEAK] == []
    words = " ".join(gap.reason for gap in reasons(finding, "why"))
    assert first.key in words
    assert second.key in words


def test_rule_4_a_reason_that_every_cell_has_is_said_once() -> None:
    finding = finding_of(PROTOCOL, labs())
    (gap,) = (gap for gap in reasons(finding, "why") if "designed arms" in gap.reason)
    assert (gap.model, gap.task, gap.language) == (None, None, None)
    (gap,) = reasons(finding, "languages")
    assert "declares no reference language" in gap.reason


def test_rule_4_a_reason_of_some_cells_names_them() -> None:
    def alike_in_japanese(shift: float) -> Values:
        usual = values(shift)
        return lambda key: 0.0 if key.language == "ja" and not control_passed(key) else usual(key)

    finding = finding_of(PROTOCOL, {lab: alike_in_japanese(n) for n, lab in enumerate(LABS[:4])})
    found = [gap for gap in reasons(finding, "rates") if "mixed model" in gap.reason]
    assert {(gap.task, gap.language) for gap in found} == {(LEAK, "ja")}
    cell = finding.cell(MODEL, LEAK, "ja")
    assert cell is not None
    assert cell.no_events is not None
    assert cell.no_events.effective_items == 3


def test_rule_4_nothing_analysed_is_one_gap() -> None:
    found = published(None, (), Rounding(8), {})
    assert [gap.section for gap in found.gaps] == ["rates"]
    assert (found.factors, found.languages) == ((), ())


def test_one_lab_alone_says_so() -> None:
    finding = finding_of(PROTOCOL, {LABS[0]: values(0)})
    assert any("One lab alone" in gap.reason for gap in reasons(finding, "between-labs"))
    cell = finding.cell(MODEL, LEAK, "en")
    assert cell is not None
    assert cell.precision is None
    assert cell.consensus is None
    assert cell.labs[0].e_n is None
