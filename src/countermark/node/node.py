# SPDX-License-Identifier: Apache-2.0
"""A node: the folder of one institute, opened.

::

    node.toml            who I am, where my peers publish
    keys/                statement.pem, log.pem, witness.pem (mode 600, encrypted by a passphrase)
    log/                 checkpoint, tile/…, proof/<index>      published
    blobs/sha256/…       by content; signed envelopes and revealed samples   published
    cosignatures/<code>  what this node's witness signed of each peer's log  published
    roster/              TUF metadata                                        published
    peers/<code>/log/    verified mirrors
    runs/                logs and samples that are not revealed; never published
    index.db             rebuilt by `node reindex`
    state.db             compare-and-swap state; never rebuilt
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from countermark.node.blobs import Blobs
from countermark.node.config import NodeConfig, NodeFolder, read_config, write_config
from countermark.node.files import read_file, storage_errors, write_atomic
from countermark.node.log import LogFolder, append
from countermark.node.rosters import accept, kept_roster
from countermark.node.state import State
from countermark.records import Record
from countermark.records.canonical import read_object
from countermark.records.errors import StateError
from countermark.signing.envelope import Envelope, record_of, sign_record
from countermark.signing.keys import (
    Signer,
    generate_key,
    is_encrypted,
    key_from_pem,
    key_to_pem,
    public_hex,
    statement_signer,
)
from countermark.signing.party import Party, Role, StatementKey
from countermark.signing.roster import ANY_TIME, Roster, load_roster
from countermark.transparency.note import NoteSigner
from countermark.transparency.statement import leaf_of

Clock = Callable[[], datetime]
KEY_NAMES = ("statement", "log", "witness")


def system_clock() -> datetime:
    """Return the time now (UTC)."""
    return datetime.now(UTC)


def timestamp(at: datetime) -> str:
    """Return a time as records write it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Node:
    """One institute's store.

    Parameters
    ----------
    folder
        The places in it.
    config
        What ``node.toml`` says.
    passphrase
        Opens the keys; nothing where they are not encrypted.
    clock
        Says the time.
    """

    folder: NodeFolder
    config: NodeConfig
    passphrase: str | None = None
    clock: Clock = system_clock

    @classmethod
    def create(
        cls,
        root: Path,
        config: NodeConfig,
        passphrase: str | None,
        clock: Clock = system_clock,
    ) -> "Node":
        """Make a node's folder with new keys.

        Raises
        ------
        StateError
            If the folder holds something already.
        StorageError
            If it cannot be written.
        """
        if root.exists() and any(root.iterdir()):
            raise StateError(
                "is not empty",
                where=str(root),
                next_step="Give a new folder; a node's keys and log are never overwritten.",
            )
        folder = NodeFolder(root)
        with storage_errors(root):
            folder.keys.mkdir(parents=True, mode=0o700)
        for name in KEY_NAMES:
            pem = key_to_pem(generate_key(), passphrase)
            write_atomic(folder.key(name), pem, mode=0o600)
        # Last, so that a folder with node.toml is a whole node.
        write_config(root, config)
        return cls(folder, config, passphrase, clock)

    @classmethod
    def open(cls, root: Path, passphrase: str | None = None, clock: Clock = system_clock) -> "Node":
        """Open a node's folder; keys are read when first needed."""
        return cls(NodeFolder(root), read_config(root), passphrase, clock)

    @property
    def code(self) -> str:
        """The node's roster code."""
        return self.config.code

    @cached_property
    def blobs(self) -> Blobs:
        """The node's blobs."""
        return Blobs(self.folder.root)

    @cached_property
    def state(self) -> State:
        """The node's compare-and-swap state."""
        return State(self.folder.root / "state.db")

    @cached_property
    def log(self) -> LogFolder:
        """The node's own log."""
        return LogFolder(self.folder.log)

    def mirror(self, code: str) -> LogFolder:
        """Return the mirror of a peer's log."""
        return LogFolder(self.folder.mirror(code))

    def log_of(self, code: str) -> LogFolder:
        """Return the own log or a mirror, whichever is ``code``'s."""
        return self.log if code == self.code else self.mirror(code)

    @cached_property
    def roster(self) -> Roster:
        """The roster as this node accepted it."""
        # It was in force then. Expiry stops a refresh, never the reading of what was said in time.
        return load_roster(self.roster_files(), at=ANY_TIME)

    def roster_files(self) -> Mapping[str, bytes]:
        """Return the files of the kept roster by name."""
        return kept_roster(self.folder.roster)

    def accept_roster(self, files: Mapping[str, bytes]) -> None:
        """Check a roster at the present time and keep it in place of the old one.

        Raises
        ------
        VerificationError
            If it does not check out, has another first root than the one kept, or rewrites it.
        InputError
            If a file is missing or malformed.
        """
        accept(self.folder.roster, files, self.clock())
        # Which statements count as witnessed follows from the roster.
        self.folder.index.unlink(missing_ok=True)
        self.__dict__.pop("roster", None)

    def party(self, roles: tuple[Role, ...]) -> Party:
        """Return this node's entry for the roster."""
        now = timestamp(self.clock())
        return Party.begin(
            self.code,
            self.config.name,
            roles,
            StatementKey.of(public_hex(self._key("statement")), now),
            self.log_signer.log_key,
            self.witness_signer.witness_key if "witness" in roles else None,
            now,
        )

    @property
    def signer(self) -> Signer:
        """What signs this node's statements."""
        return statement_signer(self._key("statement"))

    @property
    def log_signer(self) -> NoteSigner:
        """What signs this node's checkpoints."""
        return NoteSigner(self.config.origin, self._key("log"))

    @property
    def witness_signer(self) -> NoteSigner:
        """What cosigns other logs' checkpoints."""
        return NoteSigner(f"{self.config.origin}/witness", self._key("witness"))

    def keys_are_encrypted(self) -> bool:
        """Whether the statement key needs a passphrase."""
        return is_encrypted(self._pem("statement"))

    def say(self, *records: Record) -> None:
        """Sign records, keep them and append them to the log, all with one checkpoint.

        Raises
        ------
        StateError
            If this node's roles do not allow it to say such a record, or the record speaks for
            somebody else.
        """
        party, now = self.roster.party(self.code), self.clock()
        envelopes = []
        for record in records:
            if party is not None and record.speaker not in (None, party.code, party.name):
                raise StateError(
                    f"may not speak for {record.speaker}",
                    where=self.code,
                    next_step="Say it from the node of whoever the record names.",
                )
            if party is None or not party.may_say(record.kind_name(), now):
                raise StateError(
                    f"may not say records of the kind {record.kind_name()}",
                    where=self.code,
                    next_step="Ask the members for the role in the roster, or use another node.",
                )
            envelopes.append(sign_record(record, self.signer))
        for envelope in envelopes:
            self.blobs.put(envelope.to_bytes())
        append(self.log, self.state, self.log_signer, [leaf_of(envelope) for envelope in envelopes])

    def record(self, envelope: str) -> Record:
        """Return the record in a kept envelope, by the envelope's content address."""
        # Records are frozen and named by their content, so one reading serves for good.
        known = self._records.get(envelope)
        if known is None:
            known = record_of(self.envelope(envelope), where=envelope)
            self._records[envelope] = known
        return known

    @cached_property
    def _records(self) -> dict[str, Record]:
        return {}

    def envelope(self, digest: str) -> Envelope:
        """Return a kept envelope by its content address."""
        data = self.blobs.get(digest)
        if data is None:
            raise StateError(
                f"lacks the envelope {digest}",
                where=str(self.folder.root),
                next_step="Pull from the peers again: countermark sync pull.",
            )
        return Envelope.from_value(read_object(data, where=digest), where=digest)

    def _key(self, name: str) -> Ed25519PrivateKey:
        return key_from_pem(self._pem(name), self.passphrase, where=str(self.folder.key(name)))

    def _pem(self, name: str) -> bytes:
        pem = read_file(self.folder.key(name))
        if pem is None:
            raise StateError(
                "is missing",
                where=str(self.folder.key(name)),
                next_step="Bring it back from your backup; a node cannot sign without its keys.",
            )
        return pem
