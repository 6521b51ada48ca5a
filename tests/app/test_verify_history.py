# SPDX-License-Identifier: Apache-2.0
"""verify.js and times: keys, roles, logs, witnesses and policies that begin and end; and P-256."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import Page
from verify_script import Asked, Judged, judge, said_by, script_page

from countermark.app.site.pages.verify import roster_value
from countermark.records.errors import InputError
from countermark.signing.envelope import Envelope, verify
from countermark.signing.keys import ECDSA_SCHEME, public_key
from countermark.signing.party import LogKey, Party, RoleGrant, StatementKey, WitnessKey
from countermark.signing.quorum import parse_policy
from countermark.signing.roster import PolicyTerm, Roster
from countermark.transparency.note import NoteSigner
from countermark.transparency.verify import verify_statement
from tests.transparency.conftest import EXPIRES, NOON, build_network, private, run_plan

pytestmark = pytest.mark.browser

NETWORK = build_network()
FILE = NETWORK.publish("UK", run_plan(), witnesses=("JP", "KE", "KR", "UK"))
DATA = FILE.to_bytes()
# JP signed at noon, KE a second later, KR two, UK's own three. Two are the quorum: at KE's time.
WITNESSED = NOON + timedelta(seconds=1)
NOW = NOON + timedelta(days=1)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with script_page(tmp_path_factory.mktemp("verify")) as page:
        yield page


def stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


BEFORE, THEN, AFTER, LATER = (
    stamp(WITNESSED + timedelta(seconds=seconds)) for seconds in (-3600, 0, 1, 2)
)


def roster(change: Callable[[dict[str, Any]], object]) -> Any:
    """Return the roster with something changed; ``value[code]`` is a party."""
    value: Any = roster_value(NETWORK.roster)
    parties = {party["code"]: party for party in value["parties"]}
    change({**value, **parties})
    return value


def python(case: Asked) -> Judged:
    """Return what Python says, of a roster that no ceremony would make."""
    value: Any = case.roster
    parties = tuple(
        Party.model_construct(
            code=party["code"],
            name=party["name"],
            roles=tuple(RoleGrant(**grant) for grant in party["roles"]),
            statement_keys=tuple(StatementKey(**key) for key in party["statement_keys"]),
            logs=tuple(LogKey(**log) for log in party["logs"]),
            witnesses=tuple(WitnessKey(**witness) for witness in party["witnesses"]),
        )
        for party in value["parties"]
    )
    policies = tuple(
        (
            PolicyTerm(**{name: said for name, said in term.items() if name != "text"}),
            parse_policy(term["text"].encode()),
        )
        for term in value["policies"]
    )
    expires = datetime.fromisoformat(value["expires"])
    known = Roster(parties, policies, value["version"], expires, value["anchor"])
    return said_by(verify_statement(case.data, known, case.at))


def both(page: Page, cases: list[Asked]) -> list[Judged]:
    """See that Python and the script say the same of each case, and return what."""
    found = judge(page, cases)
    assert [replace(one, details=()) for one in found] == [python(case) for case in cases]
    return found


def one_ended_and_a_fresh_key(value: dict[str, Any]) -> None:
    end(value["JP"]["witnesses"], BEFORE)
    begin(value["UK"]["statement_keys"], AFTER)


def only_one_listed(value: dict[str, Any]) -> None:
    for code in ("jp", "ke"):
        unlist(value["policies"][0], code)


HISTORIES: dict[str, tuple[Callable[[Any], object], list[int]]] = {
    "nothing": (lambda r: None, []),
    "key ends then": (lambda r: r["UK"]["statement_keys"][0].update(valid_until=THEN), [3]),
    "key ends after": (lambda r: r["UK"]["statement_keys"][0].update(valid_until=AFTER), []),
    "key begins then": (lambda r: r["UK"]["statement_keys"][0].update(valid_from=THEN), []),
    "key begins after": (lambda r: r["UK"]["statement_keys"][0].update(valid_from=AFTER), [3]),
    "role ends then": (lambda r: end(r["UK"]["roles"][:2], THEN), [3]),
    "role ends after": (lambda r: end(r["UK"]["roles"][:2], AFTER), []),
    "a witness no longer": (lambda r: end(r["JP"]["roles"], BEFORE), []),
    "its own witness ended": (lambda r: end(r["UK"]["witnesses"], BEFORE), []),
    "a witness that begins later": (lambda r: begin(r["KR"]["witnesses"], AFTER), []),
    "a witness that begins too late": (lambda r: begin(r["KR"]["witnesses"], LATER), []),
    "two that begin too late": (
        lambda r: begin([*r["KE"]["witnesses"], *r["KR"]["witnesses"]], LATER),
        [7],
    ),
    "log ends then": (lambda r: end(r["UK"]["logs"], THEN), [6]),
    "log ends after": (lambda r: end(r["UK"]["logs"], AFTER), []),
    "one witness ended": (lambda r: end(r["JP"]["witnesses"], BEFORE), []),
    "one witness ended, and the key in its first second": (
        one_ended_and_a_fresh_key,
        [],
    ),
    "the policy does not list one": (lambda r: unlist(r["policies"][0], "jp"), []),
    "the policy lists one alone": (
        only_one_listed,
        [7],
    ),
    "another name": (lambda r: r["UK"].update(name="Another name"), []),
    "the code as a name": (lambda r: r["UK"].update(code="GB", name="UK"), [3]),
    "no policy until later": (lambda r: begin(r["policies"], AFTER), [7]),
    "a policy since then": (lambda r: begin(r["policies"], THEN), []),
    "a later log key": (lambda r: r["UK"]["logs"].append(other_log()), []),
    "an earlier log key": (lambda r: r["UK"]["logs"].insert(0, other_log()), []),
    "no log": (lambda r: r["UK"]["logs"].clear(), [6, 7]),
    "no witness": (
        lambda r: [r[code]["witnesses"].clear() for code in ("UK", "JP", "KE", "KR")],
        [7],
    ),
    "two witnesses ended": (
        lambda r: end([*r["JP"]["witnesses"], *r["KE"]["witnesses"]], BEFORE),
        [7],
    ),
    "policy ends then": (lambda r: end(r["policies"], THEN), [7]),
    "a stricter policy before": (
        lambda r: r["policies"].insert(
            0, {**strict_then(r), "valid_from": BEFORE, "valid_until": THEN}
        ),
        [],
    ),
    "a stricter policy then": (lambda r: r["policies"].__setitem__(0, strict_then(r)), [7]),
}


def end(entries: list[Any], at: str) -> None:
    for entry in entries:
        entry["valid_until"] = at


def begin(entries: list[Any], at: str) -> None:
    for entry in entries:
        entry["valid_from"] = at


def unlist(term: Any, code: str) -> None:
    """Put another key where a policy listed a witness's."""
    name = f"{code}.example/witness"
    other = NoteSigner(name, private(f"another of {code}")).witness_key.text
    head, tail = str(term["text"]).split(f"witness {name} ", 1)
    term["text"] = f"{head}witness {name} {other}\n" + tail.split("\n", 1)[1]


