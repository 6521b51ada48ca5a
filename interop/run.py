# SPDX-License-Identifier: Apache-2.0
"""Let the Go reference code judge our logs, and our code judge logs made by the reference code.

::

    python interop/run.py [--folder FOLDER]

Writes ``ours.json`` (with the package's own code), builds the Go program of this folder, has it
judge that file, then has it write ``theirs.json`` and judges that here. Prints the figures as JSON
and exits 0 only if both sides agree on every case. README.md says what is needed.
"""

import argparse
import base64
import json
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

from countermark.records.errors import CountermarkError
from countermark.signing.keys import Ed25519PrivateKey
from countermark.signing.vkey import parse_vkey
from countermark.transparency.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from countermark.transparency.cosignature import cosign, verify_cosignature, with_cosignatures
from countermark.transparency.note import NoteSigner, parse_note
from countermark.transparency.tiles import (
    consistency_proof,
    inclusion_proof,
    plan_append,
    root_of,
    tile_paths,
)
from countermark.transparency.tree import leaf_hash, verify_consistency, verify_inclusion

HERE = Path(__file__).resolve().parent
GOCODE = "/usr/share/gocode"
PROOFS, CHECKPOINTS = 1000, 200
NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
EDGE_SIZES = (1, 2, 3, 7, 8, 70, 255, 256, 257, 511, 512, 513)
BIG_SIZES = (1000, 65_535, 65_536, 65_537, 66_000)
Hashes = tuple[bytes, ...]


@dataclass
class Log:
    """A log while it grows, with a root for each size it has been published at."""

    origin: str
    leaves: list[bytes] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    heads: dict[int, bytes] = field(default_factory=dict)

    def grow(self, leaves: Sequence[bytes]) -> None:
        """Append leaves and publish a head."""
        plan = plan_append(self.files.get, len(self.leaves), leaves)
        self.files.update(plan.files)
        self.leaves += leaves
        self.heads[plan.size] = plan.root

    def root(self, size: int) -> bytes:
        """Return the root at any size up to the present one."""
        if size not in self.heads:
            self.heads[size] = root_of(self._read, size)
        return self.heads[size]

    def proof(self, index: int, size: int) -> Hashes:
        """Return an inclusion proof."""
        return inclusion_proof(self._read, index, size)

    def growth(self, old: int, new: int) -> Hashes:
        """Return a consistency proof."""
        return consistency_proof(self._read, old, new)

    def _read(self, path: str) -> bytes | None:
        """Return a file; a partial tile of a size that was never published, from a fuller one."""
        if path in self.files or ".p/" not in path:
            return self.files.get(path)
        stem, width = path.split(".p/")
        fuller = [stem, *(f"{stem}.p/{w}" for w in range(int(width), 256))]
        found = next((self.files[name] for name in fuller if name in self.files), None)
        return found[: int(width) * 32] if found else None


@dataclass(frozen=True)
class Inclusion:
    """A claim that a leaf is in a tree."""

    change: str
    index: int
    size: int
    leaf: bytes
    root: bytes
    proof: Hashes

    @property
    def accept(self) -> bool:
        """Our own verdict."""
        return verify_inclusion(self.leaf, self.index, self.size, self.proof, self.root)


@dataclass(frozen=True)
class Consistency:
    """A claim that one tree extends another."""

    change: str
    old: int
    new: int
    old_root: bytes
    new_root: bytes
    proof: Hashes

    @property
    def accept(self) -> bool:
        """Our own verdict."""
        return verify_consistency(self.old, self.old_root, self.new, self.new_root, self.proof)


@dataclass(frozen=True)
class SignedCheckpoint:
    """A claim that a log and some witnesses signed a checkpoint of that log."""

    change: str
    log: str
    witnesses: tuple[str, ...]
    note: bytes

    @property
    def accept(self) -> bool:
        """Our own verdict."""
        try:
            open_checkpoint(self.note, parse_vkey(self.log, where="log"))
            note = parse_note(self.note)
            keys = [parse_vkey(text, where="witness") for text in self.witnesses]
        except CountermarkError:
            return False
        good = {
            key.name
            for key in keys
            for line in note.signatures
            if verify_cosignature(line, key, note.text)
        }
        return len(good) == len(keys) == len(note.signatures) - 1


