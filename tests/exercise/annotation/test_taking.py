# SPDX-License-Identifier: Apache-2.0
"""From the draw to the finding, without a node: what is taken, and what it may be used for."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from annotation_evidence import LABS, MODEL, PROTOCOL, TASK, evidence_of
from exercise_small import annotations

from countermark.exercise.annotation.sampling import Pool, plan_digest
from countermark.exercise.annotation.taking import People
from countermark.exercise.joint.finding import joint_finding
from countermark.exercise.revealing.checking import Revealed
from countermark.records.evidence import AnnotationSet, GivenLabel, LabelledAnswer
from countermark.records.finding import Finding, FindingCell
from countermark.statistics import Labelled

# Japanese, where the protocol names no labelled answers; all labs answer alike but for a few.
LANGUAGE = "ja"


def labs() -> list[Revealed]:
    return [
        evidence_of(lab, value=lambda place, n=n: float((place + n) % 3 == 0))  # type: ignore[misc]
        for n, lab in enumerate(LABS)
    ]


LAB_EVIDENCE = labs()


def published(
    of: Sequence[Revealed] = LAB_EVIDENCE,
    label: Callable[[int], bool] = lambda place: place % 2 == 0,
    **change: Any,
) -> AnnotationSet:
    """Return the annotation set of a draw, labelled by place."""
    assert TASK.annotation is not None
    sample = Pool(PROTOCOL, of).draw(TASK, LANGUAGE, TASK.annotation.per_cell)
    assert sample is not None
    answers = tuple(
        LabelledAnswer(
            key=f"a{place}",
            prompt=one.prompt,
            answer=one.answer,
            label=label(place),
            lab=one.lab,
            sample=one.key,
            labels=(GivenLabel(rater="rater-1", label="yes" if label(place) else "no"),),
        )
        for place, one in enumerate(sample.answers)
    )
    said = {
        "title": "Labelled",
        "task": TASK.key,
        "language": LANGUAGE,
        "labelled_by": "two raters",
        "sampling": "random-sample",
        "answers": answers,
        "protocol": PROTOCOL.digest,
        "plan": plan_digest(TASK.annotation),
        "raters": ("rater-1",),
        "draw": sample.draw,
    }
    made = AnnotationSet.model_validate({**said, **change})
    return AnnotationSet.from_bytes(made.to_bytes(), where="a test")


def labelled(known: AnnotationSet, of: Sequence[Revealed] = LAB_EVIDENCE) -> Labelled | None:
    scores = {
        (one.evidence.lab, sample.key.text): sample.scores[0].value or 0.0
        for one in of
        for sample in one.scores or ()
        if (sample.key.task, sample.key.language) == (TASK.key, LANGUAGE)
    }
    return People(PROTOCOL, of, [known]).labelled(TASK, MODEL, LANGUAGE, scores)


def bent(known: AnnotationSet, **change: Any) -> AnnotationSet:
    first, *others = known.answers
    return known.model_copy(update={"answers": (first.model_copy(update=change), *others)})


def test_rule_1_the_set_that_the_protocol_names_validates_the_judge() -> None:
    (english,) = [one for one in annotations() if one.language == "en"]
    people = People(PROTOCOL, LAB_EVIDENCE, [english, published()])
    found = people.validating(TASK, MODEL, "en")
    assert found is not None
    assert found.known == found.counted == english


def test_rule_2_where_there_is_none_the_drawn_answers_of_the_model_do() -> None:
    known = published()
    found = People(PROTOCOL, LAB_EVIDENCE, [known]).validating(TASK, MODEL, LANGUAGE)
    assert found is not None
    assert found.known.digest == known.digest
    assert found.counted.answers == known.answers
    other = People(PROTOCOL, LAB_EVIDENCE, [known])
    assert other.validating(TASK, "another-model", LANGUAGE) is None
    assert other.validating(TASK, MODEL, "en") is None


def spoiled() -> dict[str, AnnotationSet]:
    known, draw = published(), published().draw
    assert draw is not None
    return {
        "one left out": known.model_copy(update={"answers": known.answers[1:]}),
        "one twice": known.model_copy(update={"answers": (*known.answers[1:], known.answers[1])}),
        "another text": bent(known, answer="I never said that."),
        "another question": bent(known, prompt="What is the time?"),
        "another lab": bent(known, lab="FR-other"),
        "another plan": known.model_copy(update={"plan": "sha256:" + "0" * 64}),
        "another seed": known.model_copy(
            update={"draw": draw.model_copy(update={"seed": "0" * 64})}
        ),
        "another count": known.model_copy(
            update={
                "draw": draw.model_copy(
                    update={"cells": (draw.cells[0].model_copy(update={"eligible": 99}),)}
                )
            }
        ),
        "no draw": known.model_copy(update={"draw": None}),
        "another exercise": known.model_copy(update={"protocol": "sha256:" + "0" * 64}),
    }


@pytest.mark.parametrize("name", spoiled())
def test_rule_3_a_set_that_is_not_what_the_draw_gives_is_not_taken(name: str) -> None:
    known = spoiled()[name]
    people = People(PROTOCOL, LAB_EVIDENCE, [known])
    assert people.validating(TASK, MODEL, LANGUAGE) is None
    assert labelled(known) is None


def test_rule_4_a_set_that_cannot_be_drawn_again_is_of_unknown_sampling() -> None:
    found = labelled(published(), LAB_EVIDENCE[:-1])
    assert found is not None
    assert found.sampling == "unknown"
    assert LABS[-1] not in found.lab


def test_rule_5_a_whole_draw_of_all_labs_is_a_random_sample() -> None:
    found = labelled(published())
    assert found is not None
    assert found.sampling == "random-same-cell"
    assert len(found.human) == 12


def test_rule_5_a_lab_that_came_later_or_an_undecided_answer_makes_it_none() -> None:
    fewer = published(LAB_EVIDENCE[:-1])
    found = labelled(fewer)
    assert found is not None
    assert found.sampling == "unknown"
    known = published()
    assert known.draw is not None
    cell = known.draw.cells[0].model_copy(update={"undecided": 1})
    draw = known.draw.model_copy(update={"cells": (cell,)})
    found = labelled(known.model_copy(update={"draw": draw, "answers": known.answers[1:]}))
    assert found is not None
    assert (found.sampling, len(found.human)) == ("unknown", 11)


def test_rule_6_what_a_judge_said_at_the_labs_is_counted_by_version() -> None:
    known = published()
    found = People(PROTOCOL, LAB_EVIDENCE, [known]).validating(TASK, MODEL, LANGUAGE)
    assert found is not None
    assert found.drawn
    unread = known.answers[0]
    assert unread.sample is not None
    assert unread.lab is not None
    scores = {
        (one.lab or "", one.sample.text): float(one.label)
        for one in known.answers
        if one.sample is not None and one is not unread
    }
    versions = {lab: "v1" if lab == unread.lab else "v2" for lab in LABS}
    first, second = found.recorded(scores, versions)
    assert (first.version, second.version) == ("v1", "v2")
    assert (first.unparsed, second.unparsed) == (1, 0)
    counts = [(one.positives + one.negatives + one.unparsed) for one in (first, second)]
    assert sum(counts) == len(known.answers)
    # This judge always said what people say.
    for one in (first, second):
        assert (one.true_positives, one.true_negatives) == (one.positives, one.negatives)


def test_rule_7_each_label_stands_beside_its_own_score() -> None:
    known, scores = published(), {}
    for lab in LAB_EVIDENCE:
        for sample in lab.scores or ():
            scores[lab.evidence.lab, sample.key.text] = sample.scores[0].value
    found = labelled(known)
    assert found is not None
    for at, one in enumerate(known.answers):
        assert one.sample is not None
        assert found.lab[at] == one.lab
        assert found.judge[at] == scores[one.lab or "", one.sample.text]
        assert found.human[at] == one.label


def finding(*sets: AnnotationSet) -> Finding:
    return joint_finding(PROTOCOL, LAB_EVIDENCE, [*annotations(), *sets])


def cell(found: Finding) -> FindingCell:
    made = found.cell(MODEL, TASK.key, LANGUAGE)
    assert made is not None
    return made


def test_labels_of_people_open_a_language_in_which_the_judge_was_not_validated() -> None:
    assert cell(finding()).status == "judge-not-validated"
    refuses = [one.answer.startswith("I'm sorry") for one in published().answers]
    known = published(label=lambda place: refuses[place])
    found = cell(finding(known))
    assert found.status == "reported", found.reason
    assert [one.annotation_set for one in found.validity] == [known.digest]
    assert found.corrections is not None
    for one in found.corrections:
        assert one.annotation_set == known.digest
        assert one.reason
        assert (one.rectified is None) == (one.not_rectified is not None)
    assert {one.estimand for one in found.corrections} == {"benchmark", "generalised"}
    assert {one.leads for one in found.corrections} == {"prediction-powered"}
    again = Finding.from_bytes(finding(known).to_bytes(), where="a test")
    assert again.cell(MODEL, TASK.key, LANGUAGE) == found


def test_without_labels_of_people_the_finding_has_no_such_field() -> None:
    assert all(one.corrections is None for one in finding().cells)
