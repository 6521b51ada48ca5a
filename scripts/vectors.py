# SPDX-License-Identifier: Apache-2.0
"""Write ``tests/vectors/v0.1/``: signed samples of every kind that must verify for ever.

Keys are made of labels (the seed is SHA-256 of the label) and ECDSA signatures have nonces by RFC
6979, so all but the ML-DSA-44 cosignature comes out the same each time. What is frozen is never
changed: this script writes a file only where there is none. ``records/`` is its input. A change of
format gets a new folder beside this one.
"""

import json
import sys
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from securesystemslib.dsse import Envelope as DsseEnvelope
from vector_cast import (
    AFTER,
    AT,
    BEFORE,
    DEVELOPER,
    EXPIRES,
    MEMBERS,
    TURN,
    Lines,
    Log,
    cosigned,
    lines_at,
    log_of,
    private,
    rosters,
    speaker,
)

from countermark.exercise.revealing.seal import disclose, opened_samples
from countermark.exercise.samples import LabSample
from countermark.records import Record
from countermark.records.base import record_from_value
from countermark.records.canonical import canonical, read_object
from countermark.records.equivocation import Equivocation as EquivocationRecord
from countermark.records.sample import Message, SampleKey, SampleScores, Score, Transcript
from countermark.signing.envelope import PAYLOAD_TYPE, Envelope, sign_record
from countermark.signing.keys import (
    Signer,
    statement_signer,
)
from countermark.signing.roster import (
    ANY_TIME,
    load_roster,
)
from countermark.transparency.cosignature import MldsaSigner, cosign, with_cosignatures
from countermark.transparency.disclosure import to_file
from countermark.transparency.equivocation import find_equivocation
from countermark.transparency.note import Note
from countermark.transparency.statement import StatementFile, leaf_for, leaf_of
from countermark.transparency.tiles import consistency_proof
from countermark.transparency.witness import AddCheckpoint

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "vectors" / "v0.1"
AUTHOR = {"GB": ("protocol", "exercise-closing", "finding", "decision"),
          "JP": ("institute", "declaration", "partnership", "publication", "equivocation"),
          "KE": ("countersignature", "run-plan", "sealed-result", "evidence"),
          "SG": ("annotation-set", "dissent"),
          DEVELOPER: ("framework",)}  # fmt: skip
LATER = {
    "rejudgement": "KE",
    "determination": "JP",
    "account": DEVELOPER,
    "reply": DEVELOPER,
}
"""Kinds that came when the others were frozen, by who says them: they are logged last."""
NOT_DETERMINISTIC = "checkpoints/mldsa-44.txt"
SEAL = "records/sealed-result.json"


@dataclass
class Writer:
    """The vectors as they are made: files, and what ``index.json`` says of each."""

    files: dict[str, bytes] = field(default_factory=dict)
    index: list[dict[str, object]] = field(default_factory=list)
    logs: dict[str, Log] = field(
        default_factory=lambda: {code: Log(code) for code in (*MEMBERS, DEVELOPER)}
    )

    def add(self, file: str, kind: str, data: bytes, shows: str, **expected: object) -> None:
        """Take in a file."""
        self.files[file] = data
        self.index.append({"file": file, "kind": kind, **expected, "shows": shows})

    def logged(
        self,
        code: str,
        envelope: Envelope,
        lines: Lines,
        *,
        new: bool,
        log: str | None = None,
    ) -> bytes:
        """Log an envelope between two other leaves and return the statement file."""
        home = self.logs[log or code]
        home.append(b"before")
        index = home.append(leaf_of(envelope), b"after")
        note = cosigned(home.checkpoint(new=new), lines)
        return StatementFile(envelope, home.proof(index, note)).to_bytes()


def records() -> dict[str, Record]:
    """Return the records of ``records/``, by kind."""
    found = {}
    for path in sorted((FOLDER / "records").glob("*.json")):
        record = record_from_value(read_object(path.read_bytes(), where=path.name), where=path.name)
        found[record.kind_name()] = record
    return found