def bent_proofs(proof: Hashes, rng: random.Random) -> Iterator[tuple[str, Hashes]]:
    """Yield every kind of change to a list of hashes, each at a random place."""
    at = rng.randrange(len(proof)) if proof else 0
    spare = rng.randbytes(32)
    yield "append", (*proof, spare)
    yield "insert", (*proof[:at], spare, *proof[at:])
    if not proof:
        return
    head, value, tail = proof[:at], proof[at], proof[at + 1 :]
    yield "drop", head + tail
    bit = rng.randrange(256)
    yield "flip", (*head, (int.from_bytes(value, "big") ^ 1 << bit).to_bytes(32, "big"), *tail)
    yield "short hash", (*head, value[:31], *tail)
    yield "long hash", (*head, value + b"\0", *tail)
    yield "empty hash", (*head, b"", *tail)
    yield "empty", ()
    yield "twice", (*head, value, value, *tail)
    swaps = [i for i, (a, b) in enumerate(pairwise(proof)) if a != b]
    if swaps:
        i = rng.choice(swaps)
        yield "swap", (*proof[:i], proof[i + 1], proof[i], *proof[i + 2 :])


def bent_inclusions(log: Log, good: Inclusion, rng: random.Random) -> Iterator[Inclusion]:
    """Yield false claims made from a true one.

    A size is changed together with its root, as a checkpoint binds the two: many proofs are the
    same for several sizes of one shape.
    """
    for change, proof in bent_proofs(good.proof, rng):
        yield replace(good, change=change, proof=proof)
    for step in (-1, 1):
        yield replace(good, change=f"index {step:+d}", index=good.index + step)
        if good.index < good.size + step <= len(log.leaves):
            size = good.size + step
            yield replace(good, change=f"size {step:+d}", size=size, root=log.root(size))
    yield replace(good, change="negative index", index=-1)
    yield replace(good, change="other leaf", leaf=leaf_hash(b"never logged"))
    if good.size > 1:
        yield replace(good, change="leaf is the root", leaf=good.root, proof=())
    yield replace(good, change="short leaf", leaf=good.leaf[:31])
    yield replace(good, change="empty leaf and root", leaf=b"", root=b"", proof=())


def bent_growths(log: Log, good: Consistency, rng: random.Random) -> Iterator[Consistency]:
    """Yield false claims made from a true one; sizes change together with their roots."""
    for change, proof in bent_proofs(good.proof, rng):
        yield replace(good, change=change, proof=proof)
    for step in (-1, 1):
        if 0 < good.old + step <= good.new:
            old = good.old + step
            yield replace(good, change=f"old {step:+d}", old=old, old_root=log.root(old))
        if good.old <= good.new + step <= len(log.leaves):
            new = good.new + step
            yield replace(good, change=f"new {step:+d}", new=new, new_root=log.root(new))
    yield replace(good, change="roots exchanged", old_root=good.new_root, new_root=good.old_root)
    yield replace(good, change="other old root", old_root=rng.randbytes(32))
    yield replace(good, change="other new root", new_root=rng.randbytes(32))
    yield replace(good, change="short roots", old_root=good.old_root[:31])
    yield replace(good, change="shrinking", old=good.new + 1)


def bent_checkpoints(good: SignedCheckpoint, rng: random.Random) -> Iterator[SignedCheckpoint]:
    """Yield notes that must not pass, made from one that does."""
    text, _, tail = good.note.partition(b"\n\n")
    lines = tail.splitlines(keepends=True)
    origin, size, root = text.split(b"\n")

    def note(change: str, body: bytes, signatures: Sequence[bytes]) -> SignedCheckpoint:
        return replace(good, change=change, note=body + b"\n\n" + b"".join(signatures))

    at = rng.randrange(len(lines))
    name, blob = lines[at].rstrip(b"\n").rsplit(b" ", 1)
    raw = bytearray(base64.b64decode(blob))
    for change, place in (("key id", rng.randrange(4)), ("signature", rng.randrange(4, len(raw)))):
        other = bytearray(raw)
        other[place] ^= 1 << rng.randrange(8)
        line = name + b" " + base64.b64encode(other) + b"\n"
        yield note(f"flip in {change}", text, [*lines[:at], line, *lines[at + 1 :]])
    line = name + b" " + base64.b64encode(raw[:-1]) + b"\n"
    yield note("short signature", text, [*lines[:at], line, *lines[at + 1 :]])
    yield note("origin", b"other." + text, lines)
    yield note("size", b"\n".join([origin, b"1" + size, root]), lines)
    turned = base64.b64encode(sha256(root).digest())
    yield note("root", b"\n".join([origin, size, turned]), lines)
    yield note("extension line", text + b"\nmore", lines)
    yield note("without the log", text, lines[1:])
    yield note("cut short", text, [*lines[:-1], lines[-1][:-1]])
    yield replace(good, change="no signature", note=text + b"\n\n")
    yield replace(good, change="control character", note=good.note.replace(b"\n", b"\r\n", 1))
    yield replace(good, change="not UTF-8", note=b"\xff" + good.note)
    if len(lines) > 1:
        yield note("without a witness", text, lines[:-1])


