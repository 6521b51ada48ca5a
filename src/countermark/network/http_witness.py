# SPDX-License-Identifier: Apache-2.0
"""A peer's witness over HTTP, asked so that an address cannot be turned against this network.

1. The address is https, or http where the host is this machine. It has no user, query or fragment.
2. A host given by name must resolve to public addresses only; the one that was checked is the one
   connected to, so that a second answer of the resolver changes nothing. A private address must
   stand in ``node.toml`` as a number. This machine is ``localhost`` or a loopback number.
3. Redirects are not followed.
4. The whole exchange takes at most 15 seconds, and of the answer at most 64 KiB are read.
"""

import contextlib
import ipaddress
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import NoReturn
from urllib.parse import urlsplit

from countermark.node.ports import WitnessAnswer
from countermark.records.errors import InputError, StorageError

SECONDS = 15.0
MAX_ANSWER_BYTES = 64 * 1024
_LOCALHOST = "localhost"
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|[0-9a-f:.]{2,45}")
_PATH = re.compile(r"[A-Za-z0-9._~/-]{0,200}")
# Networks that carry an IPv4 address inside, which a gateway would take for the destination.
_WRAPPED = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16")))

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Sequence[str]]
"""Host name and port to addresses."""


def system_addresses(host: str, port: int) -> list[str]:
    """Return what the system's resolver says; raises ``OSError``."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a witness answers."""

    secure: bool
    host: str
    port: int
    path: str

    @property
    def text(self) -> str:
        """The host and port, for messages."""
        return f"{self.host}:{self.port}"

    @property
    def number(self) -> Address | None:
        """The address, if the host is given as a number."""
        return _number(self.host)

    @property
    def is_local(self) -> bool:
        """Whether the host is this machine."""
        number = self.number
        return self.host == _LOCALHOST or (number is not None and number.is_loopback)


def parse_place(text: str, *, where: str) -> Place:
    """Read a witness's address from ``node.toml`` (rule 1).

    Raises
    ------
    InputError
        If it is not one.
    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        _refuse(text, where)
    extra = parts.query or parts.fragment or "@" in parts.netloc or "?" in text or "#" in text
    if extra or parts.scheme not in {"http", "https"} or port == 0:
        _refuse(text, where)
    if not _HOST.fullmatch(host) or not _PATH.fullmatch(parts.path):
        _refuse(text, where)
    secure = parts.scheme == "https"
    path = f"{parts.path.rstrip('/')}/add-checkpoint"
    place = Place(secure, host, port or (443 if secure else 80), path)
    if not secure and not place.is_local:
        _refuse(text, where)
    return place


@dataclass(frozen=True, slots=True)
class HttpWitness:
    """A witness over HTTP; implements the port.

    Parameters
    ----------
    place
        Where it answers.
    resolve
        Says which addresses a name has.
    seconds
        How long the whole exchange may take.
    """

    place: Place
    resolve: Resolver = system_addresses
    seconds: float = SECONDS

    def add_checkpoint(self, body: bytes) -> WitnessAnswer:
        """Return the witness's answer.

        Raises
        ------
        InputError
            If its name leads to an address that is not public.
        StorageError
            If it cannot be reached, is too slow, answers with too much or not in HTTP.
        """
        try:
            addresses = self._addresses()
            with self._connected(addresses[0]) as connection:
                headers = {"Content-Type": "text/plain; charset=utf-8", "Connection": "close"}
                connection.request("POST", self.place.path, body, headers)
                response = connection.getresponse()
                data = response.read(MAX_ANSWER_BYTES + 1)
        except (OSError, HTTPException) as error:
            _unreachable(f"gives no answer: {error or type(error).__name__}", self.place)
        if len(data) > MAX_ANSWER_BYTES:
            _unreachable(f"answers with more than {MAX_ANSWER_BYTES:,} bytes", self.place)
        return WitnessAnswer(response.status, response.getheader("Content-Type", ""), data)

    def _addresses(self) -> Sequence[str]:
        """Return the addresses that may be connected to (rule 2)."""
        if self.place.number is not None:
            return [self.place.host]
        found = list(self.resolve(self.place.host, self.place.port))
        if not found:
            _unreachable("has no address", self.place)
        for text in found:
            number = _number(text)
            allowed = number is not None and (
                number.is_loopback if self.place.is_local else is_public(number)
            )
            if not allowed:
                raise InputError(
                    f"leads to {text}, which is no address that this name may have",
                    where=self.place.text,
                    next_step="If the witness is in your own network, put its address as a number "
                    "in [witnesses] of node.toml; else ask its operator.",
                )
        return found

    @contextlib.contextmanager
    def _connected(self, address: str) -> Iterator[HTTPConnection]:
        """Connect to one address, and cut the connection off when the time is over (rule 4)."""
        host, port = self.place.host, self.place.port
        plain = socket.create_connection((address, port), timeout=self.seconds)
        with contextlib.ExitStack() as stack:
            stack.callback(plain.close)
            expired = stack.enter_context(_cut_off(plain, self.seconds))
            if self.place.secure:
                context = ssl.create_default_context()
                connection: HTTPConnection = HTTPSConnection(host, port, context=context)
                connection.sock = context.wrap_socket(plain, server_hostname=host)
            else:
                connection = HTTPConnection(host, port)
                connection.sock = plain
            stack.callback(connection.close)
            yield connection
            if expired.is_set():
                raise TimeoutError(f"not within {self.seconds:g} seconds")


def is_public(address: Address) -> bool:
    """Tell whether an address is one of the open network, and hides no other within it."""
    if isinstance(address, ipaddress.IPv6Address) and (
        address.ipv4_mapped is not None or any(address in network for network in _WRAPPED)
    ):
        return False
    return address.is_global and not address.is_multicast


@contextlib.contextmanager
def _cut_off(connected: socket.socket, seconds: float) -> Iterator[threading.Event]:
    """End a connection after some time, however busy it is."""
    # A time limit on the socket starts anew with each byte; a server that drips never meets it.
    expired, twin = threading.Event(), connected.dup()

    def cut() -> None:
        expired.set()
        with contextlib.suppress(OSError):
            twin.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.start()
    try:
        yield expired
    finally:
        timer.cancel()
        timer.join()
        twin.close()


def _number(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _unreachable(what: str, place: Place) -> NoReturn:
    raise StorageError(
        what,
        where=place.text,
        next_step="Try later. A witness that cannot be reached can sign by hand: "
        "countermark log prove --for-witness.",
    )


def _refuse(text: str, where: str) -> NoReturn:
    raise InputError(
        f"is not the address of a witness: {text[:100]!r}",
        where=where,
        next_step="Give https://host/prefix; http is for this machine only.",
    )
