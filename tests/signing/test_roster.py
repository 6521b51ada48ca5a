# SPDX-License-Identifier: Apache-2.0
"""Attacks on the roster folder, each by the number of the rule that stops it."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, generate_private_key
from hypothesis import given, settings
from hypothesis import strategies as st
from tuf.api.metadata import Metadata, Root, TargetFile, Targets  # type: ignore[attr-defined]

from countermark.records.canonical import canonical, content_digest
from countermark.records.errors import CountermarkError, InputError, VerificationError
from countermark.signing.ceremony import create_roster
from countermark.signing.keys import CryptoSigner, Signer, SSlibKey
from countermark.signing.party import LogKey, Party, WitnessKey
from countermark.signing.roster import PolicyTerm, _refuse_change, load_roster
from countermark.signing.vkey import COSIGNATURE_V1, ED25519
from tests.signing.conftest import (
    EXPIRES,
    MEMBERS,
    NOW,
    PARTIES,
    POLICY,
    SINCE,
    party,
    policy_of,
    signer,
    vkey,
)

FILES = create_roster(PARTIES, POLICY, MEMBERS, 2, SINCE, EXPIRES)


ANCHOR = content_digest(Metadata[Root].from_bytes(FILES["1.root.json"]).signed_bytes)


def rejected(files: dict[str, bytes], said: str | None, at: datetime = NOW) -> CountermarkError:
    with pytest.raises((InputError, VerificationError), match=said) as caught:
        load_roster(files, at)
    assert caught.value.next_step
    assert isinstance(caught.value, CountermarkError)
    return caught.value


def root_of(files: dict[str, bytes], name: str = "1.root.json") -> Metadata[Root]:
    return Metadata[Root].from_bytes(files[name])


def signed(metadata: Metadata[Any], signers: Sequence[Signer]) -> bytes:
    metadata.signatures.clear()
    for member in signers:
        metadata.sign(member, append=True)
    return canonical(metadata.to_dict())


def with_targets(
    files: dict[str, bytes], targets: dict[str, bytes], signers: Sequence[Signer] = MEMBERS
) -> dict[str, bytes]:
    """The folder with other target files, properly listed and signed by ``signers``."""
    body = Targets(expires=EXPIRES)
    for name, data in targets.items():
        body.targets[name] = TargetFile.from_data(name, data, ["sha256"])
    return {**files, **targets, "targets.json": signed(Metadata(body), signers)}


def with_roster(change: Callable[[dict[str, Any]], object]) -> dict[str, bytes]:
    value = json.loads(FILES["roster.json"])
    change(value)
    data = canonical(value) + b"\n"
    return with_targets(FILES, {"roster.json": data, "policy.txt": FILES["policy.txt"]})


def with_root(
    change: Callable[[Root], object], signers: Sequence[Signer] = MEMBERS
) -> dict[str, bytes]:
    root = root_of(FILES)
    change(root.signed)
    return {**FILES, "1.root.json": signed(root, signers)}


def next_root(
    files: dict[str, bytes],
    change: Callable[[Root], object] = lambda _: None,
    signers: Sequence[Signer] = MEMBERS,
    number: int = 2,
) -> dict[str, bytes]:
    root = root_of(files, f"{number - 1}.root.json")
    root.signed.version = number
    change(root.signed)
    return {**files, f"{number}.root.json": signed(root, signers)}


def test_a_roster_is_what_was_put_in() -> None:
    roster = load_roster(FILES, NOW)
    assert roster.parties == PARTIES
    assert roster.policy.text == POLICY
    assert roster.version == 1
    assert roster.expires == EXPIRES
    assert roster.anchor == ANCHOR
    assert set(FILES) == {"1.root.json", "targets.json", "roster.json", "policy.txt"}


def test_look_ups() -> None:
    roster, uk = load_roster(FILES, NOW), PARTIES[0]
    assert roster.party("UK") == uk
    assert roster.by_keyid(uk.statement_keys[0].keyid) == (uk, uk.statement_keys[0])
    assert roster.by_origin("uk.example/log") == uk
    assert uk.witness is not None
    key_id = uk.witness.key.key_id
    assert roster.witness_key("uk.example/witness", key_id) == (uk, uk.witness)
    assert roster.witness_key("jp.example/witness", key_id) is None
    for missing in (roster.party, roster.by_keyid, roster.by_origin):
        assert missing("nobody") is None
    assert roster.policy_at(NOW) == roster.policy
    assert roster.policy_at(datetime.fromisoformat(SINCE) - timedelta(seconds=1)) is None


def test_rule_5_a_changed_byte_of_a_target_is_caught() -> None:
    for name in ("roster.json", "policy.txt"):
        for position in range(0, len(FILES[name]), 97):
            changed = bytearray(FILES[name])
            changed[position] ^= 1 << position % 8
            rejected({**FILES, name: bytes(changed)}, "not what was signed")


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(["1.root.json", "targets.json"]), st.integers(0), st.integers(0, 255))
def test_a_changed_byte_of_the_metadata_never_changes_what_is_said(
    name: str, position: int, value: int
) -> None:
    """A spoilt signature may be one more than the threshold needs; then the roster still stands."""
    changed = bytearray(FILES[name])
    changed[position % len(changed)] = value
    try:
        roster = load_roster({**FILES, name: bytes(changed)}, NOW)
    except (InputError, VerificationError):
        return
    assert (roster.parties, roster.policy.text) == (PARTIES, POLICY)
    assert (roster.version, roster.expires) == (1, EXPIRES)


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_missing_file_is_named(name: str) -> None:
    files = {key: data for key, data in FILES.items() if key != name}
    assert rejected(files, "is missing").where == name


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("1.root.json", b""),
        ("1.root.json", b"{}"),
        ("1.root.json", FILES["targets.json"]),
        ("targets.json", FILES["1.root.json"]),
        ("1.root.json", FILES["1.root.json"].replace(b'"signed":', b'"signed":{},"signed":', 1)),
        ("targets.json", FILES["targets.json"].replace(b'"version":1', b'"version":NaN')),
        ("targets.json", b'{"signatures":1,"signed":{"_type":"targets"}}'),
        ("targets.json", b'{"signatures":[],"signed":[]}'),
        ("targets.json", FILES["targets.json"].replace(b'"version":1}', b'"version":null}')),
        ("1.root.json", FILES["1.root.json"].replace(b'"version":1}', b'"version":null}')),
    ],
)
def test_rule_1_metadata_that_is_not(name: str, data: bytes) -> None:
    with pytest.raises(InputError):
        load_roster({**FILES, name: data}, NOW)


def test_rule_2_root_numbers() -> None:
    rejected({**FILES, "3.root.json": FILES["1.root.json"]}, "gap")
    rejected({**FILES, "2.root.json": FILES["1.root.json"]}, "says it is version 1")
    second = next_root(FILES)
    del second["1.root.json"]
    assert load_roster(second, NOW).anchor == content_digest(
        root_of(second, "2.root.json").signed_bytes
    )


def test_rule_2_the_first_root_is_signed_by_its_own_threshold() -> None:
    load_roster(with_root(lambda _: None, MEMBERS[:2]), NOW)
    rejected(with_root(lambda _: None, MEMBERS[:1]), "enough members")
    strangers = [signer("s1"), signer("s2"), signer("s3")]
    rejected(with_root(lambda _: None, strangers), "enough members")
    unsigned = FILES["1.root.json"].replace(
        b'"consistent_snapshot":false', b'"consistent_snapshot":true'
    )
    rejected({**FILES, "1.root.json": unsigned}, "enough members")


def swap_member(root: Root) -> None:
    """Member 0 leaves and a new one joins, in every role."""
    for role in root.roles:
        root.revoke_key(MEMBERS[0].public_key.keyid, role)
        root.add_key(signer("member 3").public_key, role)


NEW_MEMBERS = (MEMBERS[1], MEMBERS[2], signer("member 3"))


def test_rule_3_keys_rotate_by_the_old_and_the_new_threshold() -> None:
    rotated = next_root(FILES, swap_member, NEW_MEMBERS)
    fresh = with_targets(
        rotated, {n: FILES[n] for n in ("roster.json", "policy.txt")}, NEW_MEMBERS[1:]
    )
    assert load_roster(fresh, NOW).anchor == ANCHOR
    third = next_root(fresh, lambda _: None, NEW_MEMBERS, 3)
    assert load_roster(third, NOW).parties == PARTIES


def test_rule_3_a_root_that_the_old_members_did_not_sign() -> None:
    def take_over(root: Root) -> None:
        for role in root.roles:
            for member in MEMBERS:
                root.revoke_key(member.public_key.keyid, role)
            for name in ("s1", "s2"):
                root.add_key(signer(name).public_key, role)

    thieves = (signer("s1"), signer("s2"))
    targets = {n: FILES[n] for n in ("roster.json", "policy.txt")}
    for signers in (thieves, (MEMBERS[0], *thieves)):
        # Whole in all else: the targets are signed by those whom the new root names.
        taken = with_targets(next_root(FILES, take_over, signers), targets, thieves)
        rejected(taken, "2.root.json: is not signed by enough members")


def test_rule_3_a_root_that_its_own_members_did_not_sign() -> None:
    def raise_threshold(root: Root) -> None:
        swap_member(root)
        for role in root.roles.values():
            role.threshold = 3

    targets = {n: FILES[n] for n in ("roster.json", "policy.txt")}
    half = with_targets(next_root(FILES, raise_threshold, MEMBERS[1:]), targets, NEW_MEMBERS)
    rejected(half, "2.root.json: is not signed by enough members")


def test_rule_4_targets_need_the_threshold_of_the_last_root() -> None:
    targets = {n: FILES[n] for n in ("roster.json", "policy.txt")}
    rejected(with_targets(FILES, targets, MEMBERS[:1]), "enough members")
    rotated = next_root(FILES, swap_member, NEW_MEMBERS)
    load_roster(with_targets(rotated, targets, MEMBERS[1:]), NOW)
    rejected(with_targets(rotated, targets, MEMBERS[:2]), "enough members")


def test_rule_4_one_key_does_not_count_twice() -> None:
    """One member lists its key under a second id, and signs twice."""
    real = MEMBERS[0].public_key
    alias = SSlibKey("f" * 64, real.keytype, real.scheme, dict(real.keyval))

    def add_alias(root: Root) -> None:
        for role in root.roles:
            root.add_key(alias, role)

    rejected(with_root(add_alias), "one key under two ids")


def test_rule_4_another_spelling_of_a_key_is_no_other_key() -> None:
    """The library reads a key's hex in capitals, and PEM with words around it."""
    real = MEMBERS[0].public_key
    loud = {"public": real.keyval["public"].upper()}
    p256 = CryptoSigner.generate_ecdsa().public_key
    wordy = {"public": f"A key\n{p256.keyval['public']}"}
    p384 = CryptoSigner(generate_private_key(SECP384R1())).public_key

    def listing(*keys: SSlibKey) -> dict[str, bytes]:
        def add(root: Root) -> None:
            for role in root.roles:
                for key in keys:
                    root.add_key(key, role)

        return with_root(add)

    load_roster(listing(p256), NOW)
    alias = SSlibKey("f" * 64, real.keytype, real.scheme, loud)
    rejected(listing(alias), "lower-case hex")
    second = SSlibKey("f" * 64, p256.keytype, p256.scheme, wordy)
    rejected(listing(p256, second), "one key under two ids")
    rejected(listing(p384), "signed with Ed25519 or ECDSA P-256")


