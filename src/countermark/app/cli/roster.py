# SPDX-License-Identifier: Apache-2.0
"""``countermark roster``: the members' ceremony, step by step, as files that are passed on.

``init`` or ``change`` drafts a roster on one machine. The folder goes to the members; each signs on
its own machine, and passes the folder on (or sends its copy back, to be merged). When enough have
signed, everybody accepts it.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from countermark.app.cli.output import (
    answer,
    data_json,
    json_option,
    node_option,
    open_node,
    passphrase_option,
    read_input,
    talk,
)
from countermark.app.cli.reading import roster_files_in
from countermark.app.cli.roster_reading import read_parties, read_role
from countermark.app.cli.roster_words import print_asked, print_roster, signatures, strength
from countermark.app.cli.verb import Noun
from countermark.node.files import write_atomic
from countermark.records.canonical import read_object
from countermark.records.errors import StateError, UsageError
from countermark.signing.ceremony import (
    Members,
    draft_first,
    draft_next,
    members_of,
    merge_signatures,
    refuse_draft,
    sign_draft,
)
from countermark.signing.changes import (
    grant,
    join,
    leave,
    policy_for,
    renew,
    replace_policy,
    revoke,
    simple_threshold,
    withdraw,
)
from countermark.signing.keys import Key
from countermark.signing.party import Party
from countermark.signing.quorum import Policy
from countermark.signing.roster import (
    ANY_TIME,
    POLICY_FILE,
    ROSTER_FILE,
    load_roster,
    parse_content,
    refuse_rewriting,
)

if TYPE_CHECKING:
    from countermark.node.node import Node

DAYS = 365
_TIMES = ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d")
_folder = click.Path(path_type=Path, file_okay=False)
_file = click.Path(path_type=Path, dir_okay=False)

role_option = click.option(
    "--role", "roles", multiple=True, metavar="CODE=ROLE,…", help="Roles, if not as in the file."
)
member_option = click.option(
    "--member",
    "codes",
    multiple=True,
    metavar="CODE",
    help="Who signs the roster; else all but developers.",
)
quorum_option = click.option(
    "--quorum", type=click.IntRange(min=1), help="How many witnesses must cosign a log."
)
policy_option = click.option(
    "--policy", "policy_file", type=_file, help="A C2SP tlog-policy, where --quorum is too simple."
)
expires_option = click.option(
    "--expires", type=click.DateTime(_TIMES), help=f"Else {DAYS} days from now."
)


@click.group(cls=Noun, example="countermark roster show demo/record/roster")
def command() -> None:
    """Make, sign, accept and show the roster of members, keys and roles."""


@command.command(
    example="countermark roster init draft --party GB.json --party KE.json --party JP.json "
    "--role GB=coordinator,publisher,witness --threshold 2 --quorum 1"
)
@click.argument("out", type=_folder)
@click.option(
    "--party", "files", multiple=True, required=True, type=_file, help="As `node init` printed it."
)
@role_option
@member_option
@click.option(
    "--threshold", type=click.IntRange(min=1), required=True, help="How many members must sign."
)
@quorum_option
@policy_option
@expires_option
@json_option
def init(
    out: Path,
    files: tuple[Path, ...],
    roles: tuple[str, ...],
    codes: tuple[str, ...],
    threshold: int,
    quorum: int | None,
    policy_file: Path | None,
    expires: datetime | None,
    *,
    as_json: bool,
) -> None:
    """Draft the first roster from the entries that members sent."""
    parties = read_parties(files, roles)
    if (quorum is None) == (policy_file is None):
        raise UsageError("needs --quorum or --policy, one of them", next_step="Give one of them.")
    policy = read_input(policy_file).decode("utf-8", "replace") if policy_file else None
    draft = draft_first(
        parties,
        policy or policy_for(parties, quorum or 1),
        Members(_keys(parties, codes or _members(parties)), threshold),
        _stamp(datetime.now(UTC)),
        _expiry(expires),
    )
    _write_new(out, draft)
    print_asked(draft, as_json=as_json)
    for line in strength(draft):
        talk(line)
    talk(f"Next, each member: countermark roster sign {out} --node NODE")


@command.command(
    example="countermark roster change draft --from roster --leave KE --revoke 3f0c… --quorum 2"
)
@click.argument("out", type=_folder)
@click.option("--from", "kept_folder", required=True, type=_folder, help="The roster in force.")
@click.option("--join", "joining", multiple=True, type=_file, help="The entry of a new member.")
@role_option
@click.option("--leave", "leaving", multiple=True, metavar="CODE")
@click.option("--renew", "renewing", multiple=True, type=_file, help="As `node rotate` printed it.")
@click.option("--stolen", is_flag=True, help="The keys that --renew replaces were stolen.")
@click.option(
    "--revoke", "revoking", multiple=True, metavar="KEYID", help="A statement key that was stolen."
)
@click.option("--grant", "granting", multiple=True, metavar="CODE=ROLE")
@click.option("--withdraw", "withdrawing", multiple=True, metavar="CODE=ROLE")
@member_option
@click.option("--threshold", type=click.IntRange(min=1), help="Else as it is.")
@quorum_option
@policy_option
@expires_option
@click.option(
    "--at",
    type=click.DateTime(_TIMES),
    help="From when the changes hold (UTC), such as when all will have signed; else now.",
)
@json_option
def change(
    out: Path,
    kept_folder: Path,
    joining: tuple[Path, ...],
    roles: tuple[str, ...],
    leaving: tuple[str, ...],
    renewing: tuple[Path, ...],
    revoking: tuple[str, ...],
    granting: tuple[str, ...],
    withdrawing: tuple[str, ...],
    codes: tuple[str, ...],
    threshold: int | None,
    quorum: int | None,
    policy_file: Path | None,
    expires: datetime | None,
    at: datetime | None,
    *,
    stolen: bool,
    as_json: bool,
) -> None:
    """Draft the next roster: joining, leaving, new keys, revocation, roles, quorum, expiry."""
    kept = roster_files_in(kept_folder)
    now = load_roster(kept, ANY_TIME)
    content = parse_content(kept[ROSTER_FILE])
    time = _stamp(at.replace(tzinfo=UTC) if at else datetime.now(UTC))
    for party in read_parties(joining, roles):
        content = join(content, party)
    for code in leaving:
        content = leave(content, code, time)
    for party in read_parties(renewing, ()):
        content = renew(content, party, time, "revoked" if stolen else "rotated")
    for keyid in revoking:
        content = revoke(content, keyid, time)
    for code, role in map(read_role, granting):
        content = grant(content, code, role, time)
    for code, role in map(read_role, withdrawing):
        content = withdraw(content, code, role, time)
    text = _next_policy(now.policy, content.parties, quorum, policy_file)
    texts = {term.file: kept[term.file] for term in content.policies}
    content, texts = replace_policy(content, texts, text, time)
    old = members_of(kept)
    stayed = tuple(codes) or _codes_of(old.keys, content.parties)
    members = Members(_keys(content.parties, stayed), threshold or old.threshold)
    draft = draft_next(kept, content, texts, members, _expiry(expires))
    _write_new(out, draft)
    print_asked(draft, as_json=as_json)
    for line in strength(draft):
        talk(line)
    talk(f"Next, each member: countermark roster sign {out} --node NODE")


@command.command(example="countermark roster sign draft --node nairobi")
@click.argument("draft", type=_folder)
@node_option
@passphrase_option
@click.option(
    "--also", "others", multiple=True, type=_folder, help="Copies that others signed, to merge."
)
@click.option(
    "--from",
    "kept_folder",
    type=_folder,
    help="The roster in force, where this node has not accepted it.",
)
@click.option("--yes", is_flag=True, help="Sign without asking.")
@json_option
def sign(
    draft: Path,
    node_folder: Path,
    passphrase_file: Path | None,
    others: tuple[Path, ...],
    kept_folder: Path | None,
    *,
    yes: bool,
    as_json: bool,
) -> None:
    """Add this member's signature to a draft that continues its roster, after showing it."""
    from countermark.node.rotation import signers  # noqa: PLC0415  brings the database

    files = roster_files_in(draft)
    for other in others:
        files = merge_signatures(files, roster_files_in(other))
    refuse_draft(files, _in_force(open_node(node_folder, None, ask=False), kept_folder))
    if not as_json:
        print_roster(files)
    if not yes:
        click.confirm("Sign this?", abort=True, err=True)
    files = sign_draft(files, *signers(open_node(node_folder, passphrase_file)))
    for name, contents in files.items():
        write_atomic(draft / name, contents)
    print_asked(files, as_json=as_json)


