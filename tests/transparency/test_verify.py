# SPDX-License-Identifier: Apache-2.0
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from countermark.records.canonical import JsonValue, canonical, content_digest
from countermark.records.protocol import RunPlan
from countermark.signing.envelope import PAYLOAD_TYPE, Envelope
from countermark.signing.keys import statement_signer
from countermark.transparency.checkpoint import Checkpoint, sign_checkpoint
from countermark.transparency.note import Note, NoteSigner, SignatureLine, sign_note
from countermark.transparency.statement import StatementFile
from countermark.transparency.verify import TITLES, Verification, verify_statement
from tests.transparency.conftest import (
    EXPIRES,
    NOON,
    Network,
    build_network,
    framework,
    institute,
    private,
    run_plan,
)

# Ten years on: nothing that was valid stops being so.
NOW = NOON + timedelta(days=3653)
NETWORK = build_network()
STATEMENT = NETWORK.publish("UK", run_plan())
DATA = STATEMENT.to_bytes()


def judge(statement: StatementFile | bytes, network: Network = NETWORK) -> Verification:
    data = statement if isinstance(statement, bytes) else statement.to_bytes()
    return verify_statement(data, network.roster, NOW)


def failed(verification: Verification) -> list[int]:
    """Rules that were reached and do not hold."""
    assert [check.rule for check in verification.checks] == list(TITLES)
    if not verification.valid:
        assert verification.record is None
        assert verification.witnessed is None
    assert all(check.detail for check in verification.checks)
    return [check.rule for check in verification.failures if check.reached]


def detail(verification: Verification, rule: int) -> str:
    return verification.checks[rule - 1].detail


def with_note(statement: StatementFile, note: Note) -> StatementFile:
    return replace(statement, proof=replace(statement.proof, note=note))


def with_lines(lines: tuple[SignatureLine, ...]) -> StatementFile:
    return with_note(STATEMENT, Note(STATEMENT.proof.note.text, lines))


LINES = STATEMENT.proof.note.signatures


def test_a_true_statement_is_valid_and_says_what_it_says() -> None:
    verification = judge(STATEMENT)
    assert verification.valid
    assert failed(verification) == []
    assert isinstance(verification.record, RunPlan)
    assert verification.record == run_plan()
    assert verification.author == "UK"
    assert verification.envelope == STATEMENT.envelope.digest
    assert (verification.origin, verification.index, verification.size) == ("uk.example/log", 5, 11)
    assert verification.witnessed == "2026-03-01T12:00:01Z"
    assert verification.witnesses == tuple(f"{c}.example/witness" for c in ("jp", "ke", "kr"))


def test_every_changed_byte_of_a_file_is_caught() -> None:
    """Every position, one bit each, the bits taking turns."""
    for position in range(len(DATA)):
        changed = bytearray(DATA)
        changed[position] ^= 1 << position % 8
        assert not judge(bytes(changed)).valid, f"byte {position}"


@settings(deadline=None, max_examples=300)
@given(st.integers(0, len(DATA) - 1), st.integers(0, 7))
def test_any_flipped_bit_is_caught(position: int, bit: int) -> None:
    changed = bytearray(DATA)
    changed[position] ^= 1 << bit
    assert not judge(bytes(changed)).valid


@settings(deadline=None)
@given(st.binary(max_size=200), st.integers(0, len(DATA)), st.integers(0, len(DATA)))
def test_no_bytes_raise_and_no_cut_or_insertion_is_valid(junk: bytes, a: int, b: int) -> None:
    assert not judge(junk).valid
    spliced = DATA[:a] + junk + DATA[b:]
    assert judge(spliced).valid == (spliced == DATA)


def test_rule_1_after_an_unreadable_file_nothing_is_reached() -> None:
    verification = judge(DATA + b" ")
    assert failed(verification) == [1]
    assert [check.reached for check in verification.checks] == [True] + [False] * 6
    assert detail(verification, 5).startswith("not reached")


def test_rule_2_a_key_outside_the_roster() -> None:
    envelope = replace(STATEMENT.envelope, keyid="0" * 64)
    verification = judge(replace(STATEMENT, envelope=envelope))
    assert 2 in failed(verification)
    assert "not in the roster" in detail(verification, 2)
    assert not verification.checks[2].reached
    assert not verification.checks[5].reached


def test_rule_2_another_members_key_id_on_the_signature() -> None:
    other = statement_signer(private("JP statements")).public_key.keyid
    verification = judge(replace(STATEMENT, envelope=replace(STATEMENT.envelope, keyid=other)))
    assert 2 in failed(verification)
    assert "not by Institute JP's key" in detail(verification, 2)


