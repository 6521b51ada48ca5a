# SPDX-License-Identifier: Apache-2.0
"""Keys in a cloud KMS, and every other Signer that securesystemslib offers."""

from collections.abc import Callable

import pytest
from cloud import URI, Cloud
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as rsa_key
from securesystemslib.exceptions import UnsupportedLibraryError
from securesystemslib.signer import (  # type: ignore[attr-defined]
    AWSSigner,
    AzureSigner,
    GCPSigner,
    HSMSigner,
    VaultSigner,
)

from countermark.records.errors import InputError, StateError, StorageError
from countermark.signing.keys import (
    ECDSA_SCHEME,
    CryptoSigner,
    Key,
    SSlibKey,
    generate_key,
    public_from_pem,
    public_hex,
    public_key,
    public_to_pem,
    statement_signer,
)
from countermark.signing.keyuri import DeviceSigner, import_key

ARN = "arn:aws:kms:eu-west-2:111122223333:key/1234abcd"
GCP = "projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1"


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Cloud:
    cloud = Cloud()
    cloud.register(monkeypatch)
    return cloud


def opened(cloud: Cloud) -> DeviceSigner:
    uri, public = import_key(URI, None)
    return DeviceSigner.from_priv_key_uri(uri, public, None)


def test_rule_1_a_key_has_our_key_id_whatever_the_service_calls_it(cloud: Cloud) -> None:
    uri, public = import_key(URI, None)
    assert uri == f"{URI}/3"
    assert public == public_key(public_hex(public), ECDSA_SCHEME)
    assert public.keyid != "its own id"


def test_rule_1_other_keys_are_refused(cloud: Cloud) -> None:
    for private in (generate_private_key(SECP384R1()), rsa_key(65537, 2048)):
        cloud.inner = CryptoSigner(private)
        with pytest.raises(InputError, match="signed with Ed25519 or ECDSA P-256"):
            import_key(URI, None)


def test_rule_1_a_p256_key_under_the_name_of_another_curve_is_refused(cloud: Cloud) -> None:
    key = CryptoSigner(generate_private_key(SECP384R1())).public_key
    lying = SSlibKey(key.keyid, key.keytype, ECDSA_SCHEME, key.keyval)
    with pytest.raises(InputError, match="signed with Ed25519 or ECDSA P-256"):
        DeviceSigner.from_priv_key_uri(URI, lying, None)


def test_rule_2_a_signer_is_opened_without_asking_for_the_public_key(cloud: Cloud) -> None:
    signer = opened(cloud)
    cloud.asked.clear()
    signature = signer.sign(b"payload")
    signer.public_key.verify_signature(signature, b"payload")
    assert signature.keyid == signer.public_key.keyid
    assert cloud.asked == ["sign"]


def test_rule_3_a_signature_by_another_key_is_not_handed_on(cloud: Cloud) -> None:
    signer = opened(cloud)
    cloud.inner = Cloud().inner
    with pytest.raises(StateError, match="its public key does not verify") as caught:
        signer.sign(b"payload")
    assert "roster" in caught.value.next_step


class BotoCoreError(Exception):
    """As a cloud's client has."""


@pytest.mark.parametrize(
    "breaks", [BotoCoreError("no credentials"), OSError("no route"), KeyError("k")]
)
def test_rule_4_whatever_a_device_raises_is_one_of_our_errors(
    cloud: Cloud, breaks: Exception
) -> None:
    signer = opened(cloud)
    cloud.breaks = breaks
    calls: tuple[Callable[[], object], ...] = (
        lambda: import_key(URI, None),
        lambda: signer.sign(b"payload"),
        lambda: DeviceSigner.from_priv_key_uri(URI, signer.public_key, None),
    )
    for call in calls:
        with pytest.raises(
            StorageError, match=f"did not answer: {type(breaks).__name__}"
        ) as caught:
            call()
        assert caught.value.where in (URI, f"{URI}/3")


def test_rule_4_an_interruption_by_a_person_passes(cloud: Cloud) -> None:
    signer = opened(cloud)
    cloud.breaks = KeyboardInterrupt()  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt):
        signer.sign(b"payload")


