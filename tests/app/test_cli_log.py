# SPDX-License-Identifier: Apache-2.0
"""``countermark log prove`` and ``log witness``: a member without a network, by files."""

import json
from pathlib import Path

import pytest
from command_line import Ran, countermark, done, tree
from lying_witness import LyingWitness, garbage
from nodes import EXPIRES, Network, config, make_network, plan, roster_files

from countermark.network.sync import settle
from countermark.node.config import write_config
from countermark.node.index import book
from countermark.node.node import Node
from countermark.signing.keys import generate_key
from countermark.transparency.checkpoint import Checkpoint, sign_checkpoint
from countermark.transparency.cosignature import cosign
from countermark.transparency.note import NoteSigner, parse_signature_lines
from countermark.transparency.proof import parse_proof
from countermark.transparency.tree import consistency_proof, leaf_hash, root_hash
from countermark.transparency.witness import AddCheckpoint, parse_request


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Network:
    """KE has said two things and knows nobody; the others know the roster alone."""
    network = make_network(tmp_path_factory.mktemp("air") / "nodes")
    network["KE"].say(plan("KE", 1), plan("KE", 2))
    return network


@pytest.fixture
def network(template: Network, tmp_path: Path) -> Network:
    return template.copied(tmp_path / "nodes")


def at(network: Network, code: str) -> Path:
    return network[code].folder.root


def request(network: Network, out: Path, *words: object) -> Path:
    done("log", "prove", "--for-witness", "--node", at(network, "KE"), "--out", out, *words)
    return out


def cosigned(network: Network, code: str, file: Path) -> Ran:
    return countermark("log", "witness", "--file", file, "--node", at(network, code))


def refused(ran: Ran, code: int, *said: str) -> None:
    assert ran.code == code, ran.err
    assert ran.out == ""
    assert "Traceback" not in ran.err
    assert "Next: " in ran.err
    for text in said:
        assert text in ran.err


def test_an_air_gapped_member_gets_its_proofs_by_text(network: Network, tmp_path: Path) -> None:
    home = at(network, "KE")
    refused(countermark("log", "prove", "0", "--node", home), 1, "by a quorum", "--for-witness")
    asked = request(network, tmp_path / "request.txt")
    carried = tmp_path / "lines.txt"
    lines = []
    for code in ("GB", "JP", "SG"):
        ran = cosigned(network, code, asked)
        assert ran.code == 0, ran.err
        assert ran.out.count("\n") == 1
        (line,) = parse_signature_lines(ran.out, where=code)
        assert line.name == f"{code.lower()}.example/log/witness"
        lines.append(ran.out)
    # Two are no quorum; typed lines may come one by one, with other line ends.
    carried.write_text("\n".join(lines[:2]).replace("\n", "\r\n"), newline="")
    told = done("log", "witness", "--add", carried, "--node", home).out
    assert told == "✓ gb.example/log/witness\n✓ jp.example/log/witness\n"
    refused(countermark("log", "prove", "1", "--node", home), 1, "by a quorum")
    carried.write_text(lines[2])
    value = done("log", "witness", "--add", carried, "--node", home, "--json").value
    assert value == {"witnesses": ["sg.example/log/witness"]}
    for index in ("0", "1"):
        file = tmp_path / f"statement-{index}.json"
        done("log", "prove", index, "--node", home, "--out", file)
        checked = done("verify", file, "--roster", home / "roster", "--json").value
        assert checked[0]["valid"], checked
    assert (
        done("log", "prove", "0", "--node", home).out.encode()
        == (tmp_path / "statement-0.json").read_bytes()
    )


def test_a_proof_alone_and_a_statement_by_its_digest(network: Network) -> None:
    settle(network.nodes, network.sources)
    (first, _) = book(network["GB"]).entries
    home = at(network, "GB")
    text = done("log", "prove", first.digest, "--node", home).out
    assert json.loads(text)["format"] == "countermark-statement"
    assert done("log", "prove", first.envelope, "--node", home).out == text
    assert done("log", "prove", "0", "--log", "KE", "--node", home).out == text
    assert done("log", "prove", "0", "--node", at(network, "KE")).out == text
    bare = done("log", "prove", "0", "--log", "KE", "--tlog-proof", "--node", home).out
    assert bare == json.loads(text)["proof"]
    assert parse_proof(bare.encode()).index == 0


