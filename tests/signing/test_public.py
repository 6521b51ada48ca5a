# SPDX-License-Identifier: Apache-2.0
"""Odd keys and odd signatures, in the manner of Wycheproof; the vectors are made here.

Each refusal stands beside the sound case it was made from, so that it cannot pass by accident.
"""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    derive_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from edwards import BASE, IDENTITY, ORDER, PRIME, Secret, challenge, encoded, point, small_order
from hypothesis import given
from hypothesis import strategies as st

from countermark.records.errors import InputError
from countermark.signing.envelope import PAYLOAD_TYPE, Envelope, verify
from countermark.signing.keys import ECDSA_SCHEME, ED25519_SCHEME, Scheme, public_key
from countermark.signing.public import MLDSA44_BYTES, ed25519_key, mldsa44_key, p256_key
from countermark.signing.vkey import COSIGNATURE_V1, ED25519, VerifierKey
from tests.signing.conftest import private

SEED = hashlib.sha256(b"odd keys").digest()
MESSAGE = b"DSSEv1 message"
SEEDS = st.binary(min_size=32, max_size=32)
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
P256_PRIME = 2**256 - 2**224 + 2**192 + 2**96 - 1


def refused(data: bytes, scheme: Scheme = ED25519_SCHEME) -> None:
    """Every way in for a public key refuses it."""
    with pytest.raises(InputError, match="public key"):
        public_key(data.hex(), scheme)
    if scheme == ED25519_SCHEME:
        for algorithm in (ED25519, COSIGNATURE_V1):
            with pytest.raises(InputError, match="public key"):
                VerifierKey("name", algorithm, data)


def vkey(data: bytes) -> VerifierKey:
    return VerifierKey("name", ED25519, data)


# --- Ed25519 keys


@given(SEEDS)
def test_rule_1_sound_keys_are_taken(seed: bytes) -> None:
    key = private(seed.hex())
    data = key.public_key().public_bytes_raw()
    assert ed25519_key(data).public_bytes_raw() == data
    assert vkey(data).verifies(key.sign(MESSAGE), MESSAGE)


def test_rule_1_keys_of_small_order_are_refused_in_every_encoding() -> None:
    points = small_order()
    assert len(set(points)) == 8
    assert all(8 * p == IDENTITY for p in points)
    odd = {data for p in points for data in p.encodings()}
    assert len(odd) == 14
    assert bytes(32) in odd
    for data in odd:
        refused(data)


def test_rule_1_is_needed_because_the_library_takes_such_keys() -> None:
    forged = IDENTITY.encoded() + bytes(32)
    weak = Ed25519PublicKey.from_public_bytes(IDENTITY.encoded())
    for message in (b"one", b"another"):
        weak.verify(forged, message)  # raises if it is not


@pytest.mark.parametrize("sign", [0, 1])
@pytest.mark.parametrize("above", range(19))
def test_rule_1_an_encoding_above_the_prime_is_refused(above: int, sign: int) -> None:
    refused(encoded(PRIME + above, sign))


def test_rule_1_one_below_the_prime_there_are_keys() -> None:
    # The largest y that is on the curve and of no small order.
    y = next(y for y in range(PRIME - 2, 0, -1) if point(y))
    assert public_key(encoded(y, 0).hex()).keyval["public"] == encoded(y, 0).hex()


@pytest.mark.parametrize("length", [0, 1, 31, 33, 64])
def test_rule_1_wrong_lengths_are_refused(length: int) -> None:
    refused((BASE.encoded() * 3)[:length])


def test_rule_1_off_the_curve_nothing_verifies() -> None:
    y = next(y for y in range(2, 100) if point(y) is None)
    key = vkey(encoded(y, 0))
    assert not key.verifies(private("k").sign(MESSAGE), MESSAGE)
    assert not key.verifies(IDENTITY.encoded() + bytes(32), MESSAGE)


# --- Ed25519 signatures


