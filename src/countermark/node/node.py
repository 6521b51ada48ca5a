# SPDX-License-Identifier: Apache-2.0
"""A node: the folder of one institute, opened.

::

    node.toml            who I am, where my peers publish
    keys/                statement.pem, log.pem, witness.pem (mode 600, encrypted by a passphrase);
                         statement.pub in place of statement.pem where a device holds that key
    log/                 checkpoint, tile/…, proof/<index>      published
    blobs/sha256/…       by content; signed envelopes and revealed samples   published
    cosignatures/<code>  what this node's witness signed of each peer's log  published
    roster/              TUF metadata                                        published
    peers/<code>/log/    verified mirrors
    runs/                logs and samples that are not revealed; never published
    index.db             rebuilt by `node reindex`
    state.db             compare-and-swap state; never rebuilt
"""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from os.path import normpath
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from countermark.node.blobs import Blobs
from countermark.node.config import NodeConfig, NodeFolder, read_config, write_config
from countermark.node.files import make_folders, read_file, storage_errors, write_atomic
from countermark.node.log import CHECKPOINT, LogFolder, append, refuse_damage
from countermark.node.rosters import accept, holds_roster, kept_roster
from countermark.node.state import State
from countermark.records import Record
from countermark.records.canonical import read_object
from countermark.records.errors import StateError
from countermark.signing.envelope import Envelope, record_of, sign_record
from countermark.signing.keys import (
    SecretsHandler,
    Signer,
    SSlibKey,
    generate_key,
    is_encrypted,
    key_from_pem,
    key_to_pem,
    public_from_pem,
    public_hex,
    public_to_pem,
    scheme_of,
    statement_signer,
)
from countermark.signing.keyuri import DeviceSigner, import_key
from countermark.signing.party import Party, Role, StatementKey
from countermark.signing.roster import ANY_TIME, Roster, load_roster
from countermark.transparency.note import NoteSigner
from countermark.transparency.statement import leaf_of

Clock = Callable[[], datetime]
KEY_NAMES = ("statement", "log", "witness")


