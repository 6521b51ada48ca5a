# SPDX-License-Identifier: Apache-2.0
"""What holds of the gate for any evidence: order, duplicates, adverse evidence, wide intervals."""

from dataclasses import replace
from datetime import date
from typing import Any

from hand_made_case import (
    COMPUTE,
    COST,
    FILTER,
    LEVEL,
    MONTHS,
    SECURITY,
    TIER,
    determined,
    regression,
    uplift,
)
from hand_made_finding import case, cell, figures, finding, framework, limit, threshold
from hypothesis import given, settings
from hypothesis import strategies as st

from countermark.commitments.case import Case, DatedFinding
from countermark.commitments.gate import decide
from countermark.records.decision import Decision, ThresholdOutcome
from countermark.records.determination import Determination
from countermark.records.finding import Finding
from countermark.records.finding_figures import LabFigures
from countermark.records.framework import Framework
from countermark.records.threshold_rules import ThresholdRule

AT = date(2026, 11, 29)
RULES: list[ThresholdRule] = [limit(), LEVEL, TIER, COST, COMPUTE, MONTHS, SECURITY, regression()]
SNAPSHOTS = ("sha256:" + "a" * 64, "sha256:" + "b" * 64)
KNOWN = st.tuples(
    st.sampled_from([None, "2026-10-01", "2025-01-01"]),
    st.sampled_from([(), *((("m", one),) for one in SNAPSHOTS)]),
)  # the same finding may be known with and without its day and snapshot
BY_EVIL = {"MAY": 0, "NOT ENOUGH EVIDENCE": 1, "MUST NOT": 2}


def ask(question: Case) -> Decision:
    return decide(question, decided_by="GB")


def one(question: Case) -> ThresholdOutcome:
    (found,) = ask(question).outcomes
    return found


def labs(*institutes: str) -> tuple[LabFigures, ...]:
    return tuple(
        LabFigures(institute=code, lab=f"{code}-a", value=0.1, lower=0, upper=1, scored=9, events=1)
        for code in institutes
    )


@st.composite
def questions(draw: st.DrawFn) -> Case:
    rule = draw(st.sampled_from(RULES))
    reachable = rule.kind not in ("trigger", "security-level")
    promised = framework(
        threshold(
            rule,
            mitigations=("filter",) if draw(st.booleans()) else None,
            maximum_age_months=draw(st.sampled_from([None, 6])),
            standing=draw(st.sampled_from([None, "one-institute", "several-institutes"])),
        ),
        *(
            (threshold(SECURITY, key="safe", due_once=("t",)),)
            if reachable and draw(st.booleans())
            else ()
        ),
        mitigations=(FILTER,),
    )
    tested = draw(
        st.lists(st.builds(_tested, st.floats(0.005, 0.6), st.floats(0.001, 0.05)), max_size=3)
    )
    said = draw(st.lists(_determinations(promised), max_size=4))
    return case(
        promised,
        determinations=tuple(said),
        mitigated=("g",),
        at=AT,
        identity=draw(st.sampled_from([None, SNAPSHOTS[0]])),
        tested_more=[DatedFinding(one, *draw(KNOWN)) for one in tested for _ in range(2)],
    )


def _tested(value: float, se: float) -> Finding:
    cells = [
        cell(*figures(value, se), model=name, labs=labs("GB", "JP")) for name in ("m", "old", "g")
    ]
    return finding(*cells)


def _determinations(promised: Framework) -> st.SearchStrategy[Determination]:
    return st.builds(
        lambda word, **changes: determined(promised, word, **changes),
        st.sampled_from(["yes", "no", "unclear"]),
        subject=st.sampled_from(["threshold", "threshold", "mitigation", "duty"]),
        key=st.sampled_from(["t", "t", "safe", "filter"]),
        model=st.sampled_from(["m", "g"]),
        level=st.sampled_from([None, "low", "critical", "MR1", "SML-1", "SML-3"]),
        quantity=st.sampled_from([None, 1.0, 50.0]),
        unit=st.sampled_from([None, "times", "months"]),
        date=st.sampled_from(["2025-01-01", "2026-11-01", "2026-11", "2026"]),
        determined_by=st.sampled_from(["GB", "JP", "example", "beta"]),
        identity=st.sampled_from([None, *SNAPSHOTS]),
        mitigations=st.sampled_from([None, None, ("filter",), ("filter", "other"), ("other",)]),
    )


@settings(max_examples=120)
@given(questions(), st.randoms(use_true_random=False))
def test_order_and_duplicates_of_evidence_change_nothing(question: Case, chance: Any) -> None:
    tested, said = [*question.tested] * 2, [*question.determinations] * 2
    chance.shuffle(tested)
    chance.shuffle(said)
    other = replace(question, tested=tuple(tested), determinations=tuple(said))
    assert ask(other) == ask(question)


@settings(max_examples=120)
@given(questions(), st.floats(0.3, 0.9), st.floats(0.001, 0.01))
def test_more_adverse_evidence_never_allows_more(question: Case, value: float, se: float) -> None:
    promised = question.framework
    adverse_cells = [
        cell(*figures(value, se), model=name, labs=labs("GB", "JP")) for name in ("m", "g")
    ]
    adverse = DatedFinding(
        finding(*adverse_cells, cell(*figures(0.1, 0.2), model="old")), "2026-11-02"
    )
    words = tuple(
        determined(promised, word, determined_by="KE", level="SML-1", quantity=99.0, unit="times",
                   date="2026-11-28")
        for word in ("yes", "unclear")
    )  # fmt: skip
    before = ask(question).verdict
    for more in (
        replace(question, tested=(*question.tested, adverse)),
        replace(question, determinations=(*question.determinations, *words)),
        replace(question, determinations=(*question.determinations, words[1])),
    ):
        assert BY_EVIL[ask(more).verdict] >= BY_EVIL[before] or before == "MUST NOT"
        assert before == "MAY" or ask(more).verdict != "MAY"


@settings(max_examples=80)
@given(
    st.sampled_from([limit(), regression(), uplift()]),
    st.floats(0.01, 0.6),
    st.floats(0.001, 0.03),
    st.floats(1, 30),
)
def test_wider_intervals_never_decide_more(
    rule: ThresholdRule, value: float, se: float, factor: float
) -> None:
    def known(width: float) -> Finding:
        return finding(
            cell(*figures(value, width)),
            cell(*figures(0.1, width), model="old"),
            cell(*figures(0.1, width), task="alone"),
        )

    promised = framework(threshold(rule))
    narrow, wide = (one(case(promised, known(width))).state for width in (se, se * factor))
    assert wide in (narrow, "undetermined")
