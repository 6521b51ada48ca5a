# SPDX-License-Identifier: Apache-2.0
"""The rules of ``exercise/explaining/factors.py``, by their numbers."""

import pytest
from exercise_joint import Scored, finding_of
from exercise_small import small_protocol
from sample_finding import MODEL, sample_finding

from countermark.exercise.explaining.factors import MEASURED, OBSERVED, beside, measured, observed
from countermark.exercise.explaining.finding import explain
from countermark.records.finding import Difference, Finding
from countermark.records.finding_figures import FactorFigures
from countermark.records.protocol_parts import Swap
from countermark.records.sample import SampleKey

DIGEST = f"sha256:{'1' * 64}"
FINDING = sample_finding(
    DIGEST, dict.fromkeys(("GB", "JP", "KE", "SG", "FR"), DIGEST), {"en": DIGEST, "fr": DIGEST}
)
SWAPPERS = ("GB-simulated", "JP-simulated")
PROTOCOL = small_protocol(languages=("en",), tasks=("confidential-leak",)).model_copy(
    update={
        "swaps": tuple(Swap(lab=lab, factor="temperature", value="t03") for lab in SWAPPERS),
    }
)
BETWEEN = FactorFigures(
    model=MODEL, task="leak", language="en", factor="temperature", setting="high",
    against="greedy", difference=0.11, lower=-0.02, upper=0.24, p_adjusted=0.09, share=0.25,
)  # fmt: skip
SWAP = BETWEEN.model_copy(update={"designed": SWAPPERS, "share": None, "p_adjusted": 0.01})


def said(finding: Finding, title: str) -> str:
    """All sentences under a heading, with plain spaces."""
    (section,) = (one for one in explain(finding) if one.title == title)
    return " ".join(section.sentences).replace("\N{NO-BREAK SPACE}", " ")


def value(key: SampleKey) -> Scored:
    if key.item.startswith("control-"):
        return 1.0
    return float((sum(key.item.encode()) * 7 + key.epoch * 3) % 10 < (7 if key.arm else 3))


def with_factors(*factors: FactorFigures, aliases: tuple[str, ...] = ()) -> Finding:
    differs = Difference(factor="temperature", aliases=aliases)
    return FINDING.model_copy(update={"factors": factors, "differences": (differs,)})


def test_rule_1_an_exercise_with_swaps_says_what_was_measured_and_by_whom() -> None:
    finding = finding_of(PROTOCOL, dict.fromkeys(("FR-simulated", *SWAPPERS), value))
    (contrast,) = measured(finding)
    assert observed(finding) == ()
    assert OBSERVED not in {section.title for section in explain(finding)}
    words = said(finding, MEASURED)
    assert (
        "GB-simulated and JP-simulated ran the same items with temperature t03 in place of t07 "
        "and nothing else changed (2 labs)."
    ) in words
    assert f"Measured: {100 * contrast.difference:+.1f} points" in words
    assert "FR-simulated" not in words


def test_rule_1_the_two_kinds_are_never_under_one_heading() -> None:
    finding = with_factors(BETWEEN, SWAP)
    assert "not measured by a swap" not in said(finding, MEASURED)
    assert "Measured:" not in said(finding, OBSERVED)
    titles = [section.title for section in explain(finding)]
    assert titles.index(MEASURED) + 1 == titles.index(OBSERVED)


@pytest.mark.parametrize(
    ("aliases", "words"),
    [
        ((), "no other declared setting changed at the same labs; what else is peculiar to these"),
        (("tool",), "tool changed at the same labs, so it may as well be that; what else"),
        (("tool", "prompt"), "tool and prompt changed at the same labs"),
        (("lab",), "no other declared setting changed at the same labs; every lab had a value of"),
        (("tool", "lab"), "so it may as well be that; every lab had a value of its own"),
    ],
)
def test_rule_2_what_a_difference_goes_with_is_named(aliases: tuple[str, ...], words: str) -> None:
    finding = with_factors(BETWEEN, aliases=aliases)
    assert words in beside(finding, "temperature")
    told = f"This is between labs, not measured by a swap: {beside(finding, 'temperature')}."
    assert told in said(finding, OBSERVED)


@pytest.mark.parametrize(("p", "words"), [(0.01, "is shown"), (0.09, "is not shown")])
def test_rule_3_an_effect_is_shown_only_at_five_percent(p: float, words: str) -> None:
    for one, title, what in (
        (SWAP, MEASURED, "an effect"),
        (BETWEEN, OBSERVED, "a difference"),
    ):
        finding = with_factors(one.model_copy(update={"p_adjusted": p}))
        assert f"{what} {words} (p = {p})" in said(finding, title)