def _refuse_used(root: Path) -> None:
    held = {path.name for path in root.iterdir()} if root.exists() else set()
    if not held:
        return
    made = {f"{name}.pem" for name in KEY_NAMES}
    unfinished = held == {"keys"} and all(
        path.name in made or path.name.startswith(".") for path in (root / "keys").iterdir()
    )
    raise StateError(
        "holds keys and no node.toml: making a node here was stopped half way"
        if unfinished
        else "is not empty",
        where=str(root),
        next_step="Those keys have signed nothing: delete the folder and run this again."
        if unfinished
        else "Give a new folder; a node's keys and log are never overwritten.",
    )


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
    secrets
        Asked for the PIN of a device that holds the statement key, when something is signed.
    """

    folder: NodeFolder
    config: NodeConfig
    passphrase: str | None = None
    clock: Clock = system_clock
    secrets: SecretsHandler | None = None

    @classmethod
    def create(
        cls,
        root: Path,
        config: NodeConfig,
        passphrase: str | None,
        clock: Clock = system_clock,
        secrets: SecretsHandler | None = None,
    ) -> "Node":
        """Make a node's folder with new keys; a statement key that is elsewhere stays there.

        Raises
        ------
        StateError
            If the folder holds something already.
        StorageError
            If it cannot be written.
        CountermarkError
            If the statement key that ``config`` names cannot be reached.
        """
        _refuse_used(root)
        node = cls(NodeFolder(root), config, passphrase, clock, secrets)
        # Before the folder, so that a key that cannot be reached leaves nothing behind.
        public = None
        if config.device is not None:
            # The device may complete the URI, with a version for one.
            uri, public = import_key(config.device, secrets)
            config = config.model_copy(update={"statement_key": uri})
        elif config.statement_key is not None:
            public = node.statement_key
        new = not root.exists()
        with storage_errors(root):
            make_folders(root)
            node.folder.keys.mkdir(mode=0o700)  # an error if another process makes a node here
        try:
            for name in KEY_NAMES if public is None else KEY_NAMES[1:]:
                pem = key_to_pem(generate_key(), passphrase)
                write_atomic(node.folder.key(name), pem, mode=0o600)
            if config.device is not None and public is not None:
                write_atomic(node.folder.statement_public, public_to_pem(public))
            # Last, so that a folder with node.toml is a whole node.
            write_config(root, config)
        except BaseException:
            # The keys made so far have signed nothing. Without them, trying again just works.
            shutil.rmtree(root if new else node.folder.keys, ignore_errors=True)
            raise
        return cls(node.folder, config, passphrase, clock, secrets)

    @classmethod
    def open(
        cls,
        root: Path,
        passphrase: str | None = None,
        clock: Clock = system_clock,
        secrets: SecretsHandler | None = None,
    ) -> "Node":
        """Open a node's folder; keys are read, and devices asked, when first needed."""
        return cls(NodeFolder(root), read_config(root), passphrase, clock, secrets)

    def refuse_damage(self) -> None:
        """Refuse to work where the own log's tiles and checkpoint disagree; cheap.

        Raises
        ------
        StateError, StorageError, VerificationError
            As :func:`countermark.node.log.refuse_damage` does.
        """
        if self.log.read(CHECKPOINT) is None or not self.has_roster():
            return
        party = self.roster.party(self.code)
        if party is not None and party.log_keys:
            state = self.state if (self.folder.root / "state.db").exists() else None
            refuse_damage(self.log, state, party.log_keys)

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

    def cosigned(self, code: str) -> Path:
        """Return the file with what this node's witness signed last of a peer's log."""
        return self.folder.root / "cosignatures" / code

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

    def has_roster(self) -> bool:
        """Tell whether this node has accepted a roster."""
        return holds_roster(self.folder.roster)

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
        key = self.statement_key
        return Party.begin(
            self.code,
            self.config.name,
            roles,
            StatementKey.of(public_hex(key), now, scheme=scheme_of(key)),
            self.log_signer.log_key,
            self.witness_signer.witness_key if "witness" in roles else None,
            now,
        )

    @property
    def signer(self) -> Signer:
        """What signs this node's statements: a key in a file, or a device that holds one."""
        if self.config.device is None:
            return statement_signer(self._key("statement"))
        uri = self.config.device
        return DeviceSigner.from_priv_key_uri(uri, self.statement_key, self.secrets)

    @property
    def statement_key(self) -> SSlibKey:
        """The public key of this node's statements."""
        if self.config.device is None:
            return statement_signer(self._key("statement")).public_key
        path = self.folder.statement_public
        pem = read_file(path)
        if pem is None:
            return import_key(self.config.device, self.secrets)[1]
        return public_from_pem(pem, where=str(path))

    @property
    def log_signer(self) -> NoteSigner:
        """What signs this node's checkpoints."""
        return NoteSigner(self.config.origin, self._key("log"))

    @property
    def witness_signer(self) -> NoteSigner:
        """What cosigns other logs' checkpoints."""
        return NoteSigner(f"{self.config.origin}/witness", self._key("witness"))

    def keys_are_encrypted(self) -> bool:
        """Whether the key files need a passphrase."""
        return is_encrypted(self._pem("log"))

    def say(self, *records: Record) -> None:
        """Sign records, keep them and append them to the log, all with one checkpoint.

        Raises
        ------
        StateError
            If this node's roles do not allow it to say such a record, or the record speaks for
            somebody else.
        """
        party, now = self.roster.party(self.code), self.clock()
        for record in records:
            if party is not None and record.speaker not in (None, party.code):
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
        signer = self.signer
        envelopes = [sign_record(record, signer) for record in records]
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

    def _key_file(self, name: str) -> Path:
        if name == "statement":
            # Normalised, because before `create` there is no folder for ".." to lead out of.
            return Path(normpath(self.folder.root / self.config.statement_file))
        return self.folder.key(name)

    def _key(self, name: str) -> Ed25519PrivateKey:
        return key_from_pem(self._pem(name), self.passphrase, where=str(self._key_file(name)))

    def _pem(self, name: str) -> bytes:
        pem = read_file(self._key_file(name))
        if pem is None:
            raise StateError(
                "is missing",
                where=str(self._key_file(name)),
                next_step="Bring it back from your backup; a node cannot sign without its keys.",
            )
        return pem
