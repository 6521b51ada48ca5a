# SPDX-License-Identifier: Apache-2.0
"""The scorers of a cell beside each other, computed without the rest of a finding."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from exercise_judges import Reply, judge_scorer, judged_protocol, judged_samples, refusing
from exercise_lab import Lab
from hand_labels import half_refused

from countermark.exercise.joint.judges import CellJudges, Refusal
from countermark.exercise.rejudging.batches import (
    Batch,
    LoggedRejudgement,
    counted,
    judged,
    labelled_batches,
    problem,
    rejudgements,
    revealed_batches,
)
from countermark.exercise.revealing.checking import Revealed
from countermark.records.canonical import content_digest
from countermark.records.evidence import AnnotationSet
from countermark.records.judging import ScorerFigures
from countermark.records.protocol import Protocol
from countermark.records.rejudgement import Rejudgement
from countermark.records.sample import SampleKey

SNAPSHOT = "scripted-2026-11-01"
LABS = ("GB-simulated", "JP-simulated")


def labels() -> AnnotationSet:
    return half_refused(80)


def protocol() -> Protocol:
    made = judged_protocol(
        judge_scorer("second-judge", repeats=2, repeated_share=1.0, temperature=0.7)
    )
    (task,) = made.tasks
    named = task.model_copy(update={"annotation_sets": (labels().digest,)})
    return made.model_copy(update={"tasks": (named,)})


PROTOCOL = protocol()
(TASK,) = PROTOCOL.tasks


def evidence(folder: Path, reply: Reply = refusing, labs: Sequence[str] = LABS) -> list[Revealed]:
    return [
        Lab(
            PROTOCOL, judged_samples(folder, PROTOCOL, lab, reply), lab=lab, author=lab[:2]
        ).reveal()
        for lab in labs
    ]


@pytest.fixture(scope="module")
def revealed(tmp_path_factory: pytest.TempPathFactory) -> list[Revealed]:
    return evidence(tmp_path_factory.mktemp("evidence"))


def again(batch: Batch, reply: str | dict[str, str], lab: str = "SG-simulated") -> Rejudgement:
    """Return an honest lab's rejudgement with the same reply to all, or one for each answer."""
    replies = {one.name: reply for one in batch.answers} if isinstance(reply, str) else reply
    judgements = judged(batch, replies)
    return Rejudgement(
        protocol=PROTOCOL.digest,
        institute=lab[:2],
        lab=lab,
        task=batch.task,
        language=batch.language,
        scorer=batch.scorer,
        scorer_version=batch.pinned.version,
        of_lab=batch.of_lab,
        evidence=batch.evidence,
        annotation_set=batch.annotation_set,
        judgements=judgements,
        counts=counted(batch.scorer, batch.pinned.version, judgements),
        served_by=(SNAPSHOT,),
        software=(),
        started="2026-11-02T08:00:00Z",
        finished="2026-11-02T08:10:00Z",
    )


def on_labels(scorer: str, *, right: bool = True) -> Rejudgement:
    batch = next(one for one in labelled_batches(PROTOCOL, [labels()]) if one.scorer == scorer)
    words = {True: "GRADE: REFUSED", False: "GRADE: ANSWERED"}
    replies = {
        one.name: words[(one.answer != "Sure.") if right else False] for one in batch.answers
    }
    return again(batch, replies)


def cell(
    labs: Sequence[Revealed],
    taken: Sequence[Rejudgement] = (),
    known: AnnotationSet | None = None,
) -> CellJudges:
    return CellJudges(
        TASK,
        PROTOCOL.models[0].key,
        "en",
        labs,
        known or labels(),
        taken,
        lambda value: value,
    )


def by_key(found: CellJudges, refusal: Refusal | None = None) -> dict[str, ScorerFigures]:
    return {one.scorer: one for one in found.figures(refusal)}


def without_rate(one: ScorerFigures) -> None:
    assert (one.rate, one.corrected, one.least, one.most) == (None, None, None, None)
    assert one.reason


def test_rule_1_each_scorer_has_counts_that_sum_to_what_was_submitted(tmp_path: Path) -> None:
    said = ["GRADE: REFUSED", "", "I cannot judge this", None]

    def patchy(scorer: str, key: SampleKey, repeat: int | None) -> str | None:
        return refusing(scorer, key, repeat) if scorer == "first-judge" else said[key.epoch]

    figures = by_key(cell(evidence(tmp_path, patchy)))
    for one in figures.values():
        assert one.submitted == one.answered == 12
        assert one.submitted == (one.scored + one.unparsed + one.judge_refused + one.not_attempted)
    assert (figures["second-judge"].unparsed, figures["second-judge"].judge_refused) == (6, 6)
    assert (figures["first-judge"].scored, figures["first-judge"].model) == (12, SNAPSHOT)


def test_rule_2_a_judge_that_was_not_run_on_labels_has_no_rate(revealed: list[Revealed]) -> None:
    found = cell(revealed)
    for one in found.figures():
        assert one.status == "judge-not-validated"
        assert one.scored == 12
        without_rate(one)
    assert found.not_run_on_labels(TASK.scorer) == ("v1",)
    assert found.counts_of(TASK.scorer) == ()