@command.command(example="countermark roster show demo/record/roster")
@click.argument("folder", type=_folder)
@json_option
def show(folder: Path, *, as_json: bool) -> None:
    """Show members, keys, roles, policies, who signed and who is still asked."""
    files = roster_files_in(folder)
    if as_json:
        data_json(
            {
                "roster": read_object(files[ROSTER_FILE], where=ROSTER_FILE),
                "signatures": signatures(files),
            }
        )
        return
    print_roster(files)
    print_asked(files, as_json=False)


@command.command(example="countermark roster accept draft --node nairobi")
@click.argument("folder", type=_folder)
@node_option
@passphrase_option
@json_option
def accept(folder: Path, node_folder: Path, passphrase_file: Path | None, *, as_json: bool) -> None:
    """Check a signed roster and keep it on this node, in place of the old one."""
    from countermark.node.rotation import has_new_keys  # noqa: PLC0415  brings the database

    files = roster_files_in(folder)
    node = open_node(node_folder, passphrase_file, ask=False)
    node.accept_roster(files)
    if has_new_keys(node):
        node = open_node(node_folder, passphrase_file)
        if has_new_keys(node):
            talk("New keys wait for their time in the roster.")
            talk("The first command after it that opens this node's keys puts them in use.")
    roster = node.roster
    value = {
        "version": roster.version,
        "expires": f"{roster.expires:%Y-%m-%d}",
        "anchor": roster.anchor,
    }
    answer(", ".join(f"{name} {what}" for name, what in value.items()), value, as_json=as_json)


