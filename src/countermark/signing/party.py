# SPDX-License-Identifier: Apache-2.0
"""A party of the roster: who it is, what it may say, and its keys.

Nothing disappears from the roster: each role and key has the time from which it holds and, once it
ended, the time until which it held. So what was said and witnessed in time stays valid for good.

Rules for one party:

1. A statement key's id is the hash of its contents.
2. A log key is an Ed25519 vkey named by the log's origin; all logs of a party have one origin.
3. A witness key is a cosignature/v1 vkey named by the witness; all have one name.
4. The role *witness* and a witness key go together, as things stand.
5. Any other role that stands needs a log that stands and at least one statement key.
6. Nothing ends before it begins (what ends as it begins never held). ``ended`` says why, and only
   of what has an end.
7. Roles, logs and witness keys are in the order of time; of one kind no two hold at once.
8. A party has, or had, at least one role; code and name are not empty.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from countermark.records.base import Hex32, PartyCode, Timestamp
from countermark.records.errors import InputError
from countermark.signing.keys import ED25519_SCHEME, Scheme, SSlibKey, public_key
from countermark.signing.vkey import COSIGNATURE_V1, ED25519, VerifierKey, parse_vkey

Role = Literal["publisher", "coordinator", "witness", "developer"]

MAY_SAY: dict[Role, frozenset[str]] = {
    "publisher": frozenset(
        {
            "run-plan",
            "sealed-result",
            "evidence",
            "annotation-set",
            "rejudgement",
            "countersignature",
            "dissent",
            "equivocation",
            "institute",
            "partnership",
            "declaration",
            "publication",
            "framework",
            "account",
            "determination",
        }
    ),
    "coordinator": frozenset({"protocol", "exercise-closing", "finding", "decision"}),
    "developer": frozenset({"framework", "account", "determination", "decision", "reply"}),
    "witness": frozenset(),
}
"""Which role may say which kinds of record. A kind that no role lists, no one may say."""


class Closed(BaseModel):
    """A frozen piece of the roster; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)


class Lasting(Closed):
    """Something that holds from one time, and perhaps not for ever (rule 6)."""

    valid_from: Timestamp
    valid_until: Timestamp | None = None
    ended: Literal["rotated", "revoked", "left"] | None = None

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        begins, ends = self._interval
        if ends is not None and ends < begins:
            raise ValueError(f"ends before it begins: {self.valid_from} to {self.valid_until}")
        if ends is None and self.ended is not None:
            raise ValueError(f"has {self.ended} and no time of its end")
        return self

    def valid_at(self, at: datetime) -> bool:
        """Tell whether it holds at a time: from ``valid_from``, before ``valid_until``."""
        begins, ends = self._interval
        return begins <= at and (ends is None or at < ends)

    @property
    def lasting_words(self) -> str:
        """When it holds, in words."""
        if self.valid_until is None:
            return f"valid from {self.valid_from}"
        why = f", {self.ended}" if self.ended else ""
        return f"valid from {self.valid_from} until {self.valid_until}{why}"

    @cached_property
    def _interval(self) -> tuple[datetime, datetime | None]:
        ends = datetime.fromisoformat(self.valid_until) if self.valid_until else None
        return datetime.fromisoformat(self.valid_from), ends


L = TypeVar("L", bound=Lasting)


class RoleGrant(Lasting):
    """A role, and while it is held."""

    role: Role


class StatementKey(Lasting):
    """A key that signs statements, and when it may."""

    keyid: Hex32
    public: Annotated[str, Field(pattern="^([0-9a-f]{64}|04[0-9a-f]{128})$")]
    scheme: Scheme = ED25519_SCHEME

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.key.keyid != self.keyid:
            raise ValueError(f"statement key {self.keyid[:12]}… has another key id than its own")
        return self

    @cached_property
    def key(self) -> SSlibKey:
        """The public key that verifies envelopes."""
        try:
            return public_key(self.public, self.scheme)
        except InputError as error:
            raise ValueError(str(error)) from error

    @classmethod
    def of(
        cls,
        public: str,
        valid_from: str,
        valid_until: str | None = None,
        scheme: Scheme = ED25519_SCHEME,
    ) -> Self:
        """Make the entry of a public key (hex); the key id follows from it."""
        return cls(
            keyid=public_key(public, scheme).keyid,
            public=public,
            scheme=scheme,
            valid_from=valid_from,
            valid_until=valid_until,
        )


class LogKey(Lasting):
    """A party's log: its origin and the key that signs its checkpoints."""

    origin: str
    vkey: str

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        _check_vkey(self.vkey, self.origin, ED25519)
        return self

    @cached_property
    def key(self) -> VerifierKey:
        """The parsed key."""
        return parse_vkey(self.vkey, where="log key")


class WitnessKey(Lasting):
    """A party's witness: its name and the key that cosigns checkpoints."""

    name: str
    vkey: str

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        _check_vkey(self.vkey, self.name, COSIGNATURE_V1)
        return self

    @cached_property
    def key(self) -> VerifierKey:
        """The parsed key."""
        return parse_vkey(self.vkey, where="witness key")


