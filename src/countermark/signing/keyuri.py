# SPDX-License-Identifier: Apache-2.0
"""Statement keys that are not a file of the node: named by a URI, in a token or a cloud KMS.

``pkcs11:`` is ours (:mod:`countermark.signing.pkcs11`); the others are securesystemslib's own, each
with the extra of securesystemslib that brings it: ``awskms:``, ``gcpkms:``, ``azurekms:``, ``hv:``
(HashiCorp Vault) and ``hsm:``.

1. The key is Ed25519 or ECDSA P-256.
2. Its public half is asked for once, when the node is made, and kept; the device then only signs.
3. Every signature is verified with that public half before it is used. A device that holds another
   key now, or errs, is found out before anything is logged.
4. Whatever a device or its library raises becomes one of our errors.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

from securesystemslib.exceptions import UnsupportedLibraryError, UnverifiedSignatureError
from securesystemslib.signer import (  # type: ignore[attr-defined]
    SIGNER_FOR_URI_SCHEME,
    AWSSigner,
    AzureSigner,
    GCPSigner,
    HSMSigner,
    VaultSigner,
)

from countermark.records.errors import CountermarkError, InputError, StateError, StorageError
from countermark.signing.keys import (
    Key,
    SecretsHandler,
    Signature,
    Signer,
    SSlibKey,
    standard_key,
)
from countermark.signing.pkcs11 import Pkcs11Signer

Importer = Callable[[str, SecretsHandler | None], tuple[str, Key]]


def _import_aws(uri: str, _: SecretsHandler | None) -> tuple[str, Key]:
    return AWSSigner.import_(urlsplit(uri).path)


def _import_gcp(uri: str, _: SecretsHandler | None) -> tuple[str, Key]:
    return GCPSigner.import_(urlsplit(uri).path)


def _import_azure(uri: str, _: SecretsHandler | None) -> tuple[str, Key]:
    parts = urlsplit(uri)
    match parts.path.split("/"):
        case ["", "keys", name, *_]:
            return AzureSigner.import_(parts.netloc.partition(".")[0], name)
    raise ValueError("azurekms://VAULT.vault.azure.net/keys/NAME is the form")


def _import_vault(uri: str, _: SecretsHandler | None) -> tuple[str, Key]:
    return VaultSigner.import_(urlsplit(uri).path.partition("/")[0])


def _import_hsm(uri: str, secrets: SecretsHandler | None) -> tuple[str, Key]:
    parts = urlsplit(uri)
    number = int(parts.path) if parts.path else None
    return HSMSigner.import_(number, parse_qs(parts.query).get("label", [None])[0], secrets)


IMPORTERS: dict[str, Importer] = {
    AWSSigner.SCHEME: _import_aws,
    AzureSigner.SCHEME: _import_azure,
    GCPSigner.SCHEME: _import_gcp,
    HSMSigner.SCHEME: _import_hsm,
    Pkcs11Signer.SCHEME: Pkcs11Signer.import_,
    VaultSigner.SCHEME: _import_vault,
}
"""How to ask for a public key, by the scheme of the URI. Add one beside a Signer of your own."""

SIGNER_FOR_URI_SCHEME[Pkcs11Signer.SCHEME] = Pkcs11Signer


def import_key(uri: str, secrets: SecretsHandler | None) -> tuple[str, SSlibKey]:
    """Ask a device for its public key (rules 1 and 4).

    Parameters
    ----------
    uri
        Names the key. It may leave out a version or a label that the device then adds.
    secrets
        Gives the PIN, if it is needed.

    Returns
    -------
    tuple
        The whole URI, to be kept, and the public key.

    Raises
    ------
    CountermarkError
        If the scheme is not known, or the device does not give such a key.
    """
    scheme = _scheme(uri)
    with _answers(uri):
        whole, key = IMPORTERS[scheme](uri, secrets)
    rest = whole.removeprefix(uri)
    if not whole.startswith(uri) or not (rest == "" or uri.endswith(":") or rest[0] in "/?"):
        raise InputError(
            f"is not the newest version of the key, which is {whole}",
            where=uri,
            next_step="Give that one, or leave the version out.",
        )
    return whole, standard_key(key, where=uri)


class DeviceSigner(Signer):
    """A signer outside this process, whose answers are not taken on trust (rules 3 and 4)."""

    def __init__(self, uri: str, public: SSlibKey, device: Signer) -> None:
        self._uri, self._public, self._device = uri, public, device

    @property
    def public_key(self) -> SSlibKey:
        """The public key as it was when the node was made."""
        return self._public

    @classmethod
    def from_priv_key_uri(
        cls, priv_key_uri: str, public_key: Key, secrets_handler: SecretsHandler | None = None
    ) -> "DeviceSigner":
        """Open the signer that a URI names.

        Raises
        ------
        CountermarkError
            If the scheme is not known, or the device's library is missing or refuses.
        """
        _scheme(priv_key_uri)
        public = standard_key(public_key, where=priv_key_uri)
        with _answers(priv_key_uri):
            device = Signer.from_priv_key_uri(priv_key_uri, public, secrets_handler)
        return cls(priv_key_uri, public, device)

    def sign(self, payload: bytes) -> Signature:
        """Have bytes signed, and check the signature.

        Raises
        ------
        CountermarkError
            If the device does not sign, or signs with another key.
        """
        with _answers(self._uri):
            signature = self._device.sign(payload)
        try:
            self._public.verify_signature(signature, payload)
        except UnverifiedSignatureError as error:
            raise StateError(
                "gave a signature that its public key does not verify; nothing was logged",
                where=self._uri,
                next_step="Check that the device still holds the key that the roster lists.",
            ) from error
        return signature


def _scheme(uri: str) -> str:
    scheme = uri.partition(":")[0]
    if scheme not in IMPORTERS or scheme not in SIGNER_FOR_URI_SCHEME:
        raise InputError(
            f"has the scheme {scheme[:20]!r}, which is not known",
            where="statement key",
            next_step=f"Use one of file, {', '.join(sorted(IMPORTERS))}.",
        )
    return scheme


@contextmanager
def _answers(uri: str) -> Iterator[None]:
    try:
        yield
    except CountermarkError:
        raise
    except UnsupportedLibraryError as error:
        scheme = uri.partition(":")[0]
        extra = "vault" if scheme == VaultSigner.SCHEME else scheme
        raise StateError(
            f"needs a library that is not installed: {error}",
            where=uri,
            next_step=f"pip install 'securesystemslib[{extra}]'",
        ) from error
    # The interface of signers names no errors: each cloud's client raises its own.
    except Exception as error:
        raise StorageError(
            f"did not answer: {type(error).__name__}: {str(error)[:300]}",
            where=uri,
            next_step="Check the URI, the credentials and the connection of the device.",
        ) from error
