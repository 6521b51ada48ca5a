# SPDX-License-Identifier: Apache-2.0
"""The clocks of an incident, rule by rule, against dates counted by hand."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from countermark.commitments.calendars import ends, moment, zone_named
from countermark.commitments.clocks import Clocks, Deadline, Incident, clocks
from countermark.commitments.law import KINDS, Kind, Period, Unit, instrument, instruments
from countermark.records.errors import InputError

NAIROBI, BRUSSELS = ZoneInfo("Africa/Nairobi"), ZoneInfo("Europe/Brussels")
SUNDAY = datetime(2026, 11, 29, 7, 0, tzinfo=UTC)


def found(
    *kinds: Kind,
    known: datetime = SUNDAY,
    regimes: tuple[str, ...] = (),
    reported: datetime | None = None,
    resolved: datetime | None = None,
    holidays: tuple[date, ...] = (),
) -> Clocks:
    asked = [instrument(key) for key in regimes] or list(instruments())
    return clocks(Incident(frozenset(kinds), known, reported, resolved), asked, holidays)


def named(one: Deadline) -> tuple[str, str]:
    return one.regime.key, one.obligation.key


def due(clocked: Clocks, regime: str, obligation: str) -> list[datetime | None]:
    return [one.due for one in clocked.deadlines if named(one) == (regime, obligation)]


def only(clocked: Clocks, regime: str, obligation: str) -> Deadline:
    (one,) = (one for one in clocked.deadlines if named(one) == (regime, obligation))
    return one


def period_end(start: datetime, amount: int, unit: Unit, *holidays: date) -> datetime:
    return ends(start, Period(amount=amount, unit=unit), BRUSSELS, holidays)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


# Rule 1.


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        (("critical-infrastructure",), {"infrastructure"}),
        (("cybersecurity-breach",), {"cybersecurity"}),
        (("weights",), {"cybersecurity"}),
        (("death",), {"death"}),
        (("serious-harm-to-health",), {"other-harm"}),
        (("death", "property-or-environment"), {"death", "other-harm"}),
        (("deception",), set()),
    ],
)
def test_rule_1_kinds_start_the_reports_that_the_text_names(
    kinds: tuple[Kind, ...], expected: set[str]
) -> None:
    clocked = found(*kinds, regimes=("eu-code-safety",))
    initial = {one.obligation.key for one in clocked.deadlines if one.obligation.stage == "initial"}
    assert initial == expected


@pytest.mark.parametrize("regime", ["california-sb-53", "new-york-raise"])
def test_rule_1_access_to_weights_is_critical_in_the_states_only_with_injury(regime: str) -> None:
    assert found("weights", regimes=(regime,)).deadlines == ()
    clocked = found("weights", "bodily-injury", regimes=(regime,))
    assert due(clocked, regime, "incident") != []
    assert due(clocked, regime, "imminent-risk") == []


@pytest.mark.parametrize("regime", ["california-sb-53", "new-york-raise"])
def test_rule_1_an_imminent_risk_starts_a_clock_only_with_a_critical_incident(regime: str) -> None:
    assert found("imminent-risk", regimes=(regime,)).deadlines == ()
    clocked = found("imminent-risk", "critical-safety-incident", regimes=(regime,))
    assert due(clocked, regime, "imminent-risk") == [SUNDAY + timedelta(hours=24)]


def test_rule_2_later_reports_follow_only_where_an_initial_report_is_due() -> None:
    clocked = found("death")
    regimes = {one.regime.key for one in clocked.deadlines}
    assert regimes == {"eu-code-safety", "eu-ai-act-55", "eu-ai-act-73"}
    code = [one.obligation.stage for one in clocked.deadlines if one.regime.key == "eu-code-safety"]
    assert sorted(code) == ["final", "initial", "intermediate", "keep"]


# Rules 3 to 5: the calendar.


def test_rule_3_hours_run_through_a_weekend_and_a_change_of_clocks() -> None:
    # 03:00 on Saturday 31 October 2026 in New York; clocks go back on Sunday.
    saturday = datetime(2026, 10, 31, 7, 0, tzinfo=UTC)
    clocked = found("critical-safety-incident", known=saturday, regimes=("new-york-raise",))
    (end,) = due(clocked, "new-york-raise", "incident")
    assert end == datetime(2026, 11, 3, 7, 0, tzinfo=UTC)
    assert end.astimezone(ZoneInfo("America/New_York")).hour == 2


@pytest.mark.parametrize(
    ("start", "amount", "unit", "end"),
    [
        ("2026-11-29T10:00+01:00", 2, "days", "2026-12-01T23:59:59+01:00"),
        # 23:30 in London is the next day in Brussels.
        ("2026-11-29T23:30+00:00", 2, "days", "2026-12-02T23:59:59+01:00"),
        # Clocks go forward on 29 March 2026, and back on 25 October: the day is 23 or 25 hours.
        ("2026-03-28T12:00+01:00", 2, "days", "2026-03-30T23:59:59+02:00"),
        ("2026-10-24T12:00+02:00", 2, "days", "2026-10-26T23:59:59+01:00"),
        ("2028-02-27T12:00+01:00", 2, "days", "2028-02-29T23:59:59+01:00"),
        ("2026-11-29T10:00+01:00", 4, "weeks", "2026-12-27T23:59:59+01:00"),
        ("2026-11-30T10:00+01:00", 3, "months", "2027-02-28T23:59:59+01:00"),
        ("2027-11-30T10:00+01:00", 3, "months", "2028-02-29T23:59:59+01:00"),
        ("2028-02-29T10:00+01:00", 1, "years", "2029-02-28T23:59:59+01:00"),
        ("2028-02-29T10:00+01:00", 4, "years", "2032-02-29T23:59:59+01:00"),
        ("2026-12-15T10:00+01:00", 12, "months", "2027-12-15T23:59:59+01:00"),
    ],
)
def test_rule_4_days_to_years_are_counted_on_the_calendar(
    start: str, amount: int, unit: Unit, end: str
) -> None:
    assert period_end(at(start), amount, unit) == at(end)


@pytest.mark.parametrize(
    ("start", "holidays", "end"),
    [
        ("2026-11-27T12:00+01:00", (), "2026-12-04T23:59:59+01:00"),  # a Friday
        ("2026-11-28T12:00+01:00", (), "2026-12-04T23:59:59+01:00"),  # a Saturday
        ("2026-12-22T12:00+01:00", (), "2026-12-29T23:59:59+01:00"),
        ("2026-12-22T12:00+01:00", (date(2026, 12, 24), date(2026, 12, 25)),
         "2026-12-31T23:59:59+01:00"),
    ],
)  # fmt: skip
def test_rule_5_business_days_are_monday_to_friday_without_the_holidays_given(
    start: str, holidays: tuple[date, ...], end: str
) -> None:
    assert period_end(at(start), 5, "business-days", *holidays) == at(end)


def test_rule_6_a_day_of_rest_moves_no_deadline_and_is_told_beside_it() -> None:
    # Ten days after Wednesday 25 November 2026 is Saturday 5 December.
    wednesday = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
    one = only(found("death", known=wednesday), "eu-code-safety", "death")
    assert one.due == at("2026-12-05T23:59:59+01:00")
    assert one.may_run_to == at("2026-12-07T23:59:59+01:00")
    later = found("death", known=wednesday, holidays=(date(2026, 12, 7),))
    assert only(later, "eu-code-safety", "death").may_run_to == at("2026-12-08T23:59:59+01:00")


def test_rule_6_hours_are_never_carried_nor_is_what_is_kept() -> None:
    # Seventy-two hours after Wednesday end on Saturday.
    wednesday = datetime(2027, 1, 6, 15, 0, tzinfo=UTC)
    clocked = found("critical-safety-incident", known=wednesday, regimes=("new-york-raise",))
    one = only(clocked, "new-york-raise", "incident")
    assert one.due is not None
    assert one.due.weekday() == 5
    assert one.may_run_to is None
    # Five years after 30 November 2027 is a Tuesday; after 29 November 2026 a Saturday.
    kept = only(found("death"), "eu-code-safety", "records")
    assert kept.may_run_to is None


def test_rule_7_intermediate_reports_count_from_the_report_that_was_made() -> None:
    reported = at("2026-12-03T09:00+01:00")
    clocked = found("death", reported=reported, regimes=("eu-code-safety",))
    assert due(clocked, "eu-code-safety", "intermediate") == [at("2026-12-31T23:59:59+01:00")]


def test_rule_7_without_a_report_they_count_from_the_first_moment_it_is_due() -> None:
    clocked = found("death", "critical-infrastructure", regimes=("eu-code-safety",))
    # Two days after Sunday 29 November are over on 1 December; four weeks later it is the 29th.
    assert due(clocked, "eu-code-safety", "intermediate") == [at("2026-12-29T23:59:59+01:00")]


def test_rule_8_intermediate_reports_repeat_until_the_resolution() -> None:
    resolved = at("2027-02-15T12:00+01:00")
    clocked = found("death", resolved=resolved, regimes=("eu-code-safety",))
    moments = due(clocked, "eu-code-safety", "intermediate")
    assert moments == [at("2027-01-06T23:59:59+01:00"), at("2027-02-03T23:59:59+01:00")]
    assert all(one.repeats is None for one in clocked.deadlines)
    assert [one.number for one in clocked.deadlines if one.obligation.key == "intermediate"] == [
        1,
        2,
    ]


def test_rule_8_without_a_resolution_the_interval_is_told() -> None:
    one = only(found("death"), "eu-code-safety", "intermediate")
    assert one.repeats == Period(amount=4, unit="weeks")


def test_rule_8_what_was_resolved_at_once_needs_no_intermediate_report() -> None:
    clocked = found("death", resolved=SUNDAY + timedelta(days=3), regimes=("eu-code-safety",))
    assert due(clocked, "eu-code-safety", "intermediate") == []


def test_rule_9_the_final_report_waits_for_the_resolution() -> None:
    one = only(found("death"), "eu-code-safety", "final")
    assert one.due is None
    assert one.waits_for == "60 days after it is resolved"
    resolved = found("death", resolved=at("2027-01-01T12:00+01:00"))
    assert only(resolved, "eu-code-safety", "final").due == at("2027-03-02T23:59:59+01:00")


def test_rule_9_records_are_kept_from_the_last_date_given() -> None:
    assert due(found("death"), "eu-code-safety", "records") == [at("2031-11-29T23:59:59+01:00")]
    later = found("death", resolved=at("2027-02-01T12:00+01:00"))
    assert due(later, "eu-code-safety", "records") == [at("2032-02-01T23:59:59+01:00")]


def test_rule_10_without_undue_delay_is_no_number_and_is_not_made_one() -> None:
    one = only(found("death"), "eu-ai-act-55", "without-undue-delay")
    assert (one.due, one.waits_for) == (None, None)


def test_rule_11_a_regime_not_yet_in_force_is_listed_and_says_so() -> None:
    kind: Kind = "critical-safety-incident"
    before = datetime(2027, 1, 1, 4, 59, tzinfo=UTC)  # 31 December in New York
    for known, in_force in (
        (SUNDAY, False),
        (before, False),
        (before + timedelta(minutes=1), True),
    ):
        clocked = found(kind, known=known, regimes=("new-york-raise",))
        assert only(clocked, "new-york-raise", "incident").in_force is in_force
        assert clocked.regimes[0].in_force is in_force
    assert "from 2027-01-01" in found(kind, regimes=("new-york-raise",)).regimes[0].standing


def test_rule_12_a_regime_in_which_nothing_starts_says_what_would() -> None:
    clocked = found("deception", regimes=("eu-ai-act-73", "korea-ai-basic-act"))
    act, korea = clocked.regimes
    assert not act.starts
    assert ("death",) in act.would_start
    assert (korea.starts, korea.would_start) == (False, ())


def test_rule_13_deadlines_come_in_order_of_their_moments() -> None:
    clocked = found("death", "loss-of-control", "imminent-risk")
    assert named(clocked.deadlines[0]) == ("eu-ai-act-55", "without-undue-delay")
    dated = [one.due for one in clocked.deadlines if one.due]
    assert dated == sorted(dated)
    ranks = [0 if one.due else 1 for one in clocked.deadlines[1:]]
    assert ranks == sorted(ranks)
    waiting = [one.waits_for is None for one in clocked.deadlines[1:] if one.due is None]
    assert waiting == sorted(waiting)


def test_rule_15_times_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="known has no zone"):
        found("death", known=datetime(2026, 11, 29, 10, 0))
    for late in ("reported", "resolved"):
        with pytest.raises(InputError, match=f"{late} is before"):
            found("death", **{late: SUNDAY - timedelta(seconds=1)})  # type: ignore[arg-type]
    with pytest.raises(InputError, match="year 9999 is out of range"):
        found("death", resolved=datetime(9999, 12, 31, tzinfo=UTC))


def test_an_incident_of_no_kind_or_an_unknown_one_is_refused() -> None:
    with pytest.raises(InputError, match="of no kind"):
        found()
    with pytest.raises(InputError, match="'boredom' is no kind"):
        found("boredom")  # type: ignore[arg-type]


# What a person writes.


def test_a_time_without_an_offset_is_in_the_reporters_zone() -> None:
    assert moment("2026-11-29T10:00", NAIROBI) == SUNDAY
    assert moment("2026-11-29T10:00+01:00", NAIROBI) == SUNDAY + timedelta(hours=2)


def test_a_time_that_comes_twice_is_the_first() -> None:
    assert moment("2026-10-25T02:30", BRUSSELS) == at("2026-10-25T02:30+02:00")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2026-03-29T02:30", "does not exist in Europe/Brussels"),
        ("yesterday", "is no time"),
        ("0001-01-01T00:00", "year 1 is out of range"),
    ],
)
def test_a_time_that_cannot_be_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        moment(text, BRUSSELS)


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../../etc/passwd", "/etc/localtime"])
def test_a_zone_that_nobody_knows_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="no time zone"):
        zone_named(name)


# Properties.

moments = st.datetimes(
    min_value=datetime(2020, 1, 1), max_value=datetime(2060, 1, 1), timezones=st.just(UTC)
)
some_kinds = st.frozensets(st.sampled_from(sorted(KINDS)), min_size=1)
zones = st.sampled_from(
    [
        "Africa/Nairobi",
        "Europe/Brussels",
        "America/Los_Angeles",
        "Pacific/Kiritimati",
        "Asia/Kolkata",
    ]
).map(ZoneInfo)
units: st.SearchStrategy[Unit] = st.sampled_from(
    ["hours", "days", "business-days", "weeks", "months", "years"]
)


def by_name(clocked: Clocks) -> dict[tuple[str, str, int], datetime | None]:
    return {(*named(one), one.number): one.due for one in clocked.deadlines}


@given(some_kinds, moments, st.timedeltas(timedelta(0), timedelta(days=900)))
@example(frozenset({"death"}), at("2026-10-25T02:59:59+02:00"), timedelta(seconds=1))
def test_later_knowledge_never_makes_an_earlier_deadline(
    kinds: frozenset[Kind], known: datetime, delay: timedelta
) -> None:
    first = by_name(clocks(Incident(kinds, known), instruments()))
    second = by_name(clocks(Incident(kinds, known + delay), instruments()))
    assert first.keys() == second.keys()
    for name, early in first.items():
        late = second[name]
        assert (early is None) == (late is None)
        assert early is None or late is None or early <= late


@given(some_kinds, moments, zones)
def test_rule_14_the_reporters_zone_never_changes_a_moment(
    kinds: frozenset[Kind], known: datetime, zone: ZoneInfo
) -> None:
    here = clocks(Incident(kinds, known.astimezone(zone)), instruments())
    assert by_name(here) == by_name(clocks(Incident(kinds, known), instruments()))


@given(some_kinds, some_kinds, moments)
def test_a_further_kind_takes_no_deadline_away_and_makes_none_later(
    kinds: frozenset[Kind], more: frozenset[Kind], known: datetime
) -> None:
    fewer = by_name(clocks(Incident(kinds, known), instruments()))
    all_of_them = by_name(clocks(Incident(kinds | more, known), instruments()))
    for name, before in fewer.items():
        after = all_of_them[name]
        assert before is None or (after is not None and after <= before)


@given(moments, st.integers(1, 60), units, zones)
def test_every_period_ends_after_it_starts_and_a_longer_one_not_sooner(
    start: datetime, amount: int, unit: Unit, zone: ZoneInfo
) -> None:
    lengths = [ends(start, Period(amount=amount + more, unit=unit), zone) for more in range(3)]
    assert start < lengths[0]
    assert all(one < other for one, other in pairwise(lengths))


@given(some_kinds, moments)
def test_a_deadline_is_never_before_the_knowledge_nor_carried_to_a_day_of_rest(
    kinds: frozenset[Kind], known: datetime
) -> None:
    for one in clocks(Incident(kinds, known), instruments()).deadlines:
        assert one.due is None or one.due > known
        if one.may_run_to is not None:
            assert one.due is not None
            assert one.due < one.may_run_to
            assert one.may_run_to.astimezone(ZoneInfo(one.regime.zone)).weekday() < 5
