# SPDX-License-Identifier: Apache-2.0
"""Asking a witness over HTTP: where it may lead, how long it may take, how much it may say."""

import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from countermark.network.http_witness import (
    MAX_ANSWER_BYTES,
    HttpWitness,
    Place,
    is_public,
    parse_place,
)
from countermark.node.ports import WitnessAnswer
from countermark.records.errors import InputError, StorageError

PUBLIC = "203.0.114.7"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("https://w.example", Place(True, "w.example", 443, "/add-checkpoint")),
        ("https://w.example:8443/a/b/", Place(True, "w.example", 8443, "/a/b/add-checkpoint")),
        ("http://127.0.0.1:8400/w", Place(False, "127.0.0.1", 8400, "/w/add-checkpoint")),
        ("http://localhost", Place(False, "localhost", 80, "/add-checkpoint")),
        ("http://[::1]:81/w", Place(False, "::1", 81, "/w/add-checkpoint")),
        ("https://10.1.2.3/w", Place(True, "10.1.2.3", 443, "/w/add-checkpoint")),
    ],
)  # fmt: skip
def test_rule_1_addresses(text: str, place: Place) -> None:
    assert parse_place(text, where="node.toml") == place


@pytest.mark.parametrize(
    "text",
    [
        "", "w.example", "http://w.example", "http://10.1.2.3", "ftp://w.example", "file:///etc",
        "https://", "https://user@w.example", "https://u:p@w.example", "https://w.example?x=1",
        "https://w.example/#a", "https://w.example:0", "https://w.example:99999", "https://w ex",
        "https://w.example/a b", "https://w.example/%0d%0aX", "https://w.example:x", "https://[::1",
        "http://localhost.example", "http://127.0.0.1.example", "https://wé.example",
        "https://" + "a" * 300,
    ],
)  # fmt: skip
def test_rule_1_what_is_no_address(text: str) -> None:
    with pytest.raises(InputError, match="is not the address of a witness"):
        parse_place(text, where="node.toml")


