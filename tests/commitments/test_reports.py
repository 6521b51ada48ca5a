# SPDX-License-Identifier: Apache-2.0
"""Reports filled from records, rule by rule."""

import json
import re
from typing import Any

import pytest
from hand_made_finding import cell, figures, finding, framework
from hypothesis import given
from hypothesis import strategies as st
from reported_evidence import DECIDED, FOUND, FULL, determined

from countermark.commitments.law import instrument
from countermark.commitments.reports import (
    REPORTS,
    Report,
    as_markdown,
    as_value,
    fill,
    outline,
)
from countermark.records.errors import InputError
from countermark.records.framework import Framework

each_report = pytest.mark.parametrize("key", REPORTS)
JUDGED = (determined(), determined(subject="threshold", key="leaks", conclusion="no"))


def filled(key: str, promised: Framework = FULL, **evidence: Any) -> Report:
    given_: dict[str, Any] = {
        "findings": (FOUND,), "decisions": (DECIDED,), "determinations": JUDGED,
    }  # fmt: skip
    return fill(outline(key), promised, **given_ | evidence)


def said(report: Report, field: str) -> str:
    (one,) = (one for one in report.fields if one.field.key == field)
    return "\n".join(entry.words for entry in one.entries)


def state(report: Report, field: str) -> str:
    (one,) = (one for one in report.fields if one.field.key == field)
    return one.state


@each_report
def test_every_outline_cites_its_instrument_and_names_each_field_once(key: str) -> None:
    asked = outline(key)
    assert asked.key == key
    assert instrument(asked.instrument).cited(asked.source).title
    keys = [one.key for one in asked.fields]
    assert len(set(keys)) == len(keys)


@each_report
def test_rule_1_the_document_cites_each_record_by_a_number_of_its_own(key: str) -> None:
    text, _, listed = as_markdown(filled(key)).partition("\n## Records\n")
    numbers = dict(re.findall(r"^(\d+)\. [a-z-]+ `(sha256:[0-9a-f]{64})`, by ", listed, re.M))
    assert set(re.findall(r" \[(\d+)\]$", text, re.M)) == set(numbers)
    records = {one.digest for one in (FULL, FOUND, DECIDED, *JUDGED)}
    assert len(set(numbers.values())) == len(numbers)
    assert set(numbers.values()) <= records


@each_report
def test_rule_1_every_entry_names_its_record_and_author(key: str) -> None:
    records = {one.digest: one for one in (FULL, FOUND, DECIDED, *JUDGED)}
    for one in filled(key).fields:
        for entry in one.entries:
            record = records[entry.digest]
            assert (entry.kind, entry.author) == (record.kind_name(), record.speaker)


@each_report
def test_rule_2_what_no_record_tells_is_missing_and_says_what_would_fill_it(key: str) -> None:
    report = fill(outline(key), framework(), model="m")
    missing = [one for one in report.fields if one.state == "missing"]
    assert missing
    for one in missing:
        assert one.entries == ()
        assert one.needs == one.field.missing
    with_all = [one.field.key for one in filled(key).fields if one.state == "missing"]
    assert set(with_all) <= {one.field.key for one in missing}
    # With everything on record, only what nobody records stays missing.
    assert all(one.fillers == () for one in outline(key).fields if one.key in with_all)


@each_report
def test_rule_3_a_field_beyond_the_records_is_filled_in_part(key: str) -> None:
    for one in filled(key).fields:
        assert (one.state == "in part") == bool(one.entries and one.field.beyond)
        assert (one.needs is None) == (one.state == "filled")


