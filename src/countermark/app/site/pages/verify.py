# SPDX-License-Identifier: Apache-2.0
"""The page on which a person checks a statement file in the browser, and the scripts it needs."""

import json
from collections.abc import Iterator
from datetime import datetime

from markupsafe import Markup

from countermark.app.site import addresses
from countermark.app.site.context import Site
from countermark.app.site.page import Page
from countermark.records import Record
from countermark.records.canonical import JsonValue
from countermark.signing.party import MAY_SAY
from countermark.signing.roster import Roster


def verify_pages(site: Site) -> Iterator[Page]:
    """Return the page; the roster of the book stands in it, so that it needs no other file."""
    roster = site.book.roster
    yield site.render(
        "verify",
        addresses.VERIFY,
        "Check a file",
        roster=roster,
        expires=_stamp(roster.expires),
        roster_data=inlined(roster_value(roster)),
    )


def roster_value(roster: Roster) -> dict[str, JsonValue]:
    """Return a verified roster as ``verify.js`` takes it, with who may say which kind of record."""
    return {
        "anchor": roster.anchor,
        "version": roster.version,
        "expires": _stamp(roster.expires),
        "parties": [party.model_dump(mode="json", exclude_none=True) for party in roster.parties],
        "policies": [
            {**term.model_dump(mode="json", exclude_none=True), "text": policy.text}
            for term, policy in roster.policies
        ],
        "kinds": {name: _kind(name, kind) for name, kind in sorted(Record.KINDS.items())},
    }


def inlined(value: JsonValue) -> Markup:
    """Return a value as JSON that can stand in a ``script`` element and cannot leave it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # In JSON these stand in texts only, where an escape means the same.
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _kind(name: str, kind: type[Record]) -> dict[str, JsonValue]:
    found: dict[str, JsonValue] = {
        "version": kind.model_fields["version"].default,
        "roles": [str(role) for role, kinds in sorted(MAY_SAY.items()) if name in kinds],
    }
    speakers = kind.speaker_fields()
    return {**found, "speaker": list(speakers)} if speakers else found