def test_rule_5_exactly_two_targets() -> None:
    both = {n: FILES[n] for n in ("roster.json", "policy.txt")}
    rejected(with_targets(FILES, {"roster.json": FILES["roster.json"]}), "other targets")
    rejected(with_targets(FILES, {"policy.txt": FILES["policy.txt"]}), "does not list roster.json")
    rejected(with_targets(FILES, {**both, "more.txt": b""}), "other targets")
    other = create_roster(PARTIES[:3], policy_of(PARTIES[:3], 2), MEMBERS, 2, SINCE, EXPIRES)
    rejected({**FILES, "roster.json": other["roster.json"]}, "not what was signed")


def test_rule_5_a_target_without_sha256() -> None:
    body = Targets(expires=EXPIRES)
    for name in ("roster.json", "policy.txt"):
        body.targets[name] = TargetFile.from_data(name, FILES[name], ["sha512"])
    rejected({**FILES, "targets.json": signed(Metadata(body), MEMBERS)}, "no SHA-256")


def test_rule_6_expiry_is_judged_at_the_time_given() -> None:
    load_roster(FILES, EXPIRES - timedelta(seconds=1))
    rejected(FILES, "expired on 2027-01-01", EXPIRES)
    early = datetime(2026, 2, 1, tzinfo=UTC)

    def expire(root: Root) -> None:
        root.expires = early

    files = with_root(expire)
    rejected(files, "expired on 2026-02-01")
    assert load_roster(files, early - timedelta(days=1)).expires == early


