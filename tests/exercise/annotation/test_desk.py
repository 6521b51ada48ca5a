# SPDX-License-Identifier: Apache-2.0
from dataclasses import asdict
from pathlib import Path

import pytest
from annotation_desk import BATCH, PLAN, TASK, Office, open_office, plain_answers

from countermark.exercise.annotation.desk import Desk, Refused, Session
from countermark.node.drafts import Drafts
from countermark.records.errors import InputError, StateError


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return open_office(tmp_path / "node", [*plain_answers(6), *plain_answers(2, "fa")])


def session(office: Office, name: str) -> Session:
    found = office.desk.session(office.session(name))
    assert found is not None
    return found


def items(office: Office, name: str, language: str = "en") -> list[str]:
    sheet = office.desk.sheet(session(office, name), TASK, language)
    return [one.item for one in sheet.answers]


def refused_rule(office: Office, name: str, item: str) -> int:
    with pytest.raises(Refused) as caught:
        office.desk.save(session(office, name), item, "yes", 0)
    return caught.value.permission.rule


def test_rule_1_a_link_opens_sessions_that_end_with_it(office: Office) -> None:
    first, second = session(office, "rater-1"), session(office, "rater-1")
    assert first.proof != second.proof
    assert first.person == second.person
    assert office.desk.enter("link-of-nobody") is None
    assert office.desk.session("nothing") is None
    assert office.desk.session(None) is None
    secret = office.session("rater-1")
    office.desk.leave(secret)
    assert office.desk.session(secret) is None


def test_rule_2_what_a_rater_receives_says_nothing_of_lab_model_sample_or_score(
    office: Office,
) -> None:
    sheet = office.desk.sheet(session(office, "rater-1"), TASK, "en")
    received = repr(asdict(sheet))
    for hidden in ("KE-nairobi", "JP-tokyo", "'m'", "i0", "epoch", "rater-2"):
        assert hidden not in received
    assert set(asdict(sheet.answers[0])) == {"item", "prompt", "answer", "label", "version", "said"}


def test_rule_2_each_rater_has_an_order_of_their_own(office: Office) -> None:
    first, second = items(office, "rater-1"), items(office, "rater-2")
    assert sorted(first) == sorted(second)
    assert first != second
    assert first == items(office, "rater-1")


def test_rule_3_a_label_is_kept_over_the_one_that_stands(office: Office) -> None:
    who, (item, *_) = session(office, "rater-1"), items(office, "rater-1")
    assert office.desk.save(who, item, "yes", 0).kept
    assert office.desk.save(who, item, "no", 1).version == 2
    stale = office.desk.save(who, item, "unsure", 1)
    assert (stale.kept, stale.label, stale.version) == (False, "no", 2)
    for wrong in ((item, "maybe"), ("0" * 15 + "x", "yes")):
        with pytest.raises(InputError, match="is none"):
            office.desk.save(who, *wrong, 0)


def test_rule_4_a_part_is_handed_in_whole_and_then_closed(office: Office) -> None:
    who, (item, *_) = session(office, "rater-1"), items(office, "rater-1")
    office.desk.save(who, item, "yes", 0)
    with pytest.raises(StateError, match="still lacks 5 of 6 labels"):
        office.desk.submit(who, TASK, "en")
    office.everything("rater-1", "unsure")
    assert refused_rule(office, "rater-1", item) == 6
    with pytest.raises(Refused):
        office.desk.submit(who, TASK, "en")
    assert office.desk.sheet(who, TASK, "en").submitted


def test_raters_do_not_see_each_others_labels_nor_other_languages(office: Office) -> None:
    office.everything("rater-1")
    assert all(not one.label and not one.said for one in
               office.desk.sheet(session(office, "rater-2"), TASK, "en").answers)  # fmt: skip
    office.invite("farsi", "annotator", ["fa"])
    with pytest.raises(Refused):
        office.desk.sheet(session(office, "farsi"), TASK, "en")


def test_only_as_many_rate_as_planned_and_who_is_revoked_is_replaced(office: Office) -> None:
    office.invite("late", "annotator")
    assert office.part().raters == ("rater-1", "rater-2")
    assert office.desk.sheets(session(office, "late")) == ()
    with Drafts(office.node.state).locked() as kept:
        kept.revoke(BATCH, "rater-2", office.clock.now)
    assert office.part().raters == ("rater-1", "late")
    office.everything("rater-1")
    with Drafts(office.node.state).locked() as kept:
        kept.revoke(BATCH, "rater-1", office.clock.now)
    assert office.part().raters == ("rater-1", "late")  # what was handed in stays


def test_an_adjudicator_sees_only_what_is_disputed_and_blind(office: Office) -> None:
    office.everything("rater-1", "yes")
    assert office.desk.sheets(session(office, "third")) == ()
    who = session(office, "rater-2")
    disputed = items(office, "rater-2")[:2]
    for item in items(office, "rater-2"):
        office.desk.save(who, item, "no" if item in disputed else "yes", 0)
    assert refused_rule(office, "third", disputed[0]) == 8  # not all have handed in
    office.desk.submit(who, TASK, "en")
    third = session(office, "third")
    sheet = office.desk.sheet(third, TASK, "en")
    assert {one.item for one in sheet.answers} == set(disputed)
    assert all(one.said == () for one in sheet.answers)
    agreed = next(one for one in items(office, "rater-1") if one not in disputed)
    assert refused_rule(office, "third", agreed) == 8
    assert office.desk.save(third, disputed[0], "no", 0).kept
    assert len(office.part().waiting()) == 1
    assert office.desk.save(third, disputed[0], "yes", 1).kept  # they may still change it
    office.invite("fourth", "adjudicator")
    assert refused_rule(office, "fourth", disputed[0]) == 8  # the first adjudicator's word counts
    assert office.part().verdict(disputed[0]).label is True


def test_a_discussion_shows_what_raters_said(tmp_path: Path) -> None:
    plan = PLAN.model_copy(update={"adjudication": "discussion"})
    office = open_office(tmp_path / "node", plain_answers(2), plan)
    office.everything("rater-1", "yes")
    office.everything("rater-2", "no")
    (sheet,) = office.desk.sheets(session(office, "third"))
    assert [(said.rater, said.label) for said in sheet.answers[0].said] == [
        ("rater-1", "yes"),
        ("rater-2", "no"),
    ]


def test_the_coordinator_sees_progress_and_no_answer(office: Office) -> None:
    chair = session(office, "chair")
    assert [part.language for part in office.desk.oversee(chair)] == ["en", "fa"]
    assert office.desk.sheets(chair) == ()
    with pytest.raises(Refused):
        office.desk.sheet(chair, TASK, "en")
    for name in ("rater-1", "third"):
        with pytest.raises(Refused):
            office.desk.oversee(session(office, name))


def test_what_is_confirmed_is_there_for_another_process(office: Office) -> None:
    who, (item, *_) = session(office, "rater-1"), items(office, "rater-1")
    office.desk.save(who, item, "yes", 0)
    office.node.__dict__.pop("state", None)
    again = Desk(office.node).sheet(who, TASK, "en")
    assert {one.item: one.label for one in again.answers}[item] == "yes"
