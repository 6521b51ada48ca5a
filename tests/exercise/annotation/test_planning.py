# SPDX-License-Identifier: Apache-2.0
"""The operator's part on the nodes of an exercise: draw, invite, publish, find."""

import json

import pytest
from exercise_small import exchange, small_protocol
from exercise_steps import At

from countermark.exercise.annotation import planning, publishing
from countermark.exercise.annotation.desk import Desk
from countermark.exercise.annotation.parts import Part
from countermark.exercise.joint.computing import check_finding, compute_finding
from countermark.node.drafts import Drafts
from countermark.node.node import Node
from countermark.records.errors import InputError, StateError
from countermark.records.evidence import AnnotationSet
from countermark.records.protocol import Countersignature

PROTOCOL = small_protocol()
TASK = "mild-refusal"


def label_all(node: Node, name: str, role: str, label: str | None = None) -> None:
    """Label everything that waits for a person, by what the answer says or all alike."""
    link = planning.invite(node, PROTOCOL, name, role, PROTOCOL.languages, 3)  # type: ignore[arg-type]
    desk = Desk(node)
    entered = desk.enter(link)
    assert entered is not None
    session = desk.session(entered[0])
    assert session is not None
    for sheet in desk.sheets(session):
        for one in sheet.answers:
            said = "".join(piece.text for piece in one.answer[0].pieces)
            honest = "yes" if said.startswith("I'm sorry") else "no"
            assert desk.save(session, one.item, label or honest, one.version).kept
        if role == "annotator":
            desk.submit(session, sheet.task, sheet.language)


def parts(node: Node) -> list[Part]:
    return [planning.read_part(node, PROTOCOL, TASK, language) for language in PROTOCOL.languages]


def test_rule_1_a_sample_is_drawn_once_and_only_when_all_have_revealed(at: At) -> None:
    node = at("closed").institutes["JP"]
    with pytest.raises(StateError, match="has no evidence yet of FR-simulated, GB-simulated"):
        planning.draw_batch(node, PROTOCOL)
    with pytest.raises(StateError, match="has drawn no answers"):
        planning.invite(node, PROTOCOL, "rater-1", "annotator", ["en"], 3)


def test_rule_1_before_the_closing_nothing_is_drawn(at: At) -> None:
    with pytest.raises(StateError, match="is not closed yet"):
        planning.draw_batch(at("sealed").institutes["JP"], PROTOCOL)


def test_from_the_draw_to_a_finding_that_every_lab_computes_alike(at: At) -> None:
    cast = at("revealed")
    node, other = cast.institutes["JP"], cast.institutes["GB"]
    samples = planning.draw_batch(node, PROTOCOL)
    assert samples == planning.draw_batch(other, PROTOCOL)  # nobody could choose it
    assert [(one.language, len(one.answers)) for one in samples] == [("en", 12), ("ja", 12)]
    with pytest.raises(StateError, match="was drawn already"):
        planning.draw_batch(node, PROTOCOL)
    with pytest.raises(StateError, match="has 0 of 2 raters"):
        publishing.publish(node, PROTOCOL, parts(node))
    label_all(node, "rater-1", "annotator")
    label_all(node, "rater-2", "annotator", "no")
    with pytest.raises(StateError, match="on which raters differ"):
        publishing.publish(node, PROTOCOL, parts(node))
    label_all(node, "third", "adjudicator")
    english, japanese = publishing.publish(node, PROTOCOL, parts(node))
    with pytest.raises(StateError, match="was published already"):
        publishing.publish(node, PROTOCOL, parts(node))
    _says_all_that_it_rests_on(english)
    _inspect_takes_it(english)
    exchange(cast)
    finding = compute_finding(other, PROTOCOL)
    cell = finding.cell(PROTOCOL.models[0].key, TASK, "ja")
    assert cell is not None
    assert [one.annotation_set for one in cell.validity] == [japanese.digest] * len(cell.validity)
    other.say(finding)
    exchange(cast)
    for code in ("JP", "SG"):
        said = check_finding(cast.institutes[code], PROTOCOL, finding).said
        assert isinstance(said, Countersignature)


def _says_all_that_it_rests_on(known: AnnotationSet) -> None:
    assert AnnotationSet.from_bytes(known.to_bytes(), where="a test") == known
    assert known.protocol == PROTOCOL.digest
    assert known.raters == ("rater-1", "rater-2")
    assert known.draw is not None
    assert known.draw.cells[0].undecided == 0
    refusals = [one for one in known.answers if one.label]
    assert refusals
    assert all(one.adjudication is not None for one in refusals)
    assert all(one.adjudication is None for one in known.answers if not one.label)
    assert all(one.labels is not None and len(one.labels) == 2 for one in known.answers)


def _inspect_takes_it(known: AnnotationSet) -> None:
    lab = known.answers[0].lab
    assert lab is not None
    records = publishing.inspect_scores(known, lab, PROTOCOL.models[0].key)
    labels = {
        (one.sample.item, one.sample.epoch): float(one.label)
        for one in known.answers
        if one.lab == lab and one.sample is not None
    }
    assert {(one["id"], one["epoch"]): one["value"] for one in records} == labels
    with pytest.raises(InputError, match="has no labelled answer"):
        publishing.inspect_scores(known, "KE-nairobi", PROTOCOL.models[0].key)


def test_inspect_reads_the_scores(at: At) -> None:
    precomputed = pytest.importorskip(
        "inspect_ai.scorer._precomputed", reason="this Inspect has no precomputed_scores"
    )
    node = at("revealed").institutes["JP"]
    planning.draw_batch(node, PROTOCOL)
    for name in ("rater-1", "rater-2"):
        label_all(node, name, "annotator")
    (english, _) = publishing.publish(node, PROTOCOL, parts(node))
    lab = english.answers[0].lab or ""
    records = publishing.inspect_scores(english, lab, PROTOCOL.models[0].key)
    file = node.folder.root / "scores.json"
    file.write_text(json.dumps(records), "utf-8")
    read = precomputed._read_scores_file(str(file))
    assert len(read) == len(records)
    assert {(one["id"], one["epoch"]) for one in records} == set(read)


def test_rule_3_people_are_invited_in_one_role_and_ended(at: At) -> None:
    node = at("revealed").institutes["JP"]
    planning.draw_batch(node, PROTOCOL)
    link = planning.invite(node, PROTOCOL, "rater-1", "annotator", ["en"], 3)
    assert len(link) >= 43
    assert link.encode() not in (node.folder.root / "state.db").read_bytes()
    with pytest.raises(StateError, match="was invited as annotator"):
        planning.invite(node, PROTOCOL, "rater-1", "adjudicator", ["en"], 3)
    with pytest.raises(InputError, match="has no language 'xx'"):
        planning.invite(node, PROTOCOL, "rater-2", "annotator", ["xx"], 3)
    for name in ("Dr. Juma", "a/b", "", "x" * 81):
        with pytest.raises(InputError, match="can be no pseudonym"):
            planning.invite(node, PROTOCOL, name, "annotator", ["en"], 3)
    planning.revoke(node, PROTOCOL, "rater-1")
    assert Desk(node).enter(link) is None
    with pytest.raises(InputError, match="invited nobody called other"):
        planning.revoke(node, PROTOCOL, "other")
    with Drafts(node.state).locked() as kept:
        assert [one.name for one in kept.people(PROTOCOL.digest)] == ["rater-1"]
