# SPDX-License-Identifier: Apache-2.0
"""The roster's folder is the old one or the new one, wherever the machine stops."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread

import pytest
from nodes import EXPIRES, Network

from countermark.node import rosters
from countermark.node.node import Node
from countermark.node.rosters import accept, kept_roster
from countermark.records.errors import StateError
from countermark.signing.ceremony import draft_next, members_of, sign_draft
from countermark.signing.roster import POLICY_FILE, ROSTER_FILE, parse_content


class StoppedError(Exception):
    """The machine stops here."""


def newer(network: Network) -> dict[str, bytes]:
    kept = dict(network["GB"].roster_files())
    content = parse_content(kept[ROSTER_FILE])
    files = draft_next(
        kept,
        content,
        {POLICY_FILE: kept[POLICY_FILE]},
        members_of(kept),
        EXPIRES + timedelta(days=1),
    )
    return sign_draft(files, *(network[code].signer for code in ("GB", "JP", "SG")))


def test_each_stop_leaves_one_roster_whole(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = network["KE"].folder.roster
    old, fresh = dict(kept_roster(folder)), newer(network)
    real = Path.replace
    seen = set()
    for stop in range(20):
        steps = iter(range(100))

        def replace(self: Path, target: Path, stop: int = stop, steps: object = steps) -> Path:
            if next(steps) == stop:  # type: ignore[call-overload]
                raise StoppedError
            return real(self, target)

        monkeypatch.setattr(Path, "replace", replace)
        try:
            accept(folder, fresh, network.clock())
        except StoppedError:
            pass
        finally:
            monkeypatch.setattr(Path, "replace", real)
        found = dict(kept_roster(folder))
        assert found in (old, fresh), stop
        seen.add(found == fresh)
        assert Node.open(network["KE"].folder.root, clock=network.clock).roster.parties
    assert seen == {False, True}
    assert not list(folder.parent.glob("roster.*"))


def test_two_that_accept_at_once_never_bring_the_older_one_back(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = network["KE"].folder.roster
    second = newer(network)
    third = sign_draft(
        draft_next(
            second,
            parse_content(second[ROSTER_FILE]),
            {POLICY_FILE: second[POLICY_FILE]},
            members_of(second),
            EXPIRES + timedelta(days=2),
        ),
        *(network[code].signer for code in ("GB", "JP", "SG")),
    )
    threads: list[Thread] = []
    real = rosters.refuse_rewriting

    def slowly(older: Mapping[str, bytes], files: Mapping[str, bytes]) -> None:
        real(older, files)
        if files is second and not threads:
            # Between the check of the second and its being kept, somebody else accepts the third.
            threads.append(Thread(target=accept, args=(folder, third, network.clock())))
            threads[0].start()
            threads[0].join(0.5)

    monkeypatch.setattr(rosters, "refuse_rewriting", slowly)
    accept(folder, second, network.clock())
    threads[0].join()
    assert kept_roster(folder) == third


def test_a_reader_never_meets_half_of_each(network: Network) -> None:
    folder = network["KE"].folder.roster
    rosters_seen = (dict(kept_roster(folder)), newer(network))
    wrong: list[object] = []
    stop = Event()

    def read() -> None:
        while not stop.is_set():
            try:
                if dict(kept_roster(folder)) not in rosters_seen:
                    wrong.append("half of each")
            except Exception as error:  # noqa: BLE001  whatever it is, it is wrong
                wrong.append(error)

    reader = Thread(target=read)
    reader.start()
    for _ in range(30):
        accept(folder, rosters_seen[1], network.clock())
    stop.set()
    reader.join()
    assert not wrong


def test_what_is_no_part_of_a_roster_is_left_out(network: Network) -> None:
    folder = network["KE"].folder.roster
    accept(folder, {**newer(network), "notes.txt": b"x", "../x": b"y"}, network.clock())
    assert "notes.txt" not in kept_roster(folder)
    assert not (folder.parent / "x").exists()


def test_no_roster(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="has no roster"):
        kept_roster(tmp_path / "roster")
