# SPDX-License-Identifier: Apache-2.0
"""Fixtures of networks: each is settled once a session, and every test gets its own copy."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from nodes import HONEST, PROTOCOL, Network, make_network, plan
from sample_book import CODES

from countermark.network.sync import settle


@pytest.fixture(scope="session", autouse=True)
def no_waiting_for_the_disk() -> Iterator[None]:
    """Nothing here outlives the process; that files are flushed is tested by test_files.py."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture(scope="session")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Network:
    """Six nodes; all five institutes have said something, and all have witnessed it."""
    network = make_network(tmp_path_factory.mktemp("network") / "nodes")
    network["GB"].say(PROTOCOL)
    for code in CODES:
        network[code].say(plan(code), plan(code, 209))
    settle(network.nodes, network.sources)
    return network


@pytest.fixture
def network(settled: Network, tmp_path: Path) -> Network:
    """Copy of the settled network, which the test may change."""
    return settled.copied(tmp_path / "nodes")


@pytest.fixture(scope="session")
def settled_ahead(settled: Network, tmp_path_factory: pytest.TempPathFactory) -> Network:
    network = settled.copied(tmp_path_factory.mktemp("ahead") / "nodes")
    network["KE"].say(plan("KE", 210), plan("KE", 211))
    settle(network.some([*HONEST, "KE"]), network.sources)
    return network


@pytest.fixture
def ahead(settled_ahead: Network, tmp_path: Path) -> Network:
    """KE has said two things more, and all but GB have seen and witnessed them."""
    return settled_ahead.copied(tmp_path / "nodes")
