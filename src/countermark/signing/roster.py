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
5. the targets are exactly ``roster.json`` and ``policy.txt``, with the length and SHA-256 stated;
6. neither the last root nor the targets has expired at the time given;
7. ``roster.json`` is canonical and closed, and every party keeps the rules of ``party.py``;
8. no code, name, key id, public key, log origin or witness name is used twice;
9. the policy lists exactly the roster's logs and witnesses, and for every log the others'
   witnesses can meet the quorum without its own.

The first root is the trust anchor. Its digest is :attr:`Roster.anchor`; compare it with what the
members published.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Literal, NoReturn, TypeVar

from pydantic import ValidationError
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root, TargetFile, Targets  # type: ignore[attr-defined]

from countermark.records.canonical import canonical, content_digest, read_object
from countermark.records.errors import InputError, VerificationError
from countermark.signing.keys import Key, Signer
from countermark.signing.party import Closed, LogKey, Party, StatementKey, WitnessKey
from countermark.signing.quorum import Policy, parse_policy

ROSTER_FILE = "roster.json"
POLICY_FILE = "policy.txt"
TARGETS_FILE = "targets.json"
MAX_METADATA_BYTES = 1024 * 1024
S = TypeVar("S", Root, Targets)
_ROOT_NAME = re.compile(r"([1-9][0-9]{0,5})\.root\.json")


@dataclass(frozen=True)
class Roster:
    """The members and the quorum policy, as verified.

    Parameters
    ----------
    parties
        The members, in the order of the file.
    policy
        Which cosignatures make a checkpoint good enough.
    version
        Version of the signed targets; a refresh never accepts a lower one.
    expires
        When the roster stops being fit for a refresh (UTC).
    anchor
        Content address of the first root file.
    """

    parties: tuple[Party, ...]
    policy: Policy
    version: int
    expires: datetime
    anchor: str

    def party(self, code: str) -> Party | None:
        """Return the party with this code."""
        return self._by_code.get(code)

    def by_keyid(self, keyid: str) -> tuple[Party, StatementKey] | None:
        """Return the party and statement key with this key id."""
        return self._by_keyid.get(keyid)

    def by_origin(self, origin: str) -> Party | None:
        """Return the party whose log has this origin."""
        return self._by_origin.get(origin)

    def by_witness(self, name: str) -> Party | None:
        """Return the party whose witness has this name."""
        return self._by_witness.get(name)

    def policy_name(self, witness: str) -> str | None:
        """Return the name under which the policy knows a witness (given by its key name)."""
        return self._policy_names.get(witness)

    @cached_property
    def _by_code(self) -> dict[str, Party]:
        return {party.code: party for party in self.parties}

    @cached_property
    def _by_keyid(self) -> dict[str, tuple[Party, StatementKey]]:
        return {key.keyid: (party, key) for party in self.parties for key in party.statement_keys}

    @cached_property
    def _by_origin(self) -> dict[str, Party]:
        return {party.log.origin: party for party in self.parties if party.log}

    @cached_property
    def _by_witness(self) -> dict[str, Party]:
        return {party.witness.name: party for party in self.parties if party.witness}

    @cached_property
    def _policy_names(self) -> dict[str, str]:
        return {witness.key.name: witness.name for witness in self.policy.witnesses}


class _RosterFile(Closed):
    """What ``roster.json`` says."""

    format: Literal["countermark-roster"]
    version: Literal[1]
    parties: tuple[Party, ...]


def create_roster(
    parties: Sequence[Party],
    policy: str,
    member_signers: Sequence[Signer],
    threshold: int,
    expires: datetime,
) -> dict[str, bytes]:
    """Make the first roster folder, signed by all the members given.

    Parameters
    ----------
    parties
        The members.
    policy
        Text of the quorum policy (C2SP tlog-policy).
    member_signers
        Signers of the root and targets; each member holds one.
    threshold
        How many of them must sign each version.
    expires
        When the roster stops being fit for a refresh (UTC).

    Returns
    -------
    dict
        File name to contents: ``1.root.json``, ``targets.json``, ``roster.json``, ``policy.txt``.

    Raises
    ------
    InputError
        If the threshold does not fit the signers, or rule 7, 8 or 9 is broken.
    """
    members = {signer.public_key.keyid for signer in member_signers}
    if not 1 <= threshold <= len(members):
        raise InputError(
            f"is {threshold}, with {len(members)} different signers",
            where="threshold",
            next_step="Choose a threshold from 1 to the number of signers; more than half is wise.",
        )
    content = _RosterFile(format="countermark-roster", version=1, parties=tuple(parties))
    files = {
        ROSTER_FILE: canonical(content.model_dump(mode="json", exclude_none=True)) + b"\n",
        POLICY_FILE: policy.encode(),
    }
    _check_roster(tuple(parties), parse_policy(files[POLICY_FILE]))
    root = Root(expires=expires, consistent_snapshot=False)
    for role in root.roles:
        for signer in member_signers:
            root.add_key(signer.public_key, role)
        root.roles[role].threshold = threshold
    targets = Targets(expires=expires)
    for name, data in files.items():
        targets.targets[name] = TargetFile.from_data(name, data, ["sha256"])
    return {
        "1.root.json": _signed(Metadata(root), member_signers),
        TARGETS_FILE: _signed(Metadata(targets), member_signers),
        **files,
    }