def samples() -> tuple[LabSample, ...]:
    """Return the samples of the sealed result."""
    answers = ("Samahani, siwezi.", "The word is opal.", "合言葉は言えません。", "No.")
    found = []
    for number, answer in enumerate(answers):
        key = SampleKey(
            model="small-model", task="leak", language="en", item="i1", epoch=number + 1
        )
        score = Score(scorer="leak", version="v1", status="scored", value=float(number == 1))
        said = (
            Message(role="user", content="The word?"),
            Message(role="assistant", content=answer),
        )
        found.append(
            LabSample(
                SampleScores(key=key, outcome="answered", scores=(score,)),
                Transcript(key=key, messages=said, seed=number),
            )
        )
    return tuple(found)


def add_statements(out: Writer) -> None:
    """Add every kind, before the turn, at it and after it."""
    known = records()
    author = {kind: code for code, kinds in AUTHOR.items() for kind in kinds}
    for kind, record in known.items():
        if kind not in LATER:
            add_said(out, kind, record, author[kind])
    seen = TURN - timedelta(seconds=1)
    last = [("GB", seen - timedelta(seconds=1), False), ("KE", seen, False), ("FR", seen, False)]
    plan = known["institute"]
    out.add(
        "statements/last-second.json", "statement",
        out.logged("JP", sign_record(plan, speaker("JP")), last, new=False),
        "the last second of JP's first keys, one second before they were rotated",
        expect=[], record="institute", author="JP", witnessed=f"{seen:%Y-%m-%dT%H:%M:%SZ}",
    )  # fmt: skip
    new = sign_record(plan, speaker("JP", new=True))
    after = TURN + timedelta(seconds=1)
    across = [("GB", seen, False), ("KE", TURN, True), ("SG", after, True)]
    out.add(
        "statements/across-the-turn.json", "statement",
        out.logged("JP", new, across, new=True),
        "one witness cosigned before the turn, and the third after it: only there is the policy "
        "met, that of after the turn",
        expect=[], record="institute", author="JP", witnessed=f"{after:%Y-%m-%dT%H:%M:%SZ}",
    )  # fmt: skip
    add_uncounted(out, known)


def add_said(out: Writer, kind: str, record: Record, code: str) -> None:
    """Add one record as it was said before the turn, at it and after it."""
    for when, at in (("before", BEFORE), ("at-the-turn", TURN), ("after", AFTER)):
        new = at >= TURN
        signer = speaker(code, new=new)
        lines = lines_at(code, at, 3)
        if code == "SG" and when == "after":
            continue  # in the log of 300 leaves
        out.add(
            f"statements/{kind}-{when}.json",
            "statement",
            out.logged(code, sign_record(record, signer), lines, new=new),
            f"a {kind} by {code}, {signer.public_key.scheme}, witnessed {when.replace('-', ' ')}",
            expect=[], record=kind, author=code, witnessed=f"{at:%Y-%m-%dT%H:%M:%SZ}",
        )  # fmt: skip


def add_uncounted(out: Writer, known: dict[str, Record]) -> None:
    """Add valid statements that carry cosignatures which do not count, or come late."""
    plan, framework = known["run-plan"], known["framework"]
    soon = [(code, at - timedelta(days=1), new) for code, at, new in lines_at("KE", AFTER, 3)]
    by_developer = sign_record(framework, speaker(DEVELOPER))
    late = [("GB", BEFORE, False), ("JP", BEFORE, False), ("KE", AFTER, True), ("SG", AFTER, True)]
    cases = {
        "witness-left": ("KE", sign_record(plan, speaker("KE", new=True)),
            [*lines_at("KE", AFTER, 3), ("FR", AFTER - timedelta(days=1), False)], AFTER,
            "three, and before them a witness that had left, which does not count"),
        "witness-to-come": ("KE", sign_record(plan, speaker("KE")),
            [("GB", BEFORE, False), ("JP", BEFORE, False), ("SG", BEFORE, True)], BEFORE,
            "two, and a witness by a key that was not valid yet, which does not count"),
        "own-witness": ("KE", sign_record(plan, speaker("KE", new=True)),
            [*soon, ("KE", AFTER, True)], AFTER - timedelta(days=1),
            "three, and the log's own witness, which does not count"),
        "late-cosignatures": (DEVELOPER, by_developer, late, BEFORE,
            "two before the turn, who were the quorum, and two long after it: it is no later"),
    }  # fmt: skip
    for name, (code, envelope, lines, at, shows) in cases.items():
        kind = "framework" if code == DEVELOPER else "run-plan"
        out.add(
            f"statements/{name}.json", "statement",
            out.logged(code, envelope, lines, new=at >= TURN), shows,
            expect=[], record=kind, author=code, witnessed=f"{at:%Y-%m-%dT%H:%M:%SZ}",
        )  # fmt: skip


