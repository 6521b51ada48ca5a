# SPDX-License-Identifier: Apache-2.0
"""Who speaks in the test vectors: keys made of labels, parties, rosters, logs and witnesses."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, derive_private_key
from cryptography.hazmat.primitives.hashes import SHA256

from countermark.signing.ceremony import Members, draft_first, draft_next, sign_draft
from countermark.signing.changes import leave, policy_for, renew, replace_policy, revoke
from countermark.signing.keys import (
    ECDSA_SCHEME,
    Ed25519PrivateKey,
    Key,
    Signature,
    Signer,
    SSlibKey,
    public_hex,
    statement_signer,
)
from countermark.signing.party import Party, Role, StatementKey
from countermark.signing.roster import (
    POLICY_FILE,
    ROSTER_FILE,
    RosterContent,
    parse_content,
)
from countermark.transparency.checkpoint import Checkpoint, sign_checkpoint
from countermark.transparency.cosignature import cosign, with_cosignatures
from countermark.transparency.note import Note, NoteSigner
from countermark.transparency.proof import TlogProof
from countermark.transparency.tiles import inclusion_proof, plan_append

SINCE = "2026-01-01T00:00:00Z"
TURN = datetime(2026, 3, 1, 12, tzinfo=UTC)
AT = "2026-03-01T12:00:00Z"
BEFORE, AFTER = TURN - timedelta(days=20), TURN + timedelta(days=20)
EXPIRES = (datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 3, 1, tzinfo=UTC))
MEMBERS = ("GB", "JP", "KE", "FR", "SG")
DEVELOPER = "example-developer"


def private(label: str) -> Ed25519PrivateKey:
    """Return the Ed25519 key of a label."""
    return Ed25519PrivateKey.from_private_bytes(sha256(label.encode()).digest())


class P256Signer(Signer):
    """Signs by ECDSA P-256 with nonces by RFC 6979; the secret number is SHA-256 of the label."""

    def __init__(self, label: str) -> None:
        self._private = derive_private_key(
            int.from_bytes(sha256(label.encode()).digest(), "big"), SECP256R1()
        )
        self._public = SSlibKey.from_crypto(self._private.public_key())

    @property
    def public_key(self) -> Key:
        """The public half."""
        return self._public

    @classmethod
    def from_priv_key_uri(
        cls, priv_key_uri: str, public_key: Key, secrets_handler: object = None
    ) -> "P256Signer":
        """Refuse: these keys come from labels only."""
        raise NotImplementedError

    def sign(self, payload: bytes) -> Signature:
        """Return the signature, in DER."""
        found = self._private.sign(payload, ECDSA(SHA256(), deterministic_signing=True))
        return Signature(self._public.keyid, found.hex())


def speaker(code: str, *, new: bool = False) -> Signer:
    """Return the signer of a party's statements, before or after the turn."""
    if code == "JP" and new:
        return P256Signer("JP statements 2")
    return statement_signer(private(f"{code} statements{' 2' if code == 'KE' and new else ''}"))


def log_of(code: str, *, new: bool = False) -> NoteSigner:
    """Return the key of a party's log, before or after the turn."""
    label = f"{code} log{' 2' if code == 'JP' and new else ''}"
    return NoteSigner(f"{code.lower()}.example/log", private(label))


def witness_of(code: str, *, new: bool = False) -> NoteSigner:
    """Return the key of a member's witness, before or after the turn."""
    label = f"{code} witness{' 2' if code == 'SG' and new else ''}"
    return NoteSigner(f"{code.lower()}.example/witness", private(label))


def party(code: str, *, new: bool = False) -> Party:
    """Return the entry of a party with its keys of before or after the turn."""
    member = code in MEMBERS
    roles: tuple[Role, ...] = ("publisher", "witness") if member else ("developer",)
    key = speaker(code, new=new).public_key
    since = AT if new else SINCE
    entry = (
        StatementKey.of(public_hex(key), since, scheme=ECDSA_SCHEME)
        if key.scheme == ECDSA_SCHEME
        else StatementKey.of(public_hex(key), since)
    )
    return Party.begin(
        code,
        f"Simulated institute {code}" if member else "Example Developer",
        ("coordinator", *roles) if code == "GB" else roles,
        entry,
        log_of(code, new=new).log_key,
        witness_of(code, new=new).witness_key if member else None,
        since,
    )


def renamed(content: RosterContent, code: str, name: str) -> RosterContent:
    """Return the roster with another name of a party; its code is who it is."""
    parties = (
        p.model_copy(update={"name": name}) if p.code == code else p for p in content.parties
    )
    return content.model_copy(update={"parties": tuple(parties)})


def rosters() -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Return the first roster, and the second that its members signed at the turn."""
    parties = [party(code) for code in (*MEMBERS, DEVELOPER)]
    members = Members(tuple(speaker(code).public_key for code in MEMBERS), 3)
    first = draft_first(parties, policy_for(parties, 2), members, SINCE, EXPIRES[0])
    for code in ("GB", "KE", "SG"):
        first = sign_draft(first, speaker(code))
    content = parse_content(first[ROSTER_FILE])
    content = leave(content, "FR", AT)
    content = revoke(content, speaker("KE").public_key.keyid, AT)
    for code in ("JP", "KE", "SG"):
        content = renew(content, party(code, new=True), AT)
    content = renamed(content, "JP", "Simulated institute JP, under a new name")
    texts = {POLICY_FILE: first[POLICY_FILE]}
    content, texts = replace_policy(content, texts, policy_for(content.parties, 3), AT)
    stay = tuple(speaker(code, new=True).public_key for code in MEMBERS if code != "FR")
    second = draft_next(first, content, texts, Members(stay, 3), EXPIRES[1])
    for code in ("GB", "JP", "SG"):
        second = sign_draft(second, speaker(code), speaker(code, new=True))
    return first, second


@dataclass
class Log:
    """One log, in memory."""

    code: str
    files: dict[str, bytes] = field(default_factory=dict)
    size: int = 0
    root: bytes = b""

    def append(self, *entries: bytes) -> int:
        """Append entries; return the index of the first."""
        index = self.size
        plan = plan_append(self.files.get, self.size, entries)
        self.files.update(plan.files)
        self.size, self.root = plan.size, plan.root
        return index

    def checkpoint(self, *, new: bool = False) -> Note:
        """Return the checkpoint, signed by the key of before or after the turn."""
        signer = log_of(self.code, new=new)
        return sign_checkpoint(Checkpoint(signer.name, self.size, self.root), signer)

    def proof(self, index: int, note: Note) -> TlogProof:
        """Return the proof of one leaf under a note of the log as it is now."""
        return TlogProof(index, inclusion_proof(self.files.get, index, self.size), note)


Lines = Sequence[tuple[str, datetime, bool]]
"""Which witnesses cosign, when, and whether with the key of after the turn."""


def cosigned(note: Note, lines: Lines) -> Note:
    """Return a checkpoint with cosignatures."""
    made = [cosign(note.text, witness_of(code, new=new), at) for code, at, new in lines]
    return with_cosignatures(note, made, origin=note.text.split("\n")[0])


def lines_at(author: str, at: datetime, count: int) -> Lines:
    """Return lines of other members than the author; the one that makes the quorum is of ``at``."""
    new = at >= TURN
    others = [c for c in MEMBERS if c != author and not (new and c == "FR")][:count]
    # Two are a quorum before the turn, three from then on; at the turn nobody cosigned before it.
    step = [0, 0, 0] if at == TURN else [-2, -1, 0] if new else [-1, 0, 1]
    return [(c, at + timedelta(seconds=s), new) for c, s in zip(others, step, strict=False)]