@pytest.mark.parametrize("uri", ["ftp:key", "no scheme", "gnupg:0123", "file2:/key.pem", ""])
def test_other_schemes_are_refused(uri: str) -> None:
    with pytest.raises(InputError, match="not known") as caught:
        import_key(uri, None)
    assert "awskms, azurekms, gcpkms, hsm, hv, pkcs11" in caught.value.next_step
    with pytest.raises(InputError, match="not known"):
        DeviceSigner.from_priv_key_uri(uri, public_key(public_hex(generate_key())), None)


@pytest.mark.parametrize(
    ("uri", "signer", "asked", "whole"),
    [
        (f"awskms:{ARN}", AWSSigner, (ARN,), f"awskms:{ARN}"),
        ("awskms:alias/statements", AWSSigner, ("alias/statements",), "awskms:alias/statements"),
        (f"gcpkms:{GCP}", GCPSigner, (GCP,), f"gcpkms:{GCP}"),
        (
            "azurekms://lab.vault.azure.net/keys/statements", AzureSigner, ("lab", "statements"),
            "azurekms://lab.vault.azure.net/keys/statements/0f",
        ),
        (
            "azurekms://lab.vault.azure.net/keys/statements/0f", AzureSigner, ("lab", "statements"),
            "azurekms://lab.vault.azure.net/keys/statements/0f",
        ),
        ("hv:statements", VaultSigner, ("statements",), "hv:statements/2"),
        ("hsm:", HSMSigner, (None, None, None), "hsm:2?label=YubiKey"),
        ("hsm:3?label=A+B", HSMSigner, (3, "A B", None), "hsm:3?label=A+B"),
    ],
)  # fmt: skip
def test_each_service_of_the_library_is_asked_in_its_own_words(
    monkeypatch: pytest.MonkeyPatch,
    uri: str,
    signer: type,
    asked: tuple[object, ...],
    whole: str,
) -> None:
    key = statement_signer(generate_key()).public_key
    heard = []

    def import_(*words: object) -> tuple[str, Key]:
        heard.append(words)
        return whole, key

    monkeypatch.setattr(signer, "import_", import_)
    assert import_key(uri, None) == (whole, key)
    assert heard == [asked]


@pytest.mark.parametrize(
    ("uri", "whole"),
    [("hv:statements/1", "hv:statements/2"), ("hv:statements/1", "hv:statements/12")],
)
def test_an_older_version_of_a_key_is_refused(
    monkeypatch: pytest.MonkeyPatch, uri: str, whole: str
) -> None:
    key = statement_signer(generate_key()).public_key
    monkeypatch.setattr(VaultSigner, "import_", lambda _: (whole, key))
    with pytest.raises(InputError, match=f"not the newest version of the key, which is {whole}"):
        import_key(uri, None)


@pytest.mark.parametrize(
    ("uri", "signer", "extra"),
    [
        (f"awskms:{ARN}", AWSSigner, "awskms"),
        (f"gcpkms:{GCP}", GCPSigner, "gcpkms"),
        ("azurekms://lab.vault.azure.net/keys/k", AzureSigner, "azurekms"),
        ("hv:statements/1", VaultSigner, "vault"),
        ("hsm:2", HSMSigner, "hsm"),
    ],
)
def test_without_a_services_library_the_error_says_which_extra(
    monkeypatch: pytest.MonkeyPatch, uri: str, signer: type, extra: str
) -> None:
    def import_(*_: object) -> None:
        raise UnsupportedLibraryError("library required")

    monkeypatch.setattr(signer, "import_", import_)
    with pytest.raises(StateError, match="not installed") as caught:
        import_key(uri, None)
    assert caught.value.next_step == f"pip install 'securesystemslib[{extra}]'"


def test_public_keys_come_back_from_pem(cloud: Cloud) -> None:
    for signer in (cloud.inner, statement_signer(generate_key())):
        key = signer.public_key
        assert isinstance(key, SSlibKey)
        assert public_from_pem(public_to_pem(key), where="x") == key
    with pytest.raises(InputError, match="not a public key in PEM"):
        public_from_pem(b"hello", where="x")
    with pytest.raises(InputError, match="signed with Ed25519 or ECDSA P-256"):
        public_from_pem(
            public_to_pem(CryptoSigner(generate_private_key(SECP384R1())).public_key), where="x"
        )
