# SPDX-License-Identifier: Apache-2.0
"""The witness over HTTP: each status of C2SP tlog-witness by the real application."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import uvicorn
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from nodes import Network, make_network, plan

from countermark.app.web.server import Record, create_app, listener
from countermark.app.web.witness import MAX_BODY_BYTES, witness_app
from countermark.network.http_witness import HttpWitness, parse_place
from countermark.network.witnesses import submit
from countermark.node.node import Node
from countermark.node.ports import Witness, WitnessAnswer
from countermark.node.witnessing import NodeWitness, Pace, open_witness, own_request
from countermark.records.errors import StorageError
from countermark.signing.keys import generate_key
from countermark.transparency.checkpoint import Checkpoint, sign_checkpoint
from countermark.transparency.cosignature import verify_cosignature
from countermark.transparency.note import NoteSigner, parse_signature_lines
from countermark.transparency.tree import consistency_proof, leaf_hash, root_hash
from countermark.transparency.witness import AddCheckpoint

PATH = "/witness/add-checkpoint"
LEAVES = [leaf_hash(b"%d" % n) for n in range(20)]
OTHER = [leaf_hash(b"other %d" % n) for n in range(20)]
DOCUMENTED = {200, 400, 403, 404, 409, 422, 429}


def empty() -> Record:
    return {}


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return make_network(tmp_path_factory.mktemp("witness"))


@pytest.fixture
def nodes(network: Network, tmp_path: Path) -> Network:
    return network.copied(tmp_path / "nodes")


def witness_of(node: Node, pace: Pace | None = None) -> NodeWitness:
    return NodeWitness(node, open_witness(node), pace)


def post(
    witness: Witness | None,
    body: bytes | AsyncIterator[bytes],
    *,
    method: str = "POST",
    path: str = PATH,
) -> httpx.Response:
    async def answer() -> httpx.Response:
        transport = httpx.ASGITransport(create_app(empty, witness))
        async with httpx.AsyncClient(transport=transport, base_url="http://witness") as client:
            return await client.request(method, path, content=body)

    return asyncio.run(answer())


def request(
    signer: NoteSigner, old: int, new: int, leaves: list[bytes] = LEAVES, lines: int = 0
) -> bytes:
    note = sign_checkpoint(Checkpoint(signer.name, new, root_hash(leaves[:new])), signer)
    proof = consistency_proof(leaves[:new], old) if old <= new else ()
    return AddCheckpoint(old, (*proof, *[bytes(32)] * lines), note).to_bytes()


def test_200_is_the_cosignature(nodes: Network) -> None:
    signer = nodes["KE"].log_signer
    response = post(witness_of(nodes["GB"]), request(signer, 0, 3))
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    (line,) = parse_signature_lines(response.text, where="answer")
    text = Checkpoint(signer.name, 3, root_hash(LEAVES[:3])).text
    assert verify_cosignature(line, nodes["GB"].witness_signer.witness_key, text)
    assert response.headers["x-content-type-options"] == "nosniff"


def test_rule_1_400_for_what_does_not_parse(nodes: Network) -> None:
    witness, body = witness_of(nodes["GB"]), request(nodes["KE"].log_signer, 0, 3)
    for bad in (b"", b"\xff", body[:-1], body.replace(b"old 0", b"old 00"), b"old 0\n" * 9000):
        assert post(witness, bad).status_code == 400
    assert post(witness, request(nodes["KE"].log_signer, 0, 3, lines=64)).status_code == 400
    assert post(witness, body).status_code == 200


def test_rule_2_404_for_a_log_that_is_not_known_and_for_the_own(nodes: Network) -> None:
    stranger = NoteSigner("zz.example/log", generate_key())
    for signer in (stranger, nodes["GB"].log_signer):
        response = post(witness_of(nodes["GB"]), request(signer, 0, 3))
        assert response.status_code == 404
        assert "is not known here" in response.text


def test_rule_3_403_for_another_key(nodes: Network) -> None:
    forged = NoteSigner("ke.example/log", generate_key())
    assert post(witness_of(nodes["GB"]), request(forged, 0, 3)).status_code == 403


def test_rule_4_400_for_an_old_size_above_the_new(nodes: Network) -> None:
    assert post(witness_of(nodes["GB"]), request(nodes["KE"].log_signer, 4, 3)).status_code == 400


@pytest.mark.parametrize(("old", "leaves"), [(0, LEAVES), (2, LEAVES), (3, OTHER)])
def test_rules_5_and_6_409_with_the_size(nodes: Network, old: int, leaves: list[bytes]) -> None:
    witness, signer = witness_of(nodes["GB"]), nodes["KE"].log_signer
    assert post(witness, request(signer, 0, 3)).status_code == 200
    response = post(witness, request(signer, old, 3, leaves))
    assert (response.status_code, response.content) == (409, b"3\n")
    assert response.headers["content-type"] == "text/x.tlog.size"


def test_rule_7_422_for_a_proof_that_does_not_lead_there(nodes: Network) -> None:
    witness, signer = witness_of(nodes["GB"]), nodes["KE"].log_signer
    assert post(witness, request(signer, 0, 3)).status_code == 200
    assert post(witness, request(signer, 3, 9, OTHER)).status_code == 422
    assert post(witness, request(signer, 3, 9, lines=1)).status_code == 422
    assert post(witness, request(signer, 3, 9)).status_code == 200


def test_429_says_when_to_come_again(nodes: Network) -> None:
    node = Node(
        nodes["GB"].folder, nodes["GB"].config, clock=lambda: datetime(2026, 12, 23, tzinfo=UTC)
    )
    witness, signer = witness_of(node, Pace(per_minute=2)), nodes["KE"].log_signer
    answers = [post(witness, request(signer, n, n + 1)) for n in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].headers["retry-after"] == "60"


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_405_for_another_method(nodes: Network, method: str) -> None:
    response = post(witness_of(nodes["GB"]), b"", method=method)
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"


def test_without_a_witness_nothing_can_be_sent() -> None:
    assert post(None, b"old 0\n").status_code == 405


def test_other_pages_still_take_nothing(nodes: Network) -> None:
    assert post(witness_of(nodes["GB"]), b"", path="/").status_code == 405


def test_a_body_is_read_to_its_cap_and_no_further(nodes: Network) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 100 * MAX_BODY_BYTES:
            sent += 1024
            yield b"A" * 1024

    response = post(witness_of(nodes["GB"]), endless())
    assert response.status_code == 400
    assert "larger than 65536 bytes" in response.text
    assert sent <= MAX_BODY_BYTES + 2048
    assert response.headers["connection"] == "close"


def test_a_body_of_the_cap_is_read(nodes: Network) -> None:
    asked: list[int] = []

    class Noting:
        def add_checkpoint(self, body: bytes) -> WitnessAnswer:
            asked.append(len(body))
            return WitnessAnswer(400, "text/plain", b"")

    post(Noting(), bytes(MAX_BODY_BYTES))
    post(Noting(), bytes(MAX_BODY_BYTES + 1))
    assert asked == [MAX_BODY_BYTES]


def test_a_body_that_drips_is_not_waited_for() -> None:
    def never(_: bytes) -> WitnessAnswer:
        raise AssertionError

    async def dripping() -> AsyncIterator[bytes]:
        for _ in range(100):
            await asyncio.sleep(0.02)
            yield b"o"

    async def answer() -> httpx.Response:
        transport = httpx.ASGITransport(witness_app(never, seconds=0.2))
        async with httpx.AsyncClient(transport=transport, base_url="http://witness") as client:
            return await client.post("/add-checkpoint", content=dripping())

    assert asyncio.run(answer()).status_code == 408


def test_a_witness_that_cannot_answer_says_so_and_nothing_of_itself() -> None:
    class Broken:
        def add_checkpoint(self, body: bytes) -> WitnessAnswer:
            raise StorageError("is damaged", where="/srv/secret", next_step="Mend the secret disk.")

    response = post(Broken(), b"old 0\n")
    assert response.status_code == 503
    assert "secret" not in response.text


@pytest.fixture(scope="module")
def standing(network: Network, tmp_path_factory: pytest.TempPathFactory) -> tuple[Witness, bytes]:
    """A witness that has cosigned KE at 3, and a request that it would cosign at 9."""
    nodes = network.copied(tmp_path_factory.mktemp("standing") / "nodes")
    witness, signer = witness_of(nodes["GB"]), nodes["KE"].log_signer
    assert post(witness, request(signer, 0, 3)).status_code == 200
    return witness, request(signer, 3, 9)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
@example(b"old 0\n\n")
def test_any_bytes_get_a_documented_status(standing: tuple[Witness, bytes], body: bytes) -> None:
    assert post(standing[0], body).status_code in DOCUMENTED


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_request_with_changed_bytes_is_refused(
    standing: tuple[Witness, bytes], data: st.DataObject
) -> None:
    witness, good = standing
    body = bytearray(good)
    place = data.draw(st.integers(0, len(body) - 1))
    changed = data.draw(st.integers(1, 255))
    body[place] ^= changed
    status = post(witness, bytes(body)).status_code
    assert status in DOCUMENTED - {200, 429}


@pytest.fixture
def served(nodes: Network) -> Iterator[Callable[[str], str]]:
    """Serve nodes' witnesses over loopback; gives the address of one."""
    running: list[tuple[uvicorn.Server, threading.Thread]] = []

    def start(code: str) -> str:
        bound = listener(0)
        app = create_app(empty, witness_of(nodes[code], Pace()))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        running.append((server, thread))
        return f"http://127.0.0.1:{bound.getsockname()[1]}/witness"

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join()


@pytest.mark.network
def test_a_log_gets_its_quorum_over_http(nodes: Network, served: Callable[[str], str]) -> None:
    node = nodes["KE"]
    node.say(plan("KE", 1))
    codes = ["GB", "JP", "SG"]
    witnesses = {code: HttpWitness(parse_place(served(code), where="t")) for code in codes}
    assert [(one.size, one.problem) for one in submit(node, witnesses)] == [(1, None)] * 3
    assert node.log.proof(0) is not None
    node.say(plan("KE", 2))
    witnesses["GB"].add_checkpoint(own_request(node, 1).to_bytes())  # another copy was quicker
    assert [(one.size, one.problem) for one in submit(node, witnesses)] == [(2, None)] * 3
    assert node.log.proof(1) is not None
