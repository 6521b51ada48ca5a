# SPDX-License-Identifier: Apache-2.0
"""Law beside promise: what laws, codes and schemes ask of developers, with sources."""

from collections.abc import Iterator
from datetime import date

from countermark.app.site import addresses
from countermark.app.site.context import Site, downloads, files
from countermark.app.site.page import DataFile, Page, Sheet

FORCES = {"law": "law", "code": "code that signatories follow", "voluntary": "voluntary scheme"}
STAGES = {
    "standing": "Standing duties",
    "initial": "First report of an incident",
    "intermediate": "Reports in between",
    "final": "Final report",
    "keep": "What is to be kept",
}
"""The stages of reporting in their order, with a heading for each."""


def law_pages(site: Site) -> Iterator[Page | DataFile]:
    """Return the overview of all instruments, and one page for each."""
    day = date.fromisoformat(site.day)
    sheets = [_instruments(site, day), _duties(site)]
    yield site.render(
        "law",
        "law/",
        "Law beside promise",
        instruments=site.reference.law,
        applying=[one for one in site.reference.law if one.applies(day)],
        day=day,
        forces=FORCES,
        downloads=downloads(sheets),
    )
    yield from files(sheets)
    for instrument in site.reference.law:
        yield site.render(
            "instrument",
            addresses.instrument(instrument.key),
            instrument.title,
            instrument=instrument,
            day=day,
            forces=FORCES,
            stages={
                heading: duties
                for stage, heading in STAGES.items()
                if (duties := [one for one in instrument.obligations if one.stage == stage])
            },
        )


def _instruments(site: Site, day: date) -> Sheet:
    return Sheet(
        "law/instruments",
        "Laws, codes and schemes",
        (
            *("key", "title", "jurisdiction", "force", "who", "authority", "applies", "standing"),
            *("as_of",),
        ),
        tuple(
            (
                *(one.key, one.title, one.jurisdiction, one.force, one.who, one.authority),
                *("yes" if one.applies(day) else "no", one.standing(day), one.as_of),
            )
            for one in site.reference.law
        ),
    )


def _duties(site: Site) -> Sheet:
    return Sheet(
        "law/duties",
        "What they ask",
        ("instrument", "duty", "stage", "what", "to", "when", "provision", "source", "standing"),
        tuple(
            (
                *(one.key, duty.key, duty.stage, duty.what, duty.to, duty.timing.words),
                *(duty.provision, one.cited(duty.source).title, one.cited(duty.source).standing),
            )
            for one in site.reference.law
            for duty in one.obligations
        ),
    )