def _in_force(node: "Node", named: Path | None) -> Mapping[str, bytes] | None:
    """Return the files of the roster that a draft must continue: the one kept, or a newer one."""
    kept = node.roster_files() if node.has_roster() else None
    if named is None:
        return kept
    files = roster_files_in(named)
    load_roster(files, ANY_TIME)
    if kept is not None:
        refuse_rewriting(kept, files)
    return files


def _next_policy(
    old: Policy, parties: Sequence[Party], quorum: int | None, policy_file: Path | None
) -> str:
    if policy_file is not None:
        return read_input(policy_file).decode("utf-8", "replace")
    wanted = quorum or simple_threshold(old)
    if wanted is None:
        raise UsageError(
            "has a policy that is not simply k of n, so it cannot be continued by itself",
            where=POLICY_FILE,
            next_step="Give --policy with the new one, or --quorum.",
        )
    return policy_for(parties, wanted)


def _members(parties: Sequence[Party]) -> tuple[str, ...]:
    return tuple(p.code for p in parties if p.statement_keys and "developer" not in p.current_roles)


def _keys(parties: Sequence[Party], codes: Sequence[str]) -> tuple[Key, ...]:
    by_code = {party.code: party for party in parties}
    keys: list[Key] = []
    for code in codes:
        key = _standing_key(by_code[code]) if code in by_code else None
        if key is None:
            raise UsageError(
                f"has no statement key to sign with: {code}",
                where="--member",
                next_step="Name members whose entries hold a statement key that did not end.",
            )
        keys.append(key)
    return tuple(keys)


def _standing_key(party: Party) -> Key | None:
    """Return the newest statement key that did not end: a stolen one signs no later roster."""
    return next((key.key for key in reversed(party.statement_keys) if not key.ended), None)


def _codes_of(keys: Sequence[Key], parties: Sequence[Party]) -> tuple[str, ...]:
    """Return the members whose keys signed so far, without those that leave or have no key now."""
    keyids = {key.keyid for key in keys}
    return tuple(
        party.code
        for party in parties
        if party.current_roles
        and _standing_key(party)
        and keyids & {key.keyid for key in party.statement_keys}
    )


def _expiry(expires: datetime | None) -> datetime:
    found = expires.replace(tzinfo=UTC) if expires else datetime.now(UTC) + timedelta(days=DAYS)
    return found.replace(microsecond=0)


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _write_new(out: Path, files: dict[str, bytes]) -> None:
    if out.exists() and any(out.iterdir()):
        raise StateError("is not empty", where=str(out), next_step="Give a new folder.")
    for name, contents in files.items():
        write_atomic(out / name, contents)