def other_log() -> dict[str, str]:
    key = NoteSigner("uk.example/log", private("another log key")).log_key
    return {"origin": key.name, "vkey": key.text, "valid_from": BEFORE}


def stricter(policies: list[Any]) -> str:
    return str(policies[0]["text"]).replace("group witnesses 2", "group witnesses 4")


def strict_then(value: Any) -> dict[str, str]:
    return {**value["policies"][0], "text": stricter(value["policies"]), "valid_from": THEN}


def test_what_began_and_ended_is_judged_at_its_own_time(page: Page) -> None:
    cases = [Asked(DATA, roster(change), NOW) for change, _ in HISTORIES.values()]
    found = dict(zip(HISTORIES, both(page, cases), strict=True))
    assert {name: one.failed for name, one in found.items()} == {
        name: failed for name, (_, failed) in HISTORIES.items()
    }
    assert found["nothing"].witnessed == THEN
    last = stamp(WITNESSED + timedelta(seconds=1))
    for name in ("one witness ended", "the policy does not list one", "a policy since then"):
        assert found[name].witnessed == last, name
    assert "jp.example/witness cosigned at" in found["one witness ended"].details[6]
    assert "and does not count" in found["one witness ended"].details[6]


def test_rule_3_the_roster_had_expired(page: Page) -> None:
    late = NETWORK.publish("UK", run_plan(), at=EXPIRES).to_bytes()
    value = roster(lambda r: r["UK"]["statement_keys"][0].pop("valid_until"))
    (found,) = both(page, [Asked(late, value, EXPIRES + timedelta(days=1))])
    assert found.failed == [3]
    assert "expired" in found.details[2]


def test_rule_7_a_stamp_that_is_still_to_come(page: Page) -> None:
    value = roster_value(NETWORK.roster)
    last = NOON + timedelta(seconds=3)  # the log's own witness
    ages = {-31: [7], -30: [], 0: [], 10**8: []}
    cases = [Asked(DATA, value, last + timedelta(seconds=age)) for age in ages]
    assert [found.failed for found in both(page, cases)] == list(ages.values())


POLICIES = {
    "any of all": ("group g any {all}\nquorum g\n", True),
    "all of them": ("group g all {all}\nquorum g\n", False),
    "one by name": ("quorum jp.example/witness\n", True),
    "its own": ("quorum uk.example/witness\n", False),
    "none": ("quorum none\n", True),
    "groups of groups": (
        "group a 2 jp.example/witness ke.example/witness\n"  # noqa: ISC004
        "group b 1 kr.example/witness uk.example/witness\ngroup c all a b\nquorum c\n",
        True,
    ),
    "comments, tabs and blanks": ("# a\n\n \tgroup\tg  3 {all}\n quorum g\n", True),
    "no quorum line": ("", False),
    "a second quorum line": ("quorum none\nquorum none\n", False),
    "an unknown name": ("quorum nobody\n", False),
    "a group that refers forward": ("group g 1 h\ngroup h 1 jp.example/witness\nquorum g\n", False),
    "more than there are": ("group g 2 jp.example/witness\nquorum g\n", False),
    "zero": ("group g 0 jp.example/witness\nquorum g\n", False),
    "a name twice": ("group jp.example/witness 1 ke.example/witness\nquorum none\n", False),
    "an unknown word": ("allow everything\nquorum none\n", False),
}


