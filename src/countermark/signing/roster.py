# SPDX-License-Identifier: Apache-2.0
"""The roster: who the members are, their keys and roles, signed by a threshold of them.

TUF (python-tuf) carries it. The folder holds ``1.root.json`` and its successors,
``targets.json``, and the two targets ``roster.json`` and ``policy.txt``. Everything is checked
offline. :func:`load_roster` accepts a folder only if

1. every metadata file is strict JSON and well-formed TUF of the type its name says;
2. the root files are numbered without a gap, each says its own number, and the first is signed
   by a threshold of its own keys;
3. each later root is signed by a threshold of the root before it and of itself;
4. the targets are signed by the last root's threshold; no key counts twice under two ids;
5. the targets are exactly ``roster.json`` and the policies that it names, with the length and
   SHA-256 stated;
6. neither the last root nor the targets has expired at the time given;
7. ``roster.json`` is canonical and closed, and every party keeps the rules of ``party.py``;
8. no code, name, key id, public key, log origin or witness name is used twice;
9. the last policy is ``policy.txt`` and has no end; those before it are ``policy-1.txt`` and so on,
   and each ends when the next begins;
10. ``policy.txt`` lists exactly the logs and witnesses that stand, and for every such log the
    others' witnesses can meet the quorum without its own; an earlier policy lists none that the
    roster does not know.

:func:`refuse_rewriting` accepts a newer roster in place of an older one only if

11. it has the same first root and, version by version, the same root files;
12. its version is not lower, and at the same version it is the same roster;
13. nothing of the older one is gone or begins at another time, and what had ended has not come back
    or been prolonged. (An end may move to an earlier time, because a theft is often found out late;
    but not that of a policy, which would make room for a weaker one in the past.)

The first root is the trust anchor. The digest of what it says is :attr:`Roster.anchor`; compare it
with what the members published. What a party may say, and whose cosignature counts, is judged at
the time when a statement was witnessed; so this one folder serves for statements of all times.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Literal, NoReturn, TypeVar

from pydantic import Field, ValidationError
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root, Targets  # type: ignore[attr-defined]

from countermark.records.canonical import canonical, content_digest, read_object
from countermark.records.errors import InputError, VerificationError
from countermark.signing.keys import Key, standard_key
from countermark.signing.party import (
    Closed,
    Lasting,
    LogKey,
    Party,
    StatementKey,
    WitnessKey,
)
from countermark.signing.quorum import Policy, parse_policy

ROSTER_FILE = "roster.json"
POLICY_FILE = "policy.txt"
TARGETS_FILE = "targets.json"
MAX_METADATA_BYTES = 1024 * 1024
_ASK_TO_SIGN = (
    "More must sign if it is a draft (see `countermark roster show`). Else do not use it."
)
_ASK_FOR_NEWEST = "Ask the members for the newest roster; one never goes back."
ANY_TIME = datetime.min.replace(tzinfo=UTC)
S = TypeVar("S", Root, Targets)
_ROOT_NAME = re.compile(r"([1-9][0-9]{0,5})\.root\.json")


class PolicyTerm(Lasting):
    """A quorum policy, and while it is in force."""

    file: str


@dataclass(frozen=True)
class Roster:
    """The members and the quorum policies, as verified.

    Parameters
    ----------
    parties
        The members, those that left too, in the order of the file.
    policies
        Which cosignatures make a checkpoint good enough, and when; the last is in force.
    version
        Version of the signed targets; a refresh never accepts a lower one.
    expires
        When the roster stops being fit for a refresh (UTC).
    anchor
        Content address of what the first root says (its ``signed`` part, canonical).
    """

    parties: tuple[Party, ...]
    policies: tuple[tuple[PolicyTerm, Policy], ...]
    version: int
    expires: datetime
    anchor: str

    @property
    def policy(self) -> Policy:
        """The policy that has no end."""
        return self.policies[-1][1]

    def policy_at(self, at: datetime) -> Policy | None:
        """Return the policy that was in force at a time, or nothing before the first."""
        return next((policy for term, policy in self.policies if term.valid_at(at)), None)

    def party(self, code: str) -> Party | None:
        """Return the party with this code."""
        return self._by_code.get(code)

    def by_keyid(self, keyid: str) -> tuple[Party, StatementKey] | None:
        """Return the party and statement key with this key id."""
        return self._by_keyid.get(keyid)

    def by_origin(self, origin: str) -> Party | None:
        """Return the party whose log has this origin."""
        return self._by_origin.get(origin)

    def witness_key(self, name: str, key_id: bytes) -> tuple[Party, WitnessKey] | None:
        """Return the party and witness key that a signature line claims to be by."""
        return self._by_witness.get((name, key_id))

    @cached_property
    def _by_code(self) -> dict[str, Party]:
        return {party.code: party for party in self.parties}

    @cached_property
    def _by_keyid(self) -> dict[str, tuple[Party, StatementKey]]:
        return {key.keyid: (party, key) for party in self.parties for key in party.statement_keys}

    @cached_property
    def _by_origin(self) -> dict[str, Party]:
        return {log.origin: party for party in self.parties for log in party.logs}

    @cached_property
    def _by_witness(self) -> dict[tuple[str, bytes], tuple[Party, WitnessKey]]:
        return {
            (witness.name, witness.key.key_id): (party, witness)
            for party in self.parties
            for witness in party.witnesses
        }


class RosterContent(Closed):
    """What ``roster.json`` says."""

    format: Literal["countermark-roster"] = "countermark-roster"
    version: Literal[1] = 1
    parties: tuple[Party, ...]
    policies: Annotated[tuple[PolicyTerm, ...], Field(min_length=1)]

    def to_bytes(self) -> bytes:
        """Return the file's one canonical byte form."""
        return canonical(self.model_dump(mode="json", exclude_none=True)) + b"\n"


