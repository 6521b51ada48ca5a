# SPDX-License-Identifier: Apache-2.0
"""verify.js and the Python verifier give the same verdict, rule by rule, on thousands of inputs.

The script runs in headless Chromium, all inputs in one page; the figures are those that
``docs/verify.md`` names.
"""

import hashlib
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from playwright.sync_api import Page
from verify_script import Asked, Judged, judge, said_by, script_page, text

from countermark.app.site.pages.verify import roster_value
from countermark.records.account import Reply
from countermark.records.canonical import JsonValue, canonical, read_object
from countermark.signing.envelope import Envelope
from countermark.signing.keys import statement_signer
from countermark.signing.roster import Roster
from countermark.transparency.note import Note, NoteSigner, SignatureLine, sign_note
from countermark.transparency.statement import StatementFile
from countermark.transparency.tree import inclusion_proof, leaf_hash, root_hash, verify_inclusion
from countermark.transparency.verify import TITLES, verify_statement
from tests.transparency.conftest import (
    NOON,
    build_network,
    framework,
    institute,
    private,
    run_plan,
)

pytestmark = pytest.mark.browser

PROOFS = 1000
FLIPS = 300
NETWORK = build_network()
STATEMENT = NETWORK.publish("UK", run_plan())
DATA = STATEMENT.to_bytes()
LINES = STATEMENT.proof.note.signatures
NOW = NOON + timedelta(days=1)

INCLUDED = """async (proofs) => {
  const bytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const found = [];
  for (const [leaf, index, size, hashes, root] of proofs) {
    found.push(await countermark.verifyInclusion(
      bytes(leaf), BigInt(index), BigInt(size), hashes.map(bytes), bytes(root)));
  }
  return found;
}"""


@dataclass(frozen=True)
class Proof:
    """A claim that a leaf is in a tree."""

    leaf: bytes
    index: int
    size: int
    hashes: tuple[bytes, ...]
    root: bytes

    def holds(self) -> bool:
        return verify_inclusion(self.leaf, self.index, self.size, self.hashes, self.root)

    def value(self) -> list[Any]:
        hashes = [text(one) for one in self.hashes]
        return [text(self.leaf), str(self.index), str(self.size), hashes, text(self.root)]


@dataclass(frozen=True)
class Case:
    """One file, judged against a roster at a time."""

    data: bytes
    roster: Roster = NETWORK.roster
    at: datetime = NOW


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with script_page(tmp_path_factory.mktemp("verify")) as page:
        yield page


def expected(case: Case) -> Judged:
    """Return what the Python verifier says."""
    return said_by(verify_statement(case.data, case.roster, case.at))


def agree(page: Page, cases: dict[str, Case]) -> dict[str, bool]:
    """See that both say the same of every case, and return which cases are valid."""
    values = {id(case.roster): roster_value(case.roster) for case in cases.values()}
    asked = [Asked(case.data, values[id(case.roster)], case.at) for case in cases.values()]
    found = dict(zip(cases, judge(page, asked), strict=True))
    other = {name: expected(case) for name, case in cases.items()}
    differing = {
        name: (found[name], other[name])
        for name in cases
        if replace(found[name], details=()) != other[name]
    }
    assert differing == {}
    return {name: verdict.valid for name, verdict in found.items()}


