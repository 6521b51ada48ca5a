# SPDX-License-Identifier: Apache-2.0
"""The rules of ``exercise/exporting/evidence.py``, by their numbers."""

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from exercise_joint import Outcome, Scored, revealed
from exercise_lab import Lab, honest_samples, one_cell
from exercise_small import small_protocol
from exercise_steps import At
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from other_tools import fixture

from countermark.exercise.exporting.every_eval_ever import Exported, Source
from countermark.exercise.exporting.evidence import export_evidence, records_of
from countermark.exercise.reading import every_eval_ever
from countermark.exercise.reading.summary import RunSummary, summarise
from countermark.exercise.revealing.checking import Revealed
from countermark.exercise.revealing.seal import close, opened
from countermark.node.blobs import Blobs, blob_path
from countermark.node.book import Book
from countermark.node.index import book
from countermark.records.errors import InputError
from countermark.records.evidence import CellCounts, Evidence
from countermark.records.protocol import Protocol
from countermark.records.protocol_parts import DisclosurePlan, Swap
from countermark.records.sample import SampleKey

SOURCE = Source("Institute JP", "third_party", 1_750_000_000, "JP-simulated")
PROTOCOL = small_protocol(languages=("en",))
SWAPPED = PROTOCOL.model_copy(
    update={"swaps": (Swap(lab="JP-simulated", factor="temperature", value="t03"),)}
)
LAB = "JP-simulated"
ASKED: Any = {"today": "2026-11-29", "retrieved": 1, "relationship": "third_party"}
OUTCOMES: tuple[Outcome, ...] = ("refused", "errored", "missing")


def scores_of(values: Mapping[str, Scored], other: Scored = 1.0) -> Callable[[SampleKey], Scored]:
    return lambda key: values.get(key.text, other)


def shown(found: Revealed, *, scores: Any = None, transcript: Any = None) -> Revealed:
    """Return checked evidence with parts of it closed."""
    never = scores or (lambda _: False)
    samples = tuple(close(found.samples, scores=never, transcript=transcript or (lambda _: False)))
    evidence = found.evidence.model_copy(update={"opened": opened(samples)})
    return replace(found, samples=samples, evidence=evidence)


