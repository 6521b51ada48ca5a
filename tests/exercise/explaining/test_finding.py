# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import pytest
from exercise_finished import FinishedExercise
from sample_book import sample_book
from sample_finding import sample_finding

from countermark.exercise.explaining.finding import explain, quality_section
from countermark.records.errors import StateError
from countermark.records.finding import Difference, Finding, FindingCell, Gap
from countermark.records.finding_figures import FactorFigures, LanguageFigures, NoEventsFigure
from countermark.taxonomy.languages import language

DIGEST = f"sha256:{'1' * 64}"
FINDING = sample_finding(
    DIGEST, dict.fromkeys(("GB", "JP", "KE", "SG", "FR"), DIGEST), {"en": DIGEST, "fr": DIGEST}
)
LANGUAGE = LanguageFigures(
    model="small-model", task="leak", language="fr", reference="en", estimand="generalised",
    difference=-0.31, lower=-0.4, upper=-0.2, level=0.95, margin=0.1, p_adjusted=0.001,
    verdict="different", items=12, items_dropped=0,
)  # fmt: skip
FACTOR = FactorFigures(
    model="small-model", task="leak", language="en", factor="temperature", setting="high",
    against="greedy", difference=0.11, lower=-0.02, upper=0.24, p_adjusted=0.09,
)  # fmt: skip


def said(finding: Finding, title: str) -> str:
    """All sentences under a heading, with plain spaces."""
    (section,) = (one for one in explain(finding) if one.title == title)
    return " ".join(section.sentences).replace("\N{NO-BREAK SPACE}", " ")


def with_cell(**changes: object) -> Finding:
    cell: FindingCell = FINDING.cells[0].model_copy(update=changes)
    return FINDING.model_copy(update={"cells": (cell, *FINDING.cells[1:])})


def test_the_order_is_that_of_the_report() -> None:
    finding = FINDING.model_copy(update={"languages": (LANGUAGE,), "factors": (FACTOR,)})
    titles = [section.title for section in explain(finding)]
    assert titles[0] == "What was run"
    assert titles[1:3] == ["Did the labs run the same?", "small-model, leak, English"]
    assert titles[-4:] == [
        "Why labs differ",
        "Languages",
        "What could not be computed",
        "What this does not say",
    ]


def test_who_took_part_and_what_differed() -> None:
    words = said(FINDING, "What was run")
    assert "This is a demonstration" in words
    assert "5 labs ran the same protocol" in words
    assert "KE-other is left out: Not revealed." in words
    assert "FR-other is left out: Its seal is bad. " in words
    assert "SG-sim departed from the protocol: An older engine. " in words
    assert "temperature; what it does cannot be told from what system-prompt may do." in words
    assert "same judge; every lab had its own" in words
    both = Difference(factor="tool", aliases=("temperature", "lab"))
    words = said(FINDING.model_copy(update={"differences": (both,)}), "What was run")
    assert "from what temperature may do; every lab had its own" in words


def test_rule_1_every_rate_has_its_estimand_and_interval() -> None:
    words = said(FINDING, "small-model, leak, English")
    assert (
        "On these items, the joint rate is 62.3 % (56.3 % to 68.3 % at 95 %). "
        "It rests on 5 labs and 12 items." in words
    )
    assert "On items like these, the joint rate is 62.3 % (48.3 % to 76.3 %" in words
    assert "one more lab would be expected to report between 53.3 % and 71.3 %" in words
    assert "three methods agree within 0.5 points: mean squares 62.3 %" in words
    assert "a lab more (240 answers) would narrow the interval most" in words


def test_rule_2_a_cell_that_says_nothing_begins_with_its_reason() -> None:
    for title, reason in (
        ("small-model, leak, Japanese", "The model passed 3 of 20 controls"),
        ("small-model, leak, Persian", "Only one lab has scored answers"),
        ("small-model, refusal, Japanese", "No answers in this language were labelled"),
    ):
        assert said(FINDING, title).startswith(f"No result: {reason}")
    assert "say nothing of the model" in said(FINDING, "small-model, leak, Japanese")
    assert "joint rate" not in said(FINDING, "small-model, leak, Persian")


def test_rule_3_the_rate_without_the_judges_errors_leads() -> None:
    words = said(FINDING, "small-model, refusal, English")
    assert "with the judge's errors taken out; as the judge counts, 41.2 %" in words
    assert "It saw 26 of 30 events and let 31 of 34 other answers pass." in words
    assert "errors taken out" not in said(FINDING, "small-model, leak, English")