def test_rule_2_another_payload_type_under_the_same_signature() -> None:
    envelope = replace(STATEMENT.envelope, payload_type="text/plain")
    assert {2, 4} <= set(failed(judge(replace(STATEMENT, envelope=envelope))))


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (datetime.fromisoformat("2025-12-31T23:59:58Z"), "valid from 2026-01-01"),
        (datetime.fromisoformat("2026-05-31T23:59:59Z"), "until 2026-06-01"),
        (EXPIRES, "after the roster expired"),
    ],
)
def test_rule_3_the_witnessed_time_decides_whether_the_key_was_valid(
    network: Network, at: datetime, said: str
) -> None:
    verification = judge(network.publish("UK", run_plan(), at=at), network)
    assert failed(verification) == [3]
    assert said in detail(verification, 3)


def test_rule_3_the_first_and_last_valid_seconds(fresh_network: Callable[[], Network]) -> None:
    for at in (
        "2025-12-31T23:59:59Z",
        "2026-05-31T23:59:58Z",
    ):  # KE, a second later, makes the quorum
        network = fresh_network()
        statement = network.publish("UK", run_plan(), at=datetime.fromisoformat(at))
        assert judge(statement, network).valid


def test_rule_3_a_role_that_may_not_say_it(network: Network) -> None:
    verification = judge(network.publish("exemplar", institute()), network)
    assert failed(verification) == [3]
    assert "which may not say institute" in detail(verification, 3)


def test_rule_3_a_record_that_speaks_for_another(network: Network) -> None:
    verification = judge(network.publish("JP", run_plan("UK")), network)
    assert failed(verification) == [3]
    assert "speaks for UK, and JP signed it" in detail(verification, 3)


def test_rule_3_a_speaker_is_named_by_code(network: Network) -> None:
    assert judge(network.publish("exemplar", framework("exemplar")), network).valid
    verification = judge(network.publish("exemplar", framework("exemplar-ai")), network)
    assert failed(verification) == [3]


def forged_payload(change: Callable[[dict[str, JsonValue]], object]) -> StatementFile:
    """A statement whose payload is bent and then properly signed by its author."""
    value = json.loads(STATEMENT.envelope.payload)
    change(value)
    return signed_payload(canonical(value))


def signed_payload(payload: bytes) -> StatementFile:
    head = b"DSSEv1 %d %b %d " % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload))
    signature = private("UK statements").sign(head + payload)
    envelope = Envelope(payload, PAYLOAD_TYPE, STATEMENT.envelope.keyid, signature)
    return replace(STATEMENT, envelope=envelope)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda v: v["predicate"].update(samples=4), "subject"),
        (lambda v: v["subject"][0].update(name="evidence"), "subject"),
        (lambda v: v["subject"].append(v["subject"][0]), "subject"),
        (lambda v: v.update(predicateType="urn:countermark:evidence:v1"), "predicate type"),
        (lambda v: v.update(_type="https://in-toto.io/Statement/v0.1"), "in-toto Statement v1"),
        (lambda v: v.update(more=1), "fields are not exactly"),
        (lambda v: v.pop("subject"), "fields are not exactly"),
        (lambda v: v.update(predicate=[]), "not an object"),
        (lambda v: v["predicate"].update(kind="unheard-of"), "does not know"),
        (lambda v: v["predicate"].update(samples=-1), "not a valid run-plan"),
        (lambda v: v["predicate"].update(note=None), "null"),
    ],
)
def test_rule_4_the_content_is_not_what_it_says(
    change: Callable[[dict[str, JsonValue]], object], said: str
) -> None:
    verification = judge(forged_payload(change))
    assert failed(verification)[0] == 4
    assert said in detail(verification, 4)
    assert not verification.checks[2].reached
    assert not verification.checks[4].reached


def test_rule_4_a_payload_in_another_form() -> None:
    loose = json.dumps(json.loads(STATEMENT.envelope.payload)).encode()
    assert "not canonical" in detail(judge(signed_payload(loose)), 4)
    twice = STATEMENT.envelope.payload.replace(b'"_type"', b'"_type":"x","_type"', 1)
    assert "twice" in detail(judge(signed_payload(twice)), 4)


def test_rule_5_a_statement_that_was_never_logged() -> None:
    verification = judge(
        replace(STATEMENT, envelope=NETWORK.sign("UK", run_plan(protocol="sha256:" + "9" * 64)))
    )
    assert failed(verification) == [5]
    assert "does not lead" in detail(verification, 5)


def test_rule_5_another_index_or_path() -> None:
    proof = STATEMENT.proof
    for bent in (
        replace(proof, index=4),
        replace(proof, index=11),
        replace(proof, hashes=proof.hashes[:-1]),
        replace(proof, hashes=(*proof.hashes, b"\0" * 32)),
        replace(proof, hashes=proof.hashes[::-1]),
    ):
        assert failed(judge(replace(STATEMENT, proof=bent))) == [5]


def test_rule_6_in_another_members_log(network: Network) -> None:
    verification = judge(
        network.publish("JP", run_plan("JP"), log="KE", witnesses=("UK", "KR")), network
    )
    assert failed(verification) == [6]
    assert "in the log ke.example/log; JP's is jp.example/log" in detail(verification, 6)


