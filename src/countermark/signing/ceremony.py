# SPDX-License-Identifier: Apache-2.0
"""How members make a roster: a draft, one signature after another, each on its own machine.

A draft is a roster folder whose signatures are not complete. It goes from member to member as
files; whoever signs adds to it, and two copies that were signed apart can be merged.

1. A draft of a first roster has one root and targets, both to be signed by the members' threshold.
2. A draft of a later one keeps all earlier root files. A new root is drafted if the members, their
   threshold or the time of expiry change; it needs the old members' threshold and the new one's.
3. Signing adds a signature wherever the key is asked for, and changes nothing else.
4. Merging takes over the signatures that verify; the two drafts must say the same.
5. Before a member signs, its own machine checks that ``roster.json`` and the policies are those
   that the targets name, and that the draft continues the roster in force, by one version, without
   rewriting it (rules 11 to 13 of ``roster.py``). Without a roster in force only a first one can be
   checked so.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from securesystemslib.exceptions import UnverifiedSignatureError
from tuf.api.metadata import Metadata, Root, TargetFile, Targets  # type: ignore[attr-defined]

from countermark.records.canonical import canonical
from countermark.records.errors import InputError, StateError, VerificationError
from countermark.signing.keys import Key, Signer
from countermark.signing.party import Party
from countermark.signing.quorum import Policy, parse_policy
from countermark.signing.roster import (
    POLICY_FILE,
    ROSTER_FILE,
    TARGETS_FILE,
    PolicyTerm,
    RosterContent,
    check_roster,
    read_draft,
    read_metadata,
    refuse_rewriting,
    root_names,
)

AnyMetadata = Metadata[Root] | Metadata[Targets]


@dataclass(frozen=True, slots=True)
class Members:
    """Who signs the roster.

    Parameters
    ----------
    keys
        A key of each.
    threshold
        How many of them must sign.
    """

    keys: tuple[Key, ...]
    threshold: int

    def __post_init__(self) -> None:
        different = len({key.keyid for key in self.keys})
        if not 1 <= self.threshold <= different:
            raise InputError(
                f"is {self.threshold}, with {different} different signers",
                where="threshold",
                next_step="Choose a threshold from 1 to the number of signers; more than half is "
                "wise.",
            )


@dataclass(frozen=True, slots=True)
class Asked:
    """What one file of a draft still needs.

    Parameters
    ----------
    file
        Its name.
    threshold
        How many of the keys must sign.
    signed, missing
        Key ids of those that have signed, and of those that have not.
    """

    file: str
    threshold: int
    signed: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Enough have signed."""
        return len(self.signed) >= self.threshold


def draft_first(
    parties: Sequence[Party], policy: str, members: Members, since: str, expires: datetime
) -> dict[str, bytes]:
    """Return the unsigned files of a first roster (rule 1).

    Parameters
    ----------
    parties
        The members and developers.
    policy
        Text of the quorum policy (C2SP tlog-policy).
    members
        Who signs.
    since
        From when the policy is in force, such as ``2026-01-31T12:00:00Z``.
    expires
        When the roster stops being fit for a refresh (UTC).

    Raises
    ------
    InputError
        If the roster would break a rule of ``roster.py``.
    """
    content = RosterContent(
        parties=tuple(parties), policies=(PolicyTerm(file=POLICY_FILE, valid_from=since),)
    )
    files = _content_files(content, {POLICY_FILE: policy.encode()})
    root = _root(1, members, expires)
    targets = _targets(1, files, expires)
    return {"1.root.json": _bytes(root), TARGETS_FILE: _bytes(targets), **files}


def draft_next(
    kept: Mapping[str, bytes],
    content: RosterContent,
    policies: Mapping[str, bytes],
    members: Members,
    expires: datetime,
) -> dict[str, bytes]:
    """Return the files of the next roster, unsigned where they are new (rule 2).

    Parameters
    ----------
    kept
        The files of the roster in force.
    content
        What the next one says.
    policies
        The texts of all the policies that it names, by file name.
    members, expires
        As in :func:`draft_first`.

    Raises
    ------
    InputError
        If the roster would break a rule of ``roster.py``.
    """
    names = root_names(kept)
    last = read_metadata(kept, names[-1], Root).signed
    targets = read_metadata(kept, TARGETS_FILE, Targets).signed
    files = {name: kept[name] for name in names}
    if _members_of(last) != _members_of(_root(1, members, expires).signed) or (
        last.expires != expires
    ):
        number = last.version + 1
        files[f"{number}.root.json"] = _bytes(_root(number, members, expires))
    files |= _content_files(content, policies)
    listed = {name: data for name, data in files.items() if not name.endswith(".root.json")}
    files[TARGETS_FILE] = _bytes(_targets(targets.version + 1, listed, expires))
    return files