def read_again(exported: Exported) -> RunSummary:
    """Read a record and its samples with our own reader."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / exported.record_path.name
        path.write_text(json.dumps(exported.record))
        (path.parent / exported.samples_path.name).write_bytes(b"".join(exported.rows()))
        (run,) = every_eval_ever.read(path)
        return summarise(run)


def details(exported: Exported) -> dict[str, dict[str, str]]:
    return {
        one["metric_config"]["metric_name"]: one["score_details"]["details"]
        for one in exported.record["evaluation_results"]
    }


def where(exported: Exported) -> dict[str, str]:
    return dict(exported.record["source_metadata"]["additional_details"])


@st.composite
def values(draw: st.DrawFn) -> dict[str, Scored]:
    found = revealed(SWAPPED, LAB, lambda _: 1.0).scores or ()
    value = st.one_of(st.sampled_from((0.0, 1.0, 0.25)), st.none(), st.sampled_from(OUTCOMES))
    return {one.key.text: draw(value) for one in found}


@settings(max_examples=25)
@given(values(), st.sets(st.sampled_from(("sick-note", "direct-order", "control-name"))))
def test_a_record_is_read_back_to_the_counts_and_means_of_the_evidence(
    chosen: dict[str, Scored], closed: set[str]
) -> None:
    found = shown(
        revealed(SWAPPED, LAB, scores_of(chosen)), transcript=lambda key: key.item in closed
    )
    made, without = records_of(SWAPPED, found, SOURCE)
    cells: dict[str, CellCounts] = {
        "/".join(part for part in (one.task, one.language, one.arm) if part): one
        for one in found.evidence.counts
    }
    assert len(made) + len(without) == len(cells) == 4
    for record in made:
        again = read_again(record)
        counts = cells.pop(again.run.task)
        assert again.submitted == counts.submitted
        told = details(record)
        for one in counts.scorers:
            name = f"{one.scorer}/{one.version}"
            numbers = [
                score.value
                for sample in found.scores or ()
                if (sample.key.task, sample.key.arm) == (counts.task, counts.arm)
                for score in sample.scores
                if score.scorer == one.scorer and score.value is not None
            ]
            assert len(numbers) == one.scored
            if one.scored == 0:
                assert name not in told
                continue
            assert again.scores[name].scored == one.scored
            assert again.scores[name].mean == pytest.approx(sum(numbers) / len(numbers))
            assert told[name].get("unparsed", "0") == str(one.unparsed)
            assert told[name].get("not-attempted", "0") == str(one.not_attempted)
            for outcome in ("submitted", "answered", "refused", "errored", "missing"):
                assert told[name].get(outcome, "0") == str(getattr(counts, outcome))
    assert all(all(one.scored == 0 for one in counts.scorers) for counts in cells.values())


def test_rule_2_a_cell_with_a_closed_score_is_left_out_with_its_counts() -> None:
    found = revealed(PROTOCOL, LAB, lambda _: 1.0)
    one_closed = shown(found, scores=lambda key: key.item == "sick-note" and key.epoch == 1)
    made, without = records_of(PROTOCOL, one_closed, SOURCE)
    assert [where(one)["model_under_test"] for one in made] == [PROTOCOL.models[0].key]
    assert without == (f"{LAB}: smollm2-135m/mild-refusal/en: 1 of 6 scores are closed",)
    made, without = records_of(PROTOCOL, shown(found, scores=lambda _: True), SOURCE)
    assert (made, len(without)) == ((), 2)


def test_rule_2_a_cell_without_a_number_is_left_out() -> None:
    found = revealed(PROTOCOL, LAB, lambda _: None)
    made, without = records_of(PROTOCOL, found, SOURCE)
    assert made == ()
    assert without[1] == f"{LAB}: smollm2-135m/mild-refusal/en: none of 6 samples is scored"


def test_rule_3_and_4_text_comes_from_open_transcripts_only(tmp_path: Path) -> None:
    protocol = one_cell()
    samples = honest_samples(tmp_path, protocol, LAB)
    closed = {"pretext-repair"}

    def some(all_: Any) -> Any:
        return tuple(close(all_, scores=lambda _: False, transcript=lambda k: k.item in closed))

    found = Lab(protocol, samples, shown=some).reveal()
    ((record,), without) = records_of(protocol, found, SOURCE)
    assert without == ()
    rows = [json.loads(row) for row in record.rows()]
    assert len(rows) == 8
    assert where(record)["transcripts_closed"] == "2"
    for row in rows:
        if row["sample_id"] in closed:
            assert (row["input"]["raw"], row["output"]["raw"]) == ("", [])
            assert "sample_hash" not in row
            assert row["metadata"]["transcript"] == "closed"
        else:
            assert row["output"]["raw"] != []
            assert "transcript" not in row["metadata"]
    written = json.dumps(record.record) + "".join(map(json.dumps, rows))
    (item,) = (one for one in protocol.tasks[0].items if one.key in closed)
    text = item.text("en")
    assert text is not None
    assert text.prompt is not None
    assert text.prompt not in written
    hidden = [one.transcript.messages[-1].content for one in samples
              if one.scores.key.item in closed]  # fmt: skip
    told = [one.transcript.messages[-1].content for one in samples
            if one.scores.key.item not in closed]  # fmt: skip
    assert set(hidden) - set(told)
    assert not any(json.dumps(answer) in written for answer in set(hidden) - set(told))
    again = read_again(record)
    assert again.submitted == 8
    assert sum(one.scored for one in again.scores.values()) == 8


def test_rule_4_a_pseudonymous_model_stays_so_where_the_private_part_is_open() -> None:
    (model,) = PROTOCOL.models
    hidden = model.model_copy(update={"provider": None, "snapshot": None})
    frozen = PROTOCOL.model_copy(update={"models": (hidden,)})
    opened_here = frozen.opened((model,), frozen.tasks)
    made, _ = records_of(opened_here, revealed(frozen, LAB, lambda _: 1.0), SOURCE)
    assert len(made) == 2
    for one in made:
        assert one.record["model_info"]["id"] == model.key
        assert (model.provider or "") not in json.dumps(one.record)


def test_rule_5_scorers_have_their_version_and_the_protocols_direction() -> None:
    made, _ = records_of(PROTOCOL, revealed(PROTOCOL, LAB, lambda _: 1.0), SOURCE)
    directions = {
        one["metric_config"]["metric_name"]: one["metric_config"]["lower_is_better"]
        for record in made
        for one in record.record["evaluation_results"]
    }
    worse = {task.scorer.key: task.worse for task in PROTOCOL.tasks}
    for name, lower in directions.items():
        assert lower == (worse.get(name.partition("/")[0]) == "higher")
    assert set(directions.values()) == {True, False}
    assert all(name.partition("/")[2] for name in directions)


def test_rule_6_the_statement_can_be_found_from_the_record() -> None:
    found = revealed(SWAPPED, LAB, lambda _: 1.0)
    made, _ = records_of(SWAPPED, found, SOURCE)
    assert len({one.record["evaluation_id"] for one in made}) == len(made) == 4
    assert [where(one).get("arm") for one in made] == [None, None, *["temperature.t03"] * 2]
    for one in made:
        said = where(one)
        assert said["statement"] == found.evidence.digest
        assert (said["log"], said["place_in_log"]) == (found.entry.origin, str(found.entry.index))
        assert (said["protocol"], said["seal"]) == (SWAPPED.digest, found.evidence.seal)
        assert one.record["source_metadata"]["source_organization_name"] == "Institute JP"
        assert said["demonstration"] == "true"


def test_rule_1_an_exercise_is_exported_lab_by_lab(at: At) -> None:
    cast = at("revealed")
    node = cast.institutes["GB"]
    protocol = next(record for _, record in book(node).of_kind(Protocol))
    made, without = export_evidence(book(node), node.blobs, protocol, **ASKED)
    assert without == ()
    assert len(made) == 4 * 2 * 2
    names = {one.record["source_metadata"]["source_organization_name"] for one in made}
    assert names == {node.roster.party(code).name for code in protocol.participants}  # type: ignore[union-attr]


def test_rule_1_what_is_not_here_or_was_changed_is_left_out_and_named(at: At) -> None:
    cast = at("revealed")
    node = cast.institutes["GB"]
    known = book(node)
    protocol = next(record for _, record in known.of_kind(Protocol))
    (node.blobs.folder / blob_of(known, "JP-simulated")).unlink()
    changed = node.blobs.folder / blob_of(known, "SG-simulated")
    changed.write_bytes(changed.read_bytes().replace(b"answered", b"errored!", 1))
    made, without = export_evidence(known, node.blobs, protocol, **ASKED)
    assert {where(one)["lab"] for one in made} == {"GB-simulated", "FR-simulated"}
    assert without[0] == "JP-simulated: its samples are not held here"
    assert without[1].startswith("SG-simulated: is not what its name says")


@pytest.mark.parametrize(
    ("plan", "why"),
    [
        (None, None),
        ({"label": "CLEAR", "audience": ()}, None),
        ({"label": "GREEN", "audience": ()}, "the exercise is GREEN"),
        ({"label": "AMBER", "audience": ("KE",)}, "the exercise is AMBER, for KE"),
        ({"label": "CLEAR", "audience": (), "embargo_until": "2026-12-01"}, "embargo until"),
    ],
)
def test_rule_1_what_is_not_for_everybody_is_not_exported(
    at: At, plan: dict[str, Any] | None, why: str | None, tmp_path: Path
) -> None:
    roster = at("logged").institutes["GB"].roster
    protocol = one_cell().model_copy(
        update={"disclosure": None if plan is None else DisclosurePlan(**plan)}
    )
    lab = Lab(protocol, honest_samples(tmp_path, protocol, LAB))
    (first, *others) = lab.entries()
    said = replace(first, record=protocol, digest=protocol.digest, author=protocol.coordinator)
    known, blobs = Book((said, first, *others), (), roster), Blobs(tmp_path)
    blobs.put(lab.file())
    if why is None:
        made, _ = export_evidence(known, blobs, protocol, **ASKED)
        assert len(made) == 1
        return
    with pytest.raises(InputError, match=why):
        export_evidence(known, blobs, protocol, **ASKED)


def blob_of(known: Book, lab: str) -> str:
    evidence = next(one for _, one in known.of_kind(Evidence) if one.lab == lab)
    return blob_path(evidence.samples.digest)


def test_exports_of_evidence_are_valid_in_the_published_form(tmp_path: Path) -> None:
    record_form = Draft7Validator(json.loads(fixture("eee/eval.schema.json").read_bytes()))
    row_form = Draft7Validator(
        json.loads(fixture("eee/instance_level_eval.schema.json").read_bytes())
    )
    protocol = one_cell()
    found = Lab(protocol, honest_samples(tmp_path, protocol, LAB)).reveal()
    for one, of in ((found, protocol), (revealed(SWAPPED, LAB, lambda _: 0.0), SWAPPED)):
        for part in (one, shown(one, transcript=lambda key: key.epoch == 1)):
            made, _ = records_of(of, part, SOURCE)
            assert made
            for record in made:
                record_form.validate(record.record)
                for row in record.rows():
                    row_form.validate(json.loads(row))
