# SPDX-License-Identifier: Apache-2.0
"""A node whose statement key is elsewhere: in a token, in a cloud KMS, in another file."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from cloud import URI, Cloud
from command_line import Ran, countermark, done
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from nodes import START, Clock, Network, config, plan, roster_files, spoil
from softhsm import PIN, SoftToken

from countermark.network.sync import settle
from countermark.node.config import read_config
from countermark.node.index import book, statement_file
from countermark.node.node import Node
from countermark.node.rotation import prepare
from countermark.records.errors import CountermarkError, InputError, StateError, StorageError
from countermark.signing.envelope import Envelope, verify
from countermark.signing.keys import generate_key, key_to_pem, public_hex
from countermark.transparency.statement import StatementFile
from countermark.transparency.verify import verify_statement

CODES = ("KE", "JP", "SG", "US")
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def pin(_: str) -> str:
    return PIN


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Cloud:
    cloud = Cloud()
    cloud.register(monkeypatch)
    return cloud


def init(folder: Path, uri: str, *more: object) -> Ran:
    words = ("--code", "KE", "--name", "Institute KE", "--origin", "ke.example/log")
    return countermark("node", "init", folder, *words, "--statement-key", uri, *more)


def secret_file(folder: Path, *lines: str) -> Path:
    path = folder / "secret"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def network_of(root: Path, first: Node, clock: Clock) -> Network:
    """A network in which the first node's key is elsewhere; the others' are in files."""
    others = [Node.create(root / code, config(code), None, clock) for code in CODES[1:]]
    files = roster_files([first, *others])
    for node in (first, *others):
        node.accept_roster(files)
    network = Network(root, clock)
    network._opened["KE"] = first
    return network


def said_and_witnessed(network: Network) -> bytes:
    """Return the published file of what KE said."""
    network["KE"].say(plan("KE"))
    settle(network.nodes, network.sources)
    reader = network["JP"]
    (entry,) = (entry for entry in book(reader).entries if entry.author == "KE")
    contents = statement_file(reader, entry)
    assert contents is not None
    return contents


def failed(contents: bytes, network: Network) -> list[int]:
    verdict = verify_statement(contents, network["JP"].roster, network.clock())
    return [check.rule for check in verdict.failures]


@pytest.mark.parametrize(
    ("key", "scheme", "digits"),
    [("object=statements", "ecdsa-sha2-nistp256", 130), ("object=edwards", "ed25519", 64)],
)
def test_what_a_token_signs_is_logged_witnessed_and_verified(
    soft_token: SoftToken, tmp_path: Path, key: str, scheme: str, digits: int
) -> None:
    folder, clock = tmp_path / "nodes" / "KE", Clock(START)
    secret = secret_file(tmp_path, "a long passphrase", PIN)
    ran = init(folder, soft_token.uri(key), "--passphrase-file", secret)
    assert ran.code == 0, ran.err
    (entry,) = ran.value["statement_keys"]
    assert (entry["scheme"], len(entry["public"])) == (scheme, digits)
    assert sorted(path.name for path in (folder / "keys").iterdir()) == [
        "log.pem", "statement.pub", "witness.pem",
    ]  # fmt: skip
    assert read_config(folder).statement_key == soft_token.uri(key)
    assert PIN not in (folder / "node.toml").read_text()

    node = Node.open(folder, "a long passphrase", clock, secrets=pin)
    assert public_hex(node.statement_key) == entry["public"]
    network = network_of(tmp_path / "nodes", node, clock)
    contents = said_and_witnessed(network)
    assert failed(contents, network) == []
    assert failed(contents[:-10] + b"x" + contents[-9:], network)


def test_the_pin_is_asked_for_when_something_is_signed(
    soft_token: SoftToken, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def prompt(text: str, **_: object) -> str:
        asked.append(text)
        return PIN

    monkeypatch.setattr("click.prompt", prompt)
    ran = init(tmp_path / "KE", soft_token.uri("object=hidden"), "--unencrypted")
    assert ran.code == 0, ran.err
    assert asked == ["PIN of the statement key"]
    ran = init(tmp_path / "other", soft_token.uri(), "--unencrypted")
    assert ran.code == 0, ran.err
    assert len(asked) == 1
    assert "signed by the device" in ran.err


def test_one_line_is_passphrase_and_pin(soft_token: SoftToken, tmp_path: Path) -> None:
    secret = secret_file(tmp_path, PIN)
    uri = soft_token.uri("object=hidden")
    assert init(tmp_path / "KE", uri, "--passphrase-file", secret).code == 0
    wrong = secret_file(tmp_path, PIN, "0000")
    ran = init(tmp_path / "other", uri, "--passphrase-file", wrong)
    assert ran.code == 1
    assert "did not open with this PIN" in ran.err


@pytest.mark.parametrize(
    "uri",
    [
        "pkcs11:token=A;object=b?module-path=/m.so&pin-value=4321",
        "pkcs11:token=A;object=b",
        "ftp:key",
        "no-scheme",
        "file:nowhere.pem",
    ],
)
def test_a_key_that_cannot_be_had_leaves_nothing_behind(tmp_path: Path, uri: str) -> None:
    ran = init(tmp_path / "KE", uri, "--unencrypted")
    assert ran.code in (1, 2)
    assert "Traceback" not in ran.err
    assert "Next: " in ran.err
    assert "4321" not in ran.err + ran.out
    assert not (tmp_path / "KE").exists()


def test_without_the_extra_a_file_still_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    ran = init(tmp_path / "KE", "pkcs11:token=A;object=b?module-path=/m.so", "--unencrypted")
    assert ran.code == 1
    assert "pip install 'countermark[hsm]'" in ran.err
    words = ("--code", "KE", "--name", "N", "--origin", "ke.example/log", "--unencrypted")
    done("node", "init", tmp_path / "KE", *words)


def test_a_cloud_kms_signs_and_its_version_is_written_down(cloud: Cloud, tmp_path: Path) -> None:
    folder, clock = tmp_path / "nodes" / "KE", Clock(START)
    ran = init(folder, URI, "--unencrypted")
    assert ran.code == 0, ran.err
    assert read_config(folder).statement_key == f"{URI}/3"
    cloud.asked.clear()
    network = network_of(tmp_path / "nodes", Node.open(folder, clock=clock), clock)
    assert failed(said_and_witnessed(network), network) == []
    assert "public" not in cloud.asked


def test_a_second_signature_that_anybody_can_make_is_not_in_the_log(
    cloud: Cloud, tmp_path: Path
) -> None:
    """ECDSA takes (r, n − s) for (r, s); the digest in the leaf is of the envelope as it was."""
    init(tmp_path / "nodes" / "KE", URI, "--unencrypted")
    clock = Clock(START)
    node = Node.open(tmp_path / "nodes" / "KE", clock=clock)
    network = network_of(tmp_path / "nodes", node, clock)
    file = StatementFile.from_bytes(said_and_witnessed(network))
    r, s = decode_dss_signature(file.envelope.signature)
    other = replace(file.envelope, signature=encode_dss_signature(r, P256_ORDER - s))
    assert other.to_bytes() != file.envelope.to_bytes()
    assert verify(other, node.statement_key)
    assert failed(StatementFile(file.envelope, file.proof).to_bytes(), network) == []
    assert failed(StatementFile(other, file.proof).to_bytes(), network) == [5]


def test_a_device_that_fails_logs_nothing(cloud: Cloud, tmp_path: Path) -> None:
    init(tmp_path / "nodes" / "KE", URI, "--unencrypted")
    clock = Clock(START)
    node = Node.open(tmp_path / "nodes" / "KE", clock=clock)
    network_of(tmp_path / "nodes", node, clock)
    right = cloud.inner
    for inner, breaks, error in (
        (Cloud().inner, None, StateError),
        (right, OSError("no route"), StorageError),
    ):
        cloud.inner, cloud.breaks = inner, breaks
        with pytest.raises(error):
            node.say(plan("KE"))
        assert node.log.note() is None
    cloud.breaks = None
    node.say(plan("KE"))
    assert node.log.note() is not None


def test_no_file_is_made_in_the_place_of_a_device(cloud: Cloud, tmp_path: Path) -> None:
    init(tmp_path / "nodes" / "KE", URI, "--unencrypted")
    clock = Clock(START)
    node = Node.open(tmp_path / "nodes" / "KE", clock=clock)
    network_of(tmp_path / "nodes", node, clock)
    with pytest.raises(StateError, match="has its statement key elsewhere"):
        prepare(node, ("statement", "log"))
    assert not list(node.folder.keys.glob("*-next.pem"))
    entry = prepare(node, ("log", "witness"))
    assert entry.statement_keys[0].public == public_hex(node.statement_key)


def test_the_public_key_is_asked_for_again_if_its_file_is_gone(
    cloud: Cloud, tmp_path: Path
) -> None:
    init(tmp_path / "KE", URI, "--unencrypted")
    node = Node.open(tmp_path / "KE")
    before = node.statement_key
    node.folder.statement_public.unlink()
    assert node.statement_key == before
    spoiled = node.folder.statement_public
    spoiled.write_bytes(b"hello")
    with pytest.raises(InputError, match="not a public key in PEM"):
        _ = node.statement_key


def test_a_statement_key_may_be_a_file_elsewhere(tmp_path: Path) -> None:
    stick = tmp_path / "stick.pem"
    key = generate_key()
    stick.write_bytes(key_to_pem(key, "a long passphrase"))
    secret = secret_file(tmp_path, "a long passphrase")
    ran = init(tmp_path / "nodes" / "KE", "file:../../stick.pem", "--passphrase-file", secret)
    assert ran.code == 0, ran.err
    assert ran.value["statement_keys"][0]["public"] == public_hex(key)
    assert not (tmp_path / "nodes" / "KE" / "keys" / "statement.pem").exists()
    node = Node.open(tmp_path / "nodes" / "KE", "a long passphrase")
    signature = node.signer.sign(b"payload")
    node.statement_key.verify_signature(signature, b"payload")
    spoil(stick, b"hello")
    with pytest.raises(CountermarkError, match="not a PEM private key") as caught:
        _ = node.signer
    assert str(caught.value.where).endswith("stick.pem")


def test_an_envelope_of_a_device_is_verified_as_any_other(cloud: Cloud, tmp_path: Path) -> None:
    init(tmp_path / "nodes" / "KE", URI, "--unencrypted")
    clock = Clock(START)
    node = Node.open(tmp_path / "nodes" / "KE", clock=clock)
    network = network_of(tmp_path / "nodes", node, clock)
    file = StatementFile.from_bytes(said_and_witnessed(network))
    for signature in (b"", file.envelope.signature[:-1], file.envelope.signature + b"\x00"):
        other = Envelope(
            file.envelope.payload, file.envelope.payload_type, file.envelope.keyid, signature
        )
        assert 2 in failed(StatementFile(other, file.proof).to_bytes(), network)