@pytest.mark.parametrize(
    ("evidence", "message"),
    [
        ({"decisions": (DECIDED.model_copy(update={"framework": FOUND.digest}),)},
         "the decision sha256:.* is about another framework"),
        ({"determinations": (determined(framework()),)}, "determination .* another framework"),
        ({"determinations": (determined(model="other"),), "model": "m"}, "about the model other"),
        ({"findings": (finding(cell(*figures(0.1), model="other")),)}, "no cell of the model m"),
    ],
)  # fmt: skip
def test_rule_4_evidence_about_something_else_is_refused(
    evidence: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        filled("eu-code", **evidence)


def test_the_model_is_asked_for_where_the_evidence_does_not_tell() -> None:
    none: dict[str, Any] = {"findings": (), "decisions": (), "determinations": ()}
    with pytest.raises(InputError, match="about 0 models"):
        filled("haip", **none)
    with pytest.raises(InputError, match="about 2 models") as refused:
        filled("haip", **none | {"findings": (FOUND,)})
    assert "m, other" in refused.value.next_step
    assert filled("haip", **none | {"findings": (FOUND,)}, model="other").model == "other"


def test_rule_5_a_promised_measure_is_not_told_as_one_in_place() -> None:
    told = said(filled("eu-code"), "7.3-2")
    assert "promised: a filter on answers (filter)\n" in f"{told}\n"
    assert "mitigation filter found in place on 2026-11-20" in told
    vault = said(filled("eu-code"), "7.3-3")
    assert "a vault for weights (vault); no determination shows it in place" in vault


def test_rule_5_a_determination_is_told_with_its_conclusion() -> None:
    refuted = determined(conclusion="no", reasons="it was switched off")
    told = said(filled("sb53", determinations=(refuted,)), "steps")
    assert "mitigation filter found not in place" in told
    assert "it was switched off" in told


def test_rule_6_a_cell_without_a_sound_rate_has_a_reason_and_no_rate() -> None:
    results, unsure = (said(filled("eu-code"), field) for field in ("7.3-1e", "7.3-1b"))
    assert "leak, English: 2.0%, 95% interval" in results
    assert "French" not in results
    assert "leak, French: judge not validated: nobody labelled answers" in unsure
    assert "0.5" not in results, "another model's rate is passed over"


@given(st.permutations([*JUDGED, *JUDGED, determined(subject="duty", key="d")]))
def test_rule_7_order_and_duplicates_do_not_matter(order: list[Any]) -> None:
    own = (*JUDGED, determined(subject="duty", key="d"))
    again = filled("sb53", determinations=order, findings=(FOUND, FOUND))
    assert as_value(again) == as_value(filled("sb53", determinations=own))


def test_rule_8_a_demonstration_is_called_one() -> None:
    assert not filled("haip").demonstration
    shown = filled("haip", determinations=(determined(demonstration=True),))
    assert shown.demonstration
    assert "**Demonstration" in as_markdown(shown)
    assert as_value(shown)["demonstration"] is True


@each_report
def test_rule_9_an_outline_of_an_older_form_says_so_with_date_and_source(key: str) -> None:
    report = filled(key)
    edition, text = report.outline.edition, as_markdown(report)
    top = text[: text.index("\n## ")]
    if edition is None:
        assert "in use since" not in text
        assert as_value(report)["edition"] is None
        return
    told = report.instrument.cited(edition.source)
    flat = " ".join(top.split())
    assert f"**This follows {edition.follows}. {edition.newer} is in use since" in flat
    assert f"{edition.since}** ({told.title}, {told.publisher}, {told.standing} source" in flat
    value: Any = as_value(report)["edition"]
    assert (value["newer"], value["since"]) == (edition.newer, edition.since)


def test_rule_9_hiroshima_reporting_has_a_second_version_since_may_2026() -> None:
    edition = outline("haip").edition
    assert edition is not None
    assert (edition.newer, edition.since) == ("Version 2.0", "2026-05-28")
    (phase,) = (
        one for one in instrument("hiroshima-reporting").phases if one.since == "2026-05-28"
    )
    assert phase.source == edition.source


@each_report
def test_both_forms_hold_every_field_and_its_state(key: str) -> None:
    report = filled(key)
    value, text = as_value(report), as_markdown(report)
    assert json.loads(json.dumps(value)) == value
    fields: Any = value["fields"]
    assert [one["id"] for one in fields] == [one.key for one in outline(key).fields]
    assert re.findall(r"^## (\S+):", text, re.MULTILINE) == [one["id"] for one in fields]
    for one in fields:
        assert f"*{one['provision']}; {one['state']}*" in text
    assert text.count("**Needed:**") == sum("needs" in one for one in fields)
    assert "no legal advice" in text


def test_texts_of_records_cannot_add_markup_or_fields() -> None:
    hostile = determined(
        reasons="fine\n\n## 9: All is well\n<script>alert(1)</script> [x](http://y)"
    )
    text = as_markdown(filled("eu-code", determinations=(hostile,)))
    assert "## 9" not in text
    assert "<script" not in text
    assert "[x](" not in text
    assert r"\[x\]" in text