class Party(Closed):
    """A member of the roster, with all that it was and is."""

    code: PartyCode
    name: Annotated[str, Field(min_length=1, max_length=200)]
    roles: Annotated[tuple[RoleGrant, ...], Field(min_length=1)]
    statement_keys: tuple[StatementKey, ...] = ()
    logs: tuple[LogKey, ...] = ()
    witnesses: tuple[WitnessKey, ...] = ()

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if len({log.origin for log in self.logs}) > 1:
            raise ValueError(f"{self.code}: its logs have more than one origin")
        if len({witness.name for witness in self.witnesses}) > 1:
            raise ValueError(f"{self.code}: its witness has more than one name")
        for what, entries in (("log", self.logs), ("witness key", self.witnesses)):
            _check_order(f"{self.code}: its {what}", entries)
        keys = [(grant.role, grant.valid_from) for grant in self.roles]
        if keys != sorted(keys):
            raise ValueError(f"{self.code}: roles are not sorted by name and time")
        for role in {grant.role for grant in self.roles}:
            grants = [grant for grant in self.roles if grant.role == role]
            _check_order(f"{self.code}: its role {role}", grants)
        self._check_what_stands()
        return self

    def _check_what_stands(self) -> None:
        roles = self.current_roles
        if ("witness" in roles) != (self.witness is not None):
            raise ValueError(f"{self.code}: the role witness and a witness key go together")
        speaks = any(role != "witness" for role in roles)
        if speaks and (self.log is None or not self.statement_keys):
            raise ValueError(f"{self.code}: a party that speaks needs a log and a statement key")

    @classmethod
    def begin(
        cls,
        code: str,
        name: str,
        roles: Sequence[Role],
        key: StatementKey | None,
        log: VerifierKey | None,
        witness: VerifierKey | None,
        since: str,
    ) -> Self:
        """Make the first entry of a party, all of it valid from one time.

        Parameters
        ----------
        code, name
            Who it is.
        roles
            In any order.
        key
            What signs its statements, with times of its own.
        log, witness
            The keys of its log and of its witness.
        since
            From when it all holds, such as ``2026-01-31T12:00:00Z``.
        """
        return cls(
            code=code,
            name=name,
            roles=tuple(RoleGrant(role=role, valid_from=since) for role in sorted(roles)),
            statement_keys=(key,) if key else (),
            logs=(LogKey(origin=log.name, vkey=log.text, valid_from=since),) if log else (),
            witnesses=(
                (WitnessKey(name=witness.name, vkey=witness.text, valid_from=since),)
                if witness
                else ()
            ),
        )

    @cached_property
    def current_roles(self) -> tuple[Role, ...]:
        """The roles that stand."""
        return tuple(grant.role for grant in self.roles if _stands(grant))

    @cached_property
    def log(self) -> LogKey | None:
        """The log key that stands, or nothing if the party has left."""
        return next(filter(_stands, self.logs), None)

    @cached_property
    def witness(self) -> WitnessKey | None:
        """The witness key that stands."""
        return next(filter(_stands, self.witnesses), None)

    def log_at(self, at: datetime) -> LogKey | None:
        """Return the log key that holds at a time; one that is drafted for later does not yet."""
        return next((log for log in self.logs if log.valid_at(at)), None)

    def witness_at(self, at: datetime) -> WitnessKey | None:
        """Return the witness key that holds at a time."""
        return next((witness for witness in self.witnesses if witness.valid_at(at)), None)

    @property
    def honest_log_keys(self) -> tuple[VerifierKey, ...]:
        """The keys that its log has and had, without those that were revoked.

        A checkpoint has no time that others attest, so what a stolen key signed cannot be told
        from what its owner signed before.
        """
        return tuple(log.key for log in self.logs if log.ended != "revoked")

    @property
    def log_keys(self) -> tuple[VerifierKey, ...]:
        """The keys that its log has and had."""
        return tuple(log.key for log in self.logs)

    @property
    def origin(self) -> str | None:
        """The origin of its log, of now or before."""
        return self.logs[0].origin if self.logs else None

    def roles_at(self, at: datetime) -> tuple[Role, ...]:
        """Return the roles it held at a time."""
        return tuple(grant.role for grant in self.roles if grant.valid_at(at))

    def may_say(self, kind: str, at: datetime) -> bool:
        """Tell whether a role that the party held at a time may say records of this kind."""
        return any(kind in MAY_SAY[role] for role in self.roles_at(at))

    def could_ever_say(self, kind: str) -> bool:
        """Tell whether any role that the party ever held may say records of this kind."""
        return any(kind in MAY_SAY[grant.role] for grant in self.roles)


def _stands(entry: Lasting) -> bool:
    return entry.valid_until is None


def _check_order(what: str, entries: Sequence[L]) -> None:
    """Rule 7: each ends before the next begins."""
    for earlier, later in pairwise(entries):
        if earlier.valid_until is None or later.valid_from < earlier.valid_until:
            raise ValueError(f"{what} from {later.valid_from} begins before the last has ended")


def _check_vkey(text: str, name: str, algorithm: int) -> None:
    try:
        key = parse_vkey(text, where=name)
    except InputError as error:
        raise ValueError(str(error)) from error
    if key.name != name:
        raise ValueError(f"{name}: its verifier key carries the name {key.name}")
    if key.algorithm != algorithm:
        raise ValueError(f"{name}: its verifier key has algorithm 0x{key.algorithm:02x}")