def signer(name: str) -> NoteSigner:
    """Return the key of a log or witness, made of its name so that each run has the same."""
    return NoteSigner(name, Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest()))


def our_logs(rng: random.Random) -> list[Log]:
    """Return random logs: one of each size at an edge, and one that grows across 65,536."""
    logs = []
    for size in EDGE_SIZES:
        log = Log(f"size{size}.example/log")
        log.grow([rng.randbytes(rng.randrange(80)) for _ in range(size)])
        logs.append(log)
    big = Log("big.example/log")
    for size in BIG_SIZES:
        big.grow([rng.randbytes(rng.randrange(40)) for _ in range(size - len(big.leaves))])
    return [*logs, big]


def our_proofs(logs: Sequence[Log], rng: random.Random) -> tuple[list[Any], list[Any]]:
    """Return 1,000 true and 1,000 false inclusions, and the same of consistency."""
    inclusions, growths, heads = [], [], [(log, size) for log in logs for size in sorted(log.heads)]
    false_inclusions: list[Inclusion] = []
    false_growths: list[Consistency] = []
    for number in range(PROOFS):
        log, size = heads[number % len(heads)]
        index = (0, size - 1, rng.randrange(size))[number // len(heads) % 3]
        leaf = leaf_hash(log.leaves[index])
        good = Inclusion("", index, size, leaf, log.root(size), log.proof(index, size))
        old = rng.randint(1, size)
        proof = log.growth(old, size)
        growth = Consistency("", old, size, log.root(old), log.root(size), proof)
        inclusions.append(good)
        growths.append(growth)
        # One change each, of another kind from case to case, so that all kinds come at all sizes.
        lies = list(bent_inclusions(log, good, rng))
        false_inclusions.append(lies[number % len(lies)])
        bent = list(bent_growths(log, growth, rng)) if old < size else []
        false_growths += bent[number % len(bent) :][:2] if bent else []
    return inclusions + false_inclusions, growths + false_growths[:PROOFS]


def our_checkpoints(logs: Sequence[Log], rng: random.Random) -> list[SignedCheckpoint]:
    """Return 200 signed checkpoints, with no to eleven cosignatures, and two false ones of each."""
    found = []
    for number in range(CHECKPOINTS):
        log = logs[number % len(logs)]
        size = rng.choice(sorted(log.heads))
        key = signer(log.origin)
        note = sign_checkpoint(Checkpoint(log.origin, size, log.heads[size]), key)
        witnesses = [signer(f"w{i}.example/witness") for i in range(number % 12)]
        times = [NOON + timedelta(seconds=rng.randrange(10**8)) for _ in witnesses]
        lines = [cosign(note.text, w, at) for w, at in zip(witnesses, times, strict=True)]
        whole = with_cosignatures(note, lines, origin=log.origin).to_bytes()
        keys = tuple(w.witness_key.text for w in witnesses)
        good = SignedCheckpoint("", key.log_key.text, keys, whole)
        lies = list(bent_checkpoints(good, rng))
        found += [good, lies[number % len(lies)], lies[(number + 5) % len(lies)]]
    return found


def our_cases(seed: int) -> tuple[dict[str, Any], int]:
    """Return everything that the reference code is to judge, and how often we judge it wrong."""
    rng = random.Random(seed)
    logs = our_logs(rng)
    published = [(log, dict(log.heads)) for log in logs]
    checkpoints = our_checkpoints(logs, rng)
    inclusions, growths = our_proofs(logs, rng)
    cases = {
        "logs": [
            {
                "origin": log.origin,
                "leaves": log.leaves,
                "files": log.files,
                "heads": [{"size": size, "root": root} for size, root in heads.items()],
            }
            for log, heads in published
        ],
        "checkpoints": [_with_verdict(case) for case in checkpoints],
        "inclusions": [_with_verdict(case) for case in inclusions],
        "consistency": [_with_verdict(case) for case in growths],
    }
    return cases, our_mistakes([*checkpoints, *inclusions, *growths])


def _with_verdict(case: Any) -> dict[str, Any]:
    """Return a case with the verdict that is right: a changed one must not pass."""
    return {**vars(case), "accept": not case.change}


def our_mistakes(cases: Sequence[Inclusion | Consistency | SignedCheckpoint]) -> int:
    """Count the cases in which our own code's verdict is not the right one."""
    return sum(case.accept == bool(case.change) for case in cases)


def judge_theirs(cases: dict[str, Any]) -> dict[str, Any]:
    """Judge what the reference code made, and false claims made from it, with our code."""
    rng, logs, problems = random.Random(2), {}, []
    accepted: Counter[str] = Counter()
    tiles = 0
    for made in cases["logs"]:
        log = Log(made["origin"])
        log.grow([_bytes(leaf) for leaf in made["leaves"]])
        (head,) = made["heads"]
        theirs = {path: _bytes(data) for path, data in made["files"].items()}
        ours = {path for path in tile_paths(head["size"]) if "/entries/" not in path}
        tiles += len(ours)
        if log.root(head["size"]) != _bytes(head["root"]) or ours != theirs.keys():
            problems.append(f"{log.origin}: another root, or other tiles")
        problems += [f"{log.origin}: {p}" for p in ours if log.files[p] != theirs[p]]
        logs[log.root(head["size"])] = log
    for kind, good, lies in _their_claims(cases, logs, rng):
        accepted[kind] += good.accept
        accepted[f"false {kind}"] += sum(lie.accept for lie in lies)
        accepted[f"false {kind} judged"] += len(lies)
        if not good.accept or any(lie.accept for lie in lies):
            problems.append(f"{kind}: {good}")
    for problem in problems[:20]:
        print("disagrees:", problem, file=sys.stderr)
    return {"tiles": tiles, **accepted, "disagreements": len(problems)}


def _their_claims(
    cases: dict[str, Any], logs: dict[bytes, Log], rng: random.Random
) -> Iterator[tuple[str, Any, list[Any]]]:
    for case in cases["inclusions"]:
        root = _bytes(case["root"])
        proof = tuple(map(_bytes, case["proof"]))
        leaf = _bytes(case["leaf"])
        inclusion = Inclusion("", case["index"], case["size"], leaf, root, proof)
        yield "inclusions", inclusion, list(bent_inclusions(logs[root], inclusion, rng))
    for case in cases["consistency"]:
        root, old = _bytes(case["new_root"]), _bytes(case["old_root"])
        proof = tuple(map(_bytes, case["proof"]))
        growth = Consistency("", case["old"], case["new"], old, root, proof)
        bent = list(bent_growths(logs[root], growth, rng)) if growth.old < growth.new else []
        yield "consistency", growth, bent
    for case in cases["checkpoints"]:
        signed = SignedCheckpoint("", case["log"], tuple(case["witnesses"]), _bytes(case["note"]))
        yield "checkpoints", signed, list(bent_checkpoints(signed, rng))


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def build(folder: Path) -> Path:
    """Build the Go program on the module that Debian packages, without network."""
    program = folder / "interop"
    environment = {
        **os.environ,
        "GO111MODULE": "off",
        "GOPATH": os.environ.get("INTEROP_GOPATH", GOCODE),
        "GOFLAGS": "",
        "GOCACHE": str(folder / "cache"),
    }
    command = ["go", "build", "-o", str(program), "."]
    subprocess.run(command, cwd=HERE, env=environment, check=True)
    return program


def ask(program: Path, *words: str) -> tuple[int, Any]:
    """Run the Go program and return its exit code and what it printed."""
    done = subprocess.run([str(program), *words], stdout=subprocess.PIPE, check=False)
    return done.returncode, json.loads(done.stdout)


def write(cases: dict[str, Any], path: Path) -> None:
    """Write cases as JSON, with bytes as base64."""
    path.write_text(json.dumps(cases, default=_text), "utf-8")


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(type(value).__name__)


def run(folder: Path, seed: int = 1) -> dict[str, Any]:
    """Run both directions in a folder and return the figures of each."""
    program = build(folder)
    cases, mistakes = our_cases(seed)
    write(cases, folder / "ours.json")
    code, judged = ask(program, "check", str(folder / "ours.json"))
    _, made = ask(program, "make")
    write(made, folder / "theirs.json")
    theirs = judge_theirs(made)
    wrong = mistakes + judged["disagreements"] + theirs["disagreements"]
    return {
        "agree": code == 0 and not wrong,
        "our_mistakes": mistakes,
        "go_judges_ours": judged,
        "we_judge_theirs": theirs,
    }


def main() -> int:
    """Print the figures; return 0 if both sides agree on every case."""
    parser = argparse.ArgumentParser(description="Compare our log code with the Go reference code.")
    parser.add_argument("--folder", type=Path, help="keep the files of the comparison here")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as passing:
        folder = asked.folder or Path(passing)
        folder.mkdir(parents=True, exist_ok=True)
        figures = run(folder.resolve())
    print(json.dumps(figures, indent=2))
    return 0 if figures["agree"] else 1


if __name__ == "__main__":
    sys.exit(main())
