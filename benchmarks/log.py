# SPDX-License-Identifier: Apache-2.0
"""How fast the log and the verification of statements are. Prints Markdown, or JSON.

    python benchmarks/log.py

Figures are CPU time, user and system, the best of several repetitions. What is compared is measured
in turns, so that a busy machine slows both sides. A bar says what is to be reached:

1. Appending one batch does at least 20 % of the raw rate, 8 % if every file is written and flushed.
   The raw rate is that of SHA-256 over the 2n - 1 inputs that the tree of n leaves hashes.
2. Appending in memory is at least twice as fast as pymerkle, which builds the same tree (and the
   roots are the same, else the program stops). pymerkle is installed in an environment of its own.
3. Verifying a proof takes less than 50 µs.
4. Auditing a log of 100,000 entries takes less than 2 s. Other sizes are held to their share.
5. ``countermark verify`` of one statement takes at most 1.5 times the CPU of importing what it
   stands on: click, pydantic, securesystemslib and tuf.api. The names that are used are imported,
   since two of these packages load next to nothing until a name is asked for; the ratio to naming
   the packages only is printed below it. Each further file takes at most 5 ms.
"""

import argparse
import hashlib
import json
import os
import platform
import random
import resource
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from countermark.node.log import LogFolder
from countermark.records.protocol import RunPlan
from countermark.signing.ceremony import create_roster
from countermark.signing.envelope import sign_record
from countermark.signing.keys import public_hex, statement_signer
from countermark.signing.party import Party, Role, StatementKey
from countermark.signing.quorum import k_of_n_policy
from countermark.signing.roster import load_roster
from countermark.transparency.checkpoint import Checkpoint, sign_checkpoint
from countermark.transparency.cosignature import cosign, with_cosignatures
from countermark.transparency.note import NoteSigner
from countermark.transparency.proof import TlogProof
from countermark.transparency.statement import StatementFile, leaf_of
from countermark.transparency.tile_audit import audit
from countermark.transparency.tiles import TileTree, inclusion_proof, plan_append
from countermark.transparency.tree import leaf_hash, verify_consistency, verify_inclusion
from countermark.transparency.verify import verify_statement

CACHE = Path(__file__).parents[1] / ".cache"
PYMERKLE = "pymerkle==7.0.0"
LEAF_BYTES = 200
SINCE = "2026-01-01T00:00:00Z"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WITNESSES = ("JP", "KE", "KR")
SIGNATURES = 2 + len(WITNESSES)  # of a statement: its author's, the log's, and these
BY_NAME = "import click, pydantic, securesystemslib, tuf.api"
AS_USED = (
    "import click, securesystemslib.dsse, tuf.api.metadata; from pydantic import BaseModel, Field"
)
VERIFY = "import sys; from countermark.app.cli.main import main; main(['verify', *sys.argv[1:]])"
Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Row:
    """One figure; ``None`` is not measured. At most one of the two bars is there."""

    name: str
    figure: float | None
    unit: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def reached(self) -> bool | None:
        """Whether the bar is reached, or nothing where there is no bar or no figure."""
        if self.figure is None or (self.at_least is None and self.at_most is None):
            return None
        if self.at_least is not None:
            return self.figure >= self.at_least
        return self.at_most is not None and self.figure <= self.at_most

    @property
    def markdown(self) -> str:
        """The row of the table."""
        figure = "not measured" if self.figure is None else f"{self.figure:,.4g} {self.unit}"
        if self.figure is not None and self.figure >= 1000:
            figure = f"{self.figure:,.0f} {self.unit}"
        bar = f"≥ {self.at_least:g}" if self.at_least is not None else ""
        bar = f"≤ {self.at_most:g}" if self.at_most is not None else bar
        said = {None: "", True: "reached", False: "**not reached**"}[self.reached]
        return f"| {self.name} | {figure} | {bar} | {said} |"


@dataclass(frozen=True, slots=True)
class Log:
    """A log in memory, and places in it that proofs are made for."""

    leaves: Sequence[bytes]
    files: dict[str, bytes]
    root: bytes
    places: Sequence[int]
    old_roots: Sequence[bytes]

    @property
    def size(self) -> int:
        """How many leaves it has."""
        return len(self.leaves)