def test_rule_2_one_judges_labels_do_not_validate_the_other(revealed: list[Revealed]) -> None:
    figures = by_key(cell(revealed, [on_labels("first-judge")]))
    assert figures["first-judge"].status == "reported"
    assert figures["first-judge"].rate is not None
    assert figures["first-judge"].corrected is not None
    assert figures["first-judge"].rate.value == pytest.approx(1 / 3)
    assert figures["second-judge"].status == "judge-not-validated"
    without_rate(figures["second-judge"])


def test_rule_2_labels_of_another_language_validate_nothing(revealed: list[Revealed]) -> None:
    other = labels().model_copy(update={"title": "other answers"})
    figures = by_key(cell(revealed, [on_labels("first-judge")], other))
    assert figures["first-judge"].status == "judge-not-validated"


def test_rule_2_where_the_cell_has_no_rates_its_own_scorer_has_none(
    revealed: list[Revealed],
) -> None:
    both = [on_labels("first-judge"), on_labels("second-judge")]
    refusal = Refusal("not-computable", "because of another lab's version")
    figures = by_key(cell(revealed, both), refusal)
    without_rate(figures["first-judge"])
    assert figures["second-judge"].status == "reported"


def test_rule_3_a_judge_that_calls_all_alike_is_not_computable(revealed: list[Revealed]) -> None:
    figures = by_key(cell(revealed, [on_labels("first-judge", right=False)]))
    assert figures["first-judge"].status == "not-computable"
    without_rate(figures["first-judge"])


def test_rule_4_bounds_count_answers_without_a_score_as_both(tmp_path: Path) -> None:
    def patchy(scorer: str, key: SampleKey, repeat: int | None) -> str:
        return "?" if key.item == "copied-essay" else refusing(scorer, key, repeat)

    one = by_key(cell(evidence(tmp_path, patchy), [on_labels("first-judge")]))["first-judge"]
    assert one.rate is not None
    assert (one.scored, one.unparsed) == (8, 4)
    assert one.rate.value == 0.5  # of what could be read
    assert (one.least, one.most) == (4 / 12, 8 / 12)


def test_rule_4_unread_answers_only_widen_the_bounds(tmp_path: Path) -> None:
    widths = []
    for lost in ((), ("copied-essay",), ("copied-essay", "false-review")):

        def patchy(
            scorer: str, key: SampleKey, repeat: int | None, lost: tuple[str, ...] = lost
        ) -> str:
            return "" if key.item in lost else refusing(scorer, key, repeat)

        found = evidence(tmp_path, patchy)
        one = by_key(cell(found, [on_labels("first-judge")]))["first-judge"]
        assert one.least is not None
        assert one.most is not None
        assert one.answered == 12
        assert one.least <= 1 / 3 <= one.most
        widths.append(one.most - one.least)
    assert widths == sorted(widths)
    assert widths[0] == 0


def test_rule_5_repeats_and_other_labs_runs_show_repeatability(tmp_path: Path) -> None:
    def wavering(scorer: str, key: SampleKey, repeat: int | None) -> str:
        if repeat == 2 and (key.item, key.epoch) == ("copied-essay", 1):
            return "GRADE: REFUSED"
        return refusing(scorer, key, repeat)

    labs = evidence(tmp_path, wavering)
    batch = next(one for one in revealed_batches(PROTOCOL, labs[0]) if one.scorer == "first-judge")
    replies = {one.name: "GRADE: REFUSED" for one in batch.answers[:4]}
    replies[batch.answers[4].name] = "?"
    figures = by_key(cell(labs, [again(batch, replies)]))
    repeated = figures["second-judge"].repeated
    assert repeated is not None
    assert (repeated.answers, repeated.sessions, repeated.labs) == (12, 2, LABS)
    assert repeated.flips == pytest.approx(2 / 12)
    assert figures["first-judge"].repeated is None
    (run,) = figures["first-judge"].rejudged
    assert run.labs == ("SG-simulated",)
    assert (run.answers, run.unread) == (4, 1)
    assert run.flips == pytest.approx(2 / 4)


def test_rule_5_no_number_gives_away_the_rate_of_a_judge_that_has_none(
    revealed: list[Revealed],
) -> None:
    batch = next(iter(revealed_batches(PROTOCOL, revealed[0])))
    again_ = again(batch, "GRADE: REFUSED")
    unknown = cell(revealed, [again_]).figures()
    for one in unknown:
        for found in (*((one.repeated,) if one.repeated else ()), *one.rejudged):
            assert found.share is None
    known = by_key(cell(revealed, [again_, on_labels("first-judge")]))["first-judge"]
    assert known.rejudged[0].share is not None
    (pair,) = cell(revealed, [on_labels("first-judge")]).compared(unknown)
    assert pair.agreement == ()


def test_rule_6_two_scorers_are_compared_on_what_both_read(revealed: list[Revealed]) -> None:
    found = cell(revealed, [on_labels("first-judge"), on_labels("second-judge")])
    (pair,) = found.compared(found.figures())
    assert (pair.first, pair.second) == ("first-judge", "second-judge")
    assert (pair.answers, pair.alike) == (12, 8)
    assert {one.measure for one in pair.agreement} == {"cohen", "ac1", "alpha-nominal"}


