# SPDX-License-Identifier: Apache-2.0
import stat
from pathlib import Path

import pytest
from nodes import (
    PROTOCOL,
    START,
    Clock,
    Network,
    config,
    make_network,
    plan,
    roster_files,
    seal,
    snapshot,
)
from sample_book import CODES, DEVELOPER

from countermark.network.reference import load_partnerships
from countermark.node import node as node_module
from countermark.node.files import write_atomic
from countermark.node.index import book
from countermark.node.node import KEY_NAMES, Node
from countermark.records.errors import InputError, StateError, StorageError, VerificationError
from countermark.signing.envelope import record_of

PASSPHRASE = "correct horse battery staple"


def create(root: Path, passphrase: str | None = None, code: str = "KE") -> Node:
    return Node.create(root, config(code), passphrase, Clock())


def test_a_new_node_has_its_keys_for_itself(tmp_path: Path) -> None:
    create(tmp_path / "ke")
    assert {path.name for path in (tmp_path / "ke").iterdir()} == {"keys", "node.toml"}
    assert stat.S_IMODE((tmp_path / "ke/keys").stat().st_mode) == 0o700
    for name in KEY_NAMES:
        assert stat.S_IMODE((tmp_path / f"ke/keys/{name}.pem").stat().st_mode) == 0o600


def test_two_nodes_have_no_key_in_common(tmp_path: Path) -> None:
    keys = {
        path.read_bytes()
        for code in ("KE", "JP")
        for path in create(tmp_path / code, code=code).folder.keys.iterdir()
    }
    assert len(keys) == 6


@pytest.mark.parametrize("file", ["node.toml", "notes.txt", ".hidden", "keys/old.pem"])
def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path, file: str) -> None:
    path = tmp_path / "ke" / file
    path.parent.mkdir(parents=True)
    path.write_bytes(b"mine")
    before = snapshot(tmp_path)
    with pytest.raises(StateError, match="is not empty") as caught:
        create(tmp_path / "ke")
    assert "never overwritten" in caught.value.next_step
    assert snapshot(tmp_path) == before


def test_an_empty_folder_will_do(tmp_path: Path) -> None:
    assert create(tmp_path).code == "KE"


def test_a_place_that_cannot_be_written_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="cannot be written"):
        create(tmp_path / "file/below")


def test_a_crash_while_making_a_node_leaves_no_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("countermark.node.node.write_config", crash)
        with pytest.raises(KeyboardInterrupt):
            create(tmp_path / "ke")
    with pytest.raises(StateError, match="is not a node's folder"):
        Node.open(tmp_path / "ke")


def test_a_disk_that_fills_half_way_leaves_nothing_and_trying_again_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, folder = write_atomic, tmp_path / "ke"
    for room in range(3):
        left = iter(range(room))

        def write(path: Path, data: bytes, *, mode: int = 0o644) -> None:
            if next(left, None) is None:  # noqa: B023  it is used in this turn only
                raise StorageError("the disk is full", next_step="Free some space.")
            real(path, data, mode=mode)

        with monkeypatch.context() as patched:
            patched.setattr(node_module, "write_atomic", write)
            with pytest.raises(StorageError, match="the disk is full"):
                create(tmp_path / "ke")
        assert not folder.exists()
    assert create(folder).code == "KE"


def test_a_process_killed_while_making_a_node_leaves_a_clear_way_out(tmp_path: Path) -> None:
    made = create(tmp_path / "ke")
    (made.folder.root / "node.toml").unlink()
    made.folder.key("witness").unlink()
    (made.folder.keys / ".witness.pem.x1y2").write_bytes(b"")
    before = snapshot(tmp_path)
    with pytest.raises(StateError, match="was stopped half way") as caught:
        create(tmp_path / "ke")
    assert "delete the folder and run this again" in caught.value.next_step
    assert snapshot(tmp_path) == before


def test_keys_are_encrypted_by_the_passphrase(tmp_path: Path) -> None:
    made = create(tmp_path, PASSPHRASE)
    assert made.keys_are_encrypted()
    for name in KEY_NAMES:
        assert b"ENCRYPTED PRIVATE KEY" in made.folder.key(name).read_bytes()
    right = Node.open(tmp_path, PASSPHRASE)
    assert right.log_signer.log_key == made.log_signer.log_key
    with pytest.raises(InputError, match="did not open with this passphrase") as caught:
        Node.open(tmp_path, "wrong horse").log_signer  # noqa: B018
    assert caught.value.where == str(made.folder.key("log"))
    with pytest.raises(InputError, match="no passphrase was given"):
        Node.open(tmp_path).signer  # noqa: B018


def test_keys_without_a_passphrase_say_so(tmp_path: Path) -> None:
    assert not create(tmp_path).keys_are_encrypted()


def test_an_empty_passphrase_is_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is empty"):
        create(tmp_path / "ke", "")


def test_reading_needs_no_passphrase(tmp_path: Path, network: Network) -> None:
    for path in network["KE"].folder.keys.iterdir():
        path.unlink()
    assert len(book(network.open("KE")).entries) == 11


def test_a_key_that_is_gone_is_named(tmp_path: Path) -> None:
    made = create(tmp_path)
    made.folder.key("log").unlink()
    with pytest.raises(StateError, match="is missing") as caught:
        made.log_signer  # noqa: B018
    assert caught.value.where == str(made.folder.key("log"))
    assert "backup" in caught.value.next_step