def load_roster(files: Mapping[str, bytes], at: datetime) -> Roster:
    """Verify a roster folder offline and return what it says.

    Parameters
    ----------
    files
        File name to contents. Files of other names are not read.
    at
        The time at which expiry is judged (UTC, with its zone). To refresh, pass the current
        time. To check evidence, pass :data:`ANY_TIME`: a roster that was in force when it was
        witnessed still speaks for it, and rule 3 of ``transparency/verify.py`` judges that.

    Raises
    ------
    VerificationError
        If a signature, number, hash or time is wrong (rules 2 to 6).
    InputError
        If a file is missing or malformed (rules 1, 7, 8 and 9).
    """
    names = root_names(files)
    roots = [read_metadata(files, name, Root) for name in names]
    root = _trusted_root(roots, names)
    targets = read_metadata(files, TARGETS_FILE, Targets)
    _verify_signed(root, "targets", targets, TARGETS_FILE)
    content = _content(files, targets.signed)
    for name, signed in ((names[-1], root), (TARGETS_FILE, targets.signed)):
        if at >= signed.expires:
            _distrust(f"expired on {signed.expires:%Y-%m-%d}", name, "Get the current roster.")
    return _roster(files, roots, targets.signed, content)


def read_draft(files: Mapping[str, bytes]) -> Roster:
    """Return what a roster says to which not all have signed (rules 1, 5 and 7 to 10).

    Parameters
    ----------
    files
        File name to contents. Whether the signatures are enough, or sound, is not looked at, nor
        is expiry.

    Raises
    ------
    VerificationError
        If ``roster.json`` or a policy is not what the targets say, which is what gets signed.
    InputError
        If a file is missing or malformed.
    """
    roots = [read_metadata(files, name, Root) for name in root_names(files)]
    targets = read_metadata(files, TARGETS_FILE, Targets).signed
    return _roster(files, roots, targets, _content(files, targets))


def _roster(
    files: Mapping[str, bytes],
    roots: Sequence[Metadata[Root]],
    targets: Targets,
    content: RosterContent,
) -> Roster:
    policies = tuple(
        (term, parse_policy(files[term.file], where=term.file)) for term in content.policies
    )
    check_roster(content.parties, policies)
    return Roster(
        content.parties,
        policies,
        targets.version,
        min(roots[-1].signed.expires, targets.expires),
        content_digest(roots[0].signed_bytes),
    )


def refuse_rewriting(older: Mapping[str, bytes], newer: Mapping[str, bytes]) -> None:
    """Refuse a roster that does not continue an older one (rules 11 to 13).

    Parameters
    ----------
    older
        Files of a roster folder that :func:`load_roster` accepts.
    newer
        Those of another, or of a draft that :func:`read_draft` accepts.

    Raises
    ------
    VerificationError
        If a rule is broken.
    """
    for name in root_names(older):
        if name not in newer or _said(newer, name) != _said(older, name):
            _distrust("is not the one accepted before", name, _ASK_FOR_NEWEST)
    old, new = read_draft(older), read_draft(newer)
    if new.version < old.version or (
        new.version == old.version and newer[ROSTER_FILE] != older[ROSTER_FILE]
    ):
        _distrust(
            f"is version {new.version}; version {old.version}, another, was accepted before",
            TARGETS_FILE,
            _ASK_FOR_NEWEST,
        )
    kept = _lasting_entries(new)
    for label, entry in _lasting_entries(old).items():
        _refuse_change(label, entry, kept.get(label))