def load_roster(files: Mapping[str, bytes], at: datetime) -> Roster:
    """Verify a roster folder offline and return what it says.

    Parameters
    ----------
    files
        File name to contents. Files of other names are not read.
    at
        The time at which expiry is judged (UTC, with its zone). To refresh, pass the current
        time. To check evidence witnessed earlier, pass the time at which it was witnessed
        (:meth:`countermark.transparency.statement.StatementFile.claimed_time`): a roster that
        was in force then still speaks for it.

    Raises
    ------
    VerificationError
        If a signature, number, hash or time is wrong (rules 2 to 6).
    InputError
        If a file is missing or malformed (rules 1, 7, 8 and 9).
    """
    names = _root_names(files)
    roots = [_metadata(files, name, Root) for name in names]
    root = _trusted_root(roots, names)
    targets = _metadata(files, TARGETS_FILE, Targets)
    _verify_signed(root, "targets", targets, TARGETS_FILE)
    _check_targets(files, targets.signed)
    for name, signed in ((names[-1], root), (TARGETS_FILE, targets.signed)):
        if at >= signed.expires:
            _distrust(f"expired on {signed.expires:%Y-%m-%d}", name, "Get the current roster.")
    parties = _parties(files[ROSTER_FILE])
    policy = parse_policy(files[POLICY_FILE])
    _check_roster(parties, policy)
    return Roster(
        parties,
        policy,
        targets.signed.version,
        min(root.expires, targets.signed.expires),
        content_digest(files[names[0]]),
    )


def _signed(metadata: Metadata[Root] | Metadata[Targets], signers: Iterable[Signer]) -> bytes:
    for signer in signers:
        metadata.sign(signer, append=True)
    return canonical(metadata.to_dict()) + b"\n"


def _root_names(files: Mapping[str, bytes]) -> list[str]:
    numbers = sorted(int(m[1]) for name in files if (m := _ROOT_NAME.fullmatch(name)))
    if not numbers:
        _malformed("is missing", "1.root.json")
    if numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        _distrust("leave a gap in their numbers", "root files", "Get the missing root files.")
    return [f"{number}.root.json" for number in numbers]


def _metadata(files: Mapping[str, bytes], name: str, kind: type[S]) -> Metadata[S]:
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
    # TUF counts key ids; one key under two ids would count twice towards the threshold.
    if len({str(key.keyval) for key in keys}) != len(keys):
        _distrust("lists one key under two ids", name, "Ask the members for a sound roster.")
    try:
        root.verify_delegate(role, metadata.signed_bytes, metadata.signatures)
    except RepositoryError as error:
        _distrust(f"is not signed by enough members: {error}", name, "Do not use this roster.")


def _check_targets(files: Mapping[str, bytes], targets: Targets) -> None:
    if set(targets.targets) != {ROSTER_FILE, POLICY_FILE}:
        _distrust("lists other targets than the two of a roster", TARGETS_FILE, "Do not use it.")
    for name, target in targets.targets.items():
        if name not in files:
            _malformed("is missing", name)
        if "sha256" not in target.hashes:
            _distrust(f"gives no SHA-256 of {name}", TARGETS_FILE, "Do not use this roster.")
        try:
            target.verify_length_and_hashes(files[name])
        except RepositoryError as error:
            _distrust(f"is not what was signed: {error}", name, "Get the roster folder again.")


def _parties(data: bytes) -> tuple[Party, ...]:
    value = read_object(data, where=ROSTER_FILE)
    if canonical(value) + b"\n" != data:
        _malformed("is not canonical JSON with one newline", ROSTER_FILE)
    try:
        content = _RosterFile.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        _malformed(f"{'.'.join(map(str, first['loc']))}: {first['msg']}", ROSTER_FILE)
    if canonical(content.model_dump(mode="json", exclude_none=True)) + b"\n" != data:
        _malformed("leaves out a field, or has one with no value", ROSTER_FILE)
    return content.parties


def _check_roster(parties: Sequence[Party], policy: Policy) -> None:
    logs = [party.log for party in parties if party.log]
    witnesses = [party.witness for party in parties if party.witness]
    statement_keys = [key for party in parties for key in party.statement_keys]
    _unique("code or name", [label for party in parties for label in {party.code, party.name}])
    _unique("log origin or witness name", [x.origin for x in logs] + [x.name for x in witnesses])
    note_keys: list[LogKey | WitnessKey] = [*logs, *witnesses]
    publics = [key.key.public.hex() for key in note_keys]
    _unique("public key", publics + [key.public for key in statement_keys])
    if {key.vkey for key in logs} != {log.key.text for log in policy.logs}:
        _malformed("lists other logs than the roster", POLICY_FILE)
    if {key.vkey for key in witnesses} != {witness.key.text for witness in policy.witnesses}:
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
