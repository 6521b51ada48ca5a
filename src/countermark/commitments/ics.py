# SPDX-License-Identifier: Apache-2.0
"""Deadlines as a calendar file (iCalendar, RFC 5545) that any calendar program reads.

1. Each deadline with a date is one event of a minute, at its last moment, in UTC.
2. What repeats carries a rule of recurrence in weeks (section 3.8.5.3).
3. The same deadline has the same identifier each time, so that a calendar replaces it.
4. Lines end with CRLF and are folded at 75 octets (section 3.1); text is escaped (section 3.3.11).
"""

from datetime import UTC, datetime

from countermark.commitments.clocks import Clocks, Deadline
from countermark.records.canonical import content_digest

_FOLD = 75


def calendar_file(found: Clocks) -> str:
    """Return the deadlines that have a date as an iCalendar file."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Countermark//incident clocks//EN"]
    for one in found.deadlines:
        if one.due is not None:
            lines += _event(one, one.due, found.incident.known)
    return "".join(f"{_folded(line)}\r\n" for line in [*lines, "END:VCALENDAR"])


def _event(one: Deadline, due: datetime, known: datetime) -> list[str]:
    lines = [
        "BEGIN:VEVENT",
        f"UID:{_identifier(one, known)}",
        # The stamp is when the file was made; that of the incident keeps the same file the same.
        f"DTSTAMP:{_utc(known)}",
        f"DTSTART:{_utc(due)}",
        "DURATION:PT1M",
        f"SUMMARY:{_escaped(f'{one.regime.short}: {one.obligation.what}')}",
        f"DESCRIPTION:{_escaped(_description(one))}",
    ]
    if one.repeats is not None and one.repeats.unit == "weeks":
        lines.append(f"RRULE:FREQ=WEEKLY;INTERVAL={one.repeats.amount}")
    return [*lines, "END:VEVENT"]


def _description(one: Deadline) -> str:
    wants = "; ".join(one.obligation.wants)
    parts = [
        f"To: {one.obligation.to}",
        f"{one.obligation.provision}: {one.obligation.timing.words}",
        *([f"Wants: {wants}"] if wants else []),
        *([] if one.in_force else ["The regime was not in force when the incident became known."]),
        "Not legal advice.",
    ]
    return "\n".join(parts)


def _identifier(one: Deadline, known: datetime) -> str:
    named = f"{one.regime.key} {one.obligation.key} {one.number} {_utc(known)}"
    return f"{content_digest(named.encode())[7:39]}@countermark"


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _escaped(text: str) -> str:
    for plain in ("\\", ";", ","):
        text = text.replace(plain, f"\\{plain}")
    return text.replace("\n", "\\n")


def _folded(line: str) -> str:
    pieces, size = [""], 0
    for character in line:
        octets = len(character.encode())
        # A further line begins with a space, which counts.
        if size + octets > _FOLD:
            pieces.append(" ")
            size = 1
        pieces[-1] += character
        size += octets
    return "\r\n".join(pieces)
