# SPDX-License-Identifier: Apache-2.0
"""A decision in svr words, rule by rule."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from exercise_small import small_protocol
from hand_made_case import FILTER, determined
from hand_made_finding import case, cell, figures, finding, framework, limit, threshold
from in_toto_schemas import SVR, faults, statement

from countermark.commitments import exporting
from countermark.commitments.case import DatedFinding
from countermark.commitments.exporting import as_svr
from countermark.commitments.gate import decide
from countermark.records.decision import Decision
from countermark.records.errors import InputError, VerificationError
from countermark.records.finding import Finding
from countermark.records.framework import Action, Framework
from countermark.records.protocol import ModelUnderTest

MODEL = ModelUnderTest(key="m", title="M", provider="p/m", snapshot="sha256:" + "d" * 64)
PROTOCOL = small_protocol().model_copy(update={"models": (MODEL,)})
AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
# Rates of 2 % in English and 50 % in French.
FOUND = finding(cell(*figures(0.02)), cell(*figures(0.5), language="fr")).model_copy(
    update={"protocol": PROTOCOL.digest}
)
KEPT, CROSSED = threshold(key="kept"), threshold(limit(languages=("fr",)), key="crossed")
OPEN = threshold(limit(languages=("ja",)), key="open")


def decided(promised: Framework, found: Finding = FOUND, action: Action = "deploy") -> Decision:
    return decide(case(promised, found, action=action), decided_by="GB")


def svr(promised: Framework, found: Finding = FOUND, action: Action = "deploy") -> dict[str, Any]:
    decision = decided(promised, found, action)
    value = as_svr(
        decision, case(promised, found, action=action), PROTOCOL, verifier="GB", at=AT
    ).to_value()
    assert faults(statement(exporting.SVR, SVR), value) == []
    return value


def properties(promised: Framework, **more: Any) -> list[str]:
    said: list[str] = svr(promised, **more)["predicate"]["properties"]
    return said


def test_rule_1_the_subject_is_the_model_and_the_rest_is_named_by_digest() -> None:
    promised = framework(KEPT)
    value = svr(promised)
    assert value["subject"] == [{"name": "m", "digest": {"sha256": "d" * 64}}]
    said = value["predicate"]
    assert said["verifier"]["id"] == "urn:countermark:gate:v1:GB"
    assert said["timeCreated"] == "2026-03-01T12:00:00Z"
    (policy,) = said["verifier"]["policies"]
    assert policy["digest"]["sha256"] == promised.digest[7:]
    assert said["countermarkDecision"]["digest"]["sha256"] == decided(promised).digest[7:]
    assert said["countermarkFinding"]["digest"]["sha256"] == FOUND.digest[7:]


def test_rule_2_only_may_says_may() -> None:
    assert properties(framework(KEPT)) == ["COUNTERMARK_MAY_DEPLOY", "COUNTERMARK_KEPT:kept"]
    develop = threshold(key="kept", actions=("develop",))
    assert "COUNTERMARK_MAY_DEVELOP" in properties(framework(develop), action="develop")
    for other, verdict in ((CROSSED, "MUST NOT"), (OPEN, "NOT ENOUGH EVIDENCE")):
        assert decided(framework(KEPT, other)).verdict == verdict
        assert not any("MAY" in one for one in properties(framework(KEPT, other)))


def test_rule_3_only_what_was_kept_is_listed() -> None:
    assert properties(framework(KEPT, CROSSED, OPEN)) == ["COUNTERMARK_KEPT:kept"]
    assert properties(framework(CROSSED)) == []
    assert properties(framework(OPEN)) == []


def test_rule_3_what_is_mitigated_is_not_listed_as_kept() -> None:
    promised = framework(threshold(mitigations=("filter",)), mitigations=(FILTER,))
    said = determined(promised, "yes", subject="mitigation", key="filter", model="g",
                      date="2026-02-01")  # fmt: skip
    both = finding(cell(*figures(0.5)), cell(*figures(0.02), model="g"))
    found = both.model_copy(update={"protocol": PROTOCOL.digest})
    question = case(promised, found, determinations=(said,), mitigated=("g",))
    decision = decide(question, decided_by="GB")
    value: Any = as_svr(decision, question, PROTOCOL, verifier="GB", at=AT).to_value()
    assert value["predicate"]["properties"] == ["COUNTERMARK_MAY_DEPLOY"]


@pytest.mark.parametrize("status", ["superseded", "withdrawn"])
def test_rule_4_a_framework_that_is_not_in_force_shows_nothing(status: str) -> None:
    promised = framework(KEPT, status=status)
    assert decided(promised).outcomes[0].state == "kept"
    assert properties(promised) == []


def test_rule_5_a_demonstration_has_other_properties() -> None:
    assert properties(framework(KEPT, demonstration=True)) == [
        "COUNTERMARK_DEMONSTRATION_MAY_DEPLOY",
        "COUNTERMARK_DEMONSTRATION_KEPT:kept",
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": "MAY"},
        {"outcomes": decided(framework(KEPT)).outcomes},
        {"outcomes": ()},
        {"demonstration": True},
    ],
)
def test_rule_6_a_decision_that_the_gate_does_not_give_is_refused(change: dict[str, Any]) -> None:
    promised = framework(CROSSED)
    forged = decided(promised).model_copy(update=change)
    with pytest.raises(VerificationError, match="what the gate does not"):
        as_svr(forged, case(promised, FOUND), PROTOCOL, verifier="GB", at=AT)


def test_what_does_not_belong_together_is_refused() -> None:
    promised, decision = framework(KEPT), decided(framework(KEPT))
    other = finding(cell(*figures(0.03)))
    for known, protocol, said in (
        (case(framework(CROSSED), FOUND), PROTOCOL, "the framework"),
        (case(promised, other), PROTOCOL, "the finding"),
        (case(promised), PROTOCOL, "the finding"),
        (case(promised, FOUND), small_protocol(), "the protocol"),
    ):
        with pytest.raises(InputError, match=said):
            as_svr(decision, known, protocol, verifier="GB", at=AT)
    question = case(promised, FOUND, model="other")
    stranger = decide(question, decided_by="GB")
    with pytest.raises(InputError, match="which the protocol does not have"):
        as_svr(stranger, question, PROTOCOL, verifier="GB", at=AT)
    several = decide(case(promised, FOUND, other), decided_by="GB")
    with pytest.raises(InputError, match=r"the (evidence|finding)"):
        as_svr(several, case(promised, FOUND), PROTOCOL, verifier="GB", at=AT)
    none = decide(case(promised), decided_by="GB")
    with pytest.raises(InputError, match="rests on no finding"):
        as_svr(none, case(promised), PROTOCOL, verifier="GB", at=AT)


def test_rule_6_what_no_longer_follows_on_the_day_of_the_export_is_refused() -> None:
    promised = framework(threshold(key="kept", maximum_age_months=6))
    question = replace(case(promised), tested=(DatedFinding(FOUND, "2025-01-01"),))
    early = replace(question, at=date(2025, 2, 1))
    for then in (early, replace(question, at=None)):
        decision = decide(then, decided_by="GB")
        with pytest.raises(VerificationError, match="what the gate does not"):
            as_svr(decision, then, PROTOCOL, verifier="GB", at=AT)


def test_rule_7_a_decision_about_another_snapshot_is_refused() -> None:
    promised = framework(KEPT)
    for letter, refused in (("d", False), ("e", True)):
        question = case(promised, FOUND, identity="sha256:" + letter * 64)
        decision = decide(question, decided_by="GB")
        assert decision.verdict == "MAY"
        if refused:
            with pytest.raises(InputError, match="the snapshot"):
                as_svr(decision, question, PROTOCOL, verifier="GB", at=AT)
        else:
            as_svr(decision, question, PROTOCOL, verifier="GB", at=AT)