def _said(files: Mapping[str, bytes], name: str) -> bytes:
    # Without the signatures: one that a member adds later changes nothing of what is said.
    return read_metadata(files, name, Root).signed_bytes


def _lasting_entries(roster: Roster) -> dict[str, Lasting]:
    """Return whatever lasts in a roster, by what identifies it."""
    found: dict[str, Lasting] = {}
    for party in roster.parties:
        for grant in party.roles:
            found[f"{party.code}: role {grant.role} from {grant.valid_from}"] = grant
        for key in party.statement_keys:
            found[f"{party.code}: statement key {key.keyid}"] = key
        note_keys: tuple[LogKey | WitnessKey, ...] = (*party.logs, *party.witnesses)
        for entry in note_keys:
            found[f"{party.code}: key {entry.vkey}"] = entry
    for term, policy in roster.policies:
        found[f"policy from {term.valid_from}: {content_digest(policy.text.encode())}"] = term
    return found


def _refuse_change(label: str, old: Lasting, new: Lasting | None) -> None:
    """Rule 13."""
    if new is None:
        _distrust(f"does not list any more {label}", ROSTER_FILE, _ASK_FOR_NEWEST)
    if new.valid_from != old.valid_from:
        _distrust(f"lets begin at another time {label}", ROSTER_FILE, _ASK_FOR_NEWEST)
    if isinstance(old, PolicyTerm) and old.valid_until not in (None, new.valid_until):
        _distrust(f"lets end at another time {label}", ROSTER_FILE, _ASK_FOR_NEWEST)
    if old.valid_until and not (new.valid_until and new.valid_until <= old.valid_until):
        _distrust(f"prolongs what had ended: {label}", ROSTER_FILE, _ASK_FOR_NEWEST)


def root_names(files: Mapping[str, bytes]) -> list[str]:
    """Return the names of the root files in their order.

    Raises
    ------
    InputError, VerificationError
        If there is none, or a number is left out.
    """
    numbers = sorted(int(m[1]) for name in files if (m := _ROOT_NAME.fullmatch(name)))
    if not numbers:
        _malformed("is missing", "1.root.json")
    if numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        _distrust("leave a gap in their numbers", "root files", "Get the missing root files.")
    return [f"{number}.root.json" for number in numbers]


def read_metadata(files: Mapping[str, bytes], name: str, kind: type[S]) -> Metadata[S]:
    """Read one file of TUF metadata by rule 1; no signature is looked at.

    Raises
    ------
    InputError
        If it is missing, malformed or of another type.
    """
    if name not in files:
        _malformed("is missing", name)
    value = read_object(files[name], where=name, max_bytes=MAX_METADATA_BYTES)
    try:
        stated = canonical(value["signed"])
        metadata = Metadata[S].from_dict(value)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"is not TUF metadata: {error}", where=name, next_step="Get the roster folder again."
        ) from error
    if not isinstance(metadata.signed, kind):
        _malformed(f"is of type {metadata.signed.type}", name)
    # The library fills in a field that is null, and would then verify what the file does not say.
    if canonical(metadata.signed.to_dict()) != stated:
        _malformed("has a field with no value", name)
    return metadata


def _trusted_root(roots: Sequence[Metadata[Root]], names: Sequence[str]) -> Root:
    trusted = roots[0].signed
    for name, root in zip(names, roots, strict=True):
        if root.signed.version != int(name.split(".")[0]):
            _distrust(f"says it is version {root.signed.version}", name, "Rename nothing.")
        _verify_signed(trusted, "root", root, name)
        _verify_signed(root.signed, "root", root, name)
        trusted = root.signed
    return trusted


def _verify_signed(
    root: Root, role: str, metadata: Metadata[Root] | Metadata[Targets], name: str
) -> None:
    keys: list[Key] = [root.keys[i] for i in root.roles[role].keyids if i in root.keys]
    # TUF counts key ids; one key under two ids, or in two spellings, would count twice towards the
    # threshold. In our one form a key has one id, and none is a key under which anybody can sign.
    if len({standard_key(key, where=name).keyid for key in keys}) != len(keys):
        _distrust("lists one key under two ids", name, "Ask the members for a sound roster.")
    try:
        root.verify_delegate(role, metadata.signed_bytes, metadata.signatures)
    except RepositoryError as error:
        _distrust(f"is not signed by enough members: {error}", name, _ASK_TO_SIGN)


