# SPDX-License-Identifier: Apache-2.0
"""A cloud KMS that is not there: a Signer of securesystemslib under a scheme of its own."""

from dataclasses import dataclass, field

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from securesystemslib.signer import SIGNER_FOR_URI_SCHEME  # type: ignore[attr-defined]

from countermark.signing.keys import CryptoSigner, Key, SecretsHandler, Signature, Signer, SSlibKey
from countermark.signing.keyuri import IMPORTERS

SCHEME = "testkms"
URI = f"{SCHEME}:projects/ke/keys/statements"


@dataclass
class Cloud:
    """What the service holds, and what it was asked."""

    inner: Signer = field(default_factory=lambda: CryptoSigner(generate_private_key(SECP256R1())))
    breaks: Exception | None = None
    asked: list[str] = field(default_factory=list)

    def answer(self, question: str) -> None:
        self.asked.append(question)
        if self.breaks is not None:
            raise self.breaks

    def register(self, patched: pytest.MonkeyPatch) -> None:
        """Make the service known, as an application does with a Signer of its own."""
        cloud = self

        class CloudSigner(Signer):
            def __init__(self, public: Key) -> None:
                self._public = public

            @property
            def public_key(self) -> Key:
                return self._public

            @classmethod
            def from_priv_key_uri(
                cls,
                priv_key_uri: str,
                public_key: Key,
                secrets_handler: SecretsHandler | None = None,
            ) -> Signer:
                cloud.answer(f"open {priv_key_uri}")
                return cls(public_key)

            def sign(self, payload: bytes) -> Signature:
                cloud.answer("sign")
                made = cloud.inner.sign(payload)
                return Signature(self._public.keyid, made.signature)

        def ask(uri: str, _: SecretsHandler | None) -> tuple[str, Key]:
            cloud.answer("public")
            key = cloud.inner.public_key
            # A service's own key id, which is not ours.
            assert isinstance(key, SSlibKey)
            return f"{URI}/3", SSlibKey("its own id", key.keytype, key.scheme, key.keyval)

        patched.setitem(SIGNER_FOR_URI_SCHEME, SCHEME, CloudSigner)
        patched.setitem(IMPORTERS, SCHEME, ask)