def best(repeat: int, *works: Work) -> tuple[float, ...]:
    """Return the least CPU seconds of each, measured in turns."""
    least = [float("inf")] * len(works)
    for _ in range(repeat):
        for i, work in enumerate(works):
            start = time.process_time()
            work()
            least[i] = min(least[i], time.process_time() - start)
    return tuple(least)


def make_log(size: int, proofs: int) -> Log:
    leaves = [hashlib.shake_128(i.to_bytes(8, "big")).digest(LEAF_BYTES) for i in range(size)]
    places = random.Random(1).sample(range(1, size), proofs)  # noqa: S311
    files: dict[str, bytes] = {}
    roots: dict[int, bytes] = {}
    start = 0
    for end in (*sorted(places), size):
        plan = plan_append(files.get, start, leaves[start:end])
        files.update(plan.files)
        start, roots[end] = end, plan.root
    whole = plan_append(_nothing, 0, leaves)
    return Log(leaves, dict(whole.files), whole.root, places, [roots[old] for old in places])


def appending(log: Log, repeat: int, rival: dict[str, float] | None) -> list[Row]:
    size = log.size
    inputs = [b"\x00" + leaf for leaf in log.leaves]
    inputs += [b"\x01" + leaf[:64] for leaf in log.leaves[1:]]  # any n - 1 pairs of hashes
    raw_leaves, raw, memory = best(
        repeat,
        lambda: _hash_all(log.leaves),
        lambda: _hash_all(inputs),
        lambda: plan_append(_nothing, 0, log.leaves),
    )
    raw_beside, disk = best(
        min(repeat, 3),
        lambda: _hash_all(inputs),
        lambda: _append_on_disk(log.leaves),
    )
    raw = min(raw, raw_beside)
    theirs = rival["append"] if rival else None
    return [
        Row("raw SHA-256 of the leaves", size / raw_leaves, "leaves/s"),
        Row("raw SHA-256 of the tree's 2n − 1 inputs", size / raw, "leaves/s"),
        Row("append in one batch, in memory", size / memory, "entries/s"),
        Row("… of the raw rate of the leaves", 100 * raw_leaves / memory, "%"),
        Row("… of the raw rate of the tree", 100 * raw / memory, "%", at_least=20),
        Row("append in one batch, written and flushed", size / disk, "entries/s"),
        Row("… of the raw rate of the tree", 100 * raw / disk, "%", at_least=8),
        Row("pymerkle: append and root, in memory", theirs and size / theirs, "entries/s"),
        Row("append in memory, times pymerkle", theirs and theirs / memory, "×", at_least=2),
    ]


def proving(log: Log, repeat: int, rival: dict[str, float] | None) -> list[Row]:
    count, size = len(log.places), log.size
    kept = TileTree(log.files.get, size)
    included = [kept.inclusion_proof(i) for i in log.places]
    extended = [kept.consistency_proof(i) for i in log.places]
    hashes = [leaf_hash(log.leaves[i]) for i in log.places]

    def check_inclusion() -> None:
        for leaf, index, proof in zip(hashes, log.places, included, strict=True):
            _require(verify_inclusion(leaf, index, size, proof, log.root))

    def check_consistency() -> None:
        for old, old_root, proof in zip(log.places, log.old_roots, extended, strict=True):
            _require(verify_consistency(old, old_root, size, log.root, proof))

    work: dict[str, Work] = {
        "inclusion": lambda: [kept.inclusion_proof(i) for i in log.places],
        "consistency": lambda: [kept.consistency_proof(i) for i in log.places],
        "verify_inclusion": check_inclusion,
        "verify_consistency": check_consistency,
        "one inclusion": lambda: [inclusion_proof(log.files.get, i, size) for i in log.places],
    }
    each = dict(zip(work, (s / count for s in best(repeat, *work.values())), strict=True))
    titles = {
        "inclusion": ("inclusion proof, tiles kept", None),
        "consistency": ("consistency proof, tiles kept", None),
        "verify_inclusion": ("verifying an inclusion proof", 50),
        "verify_consistency": ("verifying a consistency proof", 50),
    }
    rows = [Row("inclusion proof, tiles read anew", each["one inclusion"] * 1e6, "µs")]
    for name, (title, bar) in titles.items():
        theirs = rival[name] if rival else None
        rows.append(Row(title, each[name] * 1e6, "µs", at_most=bar))
        rows.append(Row("… times as fast as pymerkle", theirs and theirs / each[name], "×"))
    return rows


