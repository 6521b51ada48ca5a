# SPDX-License-Identifier: Apache-2.0
"""What a roster says, and who signed it, as lines of text."""

from collections.abc import Callable, Sequence

from countermark.app.cli.output import data, data_json, talk
from countermark.signing.ceremony import Asked, asked, members_of
from countermark.signing.changes import simple_threshold
from countermark.signing.party import Party
from countermark.signing.quorum import Policy, parse_policy
from countermark.signing.roster import (
    ANY_TIME,
    POLICY_FILE,
    ROSTER_FILE,
    TARGETS_FILE,
    load_roster,
    parse_content,
)


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
    for line in strength(files):
        data(line)


def strength(files: dict[str, bytes]) -> tuple[str, ...]:
    """Say how many must lie before a log, or the roster, can have two histories."""
    members = members_of(files)
    count = len({key.keyid for key in members.keys})
    lines = [f"Members: {members.threshold} of {count} must sign."]
    if 2 * members.threshold <= count:
        lines.append(
            f"Warning: {members.threshold} of {count} is not more than half, so two groups of "
            f"members can sign two rosters. More than half is {count // 2 + 1}."
        )
    policy = parse_policy(files.get(POLICY_FILE, b""), where=POLICY_FILE)
    return (*lines, *_witness_strength(policy, parse_content(files[ROSTER_FILE]).parties))


def _witness_strength(policy: Policy, parties: Sequence[Party]) -> tuple[str, ...]:
    """Speak of the log for which most witnesses count, which is where two quorums share fewest."""
    threshold = simple_threshold(policy)
    if threshold is None:
        return ()
    listed = {witness.key.text for witness in policy.witnesses}
    own = {
        party.code: int(party.witness is not None and party.witness.vkey in listed)
        for party in parties
        if party.log
    }
    if not own:
        return ()
    code = min(own, key=own.__getitem__)
    counting = len(listed) - own[code]
    liars = 2 * threshold - counting
    if liars > 0:
        return (
            f"Witnesses: {threshold} must cosign. For {code}'s log {counting} count, so {liars} "
            f"must lie before it can show two histories.",
        )
    return (
        f"Warning: {threshold} of the {counting} witnesses that count for {code}'s log must cosign. "
        f"That is not more than half, so it can show two histories though no witness lies. "
        f"More than half is {counting // 2 + 1}.",
    )


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

    found = asked(files)
    last = max((one.file for one in found if one.file != TARGETS_FILE), key=_number)
    if all(one.complete for one in found if one.file not in (last, TARGETS_FILE)):
        found = tuple(one for one in found if one.file in (last, TARGETS_FILE))
    for place, one in enumerate(found):
        twice = [other.file for other in found].count(one.file) > 1
        before = any(other.file == one.file for other in found[place + 1 :])
        whose = (", by the members so far" if before else ", by the new members") if twice else ""
        data(_asked_line(one, whose, named))
    if all(one.complete for one in asked(files)):
        anchor = load_roster(files, ANY_TIME).anchor
        data(f"Enough have signed. Anchor {anchor}")
        talk("Next, everybody: countermark roster accept FOLDER --node NODE")


def _number(root: str) -> int:
    return int(root.partition(".")[0])


def _asked_line(one: Asked, whose: str, named: Callable[[Sequence[str]], str]) -> str:
    mark = "✓" if one.complete else "…"
    more = "" if one.complete else f"; still asked: {named(one.missing)}"
    signed = f"{len(one.signed)} signed ({named(one.signed)}), {one.threshold} needed"
    return f"{mark} {one.file}{whose}: {signed}{more}"
