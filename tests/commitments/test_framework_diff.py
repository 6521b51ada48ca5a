# SPDX-License-Identifier: Apache-2.0
"""The diff of two versions: each rule, and what holds of any two."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from frameworks import FRAMEWORKS, bound, framework, threshold
from hypothesis import given
from hypothesis import strategies as st

from countermark.commitments import aligning
from countermark.commitments.comparing import OPPOSITE
from countermark.commitments.framework_diff import Change, FrameworkDiff, diff
from countermark.records.account import Account, Announced
from countermark.records.errors import InputError
from countermark.records.framework import Domain, Duty, Framework, Mitigation, Provision
from countermark.records.threshold_rules import (
    CapabilityLevel,
    NotQuantified,
    OutcomeThreshold,
    Regression,
    SecurityLevel,
    Trigger,
    Uplift,
)


def seen(found: FrameworkDiff) -> list[tuple[int, str, str]]:
    return [(change.rule, change.effect, change.aspect) for change in found.changes]


def one(before: Framework, after: Framework) -> Change:
    (change,) = diff(before, after).changes
    return change


def of_rules(before: Any, after: Any) -> list[tuple[int, str, str]]:
    return seen(
        diff(framework(threshold(rule=before)), framework(threshold(rule=after), label="2"))
    )


def account_of(before: Framework, after: Framework, *changes: Announced) -> Account:
    return Account(
        developer=before.developer,
        before=before.digest,
        after=after.digest,
        date="2025-06-01",
        changes=changes,
        demonstration=False,
    )


def test_rule_1_parts_of_one_key_belong_together_in_any_order() -> None:
    first, second = threshold("a"), threshold("b", bound(task="refusal"))
    assert seen(diff(framework(first, second), framework(second, first))) == []


def test_rule_2_a_renamed_threshold_is_found_by_domain_kind_task_and_title() -> None:
    before = framework(threshold("bio-1", title="uplift to novices in biology"))
    after = framework(threshold("cbrn-1", title="serious uplift to novices in biology"))
    found = diff(before, after)
    assert seen(found) == [(5, "moved", "key"), (6, "reworded", "title")]
    assert [(pair.key, pair.new_key) for pair in found.thresholds] == [("bio-1", "cbrn-1")]


def test_rule_2_a_comma_makes_no_other_word() -> None:
    before = framework(threshold("x", title="weapons, by experts"))
    after = framework(threshold("y", title="weapons (by experts)"))
    assert seen(diff(before, after)) == [(5, "moved", "key"), (6, "reworded", "title")]


def test_rule_2_the_most_alike_come_first() -> None:
    before = framework(threshold("x", title="uplift to novices in biology"))
    near = threshold("y", title="uplift to novices in biology")
    far = threshold("z", title="uplift to experts in biology", rule=bound(limit=0.4))
    found = diff(before, framework(far, near))
    assert seen(found) == [(5, "moved", "key"), (4, "added", "threshold")]


def test_rule_2_too_many_are_not_taken_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    before = framework(threshold("x", title="uplift to novices"))
    after = framework(threshold("y", title="uplift to novices"))
    assert seen(diff(before, after)) == [(5, "moved", "key")]
    monkeypatch.setattr(aligning, "MOST_COMPARED", 0)
    assert seen(diff(before, after)) == [(3, "removed", "threshold"), (4, "added", "threshold")]


def test_rule_3_what_only_the_older_has_is_removed() -> None:
    gone = threshold("gone", NotQuantified(needs="judgement"), title="dishonesty")
    change = one(framework(threshold(), gone), framework(threshold()))
    assert (change.rule, change.effect, change.key, change.new_key) == (3, "removed", "gone", None)
    assert change.before == "dishonesty: not quantified: judgement"


def test_rule_4_what_only_the_newer_has_is_added() -> None:
    new = threshold("new", NotQuantified(needs="judgement"), title="dishonesty")
    change = one(framework(threshold()), framework(threshold(), new))
    assert (change.rule, change.effect, change.key, change.new_key) == (4, "added", None, "new")


def test_rule_5_another_domain_is_moved() -> None:
    domains = (Domain(key="bio", title="Biology"), Domain(key="cyber", title="Cyber"))
    before = framework(threshold(domain="bio"), domains=domains)
    after = framework(threshold(domain="cyber"), domains=domains)
    assert seen(diff(before, after)) == [(5, "moved", "domain")]


def test_rule_5_a_domain_with_a_new_key_moves_itself_and_not_its_thresholds() -> None:
    before = framework(threshold(domain="bio"), domains=(Domain(key="bio", title="Biology"),))
    after = framework(threshold(domain="cbrn"), domains=(Domain(key="cbrn", title="Biology"),))
    change = one(before, after)
    assert (change.section, change.rule, change.aspect) == ("domain", 5, "key")


def test_rule_6_other_words_are_reworded_and_no_judgement_is_made() -> None:
    steep = NotQuantified(needs="proof of safety"), NotQuantified(needs="a hunch")
    assert of_rules(*steep) == [(6, "reworded", "needs")]


def test_rule_7_shall_should_may() -> None:
    before, after = framework(threshold(force="shall")), framework(threshold(force="should"))
    assert seen(diff(before, after)) == [(7, "weakened", "force")]
    assert seen(diff(framework(threshold(force="may")), before)) == [(7, "strengthened", "force")]


def test_rule_8_actions_lost_and_gained() -> None:
    before, after = (
        framework(threshold(actions=("develop",))),
        framework(threshold(actions=("deploy",))),
    )
    assert seen(diff(before, after)) == [(8, "strengthened", "actions"), (8, "weakened", "actions")]


def test_rule_9_no_longer_in_force() -> None:
    assert seen(diff(framework(), framework(threshold(status="withdrawn")))) == [
        (9, "weakened", "status")
    ]
    # What is said and was to be understood is no change of what is asked.
    assert seen(diff(framework(), framework(threshold(status="in-force")))) == [
        (6, "reworded", "status")
    ]


def regression(**changed: Any) -> Regression:
    fields = {
        "task": "leak",
        "languages": ("en",),
        "estimands": ("benchmark",),
        "baseline": "older",
        "worse": "higher",
        "margin": 0.02,
        "alpha_miss": 0.01,
        "alpha_false": 0.05,
        "minimum_labs": 1,
    }
    return Regression(**{**fields, **changed})


def level(at: str, scale: tuple[str, ...] = ("low", "high", "critical")) -> CapabilityLevel:
    return CapabilityLevel(scale=scale, level=at, evidence=())


def trigger(at_least: float, **changed: Any) -> Trigger:
    fields = {"quantity": "compute", "unit": "times", "demands": "an assessment"}
    return Trigger(at_least=at_least, **{**fields, **changed})


@pytest.mark.parametrize(
    ("before", "after", "effect"),
    [
        (bound(limit=0.5), bound(limit=0.6), "weakened"),
        (
            bound(limit=0.5, direction="at-least"),
            bound(limit=0.6, direction="at-least"),
            "strengthened",
        ),
        (regression(margin=0.02), regression(margin=0.05), "weakened"),
        (
            Uplift(measure="cost", ratio=2, baseline="search"),
            Uplift(measure="cost", ratio=10, baseline="search"),
            "weakened",
        ),
        (trigger(4), trigger(6), "weakened"),
        (level("high"), level("critical"), "weakened"),
        (
            SecurityLevel(scale=("1", "2"), level="1"),
            SecurityLevel(scale=("1", "2"), level="2"),
            "strengthened",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_rule_10_figures_and_levels(before: Any, after: Any, effect: Any) -> None:
    assert [step[:2] for step in of_rules(before, after)] == [(10, effect)]
    assert [step[:2] for step in of_rules(after, before)] == [(10, OPPOSITE[effect])]


@pytest.mark.parametrize(
    "changed",
    [
        {"guard": 0.0},
        {"alpha_miss": 0.1},
        {"alpha_false": 0.01},
        {"minimum_labs": 1},
        {"languages": ("en",)},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_rule_11_budgets_guard_labs_and_languages(changed: dict[str, Any]) -> None:
    (aspect,) = changed
    expected = (11, "weakened", aspect.replace("_", "-"))
    assert of_rules(bound(), bound(**changed)) == [expected]


def test_rule_12_not_quantified_instead_of_a_figure() -> None:
    loose = NotQuantified(needs="a judgement")
    assert of_rules(bound(), loose) == [(12, "weakened", "rule")]
    assert of_rules(loose, bound()) == [(12, "strengthened", "rule")]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (bound(), bound(task="refusal")),
        (bound(), bound(direction="at-least")),
        (bound(), level("high")),
        (regression(), regression(baseline="another")),
        (trigger(4), trigger(4, quantity="time", unit="months")),
        (level("high"), level("severe", ("mild", "severe"))),
        (level("high"), level("critical", ("critical", "high"))),
    ],
    ids=["task", "direction", "kind", "baseline", "quantity", "scale", "scale turned round"],
)
def test_rule_13_what_cannot_be_ordered_is_removed_and_added(before: Any, after: Any) -> None:
    assert of_rules(before, after) == [(13, "added", "rule"), (13, "removed", "rule")]


def outcome(*evidence: str) -> OutcomeThreshold:
    return OutcomeThreshold(outcome="mass harm", evidence=evidence)


def test_rule_14_evidence_that_has_to_be_weighed() -> None:
    before = outcome("red team by outsiders", "uplift study")
    after = outcome("red team by some outsiders")
    assert of_rules(before, after) == [(6, "reworded", "evidence"), (14, "weakened", "evidence")]


def test_rule_15_mitigations_age_and_standing() -> None:
    strict = threshold(mitigations=("filter",), maximum_age_months=6, standing="several-institutes")
    loose = threshold(maximum_age_months=12, standing="one-institute")
    assert seen(diff(framework(strict), framework(loose))) == [
        (15, "weakened", "maximum-age"),
        (15, "weakened", "mitigations"),
        (15, "weakened", "standing"),
    ]


def test_rule_16_a_provision_goes_from_process_to_governance() -> None:
    halt = Provision(key="halt", words="training stops at once", force="shall")
    softer = halt.model_copy(update={"force": "may"})
    before, after = framework(process=(halt,)), framework(governance=(softer,))
    assert seen(diff(before, after)) == [(7, "weakened", "force"), (16, "moved", "section")]


def test_rule_16_mitigations_come_and_go() -> None:
    filters = Mitigation(key="filter", title="Inputs are filtered", sort="deployment")
    change = one(framework(mitigations=(filters,)), framework())
    assert (change.section, change.effect) == ("mitigation", "removed")
    other = filters.model_copy(update={"sort": "process"})
    change = one(framework(mitigations=(filters,)), framework(mitigations=(other,)))
    assert (change.rule, change.effect, change.aspect) == (16, "moved", "sort")


def test_rule_17_duties_to_fewer_and_later() -> None:
    duty = Duty(key="report", words="a report", to="public", force="shall", before="develop")
    later = duty.model_copy(update={"to": "trusted-actors", "before": "deploy"})
    never = duty.model_copy(update={"before": None})
    assert seen(diff(framework(disclosure=(duty,)), framework(disclosure=(later,)))) == [
        (17, "weakened", "before"),
        (17, "weakened", "to"),
    ]
    assert seen(diff(framework(disclosure=(duty,)), framework(disclosure=(never,)))) == [
        (17, "weakened", "before")
    ]


def test_rule_18_a_version_that_is_withdrawn() -> None:
    assert seen(diff(framework(), framework(status="withdrawn"))) == [(18, "weakened", "status")]
    assert seen(diff(framework(status="superseded"), framework())) == []


def test_rule_24_a_threshold_that_is_due_less_often() -> None:
    other, third = threshold("other"), threshold("third")

    def due(*keys: str) -> Framework:
        return framework(threshold(due_once=keys or None), other, third)

    assert seen(diff(due(), due("other"))) == [(24, "weakened", "due-once")]
    assert seen(diff(due("other"), due())) == [(24, "strengthened", "due-once")]
    assert seen(diff(due("other"), due("other", "third"))) == [(24, "strengthened", "due-once")]
    assert seen(diff(due("other", "third"), due("third"))) == [(24, "weakened", "due-once")]


def test_rule_24_another_key_of_what_makes_it_due_is_no_change_of_it() -> None:
    before = framework(threshold(due_once=("other",)), threshold("other", title="About weapons"))
    after = framework(threshold(due_once=("arms",)), threshold("arms", title="About weapons"))
    assert seen(diff(before, after)) == [(5, "moved", "key")]


def test_rule_19_without_an_account() -> None:
    assert one(framework(), framework(threshold(force="may"))).told == "no account"


@pytest.fixture
def versions() -> tuple[Framework, Framework]:
    """Return two versions: one threshold weakened twice, one gone, one new."""
    before = framework(
        threshold("kept"), threshold("gone", NotQuantified(needs="judgement"), title="lies")
    )
    new = threshold("new", NotQuantified(needs="care"), title="theft of weights")
    after = framework(threshold("kept", bound(limit=0.6), force="may"), new, label="2")
    return before, after


def told(versions: tuple[Framework, Framework], *entries: Announced) -> dict[str, str]:
    found = diff(*versions, account_of(*versions, *entries))
    return {
        f"{change.key or change.new_key} {change.aspect}": change.told for change in found.changes
    }


def test_rule_20_announced_with_its_direction(versions: tuple[Framework, Framework]) -> None:
    got = told(
        versions,
        Announced(threshold="kept", words="the limit is higher", effect="weakened", aspect="limit"),
        Announced(threshold="gone", words="it was dropped", effect="removed"),
        Announced(added="new", words="weights are protected"),
    )
    assert got == {
        "kept force": "partly",
        "kept limit": "announced",
        "gone threshold": "announced",
        "new threshold": "announced",
    }


def test_rule_21_partly_without_or_with_another_direction(
    versions: tuple[Framework, Framework],
) -> None:
    got = told(
        versions,
        Announced(threshold="kept", words="clearer words", effect="reworded"),
        Announced(threshold="gone", words="we changed this"),
    )
    assert got["kept force"] == got["kept limit"] == got["gone threshold"] == "partly"


def test_rule_22_silent(versions: tuple[Framework, Framework]) -> None:
    before, after = versions
    found = diff(before, after, account_of(before, after))
    assert {change.told for change in found.changes} == {"silent"}
    aspects = [change.aspect for change in found.silently_weakened]
    assert aspects == ["threshold", "force", "limit"]
    assert found.count("weakened", "silent") == 2


def test_rule_23_what_is_announced_and_not_found(versions: tuple[Framework, Framework]) -> None:
    before, after = versions
    claim = Announced(threshold="another", words="stricter than ever", effect="strengthened")
    assert diff(before, after, account_of(before, after, claim)).unfound == (claim,)


def test_an_account_of_other_versions_is_refused() -> None:
    before, after = framework(), framework(label="2")
    with pytest.raises(InputError, match="is an account of other versions") as caught:
        diff(before, after, account_of(after, before))
    assert before.digest in caught.value.next_step


def test_frameworks_of_two_developers_are_refused() -> None:
    with pytest.raises(InputError, match="is a framework of another"):
        diff(framework(), framework(developer="another"))


def test_a_diff_says_when_two_hands_wrote_the_versions_down() -> None:
    assert diff(framework(), framework()).same_recorder
    assert not diff(framework(), framework(recorded_by="GB")).same_recorder


def test_where_it_was_read_is_no_change() -> None:
    assert (
        seen(diff(framework(), framework(threshold(assumed=("three labs",)), as_of="2026"))) == []
    )


def test_a_language_that_nobody_knows_is_shown_by_its_tag() -> None:
    odd = threshold("odd", bound(languages=("qqq",), task="another"), title="theft of weights")
    change = one(framework(threshold(), odd), framework(threshold()))
    assert "at most 0.5 in qqq" in str(change.before)


@given(FRAMEWORKS)
def test_equal_versions_have_no_changes(version: Framework) -> None:
    assert diff(version, version).changes == ()


def turned(change: Change) -> Change:
    """Return a change as it reads backwards."""
    return replace(
        change,
        key=change.new_key,
        new_key=change.key,
        effect=OPPOSITE[change.effect],
        before=change.after,
        after=change.before,
        rule={3: 4, 4: 3}.get(change.rule, change.rule),
    )


@given(FRAMEWORKS, FRAMEWORKS)
def test_backwards_each_change_is_its_opposite(before: Framework, after: Framework) -> None:
    there, back = diff(before, after).changes, diff(after, before).changes
    assert Counter(there) == Counter(turned(change) for change in back)


@given(FRAMEWORKS, FRAMEWORKS, st.randoms(use_true_random=False))
def test_the_order_of_thresholds_does_not_matter(
    before: Framework, after: Framework, draw: Any
) -> None:
    mixed = list(after.thresholds)
    draw.shuffle(mixed)
    other = after.model_copy(update={"thresholds": tuple(mixed)})
    found, again = diff(before, after), diff(before, other)
    assert (found.changes, found.thresholds) == (again.changes, again.thresholds)


def test_rule_13_a_scale_whose_steps_change_places_cannot_be_ordered() -> None:
    before = SecurityLevel(scale=("a", "b", "c"), level="b")
    for scale, level in ((("b", "a", "c"), "b"), (("c", "a", "b"), "b")):
        found = of_rules(before, SecurityLevel(scale=scale, level=level))
        assert [rule for rule, _, _ in found] == [13, 13]
    longer = SecurityLevel(scale=("0", "a", "b", "c", "d"), level="b")
    assert of_rules(before, longer) == [(6, "reworded", "scale")]


def test_rule_15_the_developers_own_word_is_what_no_standing_asks_for() -> None:
    own = framework(threshold(standing="developer-alone"))
    assert seen(diff(framework(threshold()), own)) == seen(diff(own, framework(threshold()))) == []


def test_rule_24_due_once_one_of_none_is_due_always() -> None:
    none, one_other = (
        framework(threshold(due_once=keys), threshold("other")) for keys in ((), ("other",))
    )
    assert seen(diff(none, one_other)) == [(24, "weakened", "due-once")]
    assert seen(diff(one_other, none)) == [(24, "strengthened", "due-once")]
    assert seen(diff(none, framework(threshold(), threshold("other")))) == []


def test_rule_22_an_entry_that_says_the_opposite_tells_nothing(
    versions: tuple[Framework, Framework],
) -> None:
    got = told(
        versions,
        Announced(threshold="kept", words="stricter", effect="strengthened"),
        Announced(threshold="gone", words="we keep this", effect="added"),
    )
    assert got["kept force"] == got["kept limit"] == got["gone threshold"] == "silent"
    other = Announced(threshold="kept", words="x", effect="strengthened", aspect="force")
    got = told(versions, other)
    assert (got["kept force"], got["kept limit"]) == ("silent", "partly")