def auditing(log: Log, repeat: int) -> list[Row]:
    def work() -> None:
        _require(audit(log.files.get, log.size, log.root).ok)

    (seconds,) = best(repeat, work)
    share = 2 * log.size / 100_000
    return [Row(f"full audit of {log.size:,} entries", seconds, "s", at_most=share)]


def verifying(folder: Path, repeat: int) -> list[Row]:
    """Measure statements in this process, against as many raw Ed25519 verifications."""
    statements = [path.read_bytes() for path in sorted((folder / "statements").iterdir())]
    files = {path.name: path.read_bytes() for path in (folder / "roster").iterdir()}
    roster = load_roster(files, NOON)
    private, message = Ed25519PrivateKey.generate(), b"x" * 300
    public, signature = private.public_key(), private.sign(message)

    def raw() -> None:
        for _ in range(SIGNATURES * len(statements)):
            public.verify(signature, message)

    def work() -> None:
        for data in statements:
            _require(verify_statement(data, roster, NOON).valid)

    raw_seconds, seconds = best(repeat, raw, work)
    count = len(statements)
    return [
        Row("raw Ed25519 verifications", SIGNATURES * count / raw_seconds, "/s"),
        Row(f"statements verified ({SIGNATURES} signatures each)", count / seconds, "/s"),
        Row("… of the raw rate of their signatures", 100 * raw_seconds / seconds, "%"),
    ]


def starting(folder: Path, repeat: int) -> list[Row]:
    """Measure ``countermark verify`` in fresh processes, against importing what it stands on."""
    paths = [str(path) for path in sorted((folder / "statements").iterdir())]
    least = dict.fromkeys(("by name", "as used", "one", "all"), float("inf"))
    for _ in range(repeat):
        for name, seconds in {
            "by name": _fresh(BY_NAME),
            "as used": _fresh(AS_USED),
            "one": _fresh(VERIFY, paths[0]),
            "all": _fresh(VERIFY, *paths),
        }.items():
            least[name] = min(least[name], seconds)
    one, used = least["one"], least["as used"]
    further = (least["all"] - one) / (len(paths) - 1)
    return [
        Row("importing click, pydantic (BaseModel, Field), securesystemslib, tuf.api.metadata",
            used * 1e3, "ms"),
        Row("`countermark verify` of one statement", one * 1e3, "ms"),
        Row("… times these imports", one / used, "×", at_most=1.5),
        Row("… times the four packages named only, which loads little of them",
            one / least["by name"], "×"),
        Row("each further file", further * 1e3, "ms", at_most=5),
    ]  # fmt: skip


def make_statements(folder: Path, count: int) -> None:
    """Write a roster, and statements of one author in one log that three others cosigned."""
    parties = tuple(_party(code) for code in ("UK", *WITNESSES))
    logs = [party.log.key for party in parties if party.log]
    witnesses = [party.witness.key for party in parties if party.witness]
    members = [statement_signer(_key(f"member {i}")) for i in range(3)]
    policy = k_of_n_policy(logs, witnesses, 2)
    expires = NOON + timedelta(days=365)
    for name, data in create_roster(parties, policy, members, 2, SINCE, expires).items():
        _write(folder / "roster" / name, data)

    author = statement_signer(_key("UK statements"))
    envelopes = [sign_record(_run_plan(i + 1), author) for i in range(count)]
    plan = plan_append(_nothing, 0, [leaf_of(envelope) for envelope in envelopes])
    signer = NoteSigner("uk.example/log", _key("UK log"))
    note = sign_checkpoint(Checkpoint(signer.name, plan.size, plan.root), signer)
    lines = [cosign(note.text, _witness(code), NOON) for code in WITNESSES]
    note = with_cosignatures(note, lines, origin=signer.name)
    tree = TileTree(plan.files.get, plan.size)
    for i, envelope in enumerate(envelopes):
        statement = StatementFile(envelope, TlogProof(i, tree.inclusion_proof(i), note))
        _write(folder / "statements" / f"{i:04}.json", statement.to_bytes())


