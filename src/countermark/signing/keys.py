# SPDX-License-Identifier: Apache-2.0
"""Ed25519 key pairs: made, written as PEM, and turned into signers; public keys of both schemes.

A key's PEM is PKCS8, encrypted under a passphrase (PBES2). The cost of one guess is low
(OpenSSL's default rounds), so the passphrase must be long, or the key in an HSM or KMS behind the
same :class:`securesystemslib.signer.Signer` interface (:mod:`countermark.signing.keyuri`).
"""

from typing import Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

# securesystemslib has no __all__, so its names are taken in here once and given on below.
from securesystemslib.signer import (  # type: ignore[attr-defined]
    CryptoSigner,
    Key,
    SecretsHandler,
    Signature,
    Signer,
    SSlibKey,
)

from countermark.records.errors import InputError
from countermark.signing.public import ed25519_key, p256_key

__all__ = [
    "ECDSA_SCHEME",
    "ED25519_SCHEME",
    "CryptoSigner",
    "Ed25519PrivateKey",
    "Key",
    "SSlibKey",
    "Scheme",
    "SecretsHandler",
    "Signature",
    "Signer",
    "generate_key",
    "is_encrypted",
    "key_from_pem",
    "key_to_pem",
    "public_from_pem",
    "public_hex",
    "public_key",
    "public_to_pem",
    "scheme_of",
    "standard_key",
    "statement_signer",
]

Scheme = Literal["ed25519", "ecdsa-sha2-nistp256"]
ED25519_SCHEME: Scheme = "ed25519"
ECDSA_SCHEME: Scheme = "ecdsa-sha2-nistp256"


def generate_key() -> Ed25519PrivateKey:
    """Make a new key pair from the system's randomness."""
    return Ed25519PrivateKey.generate()


def public_hex(key: Ed25519PrivateKey | SSlibKey) -> str:
    """Return a public key, or the public half of a key, as :func:`public_key` takes it."""
    if isinstance(key, Ed25519PrivateKey):
        return key.public_key().public_bytes_raw().hex()
    if key.scheme == ED25519_SCHEME:
        return str(key.keyval["public"])
    return _hex_and_scheme(load_pem_public_key(key.keyval["public"].encode()), "key")[0]


def statement_signer(key: Ed25519PrivateKey) -> CryptoSigner:
    """Return the signer of statements and roster metadata that holds this key."""
    return CryptoSigner(key)


def public_key(
    public: str, scheme: Scheme = ED25519_SCHEME, *, where: str | None = None
) -> SSlibKey:
    """Return the public key of a statement signer; its key id is the hash of its contents.

    Parameters
    ----------
    public
        Lower-case hex: the 32 bytes of an Ed25519 key, or the 65 bytes of an uncompressed point
        on P-256.
    scheme
        What it signs with.
    where
        What an error should say it was found in.

    Raises
    ------
    InputError
        If it is no such key.
    """
    try:
        data = bytes.fromhex(public)
    except ValueError:
        data = b""
    if data.hex() != public:
        raise InputError(
            f"is not the lower-case hex of an {scheme} public key: {public[:70]!r}",
            where=where,
            next_step="Give the hex digits that `roster show` prints.",
        )
    return SSlibKey.from_crypto(ed25519_key(data) if scheme == ED25519_SCHEME else p256_key(data))


def scheme_of(key: SSlibKey) -> Scheme:
    """Return the scheme of a key in our form."""
    return ECDSA_SCHEME if key.scheme == ECDSA_SCHEME else ED25519_SCHEME


def standard_key(key: Key, *, where: str) -> SSlibKey:
    """Return a public key from elsewhere in our one form, so that it has our one key id.

    Raises
    ------
    InputError
        If it is neither Ed25519 nor ECDSA P-256.
    """
    if key.scheme == ED25519_SCHEME:
        return public_key(str(key.keyval.get("public")), where=where)
    if key.scheme == ECDSA_SCHEME:
        return public_from_pem(str(key.keyval.get("public")).encode(errors="replace"), where=where)
    raise _other_scheme(key.scheme, where)


def public_to_pem(key: SSlibKey) -> bytes:
    """Return a public key as PEM (SubjectPublicKeyInfo)."""
    if key.scheme != ED25519_SCHEME:
        return str(key.keyval["public"]).encode()
    public = ed25519_key(bytes.fromhex(key.keyval["public"]))
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def public_from_pem(pem: bytes, *, where: str) -> SSlibKey:
    """Read a public key from PEM (SubjectPublicKeyInfo).

    Raises
    ------
    InputError
        If it holds no Ed25519 or ECDSA P-256 key.
    """
    try:
        found = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InputError(
            "is not a public key in PEM",
            where=where,
            next_step="Delete it; the device is then asked for the key again.",
        ) from error
    return public_key(*_hex_and_scheme(found, where))


def _hex_and_scheme(key: object, where: str) -> tuple[str, Scheme]:
    if isinstance(key, Ed25519PublicKey):
        return key.public_bytes_raw().hex(), ED25519_SCHEME
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return point.hex(), ECDSA_SCHEME
    raise _other_scheme(type(key).__name__, where)


def _other_scheme(found: str, where: str) -> InputError:
    return InputError(
        f"is a key of {found}; statements are signed with Ed25519 or ECDSA P-256",
        where=where,
        next_step="Make an Ed25519 or P-256 key there, for signing.",
    )


def key_to_pem(key: Ed25519PrivateKey, passphrase: str | None) -> bytes:
    """Return a private key as PEM.

    Parameters
    ----------
    key
        The key.
    passphrase
        Encrypts the key. ``None`` leaves it in the clear, for demonstrations only.

    Raises
    ------
    InputError
        If the passphrase is empty.
    """
    if passphrase == "":
        raise InputError("is empty", where="passphrase", next_step="Choose a long passphrase.")
    encryption: KeySerializationEncryption = (
        NoEncryption() if passphrase is None else BestAvailableEncryption(passphrase.encode())
    )
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def is_encrypted(pem: bytes) -> bool:
    """Tell whether a key in PEM needs a passphrase."""
    return b"ENCRYPTED PRIVATE KEY" in pem


def key_from_pem(pem: bytes, passphrase: str | None, *, where: str) -> Ed25519PrivateKey:
    """Read a private key.

    Parameters
    ----------
    pem
        The file's contents.
    passphrase
        Not looked at where the key is in the clear.
    where
        The file that an error should name.

    Raises
    ------
    InputError
        If the passphrase is wrong or missing, or the file holds no Ed25519 key.
    """
    encrypted = is_encrypted(pem)
    if encrypted and not passphrase:
        raise InputError(
            "is encrypted and no passphrase was given",
            where=where,
            next_step="Give the passphrase that the key was saved with.",
        )
    try:
        key = load_pem_private_key(pem, passphrase.encode() if encrypted and passphrase else None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        what = "did not open with this passphrase" if encrypted else "is not a PEM private key"
        raise InputError(
            what,
            where=where,
            next_step="Try the passphrase again; if it is lost, rotate the key in the roster."
            if encrypted
            else "Point to the key file that `node init` wrote.",
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError(
            f"holds a key of type {type(key).__name__}, not Ed25519",
            where=where,
            next_step="Point to an Ed25519 key in PEM PKCS8.",
        )
    return key