def asked(files: Mapping[str, bytes]) -> tuple[Asked, ...]:
    """Return what each signed file of a draft needs.

    A later root is there twice: the keys before it are asked, and its own.

    Raises
    ------
    InputError
        If a file is missing or malformed.
    """
    names = root_names(files)
    roots = [read_metadata(files, name, Root) for name in names]
    targets = read_metadata(files, TARGETS_FILE, Targets)
    found = []
    for index, (name, root) in enumerate(zip(names, roots, strict=True)):
        if index:
            found.append(_asked(name, root, roots[index - 1].signed, "root"))
        found.append(_asked(name, root, root.signed, "root"))
    found.append(_asked(TARGETS_FILE, targets, roots[-1].signed, "targets"))
    return tuple(dict.fromkeys(found))


def sign_draft(files: Mapping[str, bytes], *signers: Signer) -> dict[str, bytes]:
    """Return a draft with one member's signatures added (rule 3).

    Parameters
    ----------
    files
        The draft.
    signers
        Of its key; and of its new one, if the draft renews it.

    Raises
    ------
    StateError
        If no file asks for any of these keys.
    InputError
        If a file is missing or malformed.
    """
    signed = dict(files)
    for signer in signers:
        keyid = signer.public_key.keyid
        missing = {one.file for one in asked(files) if keyid in one.missing}
        # Roots before the last are history.
        for name in missing & {root_names(files)[-1], TARGETS_FILE}:
            metadata = _read(signed, name)
            metadata.sign(signer, append=True)
            signed[name] = _bytes(metadata)
    keyids = {signer.public_key.keyid for signer in signers}
    if not any(keyids & {*one.signed, *one.missing} for one in asked(files)):
        raise StateError(
            f"does not ask for the key {min(keyids)[:12]}…",
            where="the draft of the roster",
            next_step="Sign on the node of a member; `countermark roster show` lists who signs.",
        )
    return signed


def refuse_draft(files: Mapping[str, bytes], in_force: Mapping[str, bytes] | None) -> None:
    """Refuse a draft that a member should not sign (rule 5).

    Parameters
    ----------
    files
        The draft.
    in_force
        Files of the roster that the member holds, verified; nothing where it holds none.

    Raises
    ------
    VerificationError
        If the draft rewrites the roster in force, or its files are not those that get signed.
    StateError
        If it builds on another roster than the one in force.
    InputError
        If a file is missing or malformed.
    """
    version, names = read_draft(files).version, root_names(files)
    if in_force is None:
        if version > 1 or names != ["1.root.json"]:
            raise StateError(
                "continues a roster that this node does not hold",
                where="the draft of the roster",
                next_step="Get the roster in force from a member you trust, compare its anchor, "
                "and name its folder: --from FOLDER.",
            )
        return
    try:
        refuse_rewriting(in_force, files)
    except VerificationError as error:
        raise VerificationError(
            f"{error.what}; signing it would rewrite the roster in force",
            where=error.where,
            next_step="Nothing was signed. Ask whoever drafted it why, and warn the other members.",
        ) from error
    held = read_draft(in_force).version
    if version > held + 1:
        raise StateError(
            f"is version {version}, and the roster held here is version {held}",
            where="the draft of the roster",
            next_step="First get the roster that it continues: countermark roster accept FOLDER, "
            "or name its folder: --from FOLDER.",
        )


