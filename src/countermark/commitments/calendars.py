# SPDX-License-Identifier: Apache-2.0
"""Counting hours, days and business days in a time zone, and reading times that people write.

The rules that are kept here are 3 to 5 and 15 of :mod:`countermark.commitments.clocks`.
"""

from calendar import monthrange
from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from countermark.commitments.law import Period
from countermark.records.errors import InputError

_LAST_SECOND = time(23, 59, 59)
_SATURDAY = 5
# Time zones are known for these; and a slip of the pen must not list reports for centuries.
_FIRST_YEAR, _LAST_YEAR = 2000, 2099


def ends(
    start: datetime, period: Period, zone: tzinfo, holidays: Collection[date] = ()
) -> datetime:
    """Return the last moment of a period that an event starts, in UTC (rules 3 to 5).

    Parameters
    ----------
    start
        The event, with its zone.
    period
        How long.
    zone
        Where days are counted.
    holidays
        Days that are no business days beside Saturdays and Sundays.
    """
    if period.unit == "hours":
        return start.astimezone(UTC) + timedelta(hours=period.amount)
    day = start.astimezone(zone).date()
    match period.unit:
        case "days":
            last = day + timedelta(days=period.amount)
        case "weeks":
            last = day + timedelta(weeks=period.amount)
        case "months":
            last = _months_on(day, period.amount)
        case "years":
            last = _months_on(day, 12 * period.amount)
        case "business-days":
            last = day
            for _ in range(period.amount):
                last = next_business_day(last, holidays)
    return _end_of(last, zone)


def moment(text: str, zone: ZoneInfo) -> datetime:
    """Read a time that a person wrote; one without an offset is in the zone given.

    Where clocks are set back, a time that comes twice is the first, so that no deadline is late.

    Raises
    ------
    InputError
        If it is no time, or the zone's clocks skip it.
    """
    try:
        read = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(
            f"{text!r} is no time",
            next_step="Write it as 2026-11-29T10:00, or with an offset as 2026-11-29T10:00+03:00.",
        ) from error
    refuse_year(read)
    if read.tzinfo is not None:
        return read.astimezone(UTC)
    local = read.replace(tzinfo=zone)
    if local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != read:
        raise InputError(
            f"{text} does not exist in {zone.key}: clocks are set forward over it",
            next_step="Give the time with its offset, such as 2026-03-29T02:30+01:00.",
        )
    return local.astimezone(UTC)


def zone_named(name: str) -> ZoneInfo:
    """Return a time zone by its IANA name.

    Raises
    ------
    InputError
        If this computer knows none of that name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InputError(
            f"{name!r} is no time zone that this computer knows",
            next_step="Give an IANA name such as Africa/Nairobi; pip install tzdata brings them.",
        ) from error


def refuse_year(given: datetime) -> None:
    """Refuse a time in a year that no calendar here knows (rule 15).

    Raises
    ------
    InputError
        If it is in one.
    """
    if not _FIRST_YEAR <= given.year <= _LAST_YEAR:
        raise InputError(
            f"the year {given.year} is out of range",
            next_step=f"Give a time between {_FIRST_YEAR} and {_LAST_YEAR}.",
        )


def is_business_day(day: date, holidays: Collection[date]) -> bool:
    """Tell whether a day is Monday to Friday and no holiday (rule 5)."""
    return day.weekday() < _SATURDAY and day not in holidays


def next_business_day(day: date, holidays: Collection[date]) -> date:
    """Return the first business day after a day."""
    following = day + timedelta(days=1)
    while not is_business_day(following, holidays):
        following += timedelta(days=1)
    return following


def _months_on(day: date, months: int) -> date:
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _end_of(day: date, zone: tzinfo) -> datetime:
    # Clocks that are set back at midnight show the last second twice; the second one ends the day.
    return datetime.combine(day, _LAST_SECOND, zone).replace(fold=1).astimezone(UTC)