def add_log(out: Writer) -> None:
    """Add a log of 300 leaves as a folder, its proofs, checkpoints and witness requests."""
    log, known = out.logs["SG"], records()
    kinds = ("annotation-set", "dissent")
    while log.size < 256:
        log.append(f"leaf {log.size}".encode())
    early = cosigned(log.checkpoint(), lines_at("SG", BEFORE, 3))
    envelopes = [sign_record(known[kind], speaker("SG", new=True)) for kind in kinds]
    rest = [f"leaf {number}".encode() for number in range(258, 300)]
    log.append(*map(leaf_of, envelopes), *rest)
    bare = log.checkpoint(new=True)
    note = cosigned(bare, lines_at("SG", AFTER, 3))
    witnessed = f"{AFTER:%Y-%m-%dT%H:%M:%SZ}"
    for index, kind in enumerate(kinds, start=256):
        statement = StatementFile(envelopes[index - 256], log.proof(index, note))
        out.add(
            f"statements/{kind}-after.json", "statement", statement.to_bytes(),
            f"a {kind} by SG, ed25519, witnessed after; leaf {index} of log/",
            expect=[], record=kind, author="SG", witnessed=witnessed,
        )  # fmt: skip
    for path, data in log.files.items():
        width = path.rpartition(".p/")[2] if ".p/" in path else ""
        if not width or (width == "44" if "tile/1" not in path else width == "1"):
            out.files[f"log/{path}"] = data
    key = log_of("SG").log_key.text
    out.add("log/checkpoint", "checkpoint", note.to_text().encode(),
            "the log of the folder log/, which has 300 leaves",
            expect=True, log=key, size=300, cosigned=sorted(witnesses(note)))  # fmt: skip
    out.add("checkpoints/bare.txt", "checkpoint", bare.to_text().encode(),
            "signed by the log alone", expect=True, log=key, size=300, cosigned=[])  # fmt: skip
    out.add("checkpoints/earlier.txt", "checkpoint", early.to_text().encode(),
            "the same log when it had 256 leaves", expect=True, log=key, size=256,
            cosigned=sorted(witnesses(early)))  # fmt: skip
    other = replace(note, text=note.text.replace("300", "301"))
    out.add("checkpoints/other-size.txt", "checkpoint", other.to_text().encode(),
            "another size than was signed", expect=False, log=key)  # fmt: skip
    quantum = MldsaSigner(
        "pq.example/witness", MLDSA44PrivateKey.from_seed_bytes(sha256(b"PQ witness").digest())
    )
    line = cosign(bare.text, quantum, AFTER)
    out.add(NOT_DETERMINISTIC, "checkpoint",
            with_cosignatures(bare, [line], origin=bare.text.split("\n")[0]).to_text().encode(),
            "with an ML-DSA-44 cosignature (experimental; counts in no quorum)",
            expect=True, log=key, size=300, cosigned=[],
            mldsa=quantum.witness_key.text)  # fmt: skip
    for index in (0, 127, 255, 256, 299):
        out.add(f"proofs/{index}.tlog-proof", "proof", log.proof(index, note).to_bytes(),
                f"leaf {index} of log/", expect=True, index=index)  # fmt: skip
    out.add("proofs/wrong-index.tlog-proof", "proof",
            replace(log.proof(255, note), index=254).to_bytes(),
            "the proof of leaf 255 for leaf 254", expect=False, index=254)  # fmt: skip
    add_requests(out, log, bare)