def test_the_entry_for_the_roster_holds_the_public_halves(tmp_path: Path) -> None:
    node = create(tmp_path)
    party = node.party(("publisher", "witness"))
    assert (party.code, party.current_roles) == ("KE", ("publisher", "witness"))
    assert party.log is not None
    assert party.log.key == node.log_signer.log_key
    assert party.witness is not None
    assert party.witness.key == node.witness_signer.witness_key
    assert party.statement_keys[0].keyid == node.signer.public_key.keyid
    assert party.statement_keys[0].valid_from == "2026-11-23T09:00:01Z"
    assert node.party(("publisher",)).witness is None


# --- the roster ---


def test_a_node_without_a_roster_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="has no roster") as caught:
        create(tmp_path).roster  # noqa: B018
    assert "roster accept" in caught.value.next_step


def test_a_roster_is_checked_before_it_is_kept(network: Network, tmp_path: Path) -> None:
    node, files = create(tmp_path / "new"), dict(network["KE"].roster_files())
    before = snapshot(node.folder.root)
    for name, data in files.items():
        spoilt = {**files, name: data.replace(b"KE", b"KK")}
        if spoilt != files:
            with pytest.raises((VerificationError, InputError)):
                node.accept_roster(spoilt)
    assert snapshot(node.folder.root) == before
    node.accept_roster(files)
    assert node.roster == network["KE"].roster


def test_a_roster_that_has_expired_is_not_accepted_and_one_accepted_stays_readable(
    network: Network, tmp_path: Path
) -> None:
    files = network["KE"].roster_files()
    later = Clock(START.replace(year=2030))
    with pytest.raises(VerificationError, match="expired"):
        Node.create(tmp_path / "new", config("KE"), None, later).accept_roster(files)
    assert len(Node.open(network["KE"].folder.root, clock=later).roster.parties) == 6


def test_another_roster_or_an_older_one_is_refused(network: Network, tmp_path: Path) -> None:
    stranger = make_network(tmp_path / "strangers")
    before = snapshot(network["KE"].folder.root)
    with pytest.raises(VerificationError, match="accepted before") as caught:
        network["KE"].accept_roster(stranger["KE"].roster_files())
    assert "never goes back" in caught.value.next_step
    assert snapshot(network["KE"].folder.root) == before


def test_only_the_files_of_a_roster_are_kept(network: Network) -> None:
    node = network["KE"]
    before = snapshot(node.folder.roster)
    files = {**node.roster_files(), "../keys/statement.pem": b"mine", "x.txt": b"", "a/b": b""}
    pem = node.folder.key("statement").read_bytes()
    node.accept_roster(files)
    assert snapshot(node.folder.roster) == before
    assert node.folder.key("statement").read_bytes() == pem


def test_the_index_is_built_anew_under_a_new_roster(network: Network) -> None:
    node = network["KE"]
    assert len(book(node).entries) == 11
    node.accept_roster(node.roster_files())
    assert not node.folder.index.exists()
    assert len(book(node).entries) == 11


# --- saying ---


def test_what_is_said_is_signed_kept_and_logged_under_one_checkpoint(network: Network) -> None:
    node = network["KE"]
    records = (plan("KE", 300), seal("KE"), plan("KE", 301))
    node.say(*records)
    entries = [entry for entry in book(node).entries if entry.author == "KE"][2:]
    assert [entry.record for entry in entries] == list(records)
    assert [entry.index for entry in entries] == [2, 3, 4]
    for entry in entries:
        envelope = node.envelope(entry.envelope)
        assert envelope.keyid == node.signer.public_key.keyid
        assert record_of(envelope) == entry.record == node.record(entry.envelope)
        assert (entry.witnessed, entry.author) == (None, "KE")


def test_a_node_may_not_say_what_its_roles_do_not_allow(network: Network) -> None:
    before = {code: snapshot(network[code].folder.root) for code in (*CODES, DEVELOPER)}
    own = PROTOCOL.model_copy(update={"coordinator": "KE"})
    with pytest.raises(StateError, match="may not say records of the kind protocol") as caught:
        network["KE"].say(plan("KE", 300), own)
    assert "roster" in caught.value.next_step
    with pytest.raises(StateError, match="may not say records of the kind partnership"):
        network[DEVELOPER].say(load_partnerships()[0])
    assert {code: snapshot(network[code].folder.root) for code in before} == before


def test_a_node_may_not_speak_for_another(network: Network) -> None:
    before = snapshot(network["KE"].folder.root)
    with pytest.raises(StateError, match="may not speak for JP"):
        network["KE"].say(seal("JP"))
    assert snapshot(network["KE"].folder.root) == before


def test_a_node_that_the_roster_does_not_list_says_nothing(
    network: Network, tmp_path: Path
) -> None:
    node = create(tmp_path / "zz", code="ZZ")
    node.accept_roster(network["KE"].roster_files())
    with pytest.raises(StateError, match="may not say"):
        node.say(plan("ZZ"))


def test_an_envelope_that_is_not_kept_here_says_to_pull(network: Network) -> None:
    with pytest.raises(StateError, match="lacks the envelope") as caught:
        network["KE"].envelope("sha256:" + "0" * 64)
    assert "sync pull" in caught.value.next_step


def test_a_roster_may_be_made_of_the_nodes_entries(tmp_path: Path) -> None:
    nodes = [create(tmp_path / code, code=code) for code in ("GB", "KE", "JP")]
    files = roster_files(nodes, quorum=2)
    for node in nodes:
        node.accept_roster(files)
    assert [party.code for party in nodes[0].roster.parties] == ["GB", "KE", "JP"]
