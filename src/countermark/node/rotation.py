# SPDX-License-Identifier: Apache-2.0
"""New keys for a node: made first, listed by the members, and used from when the roster says.

1. :func:`prepare` makes new keys beside the old ones, and an entry for the roster, which both sign.
2. :func:`switch` puts a new key in place of the old once the kept roster lists it and its time has
   come; the old one is deleted, because it can sign nothing any more.
3. When the log's key changes, the checkpoint that stands is signed again by the new one, and then
   gathers cosignatures anew. No proof that was made before is lost by that. A log that may not grow
   is not signed again either. If the process dies before the key is in its place, switching again
   ends it.
"""

from collections.abc import Sequence
from typing import Literal

from countermark.node.config import NodeFolder
from countermark.node.files import write_atomic
from countermark.node.log import sign_head_again
from countermark.node.node import Node, timestamp
from countermark.records.errors import StateError
from countermark.signing.keys import (
    Ed25519PrivateKey,
    Signer,
    generate_key,
    key_from_pem,
    key_to_pem,
    public_hex,
    statement_signer,
)
from countermark.signing.party import Party, StatementKey
from countermark.transparency.note import NoteSigner

KeyName = Literal["statement", "log", "witness"]


def prepare(node: Node, names: Sequence[KeyName]) -> Party:
    """Make new keys, not used yet; return the node's entry for the roster with them (rule 1).

    Raises
    ------
    StateError
        If new keys are waiting already, or the roster does not list this node.
    """
    party = node.roster.party(node.code)
    if party is None:
        raise StateError(
            "is not in the roster, so it has no keys to replace",
            where=node.code,
            next_step="Send the members the entry that `node init` printed.",
        )
    waiting = [name for name in names if _next(name) in _present(node.folder)]
    if waiting:
        raise StateError(
            f"has a new {waiting[0]} key already, which the roster does not list yet",
            where=str(node.folder.keys),
            next_step="Send the members its entry; then: countermark roster accept FOLDER.",
        )
    if "statement" in names and node.config.statement_key is not None:
        raise StateError(
            f"has its statement key elsewhere ({node.config.statement_key}); none is made for it",
            where=str(node.folder.root),
            next_step="Renew the other keys alone; make a new statement key where the old one is.",
        )
    fresh = {name: generate_key() for name in names}
    for name, key in fresh.items():
        write_atomic(node.folder.key(_next(name)), key_to_pem(key, node.passphrase), mode=0o600)
    return _entry(node, party, fresh)


def switch(node: Node) -> tuple[str, ...]:
    """Use the new keys that the roster lists from now on; return their names (rules 2 and 3)."""
    party = node.roster.party(node.code)
    switched: list[str] = []
    for name in ("statement", "log", "witness"):
        if party is None or _next(name) not in _present(node.folder):
            continue
        key = _key(node, name)
        if _is_valid_now(node, party, name, public_hex(key)):
            if name == "log":
                signer = NoteSigner(node.config.origin, key)
                sign_head_again(node.log, node.state, signer, party.log_keys)
            node.folder.key(_next(name)).replace(node.folder.key(name))
            switched.append(name)
    return tuple(switched)


def signers(node: Node) -> tuple[Signer, ...]:
    """Return what signs a roster for this member: its key, and the new one that is waiting.

    A roster that renews the key is asked of both.
    """
    if _next("statement") not in _present(node.folder):
        return (node.signer,)
    return (node.signer, statement_signer(_key(node, "statement")))


def has_new_keys(node: Node) -> bool:
    """Tell whether new keys are waiting for the roster to list them."""
    return any(_next(name) in _present(node.folder) for name in ("statement", "log", "witness"))


def _next(name: str) -> str:
    return f"{name}-next"


def _present(folder: NodeFolder) -> frozenset[str]:
    return frozenset(path.stem for path in folder.keys.glob("*.pem"))


def _key(node: Node, name: str) -> Ed25519PrivateKey:
    path = node.folder.key(_next(name))
    return key_from_pem(path.read_bytes(), node.passphrase, where=str(path))


def _entry(node: Node, party: Party, fresh: dict[KeyName, Ed25519PrivateKey]) -> Party:
    log = NoteSigner(node.config.origin, fresh["log"]) if "log" in fresh else node.log_signer
    witness = node.witness_signer
    if "witness" in fresh:
        witness = NoteSigner(witness.name, fresh["witness"])
    now = timestamp(node.clock())
    key = (
        StatementKey.of(public_hex(fresh["statement"]), now)
        if "statement" in fresh
        else node.party(party.current_roles).statement_keys[0]
    )
    return Party.begin(
        node.code,
        node.config.name,
        party.current_roles,
        key,
        log.log_key,
        witness.witness_key if "witness" in party.current_roles else None,
        now,
    )


def _is_valid_now(node: Node, party: Party, name: str, public: str) -> bool:
    now = node.clock()
    if name == "statement":
        return any(key.public == public and key.valid_at(now) for key in party.statement_keys)
    entries = party.logs if name == "log" else party.witnesses
    return any(entry.key.public.hex() == public and entry.valid_at(now) for entry in entries)
