# SPDX-License-Identifier: Apache-2.0
"""Every deadline that an incident starts, under every regime that was asked for.

A pure function of what happened, when it became known, and the instruments of
:mod:`countermark.commitments.law`. It is a calendar, not legal advice: whether a regime binds the
reporter, and whether an event is what the regime means, is for a lawyer to say.

1. An initial report is due if the incident is of all the kinds of one set that starts it. Kinds
   that the regime defines by others are worked out first.
2. Intermediate and final reports, and records to keep, follow in a regime in which an initial
   report is due.
3. Hours are elapsed time: they run through nights, days of rest and changes of the clock.
4. Days, weeks, months and years are counted on the calendar of the regime's own time zone. The day
   of the event is not counted; the period ends with the last second of its last day, 23:59:59. A
   month without such a day ends on its last, so a year from 29 February ends on 28 February.
5. Business days are Monday to Friday without the holidays that were given, and else as rule 4. No
   calendar of holidays is built in.
6. No deadline is moved by a day of rest. Where the regime's rule of counting may carry it to the
   next business day, that moment is told beside it; never for hours, and never for what is kept.
7. What counts from the initial report counts from the day that it was made, or else from the
   first moment at which an initial report is due in that regime.
8. What repeats is listed each time until the incident is resolved; without that date once, with
   its interval.
9. What counts from the resolution has no date until there is one, and says so. Records are kept
   from the last of the dates that were given.
10. A duty without a number of days has no date.
11. A regime whose duties do not apply on the day on which the incident became known, in the
    regime's zone, is listed all the same, and each of its deadlines says so.
12. A regime in which nothing starts says what would.
13. The order is that of the moments. An initial report without a number of days comes before them;
    what waits comes after them, and what has no time at all comes last.
14. The reporter's time zone changes how a moment is written, never the moment.
15. Times without a zone, times before the incident became known, and years that no calendar here
    is made for, are refused.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from zoneinfo import ZoneInfo

from countermark.commitments.calendars import ends, is_business_day, next_business_day, refuse_year
from countermark.commitments.law import (
    EVENTS,
    KINDS,
    Event,
    Instrument,
    Kind,
    Obligation,
    Period,
)
from countermark.records.errors import InputError
from countermark.records.reference import Source


@dataclass(frozen=True, slots=True)
class Incident:
    """What happened, and when.

    Parameters
    ----------
    kinds
        Every kind that it is of.
    known
        When it became known, or was discovered or determined, whichever came first.
    reported
        When the initial report was made, if it was.
    resolved
        When it was resolved, if it is.
    """

    kinds: frozenset[Kind]
    known: datetime
    reported: datetime | None = None
    resolved: datetime | None = None


@dataclass(frozen=True, slots=True)
class Deadline:
    """One thing to do under one regime, and until when.

    Parameters
    ----------
    regime
        The instrument.
    obligation
        What is owed.
    number
        Which time it is, from 1, for what repeats.
    due
        The last moment, in UTC; absent where rule 9 or 10 gives none.
    may_run_to
        Until when the regime's rule of counting may carry it, where it may (rule 6).
    repeats
        The interval, where only the first time is listed.
    in_force
        Whether the regime's duties apply (rule 11).
    """

    regime: Instrument
    obligation: Obligation
    number: int
    due: datetime | None
    may_run_to: datetime | None
    repeats: Period | None
    in_force: bool

    @property
    def source(self) -> Source:
        """Where the duty was read."""
        return self.regime.cited(self.obligation.source)

    @property
    def waits_for(self) -> str | None:
        """What has to happen before there is a date, if anything."""
        timing = self.obligation.timing
        if self.due is not None or timing.period is None:
            return None
        return f"{timing.period.words} after {EVENTS[timing.event]}"


@dataclass(frozen=True, slots=True)
class Regime:
    """What became of one instrument that was asked for."""

    instrument: Instrument
    in_force: bool
    standing: str
    starts: bool
    would_start: tuple[tuple[Kind, ...], ...]


@dataclass(frozen=True, slots=True)
class Clocks:
    """All deadlines in order, and what became of each regime."""

    incident: Incident
    deadlines: tuple[Deadline, ...]
    regimes: tuple[Regime, ...]


def clocks(
    incident: Incident, regimes: Sequence[Instrument], holidays: Collection[date] = ()
) -> Clocks:
    """Return every deadline that an incident starts.

    Parameters
    ----------
    incident
        What happened, and when.
    regimes
        The instruments to look at.
    holidays
        Days that are no business days beside Saturdays and Sundays.

    Raises
    ------
    InputError
        If the times do not fit (rule 15), or there is no kind.
    """
    _check(incident)
    away = frozenset(holidays)
    found = [_regime(incident, one) for one in regimes]
    deadlines = [
        deadline
        for regime in found
        if regime.starts
        for deadline in _deadlines(incident, regime, away)
    ]
    place = {one.key: index for index, one in enumerate(regimes)}
    deadlines.sort(key=lambda one: (_order(one), place[one.regime.key]))
    return Clocks(incident, tuple(deadlines), tuple(found))


def _check(incident: Incident) -> None:
    unknown = sorted(incident.kinds - KINDS.keys())
    if unknown or not incident.kinds:
        raise InputError(
            f"{unknown[0]!r} is no kind of incident" if unknown else "the incident is of no kind",
            next_step="See the kinds: countermark incident kinds",
        )
    for name in ("known", "reported", "resolved"):
        given: datetime | None = getattr(incident, name)
        if given is not None and given.utcoffset() is None:
            raise InputError(
                f"the time {name} has no zone", next_step="Give the time with its zone."
            )
        if given is not None:
            refuse_year(given)
        if given is not None and given < incident.known:
            raise InputError(
                f"the time {name} is before the incident became known",
                next_step="Give the first moment at which it was known.",
            )


def _kinds(kinds: frozenset[Kind], regime: Instrument) -> frozenset[Kind]:
    defined = (
        one.kind for one in regime.definitions if any(kinds.issuperset(some) for some in one.any_of)
    )
    return kinds.union(defined)


def _starting(kinds: frozenset[Kind], obligation: Obligation) -> bool:
    return any(kinds.issuperset(some) for some in obligation.starts or ())


def _regime(incident: Incident, one: Instrument) -> Regime:
    kinds = _kinds(incident.kinds, one)
    day = incident.known.astimezone(ZoneInfo(one.zone)).date()
    initial = [each for each in one.obligations if each.starts]
    starts = any(_starting(kinds, each) for each in initial)
    would = {some for each in initial for some in each.starts or ()}
    would |= {some for each in one.definitions for some in each.any_of}
    return Regime(
        instrument=one,
        in_force=one.applies(day),
        standing=one.standing(day),
        starts=starts,
        would_start=() if starts else tuple(sorted(would)),
    )


def _deadlines(incident: Incident, regime: Regime, holidays: frozenset[date]) -> Iterator[Deadline]:
    one, zone = regime.instrument, ZoneInfo(regime.instrument.zone)
    kinds = _kinds(incident.kinds, one)
    due = [
        ends(incident.known, each.timing.period, zone, holidays)
        for each in one.obligations
        if _starting(kinds, each) and each.timing.period
    ]
    # A regime without a number of days is reported to at once.
    reported = incident.reported or min(due, default=incident.known)
    from_event: dict[Event, datetime | None] = {
        "known": incident.known,
        "initial-report": reported,
        "resolved": incident.resolved,
        "documented": max(
            given for given in (incident.known, incident.reported, incident.resolved) if given
        ),
    }
    for each in one.obligations:
        if each.stage == "standing" or (each.stage == "initial" and not _starting(kinds, each)):
            continue
        start, period = from_event[each.timing.event], each.timing.period
        if each.timing.sort == "every" and start is not None and period is not None:
            moments = _repeated(start, period, zone, incident.resolved, holidays)
            repeats = period if incident.resolved is None else None
        else:
            moments = [ends(start, period, zone, holidays) if start and period else None]
            repeats = None
        for number, at in enumerate(moments, start=1):
            if at is None or period is None or each.stage == "keep":
                later = None
            else:
                later = _carried(at, one, period, holidays)
            yield Deadline(one, each, number, at, later, repeats, regime.in_force)


def _repeated(
    start: datetime,
    period: Period,
    zone: tzinfo,
    resolved: datetime | None,
    holidays: frozenset[date],
) -> list[datetime | None]:
    """Return each end of a period that repeats, until the resolution; one without it (rule 8)."""
    first = ends(start, period, zone, holidays)
    if resolved is None:
        return [first]
    found: list[datetime | None] = []
    at = first
    while at < resolved:
        found.append(at)
        at = ends(at, period, zone, holidays)
    return found


def _carried(
    due: datetime, regime: Instrument, period: Period, holidays: frozenset[date]
) -> datetime | None:
    """Return until when a rule of counting may carry a deadline, if it may (rule 6)."""
    if period.unit == "hours" or not regime.counting.carries:
        return None
    zone = ZoneInfo(regime.zone)
    local = due.astimezone(zone)
    if is_business_day(local.date(), holidays):
        return None
    day = next_business_day(local.date(), holidays)
    return datetime.combine(day, local.time(), zone).astimezone(UTC)


def _order(one: Deadline) -> tuple[int, datetime, int]:
    if one.due is not None:
        return 1, one.due, one.number
    at_once = one.waits_for is None and one.obligation.stage == "initial"
    return 0 if at_once else 2 if one.waits_for else 3, datetime.min.replace(tzinfo=UTC), one.number