def test_rule_7_policies(page: Page) -> None:
    def with_policy(tail: str) -> Any:
        value: Any = roster_value(NETWORK.roster)
        lines = NETWORK.roster.policy.text.splitlines()
        names = [line.split()[1] for line in lines if line.startswith("witness ")]
        head = [line for line in lines if line.split()[0] in ("log", "witness")]
        value["policies"][0]["text"] = "\n".join(head) + "\n" + tail.format(all=" ".join(names))
        return value

    cases = [Asked(DATA, with_policy(tail), NOW) for tail, _ in POLICIES.values()]
    found = dict(zip(POLICIES, judge(page, cases), strict=True))
    assert {n: one.valid for n, one in found.items()} == {
        n: met for n, (_, met) in POLICIES.items()
    }
    for name, case in zip(POLICIES, cases, strict=True):
        with contextlib.suppress(InputError):  # Python refuses such a roster as a whole
            assert replace(found[name], details=()) == python(case)


def der(r: bytes, s: bytes) -> bytes:
    body = b"".join(bytes([2, len(number)]) + number for number in (r, s))
    return bytes([0x30, len(body)]) + body


def integer(number: int) -> bytes:
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def with_key(entry: dict[str, str]) -> Any:
    return roster(lambda r: r["UK"]["statement_keys"][0].update(entry))


def signatures(good: bytes) -> dict[str, bytes]:
    """Return a P-256 signature in its one form, in others, and others altogether."""
    r, s = decode_dss_signature(good)
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    a, b = integer(r), integer(s)
    assert der(a, b) == good
    # Without its leading zero a number would be negative.
    bare = der(a[-32:], b[-32:])
    return {
        "zero too few" if bare != good else "good": bare,
        "another length": bytes([0x30, good[1] - 1]) + good[2:],
        "good": good,
        "zero too many in r": der(b"\0" + a, b),
        "zero too many in s": der(a, b"\0" + b),
        "negative": der(a, (s - (1 << 256)).to_bytes(33, "big", signed=True)),
        "more after it": good + b"\0",
        "more inside": bytes([0x30, good[1] + 1]) + good[2:] + b"\0",
        "long length": b"\x30\x81" + good[1:],
        "long inner length": bytes([0x30, good[1] + 1, 2, 0x81]) + good[3:],
        "indefinite length": b"\x30\x80" + good[2:] + b"\0\0",
        "cut": good[:-1],
        "empty": b"",
        "a tag": b"\x30",
        "raw": r.to_bytes(32, "big") + s.to_bytes(32, "big"),
        "zeros": der(b"\0", b"\0"),
        "no numbers": b"\x30\x00",
        "empty numbers": b"\x30\x04\x02\x00\x02\x00",
        "r beyond the order": der(integer(r + order), b),
        "swapped": der(b, a),
        "another tag": good.replace(b"\x02", b"\x03", 1),
        "a set": b"\x31" + good[1:],
        "one bit": good[:-1] + bytes([good[-1] ^ 1]),
        "the other s": der(a, integer(order - s)),
    }


def test_both_signature_algorithms_and_der_in_its_one_form(page: Page) -> None:
    """Python says which P-256 signatures are good; ten keys, so that lengths differ."""
    accepted = set()
    for number in range(10):
        secret = ec.derive_private_key(1000 + number, ec.SECP256R1())
        point = secret.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        key = public_key(point.hex(), ECDSA_SCHEME)
        entry = {"keyid": key.keyid, "public": point.hex(), "scheme": ECDSA_SCHEME}
        value = with_key(entry)
        kind, payload = FILE.envelope.payload_type, FILE.envelope.payload
        head = f"DSSEv1 {len(kind)} {kind} {len(payload)} "
        good = secret.sign(head.encode() + payload, ec.ECDSA(hashes.SHA256()))
        envelopes = {
            name: Envelope(payload, kind, key.keyid, signature)
            for name, signature in signatures(good).items()
        }
        cases = [
            Asked(replace(FILE, envelope=envelope).to_bytes(), value, NOW)
            for envelope in envelopes.values()
        ]
        for name, found in zip(envelopes, both(page, cases), strict=True):
            ok = found.checks[1][1]
            assert ok == verify(envelopes[name], key), name
            accepted |= {name} if ok else set()
    # ECDSA has two signatures for each; the log holds the digest of the one that was made.
    assert accepted == {"good", "the other s"}