@given(SEEDS, st.binary(max_size=40))
def test_adding_the_order_to_s_is_refused(seed: bytes, message: bytes) -> None:
    key = private(seed.hex())
    signature = key.sign(message)
    verifier = vkey(key.public_key().public_bytes_raw())
    s = int.from_bytes(signature[32:], "little")
    assert verifier.verifies(signature, message)
    for times in range(1, (2**256 - s) // ORDER):
        malleable = signature[:32] + (s + times * ORDER).to_bytes(32, "little")
        assert not verifier.verifies(malleable, message)


@pytest.mark.parametrize("length", [0, 32, 63, 65, 128])
def test_a_signature_of_another_length_is_refused(length: int) -> None:
    key = private("k")
    verifier = vkey(key.public_key().public_bytes_raw())
    assert not verifier.verifies((key.sign(MESSAGE) * 2)[:length], MESSAGE)


def test_r_has_one_encoding() -> None:
    secret = Secret(SEED)
    public = secret.public.encoded()
    # With the nonce 0, R is the neutral point, which has encodings that are not canonical.
    results = {
        r: vkey(public).verifies(secret.sign(MESSAGE, 0, r, public), MESSAGE)
        for r in IDENTITY.encodings()
    }
    assert len(results) == 4
    assert [r for r, fine in results.items() if fine] == [IDENTITY.encoded()]


def test_verification_is_without_the_cofactor() -> None:
    """Go and WebCrypto judge so too; with the cofactor, two verifiers could disagree."""
    secret, torsion = Secret(SEED), small_order()[1]
    mixed = (secret.public + torsion).encoded()
    r = (7 * BASE).encoded()
    seen = set()
    for number in range(40):
        message = b"%d" % number
        fits = challenge(r, mixed, message) % 8 == 0
        # 8·S·B = 8·R + 8·k·A holds for all of them; S·B = R + k·A only where 8 divides k.
        assert vkey(mixed).verifies(secret.sign(message, 7, r, mixed), message) == fits
        seen.add(fits)
    assert seen == {True, False}


# --- P-256


def p256_private() -> EllipticCurvePrivateKey:
    return derive_private_key(int.from_bytes(SEED, "big"), SECP256R1())


def p256_point(form: PublicFormat = PublicFormat.UncompressedPoint) -> bytes:
    return p256_private().public_key().public_bytes(Encoding.X962, form)


def test_rule_2_a_point_is_taken_uncompressed_only() -> None:
    whole = p256_point()
    assert public_key(whole.hex(), ECDSA_SCHEME).scheme == ECDSA_SCHEME
    compressed = p256_point(PublicFormat.CompressedPoint)
    assert compressed[1:] == whole[1:33]
    refused(compressed, ECDSA_SCHEME)
    refused(bytes([0x06 + whole[-1] % 2]) + whole[1:], ECDSA_SCHEME)  # the hybrid form


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00",
        b"\x04" + bytes(64),
        p256_point()[:-1],
        p256_point() + b"\x00",
        p256_point()[:-1] + bytes([p256_point()[-1] ^ 1]),
        b"\x04" + (P256_PRIME + 1).to_bytes(32, "big") + p256_point()[33:],
        BASE.encoded(),
    ],
    ids=["empty", "infinity", "zeros", "short", "long", "off the curve", "x above p", "ed25519"],
)
def test_rule_2_other_bytes_are_refused(data: bytes) -> None:
    refused(data, ECDSA_SCHEME)


@pytest.mark.parametrize("scheme", [ED25519_SCHEME, ECDSA_SCHEME])
def test_a_keys_hex_has_one_form(scheme: Scheme) -> None:
    text = (Secret(SEED).public.encoded() if scheme == ED25519_SCHEME else p256_point()).hex()
    assert public_key(text, scheme).keyid
    for other in (text.upper(), f"{text[:2]} {text[2:]}", f" {text}", f"{text}\n", f"0x{text}"):
        with pytest.raises(InputError, match="lower-case hex"):
            public_key(other, scheme)


def envelope(der: bytes) -> Envelope:
    return Envelope(b"{}", PAYLOAD_TYPE, public_key(p256_point().hex(), ECDSA_SCHEME).keyid, der)


def signed() -> tuple[int, int]:
    pae = b"DSSEv1 %d %s 2 {}" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode())
    return decode_dss_signature(p256_private().sign(pae, ECDSA(SHA256())))