def merge_signatures(files: Mapping[str, bytes], other: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return a draft with the signatures that another copy of it has (rule 4).

    Raises
    ------
    InputError
        If the two do not say the same, or a file is missing or malformed.
    """
    merged = dict(files)
    for name in dict.fromkeys(one.file for one in asked(files)):
        mine, theirs = _read(files, name), _read(other, name)
        if mine.signed_bytes != theirs.signed_bytes:
            raise InputError(
                "is not the same in the two drafts",
                where=name,
                next_step="Sign copies of one draft; look at both with `countermark roster show`.",
            )
        asked_for = {key for one in asked(files) if one.file == name for key in one.missing}
        for keyid in sorted(asked_for & set(_valid(theirs, _keys(other)))):
            mine.signatures[keyid] = theirs.signatures[keyid]
        merged[name] = _bytes(mine)
    _same_content(files, other)
    return merged


def create_roster(
    parties: Sequence[Party],
    policy: str,
    member_signers: Sequence[Signer],
    threshold: int,
    since: str,
    expires: datetime,
) -> dict[str, bytes]:
    """Make a first roster at once, where all the members' signers are at hand.

    Raises
    ------
    InputError
        As :func:`draft_first` and :class:`Members` do.
    """
    members = Members(tuple(signer.public_key for signer in member_signers), threshold)
    files = draft_first(parties, policy, members, since, expires)
    for signer in member_signers:
        files = sign_draft(files, signer)
    return files


def members_of(files: Mapping[str, bytes]) -> Members:
    """Return who signs a roster, by its last root.

    Raises
    ------
    InputError
        If a root file is missing or malformed.
    """
    root = read_metadata(files, root_names(files)[-1], Root).signed
    role = root.roles["targets"]
    return Members(tuple(root.keys[keyid] for keyid in role.keyids), role.threshold)


def _content_files(content: RosterContent, policies: Mapping[str, bytes]) -> dict[str, bytes]:
    parsed: list[tuple[PolicyTerm, Policy]] = []
    for term in content.policies:
        if term.file not in policies:
            raise InputError("is missing", where=term.file, next_step="Give the policy's text.")
        parsed.append((term, parse_policy(policies[term.file], where=term.file)))
    check_roster(content.parties, parsed)
    named = {term.file: policies[term.file] for term in content.policies}
    return {ROSTER_FILE: content.to_bytes(), **named}


def _root(version: int, members: Members, expires: datetime) -> Metadata[Root]:
    root = Root(version=version, expires=expires, consistent_snapshot=False)
    for role in root.roles:
        for key in members.keys:
            root.add_key(key, role)
        root.roles[role].threshold = members.threshold
    return Metadata(root)


def _targets(version: int, files: Mapping[str, bytes], expires: datetime) -> Metadata[Targets]:
    targets = Targets(version=version, expires=expires)
    for name, data in files.items():
        targets.targets[name] = TargetFile.from_data(name, data, ["sha256"])
    return Metadata(targets)


def _members_of(root: Root) -> tuple[tuple[str, ...], int]:
    role = root.roles["targets"]
    return tuple(sorted(role.keyids)), role.threshold


def _asked(name: str, metadata: AnyMetadata, root: Root, role: str) -> Asked:
    keys = {keyid: root.keys[keyid] for keyid in root.roles[role].keyids if keyid in root.keys}
    signed = tuple(sorted(_valid(metadata, keys)))
    missing = tuple(sorted(set(keys) - set(signed)))
    return Asked(name, root.roles[role].threshold, signed, missing)


def _valid(metadata: AnyMetadata, keys: Mapping[str, Key]) -> Iterable[str]:
    for keyid, signature in metadata.signatures.items():
        if keyid not in keys:
            continue
        try:
            keys[keyid].verify_signature(signature, metadata.signed_bytes)
        except UnverifiedSignatureError:
            continue
        yield keyid


def _keys(files: Mapping[str, bytes]) -> dict[str, Key]:
    return {
        keyid: key
        for name in root_names(files)
        for keyid, key in read_metadata(files, name, Root).signed.keys.items()
    }


def _same_content(files: Mapping[str, bytes], other: Mapping[str, bytes]) -> None:
    for name in read_metadata(files, TARGETS_FILE, Targets).signed.targets:
        if files.get(name) != other.get(name):
            raise InputError(
                "is not the same in the two drafts",
                where=name,
                next_step="Take the file that was drafted; nobody edits it by hand.",
            )


def _read(files: Mapping[str, bytes], name: str) -> AnyMetadata:
    if name == TARGETS_FILE:
        return read_metadata(files, name, Targets)
    return read_metadata(files, name, Root)


def _bytes(metadata: AnyMetadata) -> bytes:
    return canonical(metadata.to_dict()) + b"\n"
