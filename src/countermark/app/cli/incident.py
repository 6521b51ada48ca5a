# SPDX-License-Identifier: Apache-2.0
"""``countermark incident``: the deadlines that an incident starts, under each law and code."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import click

from countermark.app.cli.output import data, data_json, json_option, talk
from countermark.app.cli.verb import Noun
from countermark.commitments.calendars import moment, zone_named
from countermark.commitments.clocks import Clocks, Deadline, Incident, Regime, clocks
from countermark.commitments.ics import calendar_file
from countermark.commitments.law import KINDS, ORDER, Kind, instrument, instruments
from countermark.records.canonical import JsonValue

EXAMPLE = "countermark incident clocks --kind death --known 2026-11-29T10:00 --zone Africa/Nairobi"


@click.group(cls=Noun, example=EXAMPLE)
def command() -> None:
    """Find the deadlines that an incident starts. A calendar, no legal advice."""


@command.command(example="countermark incident kinds")
@json_option
def kinds(*, as_json: bool) -> None:
    """List the kinds of incident that start a clock."""
    if as_json:
        data_json(KINDS)
        return
    for key, words in KINDS.items():
        data(f"{key:<26}{words}")


@command.command("clocks", example=EXAMPLE)
@click.option(
    "--kind", "of", type=click.Choice(list(KINDS)), multiple=True, required=True,
    help="What happened; give it for each kind that fits.",
)  # fmt: skip
@click.option("--known", required=True, help="When it became known; without an offset, in ZONE.")
@click.option("--zone", required=True, help="Your time zone by its IANA name.")
@click.option(
    "--regime", "keys", type=click.Choice(ORDER), multiple=True, help="Only these; else all."
)
@click.option("--reported", help="When the initial report was made.")
@click.option("--resolved", help="When the incident was resolved.")
@click.option(
    "--holiday", "holidays", type=click.DateTime(["%Y-%m-%d"]), multiple=True,
    help="A day that is no business day, beside Saturdays and Sundays.",
)  # fmt: skip
@click.option("--ics", "as_ics", is_flag=True, help="Write a calendar file to stdout.")
@json_option
def clocks_(
    of: tuple[Kind, ...],
    known: str,
    zone: str,
    keys: tuple[str, ...],
    reported: str | None,
    resolved: str | None,
    holidays: tuple[datetime, ...],
    *,
    as_ics: bool,
    as_json: bool,
) -> None:
    """Give every deadline that an incident starts, in your time zone and in UTC."""
    place = zone_named(zone)
    incident = Incident(
        kinds=frozenset(of),
        known=moment(known, place),
        reported=moment(reported, place) if reported else None,
        resolved=moment(resolved, place) if resolved else None,
    )
    regimes = [instrument(key) for key in dict.fromkeys(keys)] or instruments()
    found = clocks(incident, regimes, {day.date() for day in holidays})
    if as_ics:
        click.echo(calendar_file(found), nl=False)
    elif as_json:
        data_json(as_value(found, place))
    else:
        _print(found, place)
    talk("A calendar, no legal advice: whether a regime binds you is for a lawyer to say.")


def as_value(found: Clocks, place: ZoneInfo) -> dict[str, JsonValue]:
    """Return what was found as JSON, with every moment in UTC and in a zone."""
    return {
        "known": _utc(found.incident.known),
        "zone": place.key,
        "deadlines": [_deadline_value(one, place) for one in found.deadlines],
        "regimes": [
            {
                "regime": one.instrument.key,
                "in_force": one.in_force,
                "standing": one.standing,
                "starts": one.starts,
                "counting": one.instrument.counting.words,
                "would_start": [list(some) for some in one.would_start],
            }
            for one in found.regimes
        ],
    }


def _deadline_value(one: Deadline, place: ZoneInfo) -> dict[str, JsonValue]:
    value: dict[str, JsonValue] = {
        "regime": one.regime.key,
        "obligation": one.obligation.key,
        "stage": one.obligation.stage,
        "number": one.number,
        "what": one.obligation.what,
        "to": one.obligation.to,
        "wants": list(one.obligation.wants),
        "when": one.obligation.timing.words,
        "in_force": one.in_force,
        "provision": one.obligation.provision,
        "source": one.source.model_dump(mode="json", exclude_none=True),
    }
    if one.due is not None:
        value |= {"due": _utc(one.due), "due_local": one.due.astimezone(place).isoformat()}
    if one.may_run_to is not None:
        value["may_run_to"] = _utc(one.may_run_to)
        value["may_run_to_local"] = one.may_run_to.astimezone(place).isoformat()
    if one.repeats is not None:
        value["repeats_every"] = one.repeats.words
    if one.waits_for is not None:
        value["waits_for"] = one.waits_for
    return value


def _print(found: Clocks, place: ZoneInfo) -> None:
    known = found.incident.known
    data(f"Known {_local(known, place)} ({_utc(known)})")
    for one in found.deadlines:
        data("")
        data(f"{_when(one, place)}  {one.regime.short}, {one.obligation.provision}")
        if not one.in_force:
            data("    NOT IN FORCE when it became known; listed so that you know")
        data(f"    {one.obligation.what} To: {one.obligation.to}")
        data(f"    {one.obligation.timing.words}{_more(one, place)}")
        if one.obligation.wants:
            data(f"    wants: {'; '.join(one.obligation.wants)}")
        data(f"    source: {one.source.title}, {one.source.publisher} ({one.source.standing})")
    data("")
    for regime in found.regimes:
        data(_regime_line(regime))


def _when(one: Deadline, place: ZoneInfo) -> str:
    if one.due is not None:
        until = "keep until" if one.obligation.stage == "keep" else "by"
        return f"{until} {_local(one.due, place)} ({_utc(one.due)})"
    return f"{one.waits_for}:" if one.waits_for else "no number of days:"


def _more(one: Deadline, place: ZoneInfo) -> str:
    more = f"; then every {one.repeats.words} until it is resolved" if one.repeats else ""
    if one.may_run_to is not None:
        more += f"; ends on a day of rest, may run to {_local(one.may_run_to, place)}"
    return more


def _regime_line(one: Regime) -> str:
    if one.starts:
        return f"{one.instrument.short}: {one.standing}. {one.instrument.counting.words}"
    would = ", or ".join(" with ".join(some) for some in one.would_start)
    needs = f"it would take {would}" if would else "it has no clock for single incidents"
    return f"{one.instrument.short}: no clock starts; {needs}"


def _local(at: datetime, place: ZoneInfo) -> str:
    return at.astimezone(place).strftime("%a %Y-%m-%d %H:%M:%S %Z")


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
