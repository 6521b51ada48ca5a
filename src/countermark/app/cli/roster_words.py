# SPDX-License-Identifier: Apache-2.0
"""What a roster says, and who signed it, as lines of text."""

from collections.abc import Callable, Sequence

from countermark.app.cli.output import data, data_json, talk
from countermark.signing.ceremony import Asked, asked
from countermark.signing.quorum import parse_policy
from countermark.signing.roster import ANY_TIME, ROSTER_FILE, load_roster, parse_content


def print_roster(files: dict[str, bytes]) -> None:
    """Write members, roles, keys and policies, each with its times."""
    content = parse_content(files[ROSTER_FILE])
    for party in content.parties:
        data(f"{party.code}  {party.name}")
        for role in party.roles:
            data(f"    {role.role}: {role.lasting_words}")
        for key in party.statement_keys:
            data(f"    statement key {key.keyid} ({key.scheme}): {key.lasting_words}")
        for log in party.logs:
            data(f"    log {log.vkey}: {log.lasting_words}")
        for witness in party.witnesses:
            data(f"    witness {witness.vkey}: {witness.lasting_words}")
    for term in content.policies:
        policy = parse_policy(files.get(term.file, b""), where=term.file)
        groups = "; ".join(
            f"{group.threshold} of {len(group.members)} ({group.name})" for group in policy.groups
        )
        data(f"{term.file}: quorum {policy.quorum}: {groups}; {term.lasting_words}")


def signatures(files: dict[str, bytes]) -> list[dict[str, object]]:
    """Return who has signed each file and who is still asked, for machines."""
    return [
        {
            "file": one.file,
            "threshold": one.threshold,
            "signed": list(one.signed),
            "missing": list(one.missing),
            "complete": one.complete,
        }
        for one in asked(files)
    ]


def print_asked(files: dict[str, bytes], *, as_json: bool) -> None:
    """Write who has signed each file and who is still asked."""
    if as_json:
        data_json(signatures(files))
        return
    owner = {
        key.keyid: party.code
        for party in parse_content(files[ROSTER_FILE]).parties
        for key in party.statement_keys
    }

    def named(keyids: Sequence[str]) -> str:
        return ", ".join(owner.get(keyid, f"{keyid[:12]}…") for keyid in keyids) or "nobody"

    for one in asked(files):
        data(_asked_line(one, named))
    if all(one.complete for one in asked(files)):
        anchor = load_roster(files, ANY_TIME).anchor
        data(f"Enough have signed. Anchor {anchor}")
        talk("Next, everybody: countermark roster accept FOLDER --node NODE")


def _asked_line(one: Asked, named: Callable[[Sequence[str]], str]) -> str:
    mark = "✓" if one.complete else "…"
    more = "" if one.complete else f"; still asked: {named(one.missing)}"
    return f"{mark} {one.file}: {len(one.signed)} of {one.threshold} ({named(one.signed)}){more}"