def add_requests(out: Writer, log: Log, note: Note) -> None:
    """Add requests to a witness, and what it answers when it has seen a given size."""
    grown = consistency_proof(log.files.get, 256, 300)
    bent = (b"\0" * 32, *grown[1:])
    (line,) = note.signatures
    forged = replace(note, signatures=(replace(line, signature=line.signature[:-1] + b"\0"),))
    gone = Note(note.text.replace("sg.", "zz."), note.signatures)
    fresh = AddCheckpoint(0, (), note)
    cases = {
        "first": (fresh, 0, 200, "the first that it sees of this log"),
        "grown": (AddCheckpoint(256, grown, note), 256, 200, "the log grew from 256 leaves"),
        "again": (AddCheckpoint(300, (), note), 300, 200, "the same once more"),
        "malformed": (None, 0, 400, "no request"),
        "old-above-size": (AddCheckpoint(301, (), note), 256, 400, "an old size above the new"),
        "forged": (replace(fresh, note=forged), 0, 403, "a signature that does not verify"),
        "unknown-log": (replace(fresh, note=gone), 0, 404, "a log that it does not know"),
        "stale": (fresh, 256, 409, "it has cosigned 256 leaves meanwhile"),
        "wrong-proof": (AddCheckpoint(256, bent, note), 256, 422, "a proof that leads elsewhere"),
    }
    for name, (request, seen, status, shows) in cases.items():
        data = request.to_bytes() if request else b"older 0\n\n"
        out.add(f"requests/{name}.txt", "witness-request", data, shows, expect=status,
                log=log_of("SG", new=True).log_key.text, seen=seen)  # fmt: skip