def test_rule_6_an_expired_root_on_the_way_is_no_matter() -> None:
    def expire(root: Root) -> None:
        root.expires = datetime(2026, 2, 1, tzinfo=UTC)

    def renew(root: Root) -> None:
        root.expires = EXPIRES

    assert load_roster(next_root(with_root(expire), renew), NOW).expires == EXPIRES


@pytest.mark.parametrize(
    "change",
    [
        lambda v: v.update(version=2),
        lambda v: v.update(format="other"),
        lambda v: v.update(more=1),
        lambda v: v["parties"][0].update(more=1),
        lambda v: v["parties"][0].update(roles=["witness", "publisher"]),
        lambda v: v["parties"][0].update(logs=None),
        lambda v: v.update(policies=[]),
        lambda v: v["parties"][0]["statement_keys"][0].pop("scheme"),
        lambda v: v["parties"][0]["statement_keys"][0].update(keyid="0" * 64),
        lambda v: v["parties"][0]["statement_keys"][0].update(valid_until=None),
    ],
)
def test_rule_7_malformed_rosters(change: Callable[[dict[str, Any]], object]) -> None:
    assert rejected(with_roster(change), None).where == "roster.json"


def test_rule_7_another_form_of_the_same_roster() -> None:
    loose = json.dumps(json.loads(FILES["roster.json"])).encode()
    files = with_targets(FILES, {"roster.json": loose, "policy.txt": FILES["policy.txt"]})
    rejected(files, "canonical")