def test_rule_6_a_checkpoint_that_the_log_key_did_not_sign(network: Network) -> None:
    statement = network.publish("UK", run_plan())
    checkpoint = statement.proof.checkpoint
    thief = NoteSigner(checkpoint.origin, private("thief"))
    unsigned = sign_checkpoint(checkpoint, thief)
    verification = judge(with_note(statement, network.cosigned(unsigned, ("JP", "KE"))), network)
    assert failed(verification) == [6, 7]
    forged = replace(LINES[0], signature=b"\0" * 64)
    assert failed(judge(with_lines((forged, *LINES[1:])))) == [6]


def test_rule_6_a_log_outside_the_roster(network: Network) -> None:
    envelope = network.sign("UK", run_plan())
    rogue = NoteSigner("rogue.example/log", private("UK log"))
    note = sign_checkpoint(Checkpoint(rogue.name, 11, STATEMENT.proof.checkpoint.root), rogue)
    statement = replace(
        with_note(STATEMENT, network.cosigned(note, ("JP", "KE"))), envelope=envelope
    )
    assert {6, 7} <= set(failed(judge(statement)))


def test_rule_7_too_few_witnesses(network: Network) -> None:
    verification = judge(network.publish("UK", run_plan(), witnesses=("JP",)), network)
    assert failed(verification) == [7]
    assert "jp.example/witness do not meet the quorum" in detail(verification, 7)
    nobody = judge(network.publish("UK", run_plan(), witnesses=()), network)
    assert failed(nobody) == [7]
    assert "no quorum of witnesses says when" in detail(nobody, 3)
    assert "no witness that counts cosigned" in detail(nobody, 7)


def test_rule_7_the_logs_own_witness_is_not_counted(network: Network) -> None:
    verification = judge(network.publish("UK", run_plan(), witnesses=("JP", "UK")), network)
    assert failed(verification) == [7]
    assert "the log's own, not counted" in detail(verification, 7)
    enough = judge(network.publish("UK", run_plan(), witnesses=("JP", "KE", "UK")), network)
    assert enough.valid
    assert enough.witnesses == ("jp.example/witness", "ke.example/witness")


def bent_lines() -> list[tuple[SignatureLine, ...]]:
    text = STATEMENT.proof.note.text
    log, jp, ke, kr = LINES
    stranger = SignatureLine("zz.example/witness", b"1234", jp.signature)
    plain = sign_note(text, NoteSigner("zz.example", private("zz")))
    bad = replace(kr, signature=kr.signature[:-1] + bytes([kr.signature[-1] ^ 1]))
    later = replace(kr, signature=(9 * 10**9).to_bytes(8, "big") + kr.signature[8:])
    return [
        (jp, log, ke, kr),
        (log, ke, jp, kr),
        (log, jp, jp, ke, kr),
        (log, log, jp, ke, kr),
        (log, jp, ke, kr, stranger),
        (log, jp, ke, kr, plain),
        (log, jp, ke, bad),
        (log, jp, ke, later),
        (log, jp, ke, replace(kr, name="jp.example/witness")),
        (log, jp, ke, replace(kr, key_id=jp.key_id)),
    ]


@pytest.mark.parametrize("lines", bent_lines())
def test_rule_7_unknown_repeated_bad_or_unsorted_lines(lines: tuple[SignatureLine, ...]) -> None:
    assert failed(judge(with_lines(lines))) == [7]


def test_rule_7_cosignatures_of_another_checkpoint(network: Network) -> None:
    first = network.publish("UK", run_plan())
    second = network.publish("UK", run_plan())
    log = second.proof.note.signatures[0]
    note = Note(second.proof.note.text, (log, *first.proof.note.signatures[1:]))
    assert 7 in failed(judge(with_note(second, note), network))


def test_a_log_that_shows_this_reader_another_history(fresh_network: Callable[[], Network]) -> None:
    """The liar forks its log; its own witness and one accomplice are not a quorum."""
    liar = fresh_network()
    honest = liar.publish("UK", run_plan())
    fork = fresh_network()
    forged = fork.publish("UK", run_plan(protocol="sha256:" + "f" * 64), witnesses=("UK", "JP"))
    assert judge(honest, liar).valid
    assert failed(judge(forged, liar)) == [7]
    stolen = Note(forged.proof.note.text, (forged.proof.note.signatures[0], *LINES[1:]))
    assert failed(judge(with_note(forged, stolen), liar)) == [7]


def test_an_older_file_stays_valid_when_the_log_has_grown(network: Network) -> None:
    first = network.publish("UK", run_plan())
    network.publish("UK", institute(), at=NOON + timedelta(days=1))
    assert judge(first, network).valid


def test_the_digest_of_the_record_is_its_content_address() -> None:
    verification = judge(STATEMENT)
    assert verification.record is not None
    assert verification.record.digest == content_digest(run_plan().to_bytes())