def integer(value: int, pad: bytes = b"") -> bytes:
    data = pad + value.to_bytes(value.bit_length() // 8 + 1, "big")
    return b"\x02" + bytes([len(data)]) + data


def test_ecdsa_has_two_signatures_for_one_and_the_log_tells_them_apart() -> None:
    """Who holds no key can make the second; ``verify`` takes it, its digest is not in the log."""
    key = public_key(p256_point().hex(), ECDSA_SCHEME)
    r, s = signed()
    first = envelope(encode_dss_signature(r, s))
    second = envelope(encode_dss_signature(r, P256_ORDER - s))
    assert verify(first, key)
    assert verify(second, key)
    assert first.digest != second.digest


def test_ecdsa_signatures_in_another_encoding_are_refused() -> None:
    key = public_key(p256_point().hex(), ECDSA_SCHEME)
    r, s = signed()
    body = integer(r) + integer(s)
    good = b"\x30" + bytes([len(body)]) + body
    assert verify(envelope(good), key)
    padded = integer(r, b"\x00") + integer(s)
    negative = good[:4] + bytes([good[4] | 0x80]) + good[5:]
    for odd in (
        b"",
        good + b"\x00",
        good[:-1],
        b"\x30\x81" + good[1:],  # length in the long form
        b"\x30\x80" + body + b"\x00\x00",  # no length
        b"\x31" + good[1:],
        b"\x30" + bytes([len(padded)]) + padded,
        b"\x30" + bytes([len(body) + 2]) + body + b"\x05\x00",
        r.to_bytes(32, "big") + s.to_bytes(32, "big"),  # PKCS #11's and WebCrypto's form
        encode_dss_signature(r + P256_ORDER, s),
        encode_dss_signature(r, s + P256_ORDER),
        negative,
        encode_dss_signature(0, s),
        encode_dss_signature(r, 0),
        encode_dss_signature(0, 0),
        encode_dss_signature(1, 1),
    ):
        assert not verify(envelope(odd), key), odd.hex()


@given(st.integers(0, 2000), st.integers(1, 255))
def test_a_changed_byte_of_an_ecdsa_signature_is_refused(place: int, change: int) -> None:
    key = public_key(p256_point().hex(), ECDSA_SCHEME)
    der = bytearray(encode_dss_signature(*signed()))
    der[place % len(der)] ^= change
    assert not verify(envelope(bytes(der)), key)


def test_a_key_of_one_scheme_does_not_verify_under_the_other() -> None:
    ed = public_key(private("k").public_key().public_bytes_raw().hex())
    p256 = public_key(p256_point().hex(), ECDSA_SCHEME)
    der = encode_dss_signature(*signed())
    assert not verify(Envelope(b"{}", PAYLOAD_TYPE, ed.keyid, der), ed)
    assert not verify(envelope(private("k").sign(MESSAGE)), p256)


def test_a_p256_key_id_is_of_the_pem_with_its_newlines_as_they_are() -> None:
    """TUF's canonical JSON escapes only the quotation mark and the backslash."""
    key = public_key(p256_point().hex(), ECDSA_SCHEME)
    spki = Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    pem = p256_private().public_key().public_bytes(*spki).decode()
    written_out = f'{{"keytype":"ecdsa","keyval":{{"public":"{pem}"}},"scheme":"{ECDSA_SCHEME}"}}'
    assert key.keyid == hashlib.sha256(written_out.encode()).hexdigest()


# --- ML-DSA-44


@pytest.mark.parametrize("length", [0, 32, MLDSA44_BYTES - 1, MLDSA44_BYTES + 1])
def test_rule_3_wrong_lengths_are_refused(length: int) -> None:
    assert mldsa44_key(b"\x01" * MLDSA44_BYTES)
    with pytest.raises(InputError, match=f"{length} bytes, not 1312"):
        mldsa44_key(b"\x01" * length)


def test_p256_and_ed25519_readers_name_what_is_wrong() -> None:
    with pytest.raises(InputError, match="not a point on P-256"):
        p256_key(b"\x04" + bytes(64))
    with pytest.raises(InputError, match="small order"):
        ed25519_key(bytes(32))
    with pytest.raises(InputError, match="one encoding"):
        ed25519_key(b"\xff" * 32)
