# SPDX-License-Identifier: Apache-2.0
"""A real PKCS #11 token: SoftHSM, with a P-256 and an Ed25519 key in it."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

LABEL = "Institute KE"
PIN = "4321"
MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
)


@dataclass(frozen=True)
class SoftToken:
    """A token, by what names it."""

    module: str
    label: str = LABEL
    pin: str = PIN

    def uri(self, key: str = "object=statements", token: str | None = None) -> str:
        name = quote(self.label if token is None else token)
        return f"pkcs11:token={name};{key}?module-path={self.module}"


@pytest.fixture(scope="session")
def soft_token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoftToken]:
    """Return a token of this session; skip where SoftHSM is not installed."""
    module = next((path for path in MODULES if Path(path).exists()), None)
    if module is None or shutil.which("softhsm2-util") is None:
        # scripts/softhsm.sh installs it; CI must not pass without it.
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("SoftHSM is not installed")
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder}/tokens\n")
    with pytest.MonkeyPatch.context() as patched:
        # Read once, when the first test that uses a token loads the module.
        patched.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
        words = ("--init-token", "--free", "--label", LABEL, "--pin", PIN, "--so-pin", "87654321")
        subprocess.run(["softhsm2-util", *words], check=True, capture_output=True)
        _make_keys(module)
        yield SoftToken(module)


def _make_keys(module: str) -> None:
    import pkcs11
    from pkcs11.util.ec import encode_named_curve_parameters

    make_edwards = pkcs11.Mechanism.EC_EDWARDS_KEY_PAIR_GEN
    token = pkcs11.lib(module).get_token(token_label=LABEL)
    with token.open(rw=True, user_pin=PIN) as session:
        for curve, kind, label, key_id, mechanism in (
            ("secp256r1", pkcs11.KeyType.EC, "statements", b"\x01", None),
            ("1.3.101.112", pkcs11.KeyType.EC_EDWARDS, "edwards", b"\x02", make_edwards),
            ("secp384r1", pkcs11.KeyType.EC, "p384", b"\x03", None),
            ("secp256r1", pkcs11.KeyType.EC, "twins", b"\x04", None),
            ("secp256r1", pkcs11.KeyType.EC, "twins", b"\x05", None),
        ):
            parameters = session.create_domain_parameters(
                kind, {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters(curve)}, local=True
            )
            parameters.generate_keypair(store=True, label=label, id=key_id, mechanism=mechanism)
        session.generate_keypair(pkcs11.KeyType.RSA, 2048, store=True, label="rsa", id=b"\x06")
        hidden = {pkcs11.Attribute.PRIVATE: True}
        parameters = session.create_domain_parameters(
            pkcs11.KeyType.EC,
            {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")},
            local=True,
        )
        parameters.generate_keypair(store=True, label="hidden", id=b"\x07", public_template=hidden)