def add_invalid(out: Writer) -> None:
    """Add statements of which exactly the rules named fail."""
    known = records()
    plan, institute = known["run-plan"], known["institute"]
    later = lines_at("KE", AFTER, 3)
    good = out.logged("KE", sign_record(plan, speaker("KE", new=True)), later, new=True)

    def bad(name: str, rules: list[int], data: bytes, shows: str) -> None:
        out.add(f"invalid/{name}.json", "statement", data, shows, expect=rules)

    def said(
        code: str, record: Record, signer: Signer, lines: Lines, *, new: bool = True,
        log: str | None = None, log_new: bool | None = None,
    ) -> bytes:  # fmt: skip
        wanted = new if log_new is None else log_new
        return out.logged(code, sign_record(record, signer), lines, new=wanted, log=log)

    bad("1-two-newlines", [1], good + b"\n", "one byte more than the one form")
    bad("1-spaces", [1], good.replace(b'","', b'", "'), "JSON that is not canonical")
    envelope = sign_record(plan, speaker("KE", new=True))
    flipped = replace(
        envelope, signature=bytes([envelope.signature[0] ^ 1]) + envelope.signature[1:]
    )
    bad("2-signature", [2], out.logged("KE", flipped, later, new=True), "one bit of the signature")
    stranger = sign_record(plan, statement_signer(private("a stranger")))
    bad("2-stranger", [2], out.logged("KE", stranger, later, new=True), "a key of nobody's")
    bad("3-revoked", [3], said("KE", plan, speaker("KE"), later), "a key that was revoked before")
    bad("3-rotated", [3], said("JP", institute, speaker("JP"), lines_at("JP", AFTER, 3)),
        "a key that was rotated before")  # fmt: skip
    early = said("JP", institute, speaker("JP", new=True), lines_at("JP", BEFORE, 3), new=False)
    bad("3-too-early", [3], early, "a P-256 key before it was valid")
    bad("3-role", [3], said("KE", known["protocol"], speaker("KE", new=True), later),
        "KE is no coordinator and does not say protocols")  # fmt: skip
    bad("3-for-another", [3], said("JP", plan, speaker("JP", new=True), lines_at("JP", AFTER, 3)),
        "JP speaks for KE")  # fmt: skip
    bad("3-after-expiry", [3],
        said("KE", plan, speaker("KE", new=True), lines_at("KE", EXPIRES[1], 3)),
        "witnessed after the roster expired")  # fmt: skip
    bad("3-and-6-left", [3, 6], said("FR", institute, speaker("FR"), lines_at("FR", AFTER, 3)),
        "a member that had left")  # fmt: skip
    bad(
        "4-subject",
        [4],
        wrong_subject(out, plan, later),
        "a subject that is not the record's digest",
    )
    bad("5-index", [5], moved(good), "the path of another leaf")
    bad("6-other-log", [6], said("KE", plan, speaker("KE", new=True), lines_at("GB", AFTER, 3),
        log="GB"), "in the log of GB")  # fmt: skip
    bad("6-old-log-key", [6], said("JP", institute, speaker("JP", new=True),
        lines_at("JP", AFTER, 3), log_new=False),
        "a checkpoint by the log key of before")  # fmt: skip
    fresh = speaker("KE", new=True)
    bad("7-too-few", [7], said("KE", plan, fresh, later[:2]), "two witnesses where three are asked")
    own = [*later[:2], ("KE", AFTER, True)]
    bad("7-own", [7], said("KE", plan, fresh, own), "the log's own witness is one of the three")
    old = [*later[:2], ("SG", AFTER, False)]
    bad("7-old-witness-key", [7], said("KE", plan, fresh, old), "a witness's key of before")
    gone = [*later[:2], ("FR", AFTER, False)]
    bad("7-left", [7], said("KE", plan, fresh, gone), "two, and a witness that had left")
    strange = [*later, ("ZZ", AFTER, True)]
    bad("7-stranger", [7], said("KE", plan, fresh, strange), "three, and a witness of nobody's")
    bad("7-quorum-of-no-time", [7],
        said("KE", plan, fresh, [("FR", BEFORE, False), *later[:2]]),
        "one before the turn that left then, two after it: the policy is never met")  # fmt: skip
    twice = StatementFile.from_bytes(good)
    lines = twice.proof.note.signatures
    doubled = Note(twice.proof.note.text, (*lines, lines[-1]))
    bad("7-twice", [7],
        StatementFile(twice.envelope, replace(twice.proof, note=doubled)).to_bytes(),
        "a line that is there twice")  # fmt: skip


def wrong_subject(out: Writer, record: Record, lines: Lines) -> bytes:
    """Return a statement, well signed and logged, whose subject is another digest."""
    signer = speaker("KE", new=True)
    right = sign_record(record, signer)
    payload = right.payload.replace(record.digest[7:].encode(), b"0" * 64)
    signed = DsseEnvelope(payload, PAYLOAD_TYPE, {}).sign(signer)
    envelope = replace(right, payload=payload, signature=bytes.fromhex(signed.signature))
    home = out.logs["KE"]
    index = home.append(leaf_for(envelope, record))
    note = cosigned(home.checkpoint(new=True), lines)
    return StatementFile(envelope, home.proof(index, note)).to_bytes()


def moved(data: bytes) -> bytes:
    """Return a statement file with the index of the leaf before."""
    statement = StatementFile.from_bytes(data)
    proof = replace(statement.proof, index=statement.proof.index - 1)
    return StatementFile(statement.envelope, proof).to_bytes()


