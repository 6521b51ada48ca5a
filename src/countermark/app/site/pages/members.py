# SPDX-License-Identifier: Apache-2.0
"""The network's members, as public sources describe them."""

from collections.abc import Iterator

from countermark.app.site import addresses
from countermark.app.site.context import Site, downloads, files
from countermark.app.site.exercises import exercises
from countermark.app.site.page import JSON_TYPE, DataFile, Page, Sheet


def member_pages(site: Site) -> Iterator[Page | DataFile]:
    """Return the list of members and one page for each."""
    institutes = site.reference.institutes
    found = exercises(site.book)
    taking_part = {
        institute.code: [
            exercise for exercise in found if institute.code in exercise.protocol.participants
        ]
        for institute in institutes
    }
    sheet = Sheet(
        "members/members",
        "Members",
        ("code", "country", "name", "nature", "member_since", "as_of"),
        tuple(
            (
                institute.code,
                institute.country,
                institute.name,
                institute.nature,
                institute.member_since,
                institute.as_of,
            )
            for institute in institutes
        ),
    )
    yield site.render(
        "members",
        "members/",
        "Members of the network",
        taking_part=taking_part,
        downloads=downloads([sheet]),
    )
    yield from files([sheet])
    for institute in institutes:
        path = addresses.member(institute.code)
        of_theirs = [
            partnership
            for partnership in site.reference.partnerships
            if institute.code in partnership.members
        ]
        signed = [
            declaration
            for declaration in site.reference.declarations
            if institute.country in declaration.signatories
        ]
        yield site.render(
            "member",
            path,
            institute.country,
            institute=institute,
            exercises=taking_part[institute.code],
            partnerships=of_theirs,
            declarations=signed,
        )
        yield DataFile(f"{path}institute.json", institute.to_bytes(), JSON_TYPE)
