# SPDX-License-Identifier: Apache-2.0
"""Keys in a PKCS #11 token (an HSM, a smart card, SoftHSM), named by a URI of RFC 7512.

::

    pkcs11:token=Institute%20KE;object=statements?module-path=/usr/lib/softhsm/libsofthsm2.so

1. The path names the token and the key by ``token`` or ``serial``, and ``object`` or ``id``; it may
   say ``type=private``. Each is there once. An attribute that is not known is refused, because it
   would have narrowed down which key is meant.
2. The query is ``module-path``, the absolute path of the token's PKCS #11 module, and nothing else.
3. A PIN stands nowhere in the URI (``pin-value``, ``pin-source``): it would end in a file, a shell
   history or a list of processes.
4. The key is Ed25519 or ECDSA P-256. Its public half is on the token too, under the same name.
5. What leaves the token is an Ed25519 signature of 64 bytes, or a DER signature of ECDSA.

The library is python-pkcs11 (extra ``hsm``); it is imported when a token is used.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import unquote, unquote_to_bytes

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from countermark.records.errors import InputError, StateError, StorageError
from countermark.signing.keys import (
    ECDSA_SCHEME,
    ED25519_SCHEME,
    Key,
    Scheme,
    SecretsHandler,
    Signature,
    Signer,
    SSlibKey,
    public_key,
)

if TYPE_CHECKING:
    from pkcs11 import PublicKey, Session, Token

PIN = "PIN"
EXAMPLE = "pkcs11:token=NAME;object=LABEL?module-path=/path/of/module.so"
_PATH = frozenset({"token", "serial", "object", "id", "type"})
_HALF = 32
_OCTET_STRING = 0x04


@dataclass(frozen=True, slots=True)
class Pkcs11Address:
    """What a URI names.

    Parameters
    ----------
    uri
        The URI itself.
    module
        Absolute path of the token's PKCS #11 module.
    token, serial
        Label and serial number of the token; nothing where the URI does not say.
    label, key_id
        Label and id of the key; nothing where the URI does not say.
    """

    uri: str
    module: str
    token: str | None
    serial: bytes | None
    label: str | None
    key_id: bytes | None


def parse_pkcs11_uri(uri: str) -> Pkcs11Address:
    """Read a PKCS #11 URI (rules 1 to 3).

    Raises
    ------
    InputError
        If a rule is broken.
    """
    scheme, _, rest = uri.partition(":")
    if scheme != "pkcs11":
        _refuse("is not a PKCS #11 URI", uri)
    path, _, query = rest.partition("?")
    named = _attributes(path, ";", uri)
    asked = _attributes(query, "&", uri)
    secret = sorted({"pin-value", "pin-source"} & {*named, *asked})
    if secret:
        # The URI itself is not repeated: it may hold the PIN.
        _refuse(f"carries {secret[0]}; a PIN belongs in no URI", "PKCS #11 URI")
    unknown = sorted({*named} - _PATH) + sorted({*asked} - {"module-path"})
    if unknown:
        _refuse(f"has the attribute {unknown[0]!r}, which is not known here", uri)
    if named.get("type", "private") != "private":
        _refuse("does not name a private key", uri)
    if not {"token", "serial"} & {*named} or not {"object", "id"} & {*named}:
        _refuse("does not name a token (token or serial) and a key in it (object or id)", uri)
    module = _text(asked.get("module-path"), uri)
    if module is None or not module.startswith("/"):
        _refuse("does not give the absolute path of the token's module (module-path)", uri)
    return Pkcs11Address(
        uri,
        module,
        _text(named.get("token"), uri),
        unquote_to_bytes(named["serial"]) if "serial" in named else None,
        _text(named.get("object"), uri),
        unquote_to_bytes(named["id"]) if "id" in named else None,
    )


class Pkcs11Signer(Signer):
    """Signs with a key that never leaves its token.

    Each signature opens a session of its own, logs in and closes it again.
    """

    SCHEME = "pkcs11"

    def __init__(self, address: Pkcs11Address, public: SSlibKey, secrets: SecretsHandler) -> None:
        self._address, self._public, self._secrets = address, public, secrets

    @property
    def public_key(self) -> SSlibKey:
        """The public key that verifies what is signed."""
        return self._public

    @classmethod
    def from_priv_key_uri(
        cls, priv_key_uri: str, public_key: Key, secrets_handler: SecretsHandler | None = None
    ) -> "Pkcs11Signer":
        """Return the signer that a URI names; the token is not asked yet.

        Raises
        ------
        InputError
            If the URI is malformed, or nobody can be asked for the PIN.
        """
        if not isinstance(public_key, SSlibKey):
            _refuse("needs a public key of Ed25519 or ECDSA", priv_key_uri)
        return cls(parse_pkcs11_uri(priv_key_uri), public_key, _required(secrets_handler))

    @classmethod
    def import_(
        cls, uri: str, secrets_handler: SecretsHandler | None = None
    ) -> tuple[str, SSlibKey]:
        """Return the URI and the public key on the token, asking for a PIN only if it must.

        Raises
        ------
        InputError, StateError, StorageError
            If the URI, the library, the token, the PIN or the key is not as it should be.
        """
        address = parse_pkcs11_uri(uri)
        with _errors(address) as library:
            with _token(library, address).open() as session:
                found = _find(library, session, address, library.ObjectClass.PUBLIC_KEY)
                if found is not None:
                    return uri, _public(library, found, uri)
            # Some tokens show even public keys only to whoever has logged in.
            pin = _required(secrets_handler)(PIN)
            with _token(library, address).open(user_pin=pin) as session:
                found = _find(library, session, address, library.ObjectClass.PUBLIC_KEY)
                if found is None:
                    _missing("public", uri)
                return uri, _public(library, found, uri)

    def sign(self, payload: bytes) -> Signature:
        """Sign bytes on the token.

        Raises
        ------
        InputError, StateError, StorageError
            If the library, the token, the PIN or the key is not as it should be.
        """
        with _errors(self._address) as library:
            pin = self._secrets(PIN)
            with _token(library, self._address).open(user_pin=pin) as session:
                kind = library.ObjectClass.PRIVATE_KEY
                key = _find(library, session, self._address, kind)
                if key is None:
                    _missing("private", self._address.uri)
                if self._public.scheme == ED25519_SCHEME:
                    signature = key.sign(payload, mechanism=library.Mechanism.EDDSA)
                else:
                    digest = hashlib.sha256(payload).digest()
                    signature = _der(key.sign(digest, mechanism=library.Mechanism.ECDSA))
        return Signature(self._public.keyid, signature.hex())


def _attributes(text: str, separator: str, uri: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for piece in text.split(separator) if text else []:
        name, equals, value = piece.partition("=")
        if not equals or not name or name in found:
            _refuse("has a part that is not name=value, or a name twice", uri)
        found[name] = value
    return found


def _text(value: str | None, uri: str) -> str | None:
    try:
        return None if value is None else unquote(value, errors="strict")
    except UnicodeDecodeError:
        _refuse("has a name that is not UTF-8", uri)


def _required(secrets: SecretsHandler | None) -> SecretsHandler:
    if secrets is None:
        raise InputError(
            "needs the token's PIN",
            where="statement key",
            next_step="Give --passphrase-file; its second line is the PIN.",
        )
    return secrets


def _token(library: ModuleType, address: Pkcs11Address) -> "Token":
    found: Token = library.lib(address.module).get_token(
        token_label=address.token, token_serial=address.serial
    )
    return found


def _find(library: ModuleType, session: "Session", address: Pkcs11Address, kind: object) -> Any:
    """Return the one key of this kind that the URI names, or nothing."""
    attribute = library.Attribute
    template = {attribute.CLASS: kind}
    if address.label is not None:
        template[attribute.LABEL] = address.label
    if address.key_id is not None:
        template[attribute.ID] = address.key_id
    keys = list(session.get_objects(template))
    if len(keys) > 1:
        _refuse(f"names {len(keys)} keys on the token; give both object and id", address.uri)
    return keys[0] if keys else None


def _public(library: ModuleType, key: "PublicKey", uri: str) -> SSlibKey:
    """Return a token's public key (rule 4)."""
    kinds: dict[object, Scheme] = {
        library.KeyType.EC: ECDSA_SCHEME,
        library.KeyType.EC_EDWARDS: ED25519_SCHEME,
    }
    scheme = kinds.get(key.key_type)
    if scheme is None:
        _refuse("names a key that is neither Ed25519 nor ECDSA P-256", uri)
    point: bytes = key[library.Attribute.EC_POINT]
    # Most tokens wrap the point in a DER OCTET STRING; some give it bare.
    if len(point) > 2 and point[:2] == bytes([_OCTET_STRING, len(point) - 2]):
        point = point[2:]
    try:
        return public_key(point.hex(), scheme)
    except InputError as error:
        raise InputError(
            f"names a key that is neither Ed25519 nor ECDSA P-256: it {error.what}",
            where=uri,
            next_step="Make an Ed25519 or P-256 key on the token.",
        ) from error