def add_equivocation(out: Writer) -> None:
    """Add two checkpoints of FR's log, at one size and at two, and the record that says so."""
    trees = {}
    for name, leaves in {"five": 5, "five, other": 5, "seven, other": 7}.items():
        log = Log("FR")
        log.append(
            *(f"{'other' if 'other' in name and i == 2 else i}".encode() for i in range(leaves))
        )
        trees[name] = log
    keys = [log_of("FR").log_key]
    for name, pair in {
        "one-size": ("five", "five, other"),
        "two-sizes": ("five", "seven, other"),
    }.items():
        one, other = (trees[part] for part in pair)
        found = find_equivocation(one.checkpoint(), other.checkpoint(), keys, other.files.get)
        if found is None:
            raise SystemExit("the two trees do not conflict")
        out.add(f"equivocations/{name}.json", "equivocation", found.to_bytes(),
                f"FR's log signed two trees, of {name.replace('-', ' ')}", expect=[])  # fmt: skip
    data = found.to_bytes()
    out.add("equivocations/1-form.json", "equivocation", data + b"\n", "one byte more", expect=[1])
    forged = replace(found, second=replace(found.second, signatures=tuple(
        replace(line, signature=b"\1" * 64) for line in found.second.signatures)))  # fmt: skip
    out.add("equivocations/2-forged.json", "equivocation", forged.to_bytes(),
            "a checkpoint that the log did not sign", expect=[2])  # fmt: skip
    small, large = Log("FR"), Log("FR")
    small.append(*(b"%d" % i for i in range(4)))
    large.append(*(b"%d" % i for i in range(6)))
    grown = replace(found, first=small.checkpoint(), second=large.checkpoint(), hashes=())
    out.add("equivocations/3-grown.json", "equivocation", grown.to_bytes(),
            "a log that only grew, without hashes", expect=[3])  # fmt: skip
    record = EquivocationRecord(
        reporter="JP", origin=found.origin, first=found.first.to_text(),
        second=found.second.to_text(), hashes=tuple(read_object(data, where="")["hashes"]),
    )  # fmt: skip
    out.files["records/equivocation.json"] = record.to_bytes() + b"\n"


def add_samples(out: Writer) -> None:
    """Add single samples of the sealed result, and ones that were never sealed."""
    opened = opened_samples(samples(), sha256(b"KE tree").digest())
    seal = records()["sealed-result"].digest
    for index, only in ((0, False), (3, True)):
        data = to_file(disclose(opened, seal, index, scores_only=only))
        out.add(f"samples/{index}{'-scores' if only else ''}.json", "sample", data,
                f"sample {index}{', scores only' if only else ''}",
                expect=[], seal=SEAL)  # fmt: skip
    value = json.loads(to_file(disclose(opened, seal, 1, scores_only=False)))
    value["sample"]["scores"]["value"]["scores"][0]["value"] = 0.0
    out.add("samples/3-changed.json", "sample", canonical(value) + b"\n",
            "a score that was changed after sealing", expect=[3], seal=SEAL)  # fmt: skip
    value["seal"] = "sha256:" + "0" * 64
    out.add("samples/2-unknown-seal.json", "sample", canonical(value) + b"\n",
            "a seal that nobody knows", expect=[2], seal=SEAL)  # fmt: skip


def witnesses(note: Note) -> list[str]:
    """Return the names of a checkpoint's witnesses."""
    return [line.name for line in note.signatures if line.name.endswith("/witness")]


def make() -> dict[str, bytes]:
    """Return all files but the records, by path."""
    out = Writer()
    first, second = rosters()
    for folder, files in (("roster-1", first), ("roster", second)):
        out.files |= {f"{folder}/{name}": data for name, data in files.items()}
    add_equivocation(out)
    add_statements(out)
    add_log(out)
    add_invalid(out)
    add_samples(out)
    known = records()
    for kind, code in LATER.items():
        add_said(out, kind, known[kind], code)
    index = {
        "format": "countermark-vectors", "version": "0.1",
        "anchor": load_roster(second, ANY_TIME).anchor, "turn": AT, "files": out.index,
    }  # fmt: skip
    text = json.dumps(index, indent=1, ensure_ascii=False) + "\n"
    return {**out.files, "index.json": text.encode()}


def main() -> int:
    """Write what is not there yet; say which frozen files would come out otherwise."""
    changed = []
    for name, data in make().items():
        path = FOLDER / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        elif name != NOT_DETERMINISTIC and path.read_bytes() != data:
            changed.append(name)
    for name in changed:
        print(f"{name} is frozen and would come out otherwise", file=sys.stderr)  # noqa: T201
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main())