def build(*parties: Party) -> dict[str, bytes]:
    return create_roster(parties, policy_of(parties, 1), MEMBERS, 2, SINCE, EXPIRES)


def changed(base: Party, **fields: object) -> Party:
    return Party.model_validate({**{n: getattr(base, n) for n in Party.model_fields}, **fields})


def log_key(origin: str, label: str) -> tuple[LogKey]:
    return (LogKey(origin=origin, vkey=vkey(label, ED25519, origin).text, valid_from=SINCE),)


def witness_key(name: str, label: str) -> tuple[WitnessKey]:
    text = vkey(label, COSIGNATURE_V1, name).text
    return (WitnessKey(name=name, vkey=text, valid_from=SINCE),)


UK, JP, KE, KR = PARTIES


@pytest.mark.parametrize(
    "parties",
    [
        (UK, changed(JP, code="UK")),
        (UK, changed(JP, name="Institute UK")),
        (UK, changed(JP, name="UK")),
        (UK, changed(JP, statement_keys=UK.statement_keys)),
        (UK, changed(JP, logs=log_key("uk.example/log", "x"))),
        (UK, changed(JP, witnesses=witness_key("uk.example/log", "x"))),
        (UK, changed(JP, logs=log_key("jp.example", "UK"))),
    ],
)
def test_rule_8_nothing_is_used_twice(parties: tuple[Party, ...]) -> None:
    with pytest.raises(InputError, match="twice"):
        build(*parties)


def test_rule_8_a_party_may_be_named_by_its_code() -> None:
    assert load_roster(build(changed(UK, name="UK"), JP), NOW).party("UK") is not None


def test_rule_10_policy_and_roster_list_the_same_keys() -> None:
    for parties in (PARTIES[:3], (*PARTIES, party("SG"))):
        with pytest.raises(InputError, match="lists other logs"):
            create_roster(parties, POLICY, MEMBERS, 2, SINCE, EXPIRES)
    lines = POLICY.splitlines(keepends=True)
    fewer = "".join(line for line in lines if not line.startswith("witness kr"))
    fewer = fewer.replace(" kr.example/witness\n", "\n")
    with pytest.raises(InputError, match="lists other witnesses"):
        create_roster(PARTIES, fewer, MEMBERS, 2, SINCE, EXPIRES)


def test_rule_10_a_quorum_that_needs_the_logs_own_witness() -> None:
    with pytest.raises(InputError, match=r"can never be met for the log uk\.example/log"):
        create_roster(PARTIES, policy_of(PARTIES, 4), MEMBERS, 2, SINCE, EXPIRES)
    create_roster(PARTIES, policy_of(PARTIES, 3), MEMBERS, 2, SINCE, EXPIRES)


@pytest.mark.parametrize(
    ("members", "threshold"), [(MEMBERS, 0), (MEMBERS, 4), (MEMBERS[:1] * 3, 2)]
)
def test_a_threshold_that_does_not_fit(members: tuple[Signer, ...], threshold: int) -> None:
    with pytest.raises(InputError, match="different signers"):
        create_roster(PARTIES, POLICY, members, threshold, SINCE, EXPIRES)


def test_rule_13_a_policy_of_the_past_keeps_its_end() -> None:
    ended = PolicyTerm(
        file="policy-1.txt", valid_from="2026-01-01T00:00:00Z", valid_until="2026-03-01T00:00:00Z"
    )
    earlier = ended.model_copy(update={"valid_until": "2026-02-01T00:00:00Z"})
    earlier = PolicyTerm.model_validate(earlier.model_dump(exclude_none=True))
    _refuse_change("policy", ended, ended)
    with pytest.raises(VerificationError, match="another time"):
        _refuse_change("policy", ended, earlier)
