# SPDX-License-Identifier: Apache-2.0
"""Keys in a PKCS #11 token: how they are named, and how they sign."""

import sys

import pytest
from softhsm import PIN, SoftToken

from countermark.records.errors import CountermarkError, InputError, StateError, StorageError
from countermark.signing.envelope import PAYLOAD_TYPE, Envelope, verify
from countermark.signing.keys import (
    ECDSA_SCHEME,
    ED25519_SCHEME,
    Signer,
    generate_key,
    public_hex,
    public_key,
)
from countermark.signing.keyuri import DeviceSigner, import_key
from countermark.signing.pkcs11 import Pkcs11Signer, parse_pkcs11_uri

GOOD = "pkcs11:token=The%20lab;object=statements?module-path=/usr/lib/m.so"


def pin(_: str) -> str:
    return PIN


def signs(signer: Signer, payload: bytes = b"{}") -> Envelope:
    from securesystemslib.dsse import Envelope as Dsse

    made = Dsse(payload, PAYLOAD_TYPE, {}).sign(signer)
    return Envelope(payload, PAYLOAD_TYPE, made.keyid, bytes.fromhex(made.signature))


# --- the URI


def test_rule_1_a_uri_names_a_token_and_a_key() -> None:
    address = parse_pkcs11_uri(GOOD)
    assert (address.token, address.label, address.module) == (
        "The lab", "statements", "/usr/lib/m.so",
    )  # fmt: skip
    assert (address.serial, address.key_id) == (None, None)
    other = parse_pkcs11_uri("pkcs11:serial=8a31;id=%01%FF;type=private?module-path=/m%2bn.so")
    assert (other.serial, other.key_id, other.module) == (b"8a31", b"\x01\xff", "/m+n.so")


@pytest.mark.parametrize(
    ("rule", "uri", "said"),
    [
        (1, GOOD.replace("pkcs11:", "pkcs12:"), "not a PKCS #11 URI"),
        (1, GOOD.replace("token=The%20lab;", ""), "does not name a token"),
        (1, GOOD.replace(";object=statements", ""), "does not name a token"),
        (1, GOOD.replace("object", "slot-id=1;object"), "'slot-id', which is not known"),
        (1, GOOD.replace("object", "token=B;object"), "a name twice"),
        (1, GOOD.replace("object", "type=public;object"), "not name a private key"),
        (1, GOOD.replace("object=", "object"), "not name=value"),
        (1, GOOD.replace("%20", "%FF"), "not UTF-8"),
        (1, "pkcs11:", "does not name a token"),
        (2, GOOD.partition("?")[0], "absolute path of the token's module"),
        (2, GOOD.replace("/usr", "usr"), "absolute path of the token's module"),
        (2, GOOD + "&module-name=m", "'module-name', which is not known"),
        (3, GOOD + "&pin-value=4321", "carries pin-value"),
        (3, GOOD + "&pin-source=file:/pin", "carries pin-source"),
        (3, GOOD.replace("object", "pin-value=4321;object"), "carries pin-value"),
    ],
)
def test_rules_1_to_3_other_uris_are_refused(rule: int, uri: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        parse_pkcs11_uri(uri)
    assert "4321" not in str(caught.value), rule


def test_without_the_library_the_error_says_which_extra_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    with pytest.raises(StateError, match="python-pkcs11") as caught:
        import_key(GOOD, pin)
    assert caught.value.next_step == "pip install 'countermark[hsm]'"


# --- the token


@pytest.mark.parametrize(
    ("key", "scheme"),
    [
        ("object=statements", ECDSA_SCHEME),
        ("id=%01", ECDSA_SCHEME),
        ("object=hidden", ECDSA_SCHEME),
        ("object=twins;id=%05", ECDSA_SCHEME),
        ("object=edwards", ED25519_SCHEME),
    ],
)
def test_rules_4_and_5_a_token_signs(soft_token: SoftToken, key: str, scheme: str) -> None:
    uri, public = import_key(soft_token.uri(key), pin)
    assert uri == soft_token.uri(key)
    assert public.scheme == scheme
    signer = DeviceSigner.from_priv_key_uri(uri, public, pin)
    envelope = signs(signer)
    assert envelope.keyid == public.keyid
    assert verify(envelope, public)
    changed = Envelope(b"[]", PAYLOAD_TYPE, envelope.keyid, envelope.signature)
    assert not verify(changed, public)


def test_signatures_of_a_token_are_der_whatever_their_length(soft_token: SoftToken) -> None:
    """r and s lose their leading zeros in DER and gain one where the top bit is set."""
    uri, public = import_key(soft_token.uri(), pin)
    signer = DeviceSigner.from_priv_key_uri(uri, public, pin)
    lengths = {len(signs(signer, b"%d" % number).signature) for number in range(40)}
    assert len(lengths) > 1


def test_rule_4_other_keys_are_refused(soft_token: SoftToken) -> None:
    for key in ("object=p384", "object=rsa"):
        with pytest.raises(InputError, match="neither Ed25519 nor ECDSA P-256"):
            import_key(soft_token.uri(key), pin)


def test_a_key_that_is_not_there_or_there_twice(soft_token: SoftToken) -> None:
    with pytest.raises(StateError, match="no public key of that name"):
        import_key(soft_token.uri("object=other"), pin)
    with pytest.raises(InputError, match="names 2 keys"):
        import_key(soft_token.uri("object=twins"), pin)
    public = public_key(public_hex(generate_key()))
    signer = Pkcs11Signer.from_priv_key_uri(soft_token.uri("object=other"), public, pin)
    with pytest.raises(StateError, match="no private key of that name"):
        signer.sign(b"payload")


def test_a_wrong_pin_is_tried_once(soft_token: SoftToken) -> None:
    uri, public = import_key(soft_token.uri(), pin)
    asked = []

    def wrong(name: str) -> str:
        asked.append(name)
        return "0000"

    signer = DeviceSigner.from_priv_key_uri(uri, public, wrong)
    with pytest.raises(InputError, match="did not open with this PIN") as caught:
        signer.sign(b"payload")
    assert asked == ["PIN"]
    assert "lock" in caught.value.next_step
    with pytest.raises(InputError, match="needs the token's PIN"):
        DeviceSigner.from_priv_key_uri(uri, public, None)


def test_a_public_key_needs_no_pin_where_the_token_shows_it(soft_token: SoftToken) -> None:
    assert import_key(soft_token.uri(), None)
    with pytest.raises(InputError, match="needs the token's PIN"):
        import_key(soft_token.uri("object=hidden"), None)


def test_a_token_that_is_not_there(soft_token: SoftToken) -> None:
    with pytest.raises(StateError, match="no such token"):
        import_key(soft_token.uri(token="Another"), pin)
    with pytest.raises(StorageError, match="did not answer"):
        import_key(soft_token.uri().replace(soft_token.module, "/nowhere/module.so"), pin)


def test_a_token_that_holds_another_key_now_signs_nothing(soft_token: SoftToken) -> None:
    _, before = import_key(soft_token.uri("object=twins;id=%04"), pin)
    uri = soft_token.uri("object=twins;id=%05")
    with pytest.raises(CountermarkError, match="its public key does not verify"):
        DeviceSigner.from_priv_key_uri(uri, before, pin).sign(b"payload")
