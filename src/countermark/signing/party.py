# SPDX-License-Identifier: Apache-2.0
"""A party of the roster: who it is, what it may say, and its keys.

Rules for one party:

1. A statement key's id is the hash of its contents; ``valid_from`` is before ``valid_until``.
2. A log key is an Ed25519 vkey named by the log's origin.
3. A witness key is a cosignature/v1 vkey named by the witness.
4. The role *witness* and a witness key go together.
5. Any other role needs a log and at least one statement key.
6. Roles are sorted and named once; code and name are not empty.
"""

from datetime import datetime
from typing import Annotated, Literal, Self

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
            "countersignature",
            "dissent",
            "institute",
            "partnership",
            "declaration",
            "publication",
        }
    ),
    "coordinator": frozenset({"protocol", "exercise-closing", "finding", "decision"}),
    "developer": frozenset({"framework", "decision"}),
    "witness": frozenset(),
}
"""Which role may say which kinds of record. A kind that no role lists, no one may say."""


class Closed(BaseModel):
    """A frozen piece of the roster; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class StatementKey(Closed):
    """A key that signs statements, and when it may."""

    keyid: Hex32
    public: Annotated[str, Field(pattern="^([0-9a-f]{64}|04[0-9a-f]{128})$")]
    scheme: Scheme = ED25519_SCHEME
    valid_from: Timestamp
    valid_until: Timestamp | None = None

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.key.keyid != self.keyid:
            raise ValueError(f"statement key {self.keyid[:12]}… has another key id than its own")
        begins, ends = self._interval
        if ends is not None and ends <= begins:
            raise ValueError(f"statement key {self.keyid[:12]}… ends before it begins")
        return self

    @property
    def key(self) -> SSlibKey:
        """The public key that verifies envelopes."""
        return public_key(self.public, self.scheme)

    def valid_at(self, at: datetime) -> bool:
        """Tell whether the key may sign at a time: from ``valid_from``, before ``valid_until``."""
        begins, ends = self._interval
        return begins <= at and (ends is None or at < ends)

    @property
    def _interval(self) -> tuple[datetime, datetime | None]:
        ends = datetime.fromisoformat(self.valid_until) if self.valid_until else None
        return datetime.fromisoformat(self.valid_from), ends

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


class LogKey(Closed):
    """A party's log: its origin and the key that signs its checkpoints."""

    origin: str
    vkey: str

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        _check_vkey(self.vkey, self.origin, ED25519)
        return self

    @property
    def key(self) -> VerifierKey:
        """The parsed key."""
        return parse_vkey(self.vkey, where="log key")


class WitnessKey(Closed):
    """A party's witness: its name and the key that cosigns checkpoints."""

    name: str
    vkey: str

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        _check_vkey(self.vkey, self.name, COSIGNATURE_V1)
        return self

    @property
    def key(self) -> VerifierKey:
        """The parsed key."""
        return parse_vkey(self.vkey, where="witness key")


class Party(Closed):
    """A member of the roster."""

    code: PartyCode
    name: Annotated[str, Field(min_length=1, max_length=200)]
    roles: Annotated[tuple[Role, ...], Field(min_length=1)]
    statement_keys: tuple[StatementKey, ...] = ()
    log: LogKey | None = None
    witness: WitnessKey | None = None

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if list(self.roles) != sorted(set(self.roles)):
            raise ValueError(f"{self.code}: roles are not sorted, or one is named twice")
        if ("witness" in self.roles) != (self.witness is not None):
            raise ValueError(f"{self.code}: the role witness and a witness key go together")
        speaks = any(role != "witness" for role in self.roles)
        if speaks and (self.log is None or not self.statement_keys):
            raise ValueError(f"{self.code}: a party that speaks needs a log and a statement key")
        return self

    def may_say(self, kind: str) -> bool:
        """Tell whether one of the party's roles may say records of this kind."""
        return any(kind in MAY_SAY[role] for role in self.roles)


def _check_vkey(text: str, name: str, algorithm: int) -> None:
    try:
        key = parse_vkey(text, where=name)
    except InputError as error:
        raise ValueError(str(error)) from error
    if key.name != name:
        raise ValueError(f"{name}: its verifier key carries the name {key.name}")
    if key.algorithm != algorithm:
        raise ValueError(f"{name}: its verifier key has algorithm 0x{key.algorithm:02x}")