@pytest.mark.parametrize("which", ["2", "00", "-1", "sha256:" + "0" * 64, "../../etc", "²"])
def test_a_statement_that_is_not_there(network: Network, which: str) -> None:
    ran = countermark("log", "prove", "--node", at(network, "KE"), "--", which)
    refused(ran, 1, "holds no statement", "countermark node status")


@pytest.mark.parametrize(
    "words",
    [
        ("prove",),
        ("prove", "0", "--for-witness"),
        ("prove", "0", "--since", "1"),
        ("prove", "--for-witness", "--tlog-proof"),
        ("prove", "--for-witness", "--since", "-1"),
        ("witness",),
        ("witness", "--file", "a", "--add", "b"),
    ],
    ids=" ".join,
)
def test_words_that_do_not_fit_are_exit_2(network: Network, words: tuple[str, ...]) -> None:
    ran = countermark("log", *words, "--node", at(network, "KE"))
    assert ran.code == 2
    assert ran.out == ""


def test_a_refusal_for_the_size_names_the_request_to_make(network: Network, tmp_path: Path) -> None:
    assert cosigned(network, "GB", request(network, tmp_path / "first")).code == 0
    network["KE"].say(plan("KE", 3))
    refused(
        cosigned(network, "GB", request(network, tmp_path / "second")),
        1, "409: the last size cosigned is 2", "--for-witness --since 2",
    )  # fmt: skip
    asked = request(network, tmp_path / "third", "--since", 2)
    assert parse_request(asked.read_bytes()).old_size == 2
    assert cosigned(network, "GB", asked).code == 0
    ran = countermark("log", "prove", "--for-witness", "--since", 9, "--node", at(network, "KE"))
    refused(ran, 1, "no witness can have cosigned 9")


def forged(signer: NoteSigner, old: int, size: int, mark: str = "fork") -> bytes:
    leaves = [leaf_hash(f"{mark} {n}".encode()) for n in range(size)]
    head = Checkpoint(signer.name, size, root_hash(leaves))
    proof = consistency_proof(leaves, old)
    return AddCheckpoint(old, proof, sign_checkpoint(head, signer)).to_bytes()


def test_requests_that_are_wrong(network: Network, tmp_path: Path) -> None:
    assert cosigned(network, "GB", request(network, tmp_path / "first")).code == 0
    log, strange = network["KE"].log_signer, generate_key()
    head = network.open("GB").state.head("witness", "ke.example/log")
    for body, code, said in (
        (b"", 1, "400: "),
        (b"\x89PNG", 1, "400: "),
        (b"old 0\n" * 100_000, 1, "400: "),
        (forged(NoteSigner("zz.example/log", strange), 0, 3), 1, "404: "),
        (forged(network["GB"].log_signer, 0, 3), 1, "404: "),
        (forged(NoteSigner("ke.example/log", strange), 2, 3), 5, "403: "),
        (forged(log, 2, 2), 5, "409: another root"),
        (forged(log, 2, 3), 5, "422: "),
    ):
        file = tmp_path / "bad"
        file.write_bytes(body)
        refused(cosigned(network, "GB", file), code, said)
    assert network.open("GB").state.head("witness", "ke.example/log") == head
    refused(cosigned(network, "GB", tmp_path / "gone"), 1, "cannot be read")


def test_who_is_no_witness_cosigns_nothing(network: Network, tmp_path: Path) -> None:
    asked = request(network, tmp_path / "request")
    refused(cosigned(network, "example-developer", asked), 1, "is no witness by the roster")