@pytest.mark.parametrize(
    ("p", "words"),
    [(0.049, "Labs differ by more than chance (p = 0.049)"), (0.05, "It is not shown that labs")],
)
def test_rule_4_labs_differ_only_if_it_is_shown(p: float, words: str) -> None:
    spread = FINDING.cells[0].precision
    assert spread is not None
    changed = with_cell(precision=spread.model_copy(update={"f_p_value": p}))
    assert words in said(changed, "small-model, leak, English")


def test_rule_4_a_lab_stands_out_beyond_the_critical_value() -> None:
    spread = FINDING.cells[0].precision
    assert spread is not None
    limits = spread.model_copy(update={"h_critical": 1.7, "k_critical": 1.5})
    first, *rest = FINDING.cells[0].labs
    for h, k, words in ((1.71, 1.0, "stands out in its rate"), (1.0, 1.51, "repeats itself worse")):
        lab = first.model_copy(update={"mandel_h": h, "mandel_k": k})
        found = said(with_cell(precision=limits, labs=(lab, *rest)), "small-model, leak, English")
        assert words in found
    lab = first.model_copy(update={"mandel_h": 1.7, "mandel_k": 1.5})
    found = said(with_cell(precision=limits, labs=(lab, *rest)), "small-model, leak, English")
    assert "stands out" not in found
    assert "repeats itself" not in found


def test_rule_4_verdicts_on_languages_and_factors() -> None:
    finding = FINDING.model_copy(update={"languages": (LANGUAGE,), "factors": (FACTOR,)})
    words = said(finding, "Languages")
    assert "French is shown to differ from English, on items like these: -31.0 points" in words
    assert "a difference is not shown (p = 0.09)" in said(finding, "Why labs differ")
    for verdict, text in (
        ("non-inferior", "French is shown to be worse than English by less than 10.0 points"),
        ("undetermined", "nothing is shown of French against English"),
    ):
        other = LANGUAGE.model_copy(update={"verdict": verdict})
        assert text in said(FINDING.model_copy(update={"languages": (other,)}), "Languages")


def test_no_event_at_all() -> None:
    bound = NoEventsFigure(effective_items=300, upper=0.00993608, level=0.95)
    words = said(with_cell(no_events=bound), "small-model, leak, English")
    assert "rules out, at 95 %, a rate above 1.0 %: it counts 300 items" in words


def test_labs_that_saw_the_same() -> None:
    same = tuple(lab.model_copy(update={"value": 0.5}) for lab in FINDING.cells[0].labs)
    assert "Each lab's own rate is 50.0 %." in said(
        with_cell(labs=same), "small-model, leak, English"
    )


def test_rule_5_every_gap_is_said_with_its_reason() -> None:
    words = said(FINDING, "What could not be computed")
    for gap in FINDING.gaps:
        assert gap.reason.rstrip(".")[1:] in words
    assert "Rates (small-model, leak, French): " in words
    without = FINDING.model_copy(update={"gaps": ()})
    assert "What could not be computed" not in [one.title for one in explain(without)]
    other = Gap(section="between-labs", reason="no reason to speak of")
    words = said(FINDING.model_copy(update={"gaps": (other,)}), "What could not be computed")
    assert words == "Between labs: No reason to speak of."


def test_rule_6_nothing_is_said_of_a_threshold() -> None:
    assert "countermark gate decide" in said(FINDING, "What this does not say")


def test_a_computed_finding_is_explained_whole(
    finished_exercise: FinishedExercise,
) -> None:
    finding = finished_exercise.outcome.finding
    sections = explain(finding)
    assert len([one for one in sections if one.title.startswith("smollm2")]) == len(finding.cells)
    assert all(section.sentences for section in sections)


def test_rule_7_every_cell_says_what_would_change_its_conclusion() -> None:
    named = {section.title: " ".join(section.sentences) for section in explain(FINDING)}
    for cell in FINDING.cells:
        text = named[f"{cell.model}, {cell.task}, {language(cell.language).english}"]
        wanted = "choices" if cell.status == "reported" else "What would give a result here"
        assert (wanted in text) or cell.status == "not-informative"


def test_the_six_qualities_are_told_from_what_the_record_holds() -> None:
    book = sample_book()
    (_, finding), *_ = book.of_kind(Finding)
    sentences = quality_section(finding, book).sentences
    assert len(sentences) == 16
    assert any(
        "thresholds were held against it: shown (3 decisions in this record)" in one
        for one in sentences
    )
    without = replace(
        book, entries=tuple(one for one in book.entries if one.digest != finding.protocol)
    )
    with pytest.raises(StateError, match="does not hold the protocol"):
        quality_section(finding, without)
