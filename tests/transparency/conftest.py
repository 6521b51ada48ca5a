# SPDX-License-Identifier: Apache-2.0
"""A small network in memory: a roster, one log for each speaker, and its witnesses."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from countermark.records.base import Record
from countermark.records.framework import Framework, Threshold
from countermark.records.protocol import RunPlan
from countermark.records.reference import Institute, Source
from countermark.records.threshold_rules import NotQuantified
from countermark.signing.ceremony import create_roster
from countermark.signing.envelope import Envelope, sign_record
from countermark.signing.keys import Ed25519PrivateKey, public_hex, statement_signer
from countermark.signing.party import Party, Role, StatementKey
from countermark.signing.quorum import k_of_n_policy
from countermark.signing.roster import Roster, load_roster
from countermark.transparency.checkpoint import Checkpoint, sign_checkpoint
from countermark.transparency.cosignature import cosign, with_cosignatures
from countermark.transparency.note import Note, NoteSigner
from countermark.transparency.proof import TlogProof
from countermark.transparency.statement import StatementFile, leaf_of
from countermark.transparency.tiles import inclusion_proof, plan_append

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
SINCE = "2025-01-01T00:00:00Z"
KEY_FROM, KEY_UNTIL = "2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z"
EXPIRES = datetime(2027, 1, 1, tzinfo=UTC)
SOURCE = Source(title="Test", publisher="Test", standing="primary")

# A public checkpoint of a Certificate Transparency log, with one of its witnesses.
PUBLIC_ORIGIN = "arche2025h1.staging.ct.transparency.dev"
PUBLIC_LOG = f"{PUBLIC_ORIGIN}+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f"
PUBLIC_WITNESS = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
PUBLIC_CHECKPOINT = (
    f"{PUBLIC_ORIGIN}\n1432088532\nU7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=\n\n"
    f"— {PUBLIC_ORIGIN} ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59"
    "RA23oHP7Ry1k3ZFWwQ=\n"
    "— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sX"
    "Tynk5XeU/zZ0WBxtqB0DrAWfBw==\n"
)


def private(label: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(label.encode()).digest())


def institute(code: str = "UK") -> Institute:
    return Institute(
        code=code,
        country="Testland",
        name="Institute of tests",
        nature="A body made up for tests",
        labs=(),
        member_since="2024",
        notes=(),
        sources=(SOURCE,),
        as_of="2026",
    )


def run_plan(code: str = "UK", protocol: str = "sha256:" + "1" * 64) -> RunPlan:
    return RunPlan(
        protocol=protocol,
        institute=code,
        lab=f"{code}-one",
        settings=(),
        samples=3,
        secret_commitment="2" * 64,
    )


def framework(developer: str) -> Framework:
    rule = NotQuantified(needs="A person's judgement")
    threshold = Threshold(key="a", title="A", force="shall", actions=("deploy",), rule=rule)
    return Framework(
        developer=developer,
        title="Framework",
        label="v1",
        published="2026",
        status="in-force",
        demonstration=True,
        source="Made up for tests",
        thresholds=(threshold,),
    )


@dataclass
class Log:
    """One party's log, in memory."""

    signer: NoteSigner
    files: dict[str, bytes] = field(default_factory=dict)
    size: int = 0
    root: bytes = b""

    def append(self, entries: Sequence[bytes]) -> None:
        plan = plan_append(self.files.get, self.size, entries)
        self.files.update(plan.files)
        self.size, self.root = plan.size, plan.root

    def checkpoint(self) -> Note:
        return sign_checkpoint(Checkpoint(self.signer.name, self.size, self.root), self.signer)


@dataclass
class Network:
    """A verified roster, and everybody's keys."""

    roster: Roster
    files: dict[str, bytes]
    logs: dict[str, Log]
    witnesses: dict[str, NoteSigner]

    def sign(self, code: str, record: Record) -> Envelope:
        return sign_record(record, statement_signer(private(f"{code} statements")))

    def cosigned(self, note: Note, codes: Sequence[str], at: datetime = NOON) -> Note:
        lines = [
            cosign(note.text, self.witnesses[code], at + timedelta(seconds=i))
            for i, code in enumerate(codes)
        ]
        return with_cosignatures(note, lines, origin=note.text.split("\n")[0])

    def publish(
        self,
        code: str,
        record: Record,
        *,
        witnesses: Sequence[str] = ("JP", "KE", "KR"),
        at: datetime = NOON,
        log: str | None = None,
        others: int = 5,
    ) -> StatementFile:
        """Log a statement amid others and return its file."""
        envelope = self.sign(code, record)
        home = self.logs[log or code]
        home.append([b"before %d" % i for i in range(others)])
        index = home.size
        home.append([leaf_of(envelope), *(b"after %d" % i for i in range(others))])
        note = self.cosigned(home.checkpoint(), witnesses, at)
        hashes = inclusion_proof(home.files.get, index, home.size)
        return StatementFile(envelope, TlogProof(index, hashes, note))


def party(code: str, name: str, roles: tuple[Role, ...]) -> Party:
    log = NoteSigner(f"{code.lower()}.example/log", private(f"{code} log"))
    witness = NoteSigner(f"{code.lower()}.example/witness", private(f"{code} witness"))
    speaks = roles != ("witness",)
    key = StatementKey.of(public_hex(private(f"{code} statements")), KEY_FROM, KEY_UNTIL)
    return Party.begin(
        code,
        name,
        roles,
        key if speaks else None,
        log.log_key if speaks else None,
        witness.witness_key if "witness" in roles else None,
        SINCE,
    )


def build_network() -> Network:
    parties = (
        party("UK", "Institute UK", ("coordinator", "publisher", "witness")),
        party("JP", "Institute JP", ("publisher", "witness")),
        party("KE", "Institute KE", ("publisher", "witness")),
        party("KR", "Institute KR", ("witness",)),
        party("exemplar", "Exemplar AI", ("developer",)),
    )
    logs = {p.code: p.log for p in parties if p.log}
    witnesses = {p.code: p.witness for p in parties if p.witness}
    policy = k_of_n_policy(
        [key.key for key in logs.values()], [key.key for key in witnesses.values()], 2
    )
    members = [statement_signer(private(f"member {i}")) for i in range(3)]
    files = create_roster(parties, policy, members, 2, SINCE, EXPIRES)
    return Network(
        load_roster(files, NOON),
        files,
        {c: Log(NoteSigner(key.origin, private(f"{c} log"))) for c, key in logs.items()},
        {c: NoteSigner(key.name, private(f"{c} witness")) for c, key in witnesses.items()},
    )


@pytest.fixture
def network() -> Network:
    return build_network()


@pytest.fixture
def fresh_network() -> Callable[[], Network]:
    return build_network
