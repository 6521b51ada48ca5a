# SPDX-License-Identifier: Apache-2.0
import asyncio
import socket
from collections.abc import Callable
from functools import cache
from pathlib import Path

import httpx
import pytest
from sample_book import sample_book

from countermark.app.demo.cast import assemble
from countermark.app.site.page import Page
from countermark.app.site.pages import all_pages
from countermark.app.site.reference import load_reference
from countermark.app.web.server import (
    HOST,
    Record,
    create_app,
    listener,
    pages_of,
    record_of,
)
from countermark.exercise.demonstration import demonstration
from countermark.network.sync import settle
from countermark.node.index import book as read_book
from countermark.node.index import statement_file
from countermark.records.errors import StateError, StorageError
from countermark.records.protocol import Protocol


@cache
def record() -> Record:
    return pages_of(sample_book(), load_reference())


def ask(path: str, method: str = "GET", current: Callable[[], Record] = record) -> httpx.Response:
    (response,) = ask_all([path], method, current)
    return response


def ask_all(
    paths: list[str], method: str = "GET", current: Callable[[], Record] = record
) -> list[httpx.Response]:
    async def answers() -> list[httpx.Response]:
        transport = httpx.ASGITransport(create_app(current))
        async with httpx.AsyncClient(transport=transport, base_url="http://record") as client:
            return [await client.request(method, path) for path in paths]

    return asyncio.run(answers())


def test_the_server_gives_the_same_bytes_as_the_folder() -> None:
    whole = list(all_pages(sample_book(), load_reference()))
    responses = ask_all([f"/{found.path}" for found in whole])
    for found, response in zip(whole, responses, strict=True):
        assert response.status_code == 200
        assert response.content == (found.html if isinstance(found, Page) else found.body)


def test_folders_may_be_asked_for_without_a_file_name() -> None:
    assert ask("/").content == record()["index.html"].body
    assert ask("/findings/").content == record()["findings/index.html"].body
    moved = ask("/findings")
    assert (moved.status_code, moved.headers["location"]) == (308, "/findings/")


def test_twins_say_what_they_are() -> None:
    assert ask("/findings/findings.json").headers["content-type"] == "application/json"
    assert ask("/findings/findings.csv").headers["content-type"].startswith("text/csv")
    assert ask("/findings/findings.json").json()["rows"]


@pytest.mark.parametrize("path", ["/", "/style.css", "/no/such/page", "/findings"])
def test_every_answer_carries_the_headers_that_protect_it(path: str) -> None:
    headers = ask(path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in headers


def test_scripts_are_allowed_on_the_page_that_checks_files_and_nowhere_else() -> None:
    paths = [f"/{path}" for path in record()] + ["/verify/", "/verify", "/verify/no", "/no"]
    allowed = {
        path
        for path, answer in zip(paths, ask_all(paths), strict=True)
        if "script-src 'self'" in answer.headers["content-security-policy"]
    }
    assert allowed == {"/verify/", "/verify/index.html"}
    policy = ask("/verify/").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert ask("/verify.js").headers["content-type"].startswith("text/javascript")


@pytest.mark.parametrize(
    "path", ["/no/such/page", "/../../etc/passwd", "/%2e%2e/secret", "/findings/x/", "/docs"]
)
def test_what_is_not_there_says_so(path: str) -> None:
    response = ask(path)
    assert response.status_code == 404
    assert "There is no such page" in response.text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_written(method: str) -> None:
    assert ask("/", method).status_code == 405


def test_a_node_that_cannot_be_read_says_what_to_do() -> None:
    def broken() -> Record:
        raise StateError("has no index", where="node", next_step="Run: countermark node reindex.")

    response = ask("/", current=broken)
    assert response.status_code == 503
    assert "countermark node reindex" in response.text


@pytest.mark.network
def test_a_port_in_use_names_the_command_that_takes_another() -> None:
    with socket.socket() as holder:
        holder.bind((HOST, 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(StorageError, match="held by another program") as caught:
            listener(port)
    assert "countermark node serve --port" in caught.value.next_step
    assert str(port) in str(caught.value)


@pytest.mark.network
def test_only_this_machine_is_listened_to() -> None:
    with listener(0) as bound:
        assert bound.getsockname()[0] == "127.0.0.1"


def test_a_nodes_record_grows_with_its_logs(tmp_path: Path) -> None:
    protocol, annotations = demonstration()
    cast = assemble(tmp_path, protocol)
    node = cast.institutes[protocol.coordinator]
    current = record_of(node)
    assert "no exercise yet" in current()["exercises/index.html"].body.decode()
    node.say(*annotations, protocol)
    settle(cast.nodes, cast.sources)
    grown = current()
    assert protocol.title in grown["exercises/index.html"].body.decode()
    assert current() is grown
    published = [path for path in grown if path.startswith("statements/protocol-")]
    (entry,) = [entry for entry, _ in read_book(node).of_kind(Protocol)]
    assert published == [f"statements/{entry.file}"]
    assert grown[published[0]].body == statement_file(node, entry)
    assert grown["roster/roster.json"].body == node.roster_files()["roster.json"]
