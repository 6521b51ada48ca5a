# SPDX-License-Identifier: Apache-2.0
"""Keys and parties that are the same in every run."""

import hashlib
from datetime import UTC, datetime

from countermark.signing.keys import Ed25519PrivateKey, Signer, public_hex, statement_signer
from countermark.signing.party import Party, StatementKey
from countermark.signing.quorum import k_of_n_policy
from countermark.signing.vkey import COSIGNATURE_V1, ED25519, VerifierKey

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
EXPIRES = datetime(2027, 1, 1, tzinfo=UTC)
SINCE = "2026-01-01T00:00:00Z"
CODES = ("UK", "JP", "KE", "KR")


def private(label: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(label.encode()).digest())


def signer(label: str) -> Signer:
    return statement_signer(private(label))


def vkey(label: str, algorithm: int, name: str | None = None) -> VerifierKey:
    return VerifierKey(name or label, algorithm, bytes.fromhex(public_hex(private(label))))


def party(code: str) -> Party:
    log = vkey(f"{code.lower()}.example/log", ED25519)
    witness = vkey(f"{code.lower()}.example/witness", COSIGNATURE_V1)
    return Party.begin(
        code,
        f"Institute {code}",
        ("publisher", "witness"),
        StatementKey.of(public_hex(private(code)), SINCE),
        log,
        witness,
        SINCE,
    )


PARTIES = tuple(party(code) for code in CODES)


def policy_of(parties: tuple[Party, ...], threshold: int) -> str:
    logs = [p.log.key for p in parties if p.log]
    return k_of_n_policy(logs, [p.witness.key for p in parties if p.witness], threshold)


POLICY = policy_of(PARTIES, 2)
MEMBERS = tuple(signer(f"member {i}") for i in range(3))