def random_proofs(draw: random.Random) -> list[Proof]:
    found = []
    sizes = [1, 2, 3, 255, 256, 257, 300] + [draw.randrange(1, 300) for _ in range(43)]
    for size in sizes:
        leaves = [leaf_hash(b"%d of %d" % (number, size)) for number in range(size)]
        root = root_hash(leaves)
        for _ in range(PROOFS // len(sizes)):
            index = draw.randrange(size)
            found.append(Proof(leaves[index], index, size, inclusion_proof(leaves, index), root))
    return found


def bent(proof: Proof, draw: random.Random) -> Proof:
    """Return the proof with one thing wrong."""
    hashes = proof.hashes
    ways: list[Callable[[], Proof]] = [
        lambda: replace(proof, leaf=flipped(proof.leaf, draw)),
        lambda: replace(proof, root=flipped(proof.root, draw)),
        lambda: replace(proof, root=proof.root[:31]),
        lambda: replace(proof, leaf=b""),
        lambda: replace(proof, index=proof.size),
        lambda: replace(proof, index=2**63 - 1),
        lambda: replace(proof, size=0),
        lambda: replace(proof, hashes=(*hashes, draw.randbytes(32))),
    ]
    if hashes:
        place = draw.randrange(len(hashes))
        ways += [
            lambda: replace(proof, hashes=hashes[:place] + hashes[place + 1 :]),
            lambda: replace(
                proof,
                hashes=(*hashes[:place], flipped(hashes[place], draw), *hashes[place + 1 :]),
            ),
            lambda: replace(proof, hashes=(*hashes[:place], b"", *hashes[place + 1 :])),
            lambda: replace(proof, index=proof.index ^ 1),
        ]
    return draw.choice(ways)()


def flipped(data: bytes, draw: random.Random) -> bytes:
    changed = bytearray(data)
    changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def test_a_thousand_proofs_are_accepted_and_a_thousand_changed_ones_are_not(page: Page) -> None:
    draw = random.Random(1)  # noqa: S311  a test's choice, and repeatable
    proofs = random_proofs(draw)
    wrong = [bent(proof, draw) for proof in proofs]
    assert len(proofs) == PROOFS
    assert all(proof.holds() for proof in proofs)
    assert not any(proof.holds() for proof in wrong)
    found = page.evaluate(INCLUDED, [proof.value() for proof in (*proofs, *wrong)])
    assert found == [True] * PROOFS + [False] * PROOFS


def test_places_beyond_what_a_number_holds_are_told_apart(page: Page) -> None:
    """The left-most leaf of a tree of 2^62 + 1 leaves, and the leaf after the last."""
    hashes = tuple(leaf_hash(b"%d" % number) for number in range(63))
    proof = Proof(leaf_hash(b"leaf"), 2**62, 2**62 + 1, hashes[:1], b"")
    value = leaf_hash(b"node")
    root = hashlib.sha256(b"\1" + value + proof.leaf).digest()
    right = replace(proof, hashes=(value,), root=root)
    assert right.holds()
    near = [replace(right, index=2**62 + 1), replace(right, index=2**62 - 1)]
    found = page.evaluate(INCLUDED, [one.value() for one in (right, *near)])
    assert found == [True, False, False] == [one.holds() for one in (right, *near)]


def test_every_kind_of_true_statement_is_valid_in_both(page: Page) -> None:
    network = build_network()
    said = {
        "run plan": network.publish("JP", run_plan("JP"), witnesses=("KE", "KR")),
        "institute": network.publish("KE", institute("KE"), others=300),
        "framework": network.publish("exemplar", framework("exemplar"), others=0),
        "with its own witness": network.publish("UK", run_plan(), witnesses=("JP", "KE", "UK")),
    }
    valid = agree(page, {name: Case(file.to_bytes()) for name, file in said.items()})
    assert all(valid.values())


def test_flipped_bits(page: Page) -> None:
    draw = random.Random(2)  # noqa: S311
    cases = {f"{number}": Case(flipped(DATA, draw)) for number in range(FLIPS)}
    assert not any(agree(page, cases).values())


def with_lines(lines: Sequence[SignatureLine], statement: StatementFile = STATEMENT) -> bytes:
    note = Note(statement.proof.note.text, tuple(lines))
    return replace(statement, proof=replace(statement.proof, note=note)).to_bytes()


def bent_lines() -> Iterator[tuple[str, bytes]]:
    log, jp, ke, kr = LINES
    for order in permutations(range(4)):
        yield f"order {order}", with_lines([LINES[i] for i in order])
    for count in range(1, 16):
        kept = [line for i, line in enumerate(LINES) if count & (1 << i)]
        yield f"kept {count:04b}", with_lines(kept)
    for i, line in enumerate(LINES):
        yield f"twice {i}", with_lines([*LINES[: i + 1], *LINES[i:]])
        bad = replace(line, signature=line.signature[:-1] + bytes([line.signature[-1] ^ 1]))
        yield f"bad {i}", with_lines([*LINES[:i], bad, *LINES[i + 1 :]])
        short = replace(line, signature=line.signature[:-1])
        yield f"short {i}", with_lines([*LINES[:i], short, *LINES[i + 1 :]])
        other = replace(line, key_id=b"abcd")
        yield f"key id {i}", with_lines([*LINES[:i], other, *LINES[i + 1 :]])
    for name in ("zz.example/witness", "\ue000", "\U0001f600", "é"):
        stranger = SignatureLine(name, b"1234", jp.signature)
        yield f"stranger {name}", with_lines([*LINES, stranger])
    pair = [SignatureLine(name, b"1234", jp.signature) for name in ("\ue000", "\U0001f600")]
    yield "code points in order", with_lines([*LINES, *pair])
    yield "code points out of order", with_lines([*LINES, *pair[::-1]])
    for seconds in (0, 1, 253_402_300_799, 253_402_300_800, 2**63):
        later = replace(kr, signature=seconds.to_bytes(8, "big") + kr.signature[8:])
        yield f"time {seconds}", with_lines([log, jp, ke, later])
    plain = sign_note(STATEMENT.proof.note.text, NoteSigner("jp.example/witness", private("zz")))
    yield "a plain signature", with_lines([log, plain, ke, kr])
    yield "33 lines", with_lines([log, *[jp] * 32])
    yield "32 lines", with_lines([log, *[jp] * 31])


def test_lines_in_another_order_twice_dropped_bent_or_by_strangers(page: Page) -> None:
    valid = agree(page, {name: Case(data) for name, data in bent_lines()})
    assert [name for name, ok in valid.items() if ok] == [
        "order (0, 1, 2, 3)",
        "kept 0111",
        "kept 1011",
        "kept 1101",
        "kept 1111",
    ]


def reply(developer: str) -> Reply:
    """Return what only a developer may say."""
    return Reply(developer=developer, words="No.", date="2026-01-01", demonstration=True)


def transplants() -> Iterator[tuple[str, bytes]]:
    network = build_network()
    said = {
        "UK": network.publish("UK", run_plan()),
        "UK again": network.publish("UK", run_plan()),
        "UK other": network.publish("UK", institute()),
        "JP": network.publish("JP", run_plan("JP")),
        "KE in UK's log": network.publish("KE", run_plan("KE"), log="UK"),
        "exemplar": network.publish("exemplar", framework("exemplar")),
        "UK for JP": network.publish("UK", run_plan("JP")),
        "JP, a reply": network.publish("JP", reply("JP")),
    }
    for name, file in said.items():
        for other, source in said.items():
            mixed = replace(file, proof=source.proof)
            yield f"{name}, proof of {other}", mixed.to_bytes()
            note = replace(file, proof=replace(file.proof, note=source.proof.note))
            yield f"{name}, note of {other}", note.to_bytes()
            envelope = replace(file.envelope, keyid=source.envelope.keyid)
            yield f"{name}, key of {other}", replace(file, envelope=envelope).to_bytes()
            signature = replace(file.envelope, signature=source.envelope.signature)
            yield f"{name}, signature of {other}", replace(file, envelope=signature).to_bytes()
    proof = STATEMENT.proof
    for index in (0, 4, 6, 10, 11, 2**63 - 1):
        yield f"index {index}", replace(STATEMENT, proof=replace(proof, index=index)).to_bytes()


def test_parts_of_one_statement_in_another(page: Page) -> None:
    valid = agree(page, {name: Case(data) for name, data in transplants()})
    accepted = {name for name, ok in valid.items() if ok}
    assert len(valid) > 200
    # A statement with its own parts, and equal statements' equal parts.
    assert {"UK, proof of UK", "JP, note of JP", "exemplar, key of exemplar"} <= accepted
    wrong = ("KE in UK's log", "JP, a reply", "UK for JP", "index")
    assert not [name for name in accepted if name.startswith(wrong)]


def signed(payload: bytes, payload_type: str = STATEMENT.envelope.payload_type) -> bytes:
    """Return a statement file with another payload, really signed and really logged."""
    kind = payload_type.encode()
    message = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    signature = statement_signer(private("UK statements")).sign(message)
    envelope = Envelope(payload, payload_type, signature.keyid, bytes.fromhex(signature.signature))
    return replace(STATEMENT, envelope=envelope).to_bytes()


def other_payloads() -> Iterator[tuple[str, bytes]]:
    payload = STATEMENT.envelope.payload
    changes: dict[str, Callable[[Any], object]] = {
        "samples": lambda v: v["predicate"].update(samples=4),
        "subject's name": lambda v: v["subject"][0].update(name="evidence"),
        "subject twice": lambda v: v["subject"].append(v["subject"][0]),
        "subject more": lambda v: v["subject"][0].update(more=1),
        "type": lambda v: v.update(predicateType="urn:countermark:evidence:v1"),
        "statement type": lambda v: v.update(_type="https://in-toto.io/Statement/v0.1"),
        "more": lambda v: v.update(more=1),
        "less": lambda v: v.pop("subject"),
        "list": lambda v: v.update(predicate=[]),
        "null": lambda v: v.update(predicate=None),
        "kind": lambda v: v["predicate"].update(kind="unheard-of"),
        "kind list": lambda v: v["predicate"].update(kind=["run-plan"]),
        "kind inherited": lambda v: v["predicate"].update(kind="constructor"),
        "no kind": lambda v: v["predicate"].pop("kind"),
        "version": lambda v: v["predicate"].update(version=2),
        "no version": lambda v: v["predicate"].pop("version"),
        "null field": lambda v: v["predicate"].update(note=None),
        "null in list": lambda v: v["predicate"].update(note=[{"a": [None]}]),
    }
    for name, change in changes.items():
        value = read_object(payload, where="test")
        change(value)
        yield name, signed(canonical(value))
    yield "spaces", signed(payload + b" ")
    yield "key twice", signed(payload.replace(b'"_type"', b'"_type":"x","_type"', 1))
    yield "another payload type", signed(payload, "application/json")
    yield "payload type, longer", signed(payload, "application/vnd.in-toto+jsonü")
    yield "no JSON", signed(b"\xff")
    yield "nothing", signed(b"")
    yield "list at the top", signed(b"[]")
    with_field: list[tuple[str, JsonValue]] = [
        ("deep enough", nested(62)),
        ("too deep", nested(63)),
        ("large number", 1e21),
        ("astral", "\U0001f600\ue000"),
        ("proto", {"__proto__": {"kind": "x"}, "constructor": 1}),
        ("numbers", [0.1, 1e-7, 5e-324, 1.7976931348623157e308, -0.5, 2**53 - 1]),
    ]
    for name, extra in with_field:
        yield name, signed(restated(read_object(payload, where="test"), extra))
    for number in ("9007199254740992", "1e+20", "-0", "1.0", "1E2", "NaN", "1e400", "01", "1e+21"):
        yield f"number {number}", signed(verbatim(number))
    for raw in (r"\ud800", r"\udc00\ud800", r"\u0041", r"\/", "\u0000", "\\u0000", r"\ud83d\ude00"):
        yield f"text {raw!r}", signed(verbatim(f'"{raw}"'))
    for extra in ("null", '[{"a":null}]'):
        yield f"well digested, {extra}", signed(verbatim(extra))
    yield "well digested, version", signed(consistent("v2", version=2))
    yield "well digested, kind", signed(consistent("v1", kind="unheard-of"))
    yield "well digested, kind in a list", signed(consistent("v1", kind=["run-plan"]))
    yield "well digested, inherited", signed(consistent("vundefined", kind="constructor"))
    yield "bytes that are no UTF-8", signed(payload.replace(b"UK-one", b"UK-one\xc0\x80"))


def consistent(ending: str, **changes: Any) -> bytes:
    """Return the payload with another record, and subject and type that fit it."""
    value: Any = read_object(STATEMENT.envelope.payload, where="test")
    record = {**value["predicate"], **changes}
    if ending == "vundefined":  # what JavaScript would say of a version that nothing has
        del record["version"]
    kind = record["kind"]
    digest = hashlib.sha256(canonical(record)).hexdigest()
    value["subject"] = [{"name": kind, "digest": {"sha256": digest}}]
    named = kind[0] if isinstance(kind, list) else kind
    value |= {"predicate": record, "predicateType": f"urn:countermark:{named}:{ending}"}
    return canonical(value)


def verbatim(extra: str) -> bytes:
    """Return the payload with a piece of JSON as it is, and the digest of the record so written."""
    value: Any = read_object(STATEMENT.envelope.payload, where="test")
    value["predicate"]["zzz"] = "EXTRA"
    record = canonical(value["predicate"]).replace(b'"EXTRA"', extra.encode())
    value["subject"][0]["digest"]["sha256"] = hashlib.sha256(record).hexdigest()
    return canonical(value).replace(b'"EXTRA"', extra.encode())


def nested(depth: int) -> JsonValue:
    value: JsonValue = 1
    for _ in range(depth):
        value = [value]
    return value


def restated(value: dict[str, Any], extra: JsonValue) -> bytes:
    """Return the payload with a field that this version does not know, and its true digest."""
    value["predicate"]["zzz"] = extra
    digest = hashlib.sha256(canonical(value["predicate"])).hexdigest()
    value["subject"][0]["digest"]["sha256"] = digest
    return canonical(value)


def test_payloads_that_the_author_really_signed(page: Page) -> None:
    cases = {name: Case(data) for name, data in other_payloads()}
    assert not any(agree(page, cases).values())  # none of them is in the log
    both = {name: expected(case).checks[3][1] for name, case in cases.items()}
    assert {name for name, ok in both.items() if ok} == {
        "deep enough", "large number", "astral", "proto", "numbers", "number 1e+21",
        r"text '\\u0000'",
    }  # fmt: skip


def other_forms() -> Iterator[tuple[str, bytes]]:
    value: Any = read_object(DATA, where="test")
    proof = value["proof"]
    lines = proof.split("\n")

    def file(**changes: Any) -> bytes:
        return canonical({**value, **changes}) + b"\n"

    yield "no newline", DATA[:-1]
    yield "two newlines", DATA + b"\n"
    yield "byte order mark", b"\xef\xbb\xbf" + DATA
    yield "spaces", DATA.replace(b":", b": ", 1)
    yield "version", file(version=2)
    yield "version true", file(version=True)
    yield "format", file(format="countermark-sample")
    yield "more", file(more=1)
    yield "proof list", file(proof=[proof])
    yield "envelope null", file(envelope=None)
    twice = {**value["envelope"], "signatures": value["envelope"]["signatures"] * 2}
    yield "two signatures", file(envelope=twice)
    yield "comma field", canonical({"envelope,format": 1, "proof": 2, "version": 3}) + b"\n"
    for old, new in (
        ("index 5", "index 05"),
        ("index 5", "index -5"),
        ("index 5", "index 5 "),
        ("index 5", "index ５"),
        ("index 5", "extra AA==\nindex 5"),
        ("index 5", "index 9223372036854775808"),
        ("proof@v1", "proof@v2"),
        ("\n11\n", "\n011\n"),
        ("\n11\n", "\n11\nextension\n"),
        ("\n\nuk", "\n\n\nuk"),
        ("— jp", "- jp"),
        ("— jp", "—  jp"),
        ("— jp.example/witness", "— jp.example\u3000witness"),
        ("— jp.example/witness", "— jp.example\ufeffwitness"),
        ("— jp.example/witness", "— jp.example+witness"),
        ("— jp.example/witness", "— jp.example\x85witness"),
        ("— jp.example/witness", "— jp.example\twitness"),
        ("— jp.example/witness", "— jp.example\x7fwitness"),
        ("\n\nuk.example/log", "\n\nuk example/log"),
    ):
        assert old in proof
        yield f"{old!r} as {new!r}", file(proof=proof.replace(old, new, 1))
    yield "hash cut", file(proof=proof.replace(lines[2], lines[2][:-4], 1))
    yield "hash loose", file(proof=proof.replace(lines[2], lines[2][:-2] + "B=", 1))
    yield "hash spaced", file(proof=proof.replace(lines[2], " " + lines[2], 1))
    yield "64 hashes", file(proof=proof.replace(lines[2], "\n".join([lines[2]] * 61), 1))
    yield "no last newline", file(proof=proof[:-1])
    yield "no signatures", file(proof=proof[: proof.index("—")])
    yield "empty proof", file(proof="")
    yield "long proof", file(proof=proof + "x" * 300_000)
    yield "size 0", file(proof=proof.replace("\n11\n", "\n0\n", 1))
    for key in ("payload", "payloadType"):
        for odd in (1, "", "A", "AA=A", "AB==", " AAAA", "AAAA\n", "é"):
            envelope = {**value["envelope"], key: odd}
            yield f"{key} {odd!r}", file(envelope=envelope)
    (signature,) = value["envelope"]["signatures"]
    for keyid in ("0" * 63, "0" * 65, "A" * 64, "0" * 64 + "\n", 5):
        envelope = {**value["envelope"], "signatures": [{**signature, "keyid": keyid}]}
        yield f"key id {keyid!r}", file(envelope=envelope)


def test_files_in_another_form(page: Page) -> None:
    assert not any(agree(page, {n: Case(data) for n, data in other_forms()}).values())


def test_the_titles_are_the_same(page: Page) -> None:
    titles = {int(rule): title for rule, title in page.evaluate("countermark.TITLES").items()}
    assert titles == TITLES