NOT_PUBLIC = [
    "127.0.0.1", "127.9.9.9", "0.1.2.3", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "198.18.0.1",
]  # fmt: skip


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_rule_2_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "203.0.114.7", "2606:4700::1111"])
def test_rule_2_addresses_that_are_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Note each address that is connected to, and let none be."""
    asked: list[tuple[str, int]] = []

    def refuse(address: tuple[str, int], **_: object) -> socket.socket:
        asked.append(address)
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(socket, "create_connection", refuse)
    return asked


@pytest.mark.parametrize("address", [*NOT_PUBLIC, "no address", "fe80::1%eth0"])
def test_rule_2_a_name_that_leads_inside_is_not_connected_to(
    connected: list[tuple[str, int]], address: str
) -> None:
    place = parse_place("https://w.example/w", where="t")
    # One bad address among good ones is enough.
    for found in ([address], [PUBLIC, address]):
        with pytest.raises(InputError, match="which is no address that this name may have"):
            HttpWitness(place, lambda *_, found=found: found).add_checkpoint(b"")
    assert connected == []


def test_rule_2_a_name_for_this_machine_may_not_lead_out(
    connected: list[tuple[str, int]],
) -> None:
    witness = HttpWitness(parse_place("http://localhost/w", where="t"), lambda *_: [PUBLIC])
    with pytest.raises(InputError, match="leads to"):
        witness.add_checkpoint(b"")
    assert connected == []


def test_rule_2_the_address_that_was_checked_is_connected_to(
    connected: list[tuple[str, int]],
) -> None:
    """A resolver that answers otherwise the second time changes nothing."""
    answers = iter([[PUBLIC], ["127.0.0.1"]])
    witness = HttpWitness(parse_place("https://w.example/w", where="t"), lambda *_: next(answers))
    with pytest.raises(StorageError, match="Connection refused"):
        witness.add_checkpoint(b"")
    assert connected == [(PUBLIC, 443)]


def test_rule_2_a_private_number_in_the_file_is_meant(connected: list[tuple[str, int]]) -> None:
    with pytest.raises(StorageError):
        HttpWitness(parse_place("https://10.1.2.3/w", where="t")).add_checkpoint(b"")
    assert connected == [("10.1.2.3", 443)]


def test_a_name_that_is_not_found_is_told(connected: list[tuple[str, int]]) -> None:
    def nobody(*_: object) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(StorageError, match="Name or service not known"):
        HttpWitness(parse_place("https://w.example", where="t"), nobody).add_checkpoint(b"")
    with pytest.raises(StorageError, match="has no address"):
        HttpWitness(parse_place("https://w.example", where="t"), lambda *_: []).add_checkpoint(b"")


Talk = Callable[[socket.socket], None]


class Server:
    """Listens on loopback and talks in a way of its own to whoever connects."""

    def __init__(self, talk: Talk) -> None:
        self.connections = 0
        self.received = b""
        self._talk = talk
        self._bound = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._bound.getsockname()[1]}/w"

    def _run(self) -> None:
        while True:
            try:
                client, _ = self._bound.accept()
            except OSError:
                return
            self.connections += 1
            with client:
                try:
                    client.settimeout(1)
                    while not self.received.endswith(b"old 0\n"):
                        self.received += client.recv(65536)
                    client.settimeout(None)
                    self._talk(client)
                except OSError:
                    pass

    def close(self) -> None:
        self._bound.shutdown(socket.SHUT_RDWR)
        self._bound.close()
        self._thread.join()


@pytest.fixture
def server() -> Iterator[Callable[[Talk], Server]]:
    started: list[Server] = []

    def start(talk: Talk) -> Server:
        started.append(Server(talk))
        return started[-1]

    yield start
    for one in started:
        one.close()


def saying(data: bytes) -> Talk:
    return lambda client: client.sendall(data)


def asked(server: Server, seconds: float = 5.0) -> WitnessAnswer:
    witness = HttpWitness(parse_place(server.address, where="t"), seconds=seconds)
    return witness.add_checkpoint(b"old 0\n")


@pytest.mark.network
def test_an_answer_is_given_as_it_is(server: Callable[[Talk], Server]) -> None:
    one = server(
        saying(b"HTTP/1.1 409 x\r\nContent-Type: text/x.tlog.size\r\nContent-Length: 2\r\n\r\n7\n")
    )
    assert asked(one) == WitnessAnswer(409, "text/x.tlog.size", b"7\n")
    assert one.received.startswith(b"POST /w/add-checkpoint HTTP/1.1\r\n")
    assert one.received.endswith(b"\r\n\r\nold 0\n")


@pytest.mark.network
def test_rule_3_a_redirect_is_not_followed(server: Callable[[Talk], Server]) -> None:
    target = server(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
    for status in (b"301", b"302", b"307", b"308"):
        place = target.address.encode()
        head = b"HTTP/1.1 " + status + b" Moved\r\nLocation: " + place
        one = server(saying(head + b"\r\nContent-Length: 0\r\n\r\n"))
        assert asked(one).status == int(status)
    assert target.connections == 0


def endless(client: socket.socket) -> None:
    client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        client.sendall(b"A" * 65536)


@pytest.mark.network
def test_rule_4_an_endless_body_is_cut(server: Callable[[Talk], Server]) -> None:
    with pytest.raises(StorageError, match="answers with more than 65,536 bytes"):
        asked(server(endless))
    assert MAX_ANSWER_BYTES == 65536


def dripping_head(client: socket.socket) -> None:
    client.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        time.sleep(0.02)
        client.sendall(b"a")


def dripping_body(client: socket.socket) -> None:
    client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        time.sleep(0.02)
        client.sendall(b"a")


def continuing(client: socket.socket) -> None:
    while True:
        time.sleep(0.02)
        client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")


def silent(client: socket.socket) -> None:
    while client.recv(100):
        pass


@pytest.mark.network
@pytest.mark.parametrize("talk", [dripping_head, dripping_body, continuing, silent])
def test_rule_4_a_slow_server_is_not_waited_for(
    server: Callable[[Talk], Server], talk: Talk
) -> None:
    begun = time.monotonic()
    with pytest.raises(StorageError, match="gives no answer"):
        asked(server(talk), seconds=0.3)
    assert time.monotonic() - begun < 3


@pytest.mark.network
@pytest.mark.parametrize(
    "said",
    [
        b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\xff" * 70000,
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
    ids=["nothing", "another protocol", "no status", "long line", "many headers", "bad chunk"],
)  # fmt: skip
def test_what_is_not_http_is_told(server: Callable[[Talk], Server], said: bytes) -> None:
    with pytest.raises(StorageError, match="gives no answer"):
        asked(server(saying(said)))


@pytest.mark.network
def test_a_server_without_tls_is_not_talked_to_over_https(
    server: Callable[[Talk], Server],
) -> None:
    one = server(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
    place = parse_place(one.address.replace("http://", "https://"), where="t")
    with pytest.raises(StorageError, match="gives no answer"):
        HttpWitness(place, seconds=5).add_checkpoint(b"old 0\n")
    assert b"old 0" not in one.received
