# SPDX-License-Identifier: Apache-2.0
"""What a finding's two kinds of page show of the joint analysis."""

import re
from dataclasses import replace

from sample_book import sample_book
from sample_finding import MODEL
from sample_judges import judged_cell

from countermark.app.site.page import DataFile, Page
from countermark.app.site.pages import all_pages
from countermark.app.site.reference import load_reference
from countermark.records.finding import Difference, Finding
from countermark.records.finding_figures import (
    Bounds,
    FactorFigures,
    LanguageFigures,
    NoEventsFigure,
)

LANGUAGE = LanguageFigures(
    model=MODEL, task="leak", language="fr", reference="en", estimand="generalised",
    difference=-0.31, lower=-0.4, upper=-0.2, level=0.95, margin=0.1, p_adjusted=0.001,
    verdict="different", items=12, items_dropped=2,
)  # fmt: skip
FACTOR = FactorFigures(
    model=MODEL, task="leak", language="en", factor="temperature", setting="high",
    against="greedy", difference=0.11, lower=-0.02, upper=0.24, p_adjusted=0.09, share=0.25,
)  # fmt: skip


def rendered(finding_change: dict[str, object], first_cell: dict[str, object]) -> dict[str, str]:
    """Return the text of every page, tags taken out, and of every file of figures."""
    book = sample_book()
    entries = []
    for entry in book.entries:
        record = entry.record
        if isinstance(record, Finding):
            cell = record.cells[0].model_copy(update=first_cell)
            changed = {"cells": (cell, *record.cells[1:]), **finding_change}
            entries.append(replace(entry, record=record.model_copy(update=changed)))
        else:
            entries.append(entry)
    built = all_pages(replace(book, entries=tuple(entries)), load_reference())
    return {one.path: _text(one) for one in built}


def _text(built: Page | DataFile) -> str:
    if isinstance(built, DataFile):
        return built.body.decode()
    bare = re.sub(r"<[^>]+>", "", built.html.decode())
    return re.sub(r"\s+", " ", bare)


def matching(built: dict[str, str], pattern: str) -> str:
    (text,) = [text for path, text in built.items() if re.fullmatch(pattern, path)]
    return text


FINDING_PAGE = r"findings/[0-9a-f]+/index\.html"
CELL_PAGE = r"findings/.*/leak/en/index\.html"


def test_a_cell_shows_its_methods_side_by_side_and_one_more_lab() -> None:
    text = matching(rendered({}, {}), CELL_PAGE)
    assert "The same rate by other methods" in text
    for words in ("mean squares of lab × item (reported)", "mixed model", "redrawing labs"):
        assert words in text
    assert "62.7% " in text  # The mixed model's, .004 off the reported one.
    assert "One more lab, on these items, would be expected to report 53.3% to 71.3%" in text
    assert "As a consensus of the labs’ rates, which share their items: 62.3%" in text
    assert "For the benchmark rate: a lab more, 240 answers." in text


def test_a_cell_without_an_event_states_what_that_rules_out() -> None:
    none = NoEventsFigure(level=0.95, upper=0.0521, effective_items=57.4)
    text = matching(rendered({}, {"no_events": none}), CELL_PAGE)
    assert "rules out a rate above 5.2% at 95%: it counts 57.4 items" in text


def test_a_cell_shows_what_stands_off_and_by_how_much() -> None:
    (_, finding), *_ = sample_book().of_kind(Finding)
    cell = finding.cells[0]
    assert cell.precision
    labs = (
        cell.labs[0].model_copy(update={"zeta": 1.7654, "mandel_h": -1.234, "mandel_k": 0.987}),
        *cell.labs[1:],
    )
    precision = cell.precision.model_copy(
        update={"h_critical": 1.57, "between_lab_bounds": Bounds(lower=0.011, upper=0.132)}
    )
    text = matching(rendered({}, {"labs": labs, "precision": precision}), CELL_PAGE)
    assert all(figure in text for figure in ("1.77", "−1.23", "0.987"))
    assert "beyond 1.57, by more than chance" in text
    assert "1.1 to 13.2" in text


def test_a_finding_shows_languages_side_by_side_with_their_verdict() -> None:
    built = rendered({"languages": (LANGUAGE,)}, {})
    text = matching(built, FINDING_PAGE)
    table = text[text.index("Language against language") :]
    assert "different" in table
    assert "−31.0 −40.0 to −20.0" in table
    sheet = matching(built, r"findings/[0-9a-f]+/languages\.csv")
    assert f"{MODEL},leak,fr,en,generalised,different,-0.31,-0.4,-0.2,0.95,0.1,0.001,12,2" in sheet