def pymerkle(log: Log, repeat: int) -> dict[str, float] | None:
    """Return pymerkle's CPU seconds, or nothing, with a word on stderr, if it does not install."""
    environment = CACHE / "pymerkle"
    python = environment / "bin" / "python"
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.exists() else shutil.which("uv")
    script = Path(__file__).with_name("log_pymerkle.py")
    sizes = [str(number) for number in (log.size, len(log.places), repeat)]
    if uv is None:
        print("pymerkle is not measured: there is no uv to install it with", file=sys.stderr)
        return None
    try:
        if not python.exists():
            _quietly(uv, "venv", "--quiet", "--python", sys.executable, str(environment))
        _quietly(uv, "pip", "install", "--quiet", "--python", str(python), PYMERKLE)
        answer = json.loads(_quietly(str(python), str(script), *sizes))
    except subprocess.CalledProcessError as error:
        print(f"pymerkle is not measured: {error.stderr}", file=sys.stderr)
        return None
    _require(answer.pop("root") == log.root.hex())
    return {name: seconds for name, seconds in answer.items() if name != "version"}


def machine() -> dict[str, str]:
    """Return what the figures depend on."""
    models = [
        line.partition(":")[2].strip()
        for line in _text(Path("/proc/cpuinfo")).splitlines()
        if line.startswith("model name")
    ]
    return {
        "processor": models[0] if models else platform.machine(),
        "cores": str(os.cpu_count()),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "openssl": ssl.OPENSSL_VERSION,
        "load": " ".join(f"{load:.1f}" for load in os.getloadavg()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--entries", type=int, default=100_000, help="leaves in the log")
    parser.add_argument("--proofs", type=int, default=1000, help="proofs made and verified")
    parser.add_argument("--statements", type=int, default=100, help="statement files")
    parser.add_argument("--repeat", type=int, default=7, help="repetitions; the best counts")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--without-pymerkle", action="store_true", help="install nothing")
    options = parser.parse_args()
    facts = machine()
    log = make_log(options.entries, options.proofs)
    rival = None if options.without_pymerkle else pymerkle(log, options.repeat)
    rows = [
        *appending(log, options.repeat, rival),
        *proving(log, options.repeat, rival),
        *auditing(log, options.repeat),
    ]
    with tempfile.TemporaryDirectory() as name:
        make_statements(Path(name), options.statements)
        rows += [*verifying(Path(name), options.repeat), *starting(Path(name), options.repeat)]
    if options.json:
        told = [{**asdict(row), "reached": row.reached} for row in rows]
        print(json.dumps({"machine": facts, "options": vars(options), "rows": told}, indent=2))
        return
    print("; ".join(f"{name}: {fact}" for name, fact in facts.items()))
    print(f"\n{options.entries:,} entries of {LEAF_BYTES} bytes; CPU time, best of repetitions\n")
    print("| what | figure | bar | |\n|---|---:|---:|---|")
    print("\n".join(row.markdown for row in rows))


def _nothing(path: str) -> None:
    """Read from an empty log."""


def _hash_all(inputs: Sequence[bytes]) -> None:
    for data in inputs:
        hashlib.sha256(data).digest()


def _append_on_disk(leaves: Sequence[bytes]) -> None:
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as name:
        folder = LogFolder(Path(name) / "log")
        folder.write_all(plan_append(folder.read, 0, leaves).files)


def _fresh(code: str, *arguments: str) -> float:
    """Return the CPU seconds of a new Python process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    _quietly(sys.executable, "-c", code, *arguments)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _quietly(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _require(fine: bool) -> None:
    if not fine:
        raise SystemExit("What was to be measured is wrong: a proof, root or statement fails.")


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _key(label: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(label.encode()).digest())


def _witness(code: str) -> NoteSigner:
    return NoteSigner(f"{code.lower()}.example/witness", _key(f"{code} witness"))


def _party(code: str) -> Party:
    log = NoteSigner(f"{code.lower()}.example/log", _key(f"{code} log"))
    key = StatementKey.of(public_hex(_key(f"{code} statements")), SINCE, None)
    roles: tuple[Role, ...] = ("publisher", "witness")
    witness = _witness(code).witness_key
    return Party.begin(code, f"Institute {code}", roles, key, log.log_key, witness, SINCE)


def _run_plan(samples: int) -> RunPlan:
    digest = "sha256:" + "1" * 64
    return RunPlan(
        protocol=digest,
        institute="UK",
        lab="UK-one",
        settings=(),
        samples=samples,
        secret_commitment="2" * 64,
    )


if __name__ == "__main__":
    main()