def _content(files: Mapping[str, bytes], targets: Targets) -> RosterContent:
    """Rules 5 and 7."""
    if ROSTER_FILE not in targets.targets:
        _distrust(f"does not list {ROSTER_FILE}", TARGETS_FILE, "Do not use this roster.")
    for name, target in targets.targets.items():
        if name not in files:
            _malformed("is missing", name)
        if "sha256" not in target.hashes:
            _distrust(f"gives no SHA-256 of {name}", TARGETS_FILE, "Do not use this roster.")
        try:
            target.verify_length_and_hashes(files[name])
        except RepositoryError as error:
            _distrust(f"is not what was signed: {error}", name, "Get the roster folder again.")
    content = parse_content(files[ROSTER_FILE])
    if set(targets.targets) != {ROSTER_FILE, *(term.file for term in content.policies)}:
        _distrust("lists other targets than those of a roster", TARGETS_FILE, "Do not use it.")
    return content


def parse_content(data: bytes) -> RosterContent:
    """Read ``roster.json`` by rule 7; nothing of it is verified.

    Raises
    ------
    InputError
        If it is not canonical and closed, or a party breaks a rule.
    """
    value = read_object(data, where=ROSTER_FILE)
    if canonical(value) + b"\n" != data:
        _malformed("is not canonical JSON with one newline", ROSTER_FILE)
    try:
        content = RosterContent.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        _malformed(f"{'.'.join(map(str, first['loc']))}: {first['msg']}", ROSTER_FILE)
    if content.to_bytes() != data:
        _malformed("leaves out a field, or has one with no value", ROSTER_FILE)
    return content


def check_roster(parties: Sequence[Party], policies: Sequence[tuple[PolicyTerm, Policy]]) -> None:
    """Check what goes across parties and policies (rules 8 to 10).

    Raises
    ------
    InputError
        If a rule is broken.
    """
    logs = [log for party in parties for log in party.logs]
    witnesses = [witness for party in parties for witness in party.witnesses]
    statement_keys = [key for party in parties for key in party.statement_keys]
    _unique("code or name", [label for party in parties for label in {party.code, party.name}])
    names = [{log.origin for log in party.logs} for party in parties]
    names += [{witness.name for witness in party.witnesses} for party in parties]
    _unique("log origin or witness name", [name for found in names for name in found])
    note_keys: list[LogKey | WitnessKey] = [*logs, *witnesses]
    publics = [key.key.public.hex() for key in note_keys]
    _unique("public key", publics + [key.public for key in statement_keys])
    _check_terms([term for term, _ in policies])
    _check_policy(parties, policies[-1][1])
    known = {key.vkey for key in note_keys}
    for term, policy in policies[:-1]:
        listed = [log.key.text for log in policy.logs]
        listed += [witness.key.text for witness in policy.witnesses]
        if not known.issuperset(listed):
            _malformed("lists a log or witness that the roster never had", term.file)


def _check_terms(terms: Sequence[PolicyTerm]) -> None:
    """Rule 9."""
    names = [f"policy-{number}.txt" for number in range(1, len(terms))]
    if [term.file for term in terms] != [*names, POLICY_FILE] or terms[-1].valid_until:
        _malformed(f"does not name its policies policy-1.txt … {POLICY_FILE}", ROSTER_FILE)
    for earlier, later in pairwise(terms):
        if earlier.valid_until != later.valid_from:
            _malformed(f"has a gap between {earlier.file} and {later.file}", ROSTER_FILE)


def _check_policy(parties: Sequence[Party], policy: Policy) -> None:
    """Rule 10, for the policy in force."""
    if {p.log.vkey for p in parties if p.log} != {log.key.text for log in policy.logs}:
        _malformed("lists other logs than the roster", POLICY_FILE)
    standing = {p.witness.vkey for p in parties if p.witness}
    if standing != {witness.key.text for witness in policy.witnesses}:
        _malformed("lists other witnesses than the roster", POLICY_FILE)
    for party in parties:
        own = party.witness.vkey if party.witness else None
        others = {witness.name for witness in policy.witnesses if witness.key.text != own}
        if party.log and not policy.met_by(others):
            _malformed(f"can never be met for the log {party.log.origin}", POLICY_FILE)


def _unique(what: str, values: Iterable[str]) -> None:
    repeated = sorted(value for value, count in Counter(values).items() if count > 1)
    if repeated:
        _malformed(f"uses the {what} {repeated[0]!r} twice", ROSTER_FILE)


def _malformed(what: str, where: str) -> NoReturn:
    raise InputError(
        what, where=where, next_step="Get the roster folder again from a member you trust."
    )


def _distrust(what: str, where: str, next_step: str) -> NoReturn:
    raise VerificationError(what, where=where, next_step=next_step)
