# SPDX-License-Identifier: Apache-2.0
"""The public record over HTTP: the same pages and files as the folder, read only.

``/statements/``, ``/roster/`` and ``/blobs/`` stand beside the pages, as they do in the folder.
Only the local machine is listened to. Nothing is written and no cookie is set, but in two places: a
node served with its witness key answers ``POST /witness/add-checkpoint``, and under ``/annotate/``
people who were invited label answers (see ``annotate.py``).
"""

import errno
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from threading import Lock

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse, RedirectResponse

from countermark.app.record import published
from countermark.app.site import addresses
from countermark.app.site.page import JSON_TYPE, Page
from countermark.app.site.pages import MISSING, all_pages
from countermark.app.site.reference import Reference, load_reference
from countermark.app.web.annotate import ANNOTATE, POLICY, annotate_app
from countermark.app.web.witness import PREFIX, witness_app
from countermark.exercise.annotation.desk import Desk
from countermark.node.book import Book
from countermark.node.index import book as read_book
from countermark.node.node import Node
from countermark.node.ports import Witness
from countermark.records.errors import CountermarkError, StorageError

HOST = "127.0.0.1"
HTML_TYPE = "text/html; charset=utf-8"
TYPES = {".json": JSON_TYPE, ".txt": "text/plain; charset=utf-8"}
OTHER_TYPE = "application/octet-stream"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
VERIFY_PAGE = frozenset({f"/{addresses.VERIFY}", f"/{addresses.VERIFY}index.html"})
VERIFY_POLICY = f"script-src 'self'; {HEADERS['Content-Security-Policy']}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What stands at one address."""

    body: bytes
    media_type: str


Record = Mapping[str, Answer]
"""Everything that can be asked for, by its path without a leading slash."""


def pages_of(book: Book, reference: Reference) -> dict[str, Answer]:
    """Return all pages and files of the site by their paths."""
    return {
        found.path: Answer(found.html, HTML_TYPE)
        if isinstance(found, Page)
        else Answer(found.body, found.media_type)
        for found in all_pages(book, reference)
    }


def record_of(node: Node) -> Callable[[], Record]:
    """Return a function that gives a node's record as it stands, made anew when its logs grew."""
    reference = load_reference()
    lock = Lock()
    kept: list[tuple[Book, Record]] = []

    def current() -> Record:
        with lock:
            book = read_book(node)
            if not kept or kept[0][0].logs != book.logs:
                kept[:] = [(book, _whole(node, book, reference))]
            return kept[0][1]

    return current


def create_app(
    current: Callable[[], Record], witness: Witness | None = None, desk: Desk | None = None
) -> FastAPI:
    """Return the web application that answers from a record.

    Parameters
    ----------
    current
        Gives the record as it stands; called once for each request.
    witness
        What cosigns checkpoints; nothing where only the record is served.
    desk
        Where people label answers; nothing where the node has none.
    """
    app = FastAPI(title="Countermark", docs_url=None, redoc_url=None, openapi_url=None)

    @app.middleware("http")
    async def secure(
        request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        response = await call_next(request)
        response.headers.update(HEADERS)
        if request.url.path in VERIFY_PAGE:
            response.headers["Content-Security-Policy"] = VERIFY_POLICY
        if desk is not None and request.url.path.startswith(f"{ANNOTATE}/"):
            response.headers["Content-Security-Policy"] = POLICY
        return response

    @app.exception_handler(CountermarkError)
    async def not_ready(_request: Request, error: CountermarkError) -> Response:
        return PlainTextResponse(f"{error}\n{error.next_step}\n", status_code=503)

    if witness is not None:
        app.mount(PREFIX, witness_app(witness.add_checkpoint))

    if desk is not None:
        app.mount(ANNOTATE, annotate_app(desk))

    @app.api_route("/{path:path}", methods=["GET", "HEAD"])
    def answer(path: str) -> Response:
        record = current()
        place = f"{path}index.html" if path == "" or path.endswith("/") else path
        if place in record:
            return Response(record[place].body, media_type=record[place].media_type)
        if f"{place}/index.html" in record:
            return RedirectResponse(f"/{place}/", status_code=308)
        return Response(record[MISSING].body, status_code=404, media_type=HTML_TYPE)

    return app


def serve(node: Node, *, port: int, witness: Witness | None = None) -> None:
    """Serve a node's record, and its witness, at ``http://127.0.0.1:<port>`` until interrupted.

    Raises
    ------
    StorageError
        If the port cannot be listened to.
    """
    # A node that has said nothing has no state; serving its record makes none.
    desk = Desk(node) if (node.folder.root / "state.db").exists() else None
    with listener(port) as bound:
        config = uvicorn.Config(
            create_app(record_of(node), witness, desk), log_level="warning", server_header=False
        )
        uvicorn.Server(config).run(sockets=[bound])


def listener(port: int) -> socket.socket:
    """Return a socket that listens on this machine's loopback address.

    Raises
    ------
    StorageError
        If another program holds the port, or the system does not allow it.
    """
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((HOST, port))
        found.listen()
    except OSError as error:
        found.close()
        taken = error.errno == errno.EADDRINUSE
        raise StorageError(
            "is held by another program" if taken else f"cannot be used: {error.strerror}",
            where=f"port {port}",
            next_step=f"Take another: countermark node serve --port {_other(port)}. "
            f"On Linux, `ss -ltnp sport = :{port}` names the program that holds this one.",
        ) from error
    return found


def _other(port: int) -> int:
    return port + 1 if 1024 <= port < 65535 else 8400


def _whole(node: Node, book: Book, reference: Reference) -> Record:
    found = pages_of(book, reference)
    for path, data in published(node, book):
        found[path] = Answer(data, TYPES.get(PurePosixPath(path).suffix, OTHER_TYPE))
    return found