def test_lines_that_are_wrong_are_named_and_none_is_taken(network: Network, tmp_path: Path) -> None:
    asked, home = request(network, tmp_path / "request"), at(network, "KE")
    good = cosigned(network, "GB", asked).out
    own = network["KE"].witness_signer
    file = tmp_path / "lines"
    before = (home / "log" / "checkpoint").read_bytes()
    stranger = good.replace("gb.example", "zz.example")
    changed = good[:-10] + ("A" if good[-10] != "A" else "B") + good[-9:]
    note = parse_request(asked.read_bytes()).note
    for bad, code, said in (
        (stranger, 5, "a key that no witness of the roster has"),
        (changed, 5, "does not verify on this log's checkpoint of size 2"),
        (good.replace("gb.example", "jp.example"), 5, "a key that no witness of the roster has"),
        (cosign(note.text, own, network.clock()).text, 5, "this node's own witness"),
        (cosign(note.text, network["JP"].witness_signer, EXPIRES).text, 5, "is to come"),
        ("hello\n", 1, "is not a signature"),
    ):
        file.write_text(f"{good}\n{bad}")
        refused(countermark("log", "witness", "--add", file, "--node", home), code,
                f"{file}:3: ", said)  # fmt: skip
        assert (home / "log" / "checkpoint").read_bytes() == before
    file.write_text("\n")
    refused(countermark("log", "witness", "--add", file, "--node", home), 1, "holds no line")
    file.write_bytes(b"\xff")
    refused(countermark("log", "witness", "--add", file, "--node", home), 1, "is not UTF-8")


def test_a_line_for_an_older_checkpoint_says_so(network: Network, tmp_path: Path) -> None:
    file = tmp_path / "line"
    file.write_text(cosigned(network, "GB", request(network, tmp_path / "request")).out)
    network["KE"].say(plan("KE", 3))
    ran = countermark("log", "witness", "--add", file, "--node", at(network, "KE"))
    refused(ran, 5, "checkpoint of size 3", "If the log has grown since")


def test_serving_without_the_passphrase_is_pages_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = Node.create(tmp_path / "GB", config("GB"), "a good secret")
    node.accept_roster(roster_files([node, *_others(tmp_path)]))
    secret = tmp_path / "secret"
    secret.write_text("a good secret\n")
    served: list[bool] = []
    monkeypatch.setattr(
        "countermark.app.web.server.serve",
        lambda node, port, witness: served.append(witness is not None),
    )
    ran = done("node", "serve", "--node", tmp_path / "GB")
    assert "Pages only, no witness: " in ran.err
    assert "is encrypted and no passphrase was given" in ran.err
    ran = done("node", "serve", "--node", tmp_path / "GB", "--passphrase-file", secret)
    assert "Witness: http://127.0.0.1:8400/witness/add-checkpoint" in ran.err
    assert served == [False, True]
    secret.write_text("another secret\n")
    ran = countermark("node", "serve", "--node", tmp_path / "GB", "--passphrase-file", secret)
    assert ran.code == 1
    assert len(served) == 2


def _others(root: Path) -> list[Node]:
    return [Node.create(root / code, config(code), None) for code in ("JP", "SG", "FR", "KE")]


def test_a_pull_asks_the_witnesses_of_the_file_and_tells_who_did_not_answer(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = network["KE"]
    write_config(
        at(network, "KE"),
        node.config.model_copy(update={"witnesses": {"GB": "https://gb.example/witness"}}),
    )
    witness = LyingWitness(network["GB"])
    monkeypatch.setattr("countermark.app.cli.sync.witnesses", lambda _: {"GB": witness})
    assert done("sync", "pull", "--node", at(network, "KE")).out == (
        "GB: its witness has cosigned this log at 2\n"
    )
    value = done("sync", "pull", "--node", at(network, "KE"), "--json").value
    assert value == [{"witness": "GB", "cosigned": 2, "problem": None}]
    network["KE"].say(plan("KE", 3))
    witness.lie = garbage
    before = tree(at(network, "KE") / "log")
    ran = countermark("sync", "pull", "--node", at(network, "KE"))
    assert ran.code == 1
    assert "Warning: the witness of GB: " in ran.err
    assert tree(at(network, "KE") / "log") == before


def test_an_address_that_is_none_is_named(network: Network) -> None:
    write_config(
        at(network, "KE"),
        network["KE"].config.model_copy(update={"witnesses": {"GB": "http://gb.example"}}),
    )
    ran = countermark("sync", "pull", "--node", at(network, "KE"))
    refused(ran, 1, "witnesses.GB", "is not the address of a witness")