def test_a_finding_shows_what_a_setting_does_and_its_share() -> None:
    text = matching(rendered({"factors": (FACTOR,)}, {}), FINDING_PAGE)
    assert "11.0 −2.0 to 24.0" in text
    assert "No share of the scatter is credited" not in text
    assert "No share of the scatter is credited" in matching(rendered({}, {}), FINDING_PAGE)


def test_what_a_swap_measured_stands_apart_from_differences_between_labs() -> None:
    swap = FACTOR.model_copy(
        update={"designed": ("GB-simulated", "KE-simulated"), "difference": 0.2, "share": None}
    )
    differs = Difference(factor="temperature", aliases=("tool",))
    change: dict[str, object] = {"factors": (FACTOR, swap), "differences": (differs,)}
    built = rendered(change, {})
    page = matching(built, FINDING_PAGE)
    head, _, rest = page.partition("What changing one setting did")
    swapped, _, between = rest.partition("How labs with other settings differ")
    assert "20.0 " in swapped
    assert "GB-simulated, KE-simulated" in swapped
    assert "11.0 −2.0 to 24.0" not in head + swapped
    assert "Not measured by a swap" in between
    assert "Tool changed at the same labs, so it may as well be that" in between
    why = matching(built, WHY_PAGE)
    measured, _, only = why.partition("Only differences between labs")
    assert "GB-simulated and KE-simulated ran the same items" in measured
    assert "This is between labs, not measured by a swap: tool changed" in only
    sheet = matching(built, r"findings/[0-9a-f]+/contrasts\.csv")
    assert "0.09,,swap,GB-simulated KE-simulated" in sheet
    assert "0.09,0.25,between labs," in sheet


def test_without_swaps_nothing_is_called_measured() -> None:
    built = rendered({"factors": (FACTOR,)}, {})
    assert "What changing one setting did" not in matching(built, FINDING_PAGE)
    assert "Nothing was measured by a swap inside a lab." in matching(built, WHY_PAGE)


def test_a_finding_says_what_could_not_be_computed_and_where() -> None:
    text = matching(rendered({}, {}), FINDING_PAGE)
    gaps = text[text.index("What could not be computed") :]
    assert "Languages: The protocol declares no reference language." in gaps
    assert "French): generalised, mixed: The likelihood has no maximum." in gaps.replace(
        "Generalised", "generalised"
    )


def test_a_finding_without_gaps_has_no_such_heading() -> None:
    text = matching(rendered({"gaps": ()}, {}), FINDING_PAGE)
    assert "What could not be computed" not in text


WHY_PAGE = r"findings/[0-9a-f]+/why/index\.html"


def test_the_page_behind_a_finding_says_what_would_change_it() -> None:
    text = matching(rendered({}, {}), WHY_PAGE)
    assert (
        "What would give a result here: answers in this language that people have labelled" in text
    )
    assert "Of all labs, " in text
    assert "in between, the choice or chance decides." in text.replace("\xa0", " ")


def test_the_page_behind_a_finding_names_sources_of_error_and_next_runs() -> None:
    built = rendered({}, {})
    text = matching(built, WHY_PAGE)
    assert "which items were asked" in text
    rows = matching(built, r"findings/[0-9a-f]+/why/errors\.csv").splitlines()
    assert len(rows) > 4
    assert "Which next run would help most" in text
    assert "No published cell has one" not in text


def test_the_page_behind_a_finding_checks_six_qualities_and_adds_nothing_up() -> None:
    text = matching(rendered({}, {}), WHY_PAGE)
    for quality in ("Actionable", "Transparent", "Comprehensive", "Multi-stakeholder", "Iterative"):
        assert quality in text
    assert "Reproducible" in text
    assert "They are not added up." in text
    assert not re.search(r"\b(grade|score of|[0-9]+ of 16)\b", text.lower())


def test_a_cells_page_shows_each_scorer_and_gives_its_figures() -> None:
    built = rendered({}, judged_cell())
    (page,) = [text for text in built.values() if "say the same of" in text]
    assert "none: No answers in en were labelled by people." in page
    assert "say the same of 81 of 90 answers" in page
    assert "SG-c" in page
    sheets = [text for path, text in built.items() if path.endswith("scorers.csv")]
    assert len(sheets) == 1
    assert "second-judge,v2,judge-not-validated,100,96,96,0,0,4," in sheets[0]
