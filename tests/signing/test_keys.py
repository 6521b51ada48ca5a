# SPDX-License-Identifier: Apache-2.0
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from countermark.records.errors import InputError
from countermark.signing.keys import (
    generate_key,
    is_encrypted,
    key_from_pem,
    key_to_pem,
    public_hex,
    public_key,
    statement_signer,
)


def test_an_encrypted_key_comes_back_under_its_passphrase() -> None:
    key = generate_key()
    pem = key_to_pem(key, "a long passphrase é")
    assert is_encrypted(pem)
    assert public_hex(key_from_pem(pem, "a long passphrase é", where="k")) == public_hex(key)


def test_a_key_is_in_the_clear_only_if_no_passphrase_is_asked_for() -> None:
    key = generate_key()
    pem = key_to_pem(key, None)
    assert not is_encrypted(pem)
    assert public_hex(key_from_pem(pem, None, where="k")) == public_hex(key)
    assert public_hex(key_from_pem(pem, "not needed", where="k")) == public_hex(key)
    with pytest.raises(InputError, match="empty"):
        key_to_pem(key, "")


@pytest.mark.parametrize(
    ("passphrase", "said"),
    [("wrong", "did not open"), (None, "no passphrase was given"), ("", "no passphrase was given")],
)
def test_a_wrong_or_missing_passphrase(passphrase: str | None, said: str) -> None:
    pem = key_to_pem(generate_key(), "right")
    with pytest.raises(InputError, match=said) as caught:
        key_from_pem(pem, passphrase, where="key.pem")
    assert caught.value.where == "key.pem"
    assert "passphrase" in caught.value.next_step


def test_files_that_hold_no_ed25519_key() -> None:
    with pytest.raises(InputError, match="not a PEM private key"):
        key_from_pem(b"hello", None, where="k")
    other = X25519PrivateKey.generate()
    pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(InputError, match="not Ed25519"):
        key_from_pem(pem, None, where="k")


def test_the_key_id_follows_from_the_public_key() -> None:
    signer = statement_signer(generate_key())
    public = signer.public_key.keyval["public"]
    assert public_key(public).keyid == signer.public_key.keyid
    written_out = f'{{"keytype":"ed25519","keyval":{{"public":"{public}"}},"scheme":"ed25519"}}'
    assert signer.public_key.keyid == hashlib.sha256(written_out.encode()).hexdigest()
    for bad in ("zz" * 32, "aa" * 31, ""):
        with pytest.raises(InputError, match=r"lower-case hex|has a public key of"):
            public_key(bad)
