# SPDX-License-Identifier: Apache-2.0
"""The quorum policy: which cosignatures make a checkpoint good enough (C2SP tlog-policy).

1. Text is UTF-8 with tab, newline and no other control character; every line ends with a newline.
2. A line is empty, a comment (``#``), or ``log``, ``witness``, ``group`` or ``quorum``; words are
   separated by spaces and tabs.
3. Log keys are Ed25519 (0x01), witness keys are cosignature keys (0x04); no public key twice.
4. Witnesses and groups share one name space; no name twice; ``none`` cannot be defined.
5. A group has at least one member, refers back only, and 1 ≤ k ≤ n (``any`` is 1, ``all`` is n).
6. Each name is a member of at most one group, once.
7. There is exactly one quorum line; it refers back, or says ``none``.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import NoReturn

from countermark.records.errors import InputError
from countermark.signing.vkey import COSIGNATURE_V1, ED25519, VerifierKey, parse_vkey

NONE = "none"
MAX_POLICY_BYTES = 256 * 1024
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_WHERE = "policy.txt"


@dataclass(frozen=True, slots=True)
class PolicyLog:
    """One accepted log."""

    key: VerifierKey
    url: str | None


@dataclass(frozen=True, slots=True)
class PolicyWitness:
    """One witness under the name that the policy gives it."""

    name: str
    key: VerifierKey
    url: str | None


@dataclass(frozen=True, slots=True)
class PolicyGroup:
    """At least ``threshold`` of ``members`` (names of witnesses or earlier groups)."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """A parsed policy.

    Parameters
    ----------
    text
        The file as it was read.
    logs, witnesses, groups
        In the order of the file.
    quorum
        Name of the witness or group that must have witnessed, or ``none``.
    """

    text: str
    logs: tuple[PolicyLog, ...]
    witnesses: tuple[PolicyWitness, ...]
    groups: tuple[PolicyGroup, ...]
    quorum: str

    def met_by(self, witnesses: Collection[str]) -> bool:
        """Tell whether these witnesses (by their names in the policy) are a quorum."""
        if self.quorum == NONE:
            return True
        satisfied = {witness.name for witness in self.witnesses} & set(witnesses)
        # Groups refer back only, so one pass in file order settles them all.
        for group in self.groups:
            if sum(member in satisfied for member in group.members) >= group.threshold:
                satisfied.add(group.name)
        return self.quorum in satisfied


def parse_policy(data: bytes, *, where: str = _WHERE) -> Policy:
    """Read a policy file.

    Raises
    ------
    InputError
        If a rule of the module docstring is broken; the line is named.
    """
    if len(data) > MAX_POLICY_BYTES:
        _refuse(f"is {len(data):,} bytes; at most {MAX_POLICY_BYTES:,} are read", where)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        _refuse(f"is not UTF-8 (byte {error.start})", where)
    control = _CONTROL.search(text)
    if control:
        place = f"{where}:{text.count(chr(10), 0, control.start()) + 1}"
        _refuse(f"holds the control character U+{ord(control.group()):04X}", place)
    if not text.endswith("\n"):
        _refuse("does not end with a newline", where)
    draft = _Draft()
    for number, line in enumerate(text[:-1].split("\n"), start=1):
        words = [word for word in re.split("[ \t]+", line) if word]
        if words and not words[0].startswith("#"):
            draft.add(words, f"{where}:{number}")
    if draft.quorum is None:
        _refuse("has no quorum line", where)
    return Policy(
        text, tuple(draft.logs), tuple(draft.witnesses), tuple(draft.groups), draft.quorum
    )


def k_of_n_policy(
    logs: Iterable[VerifierKey], witnesses: Iterable[VerifierKey], threshold: int
) -> str:
    """Return the text of a policy: any ``threshold`` of the witnesses, each under its key name.

    Raises
    ------
    InputError
        If the threshold does not fit the number of witnesses, or a key does not fit its use.
    """
    keys = list(witnesses)
    lines = [f"log {key.text}" for key in logs]
    lines += [f"witness {key.name} {key.text}" for key in keys]
    members = " ".join(key.name for key in keys)
    lines += [f"group witnesses {threshold} {members}", "quorum witnesses"]
    return parse_policy(("\n".join(lines) + "\n").encode()).text


@dataclass
class _Draft:
    """A policy while its lines are read."""

    logs: list[PolicyLog] = field(default_factory=list)
    witnesses: list[PolicyWitness] = field(default_factory=list)
    groups: list[PolicyGroup] = field(default_factory=list)
    quorum: str | None = None
    names: set[str] = field(default_factory=set)
    members: set[str] = field(default_factory=set)
    publics: set[bytes] = field(default_factory=set)

    def add(self, words: list[str], where: str) -> None:
        match words:
            case ["log", vkey, *url] if len(url) <= 1:
                self.logs.append(PolicyLog(self._key(vkey, ED25519, where), _first(url)))
            case ["witness", name, vkey, *url] if len(url) <= 1:
                self._define(name, where)
                key = self._key(vkey, COSIGNATURE_V1, where)
                self.witnesses.append(PolicyWitness(name, key, _first(url)))
            case ["group", name, threshold, *members] if members:
                self._group(name, threshold, members, where)
            case ["quorum", name]:
                if self.quorum is not None:
                    _refuse("is a second quorum line", where)
                if name not in self.names and name != NONE:
                    _refuse(f"names {name!r}, which no line before it defines", where)
                self.quorum = name
            case _:
                _refuse(f"is not a policy line: {' '.join(words)[:60]!r}", where)

    def _key(self, text: str, algorithm: int, where: str) -> VerifierKey:
        key = parse_vkey(text, where=where)
        if key.algorithm != algorithm:
            _refuse(f"has a key of algorithm 0x{key.algorithm:02x}, not 0x{algorithm:02x}", where)
        if key.public in self.publics:
            _refuse("repeats a public key", where)
        self.publics.add(key.public)
        return key

    def _define(self, name: str, where: str) -> None:
        if name == NONE or name in self.names:
            _refuse(f"defines {name!r}, which is taken", where)
        self.names.add(name)

    def _group(self, name: str, threshold: str, members: list[str], where: str) -> None:
        for member in members:
            if member not in self.names:
                _refuse(f"names {member!r}, which no line before it defines", where)
            if member in self.members:
                _refuse(f"names {member!r}, which is a member already", where)
            self.members.add(member)
        self._define(name, where)
        count = {"any": 1, "all": len(members)}.get(threshold)
        if count is None:
            count = int(threshold) if re.fullmatch("[1-9][0-9]{0,5}", threshold) else 0
        if not 1 <= count <= len(members):
            _refuse(f"asks for {threshold[:20]!r} of {len(members)} members", where)
        self.groups.append(PolicyGroup(name, count, tuple(members)))


def _first(url: list[str]) -> str | None:
    return url[0] if url else None


def _refuse(what: str, where: str) -> NoReturn:
    raise InputError(
        what, where=where, next_step="Compare the line with C2SP tlog-policy and correct it."
    )