def _der(signature: bytes) -> bytes:
    """Return PKCS #11's r ‖ s as the DER that DSSE carries (rule 5)."""
    r, s = signature[:_HALF], signature[_HALF:]
    return encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))


@contextmanager
def _errors(address: Pkcs11Address) -> Iterator[ModuleType]:
    """Give the library, and turn its errors into ours."""
    try:
        import pkcs11  # noqa: PLC0415  an extra
    except ModuleNotFoundError as error:
        raise StateError(
            "needs python-pkcs11, which is not installed",
            where=address.uri,
            next_step="pip install 'countermark[hsm]'",
        ) from error
    try:
        yield pkcs11
    except (pkcs11.NoSuchToken, pkcs11.MultipleTokensReturned, pkcs11.TokenNotPresent) as error:
        several = isinstance(error, pkcs11.MultipleTokensReturned)
        raise StateError(
            "fits several tokens" if several else "finds no such token",
            where=address.uri,
            next_step="Give the token's serial." if several else "Plug the token in.",
        ) from error
    except (pkcs11.PinLocked, pkcs11.PinExpired, pkcs11.UserPinNotInitialized) as error:
        raise StateError(
            "is on a token whose PIN is locked, expired or not set",
            where=address.uri,
            next_step="Reset the PIN with the token's own tool.",
        ) from error
    except (pkcs11.PinIncorrect, pkcs11.PinInvalid, pkcs11.PinLenRange) as error:
        raise InputError(
            "did not open with this PIN",
            where=address.uri,
            next_step="Check the PIN before you try again: tokens lock after a few wrong ones.",
        ) from error
    except pkcs11.PKCS11Error as error:
        said = str(error) or type(error).__name__
        raise StorageError(
            f"did not answer: {said}",
            where=address.uri,
            next_step="Check the token with its own tool, and that module-path is its module.",
        ) from error


def _missing(half: str, uri: str) -> NoReturn:
    raise StateError(
        f"finds no {half} key of that name on the token",
        where=uri,
        next_step="List the token's objects, and give object or id as they are there.",
    )


def _refuse(what: str, where: str) -> NoReturn:
    raise InputError(what, where=where, next_step=f"Write it as {EXAMPLE}")