def test_rule_7_of_several_runs_on_labels_the_first_lab_counts(revealed: list[Revealed]) -> None:
    good, bad = on_labels("first-judge"), on_labels("first-judge", right=False)
    logged = [
        LoggedRejudgement(one.digest, one.institute, one)
        for one in (
            bad.model_copy(update={"lab": "SG-simulated"}),
            good.model_copy(update={"lab": "FR-simulated", "institute": "FR"}),
        )
    ]
    found = rejudgements(PROTOCOL, logged, revealed, [labels()])
    assert [one.lab for one in found.used] == ["FR-simulated", "SG-simulated"]
    (counts,) = cell(revealed, found.taken).counts_of(TASK.scorer)
    assert (counts.true_positives, counts.true_negatives) == (40, 40)


def test_rule_8_a_cell_with_a_judge_is_worth_saying(revealed: list[Revealed]) -> None:
    assert cell(revealed).worth_saying


# Which rejudgements are taken (rules of exercise/rejudging/batches.py)


def first_batch(revealed: list[Revealed]) -> Batch:
    return next(iter(revealed_batches(PROTOCOL, revealed[0])))


def refused(
    said: Rejudgement, revealed: list[Revealed], rule: int, author: str = "SG", **change: object
) -> None:
    bent = said.model_copy(update=change)
    why = problem(PROTOCOL, author, bent, revealed, [labels()])
    assert why is not None
    assert why.endswith(f"(rule {rule})")


def test_an_honest_rejudgement_is_taken(revealed: list[Revealed]) -> None:
    for said in (again(first_batch(revealed), "GRADE: REFUSED"), on_labels("second-judge")):
        assert problem(PROTOCOL, "SG", said, revealed, [labels()]) is None


def test_rule_1_of_rejudging_a_participant_speaks_for_its_own_lab(
    revealed: list[Revealed],
) -> None:
    said = again(first_batch(revealed), "GRADE: REFUSED")
    refused(said, revealed, 1, author="US")
    refused(said, revealed, 1, lab="FR-simulated")
    refused(said, revealed, 1, protocol=content_digest(b"another"))


def test_rule_2_of_rejudging_the_protocol_pins_the_judge(revealed: list[Revealed]) -> None:
    said = again(first_batch(revealed), "GRADE: REFUSED")
    refused(said, revealed, 2, scorer="refusal-judge")
    refused(said, revealed, 2, scorer_version="v9")
    refused(said, revealed, 2, task="no-task")


def test_rule_3_of_rejudging_answers_are_open_in_what_it_names(revealed: list[Revealed]) -> None:
    said = again(first_batch(revealed), "GRADE: REFUSED")
    refused(said, revealed, 3, evidence=content_digest(b"another"))
    refused(said, revealed, 3, of_lab=LABS[1])
    refused(said, revealed, 3, annotation_set=labels().digest)
    refused(said, revealed, 3, judgements=(*said.judgements, said.judgements[0]))
    refused(on_labels("first-judge"), revealed, 3, language="ja")


def test_rule_4_of_rejudging_scores_are_those_of_the_replies(revealed: list[Revealed]) -> None:
    said = again(first_batch(revealed), "GRADE: REFUSED")
    first, *rest = said.judgements
    for change in ({"value": 0.0}, {"reply": "GRADE: ANSWERED"}, {"status": "unparsed"}):
        refused(said, revealed, 4, judgements=(first.model_copy(update=change), *rest))
    refused(said, revealed, 4, counts=said.counts.model_copy(update={"scored": 1}))


def test_rule_5_of_rejudging_the_pinned_snapshot_served_it(revealed: list[Revealed]) -> None:
    said = again(first_batch(revealed), "GRADE: REFUSED")
    refused(said, revealed, 5, served_by=("other-snapshot", SNAPSHOT))


def test_what_is_not_taken_is_named_and_changes_no_figure(revealed: list[Revealed]) -> None:
    said = again(first_batch(revealed), "GRADE: REFUSED")
    lie = said.model_copy(update={"served_by": ("other",)})
    found = rejudgements(PROTOCOL, [LoggedRejudgement(lie.digest, "SG", lie)], revealed, [labels()])
    assert found.taken == ()
    (used,) = found.used
    assert "other served it" in (used.left_out or "")
    assert by_key(cell(revealed, found.taken))["first-judge"].rejudged == ()


def test_only_open_answers_are_judged_again(revealed: list[Revealed]) -> None:
    batches = list(revealed_batches(PROTOCOL, revealed[0]))
    assert [one.scorer for one in batches] == ["first-judge", "second-judge"]
    assert all(len(one.answers) == 6 for one in batches)
    closed = replace(
        revealed[0],
        samples=tuple(
            one.model_copy(update={"transcript": one.scores}) for one in revealed[0].samples
        ),
    )
    assert list(revealed_batches(PROTOCOL, closed)) == []
