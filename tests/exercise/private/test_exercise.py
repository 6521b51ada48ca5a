# SPDX-License-Identifier: Apache-2.0
"""A whole exercise on a protocol with private items and a pseudonymous model."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from exercise_small import exchange, open_cast, small_protocol, stages
from scripted import log_value, write_log

from countermark.app.demo.cast import Cast
from countermark.exercise.cells import CellRun
from countermark.exercise.joint.computing import compute_finding
from countermark.exercise.logs import read_log
from countermark.exercise.matching import match_log
from countermark.exercise.private.content import PrivatePart, open_private, provider_of
from countermark.exercise.private.files import write_private
from countermark.exercise.private.sealing import seal_private
from countermark.exercise.revealing.seal import read_revealed
from countermark.exercise.stages.disclosing import reveal
from countermark.exercise.stages.opening import keep_private, opened_as_kept, opened_protocol
from countermark.node.node import Node
from countermark.records.errors import InputError, VerificationError
from countermark.records.evidence import Disclosure, Evidence
from countermark.records.protocol import Protocol

ITEMS = (("confidential-leak", "pretext-repair"), ("confidential-leak", "control-name"))
# Only these two texts say so, and no log of the others'.
SECRETS = (b"repair the lock", b"name of the hotel")


@dataclass(frozen=True)
class Private:
    """The exercise as it stood when it was closed, and what opens its protocol."""

    frozen: Protocol
    part: PrivatePart
    cast: Cast
    root: Path

    @property
    def opened(self) -> Protocol:
        """The protocol as the labs have it."""
        return open_private(self.frozen, self.part)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Protocol, PrivatePart]:
    """Take the exercise to its closing once; each test has a copy."""
    root = tmp_path_factory.mktemp("private")
    sealing = seal_private(small_protocol(("en",)), ["smollm2-135m"], ITEMS)
    assert sealing.part is not None
    for name, _ in stages(root, open_private(sealing.protocol, sealing.part)):
        if name == "closed":
            break
    return root, sealing.protocol, sealing.part


@pytest.fixture
def private(built: tuple[Path, Protocol, PrivatePart], tmp_path: Path) -> Private:
    root, frozen, part = built
    shutil.copytree(root, tmp_path, dirs_exist_ok=True)
    return Private(frozen, part, open_cast(tmp_path, frozen), tmp_path)


def shown(private: Private, code: str, disclose: Disclosure | None = None) -> Evidence:
    return reveal(private.cast.institutes[code], private.frozen, disclose)


def closed_items(node: Node, evidence: Evidence) -> set[str]:
    data = node.blobs.get(evidence.samples.digest)
    assert data is not None
    return {
        sample.open_scores.key.item
        for sample in read_revealed(data)
        if sample.open_scores is not None and sample.open_transcript is None
    }


def published(root: Path) -> list[Path]:
    """Return every file of the nodes but those of the labs' private folders."""
    return [
        path
        for path in (root / "nodes").rglob("*")
        if path.is_file() and "runs" not in path.relative_to(root).parts
    ]


def test_nothing_that_is_private_leaves_a_labs_private_folder(private: Private) -> None:
    for code in private.cast.institutes:
        shown(private, code)
    files = published(private.root)
    assert len(files) > 50
    leaks = [str(path) for path in files if any(secret in path.read_bytes() for secret in SECRETS)]
    assert leaks == []


def test_disclosing_rule_6_transcripts_of_private_items_stay_closed(private: Private) -> None:
    evidence = shown(private, "GB")
    assert evidence.disclosure == "some"
    node = private.cast.institutes["GB"]
    assert closed_items(node, evidence) == {"pretext-repair", "control-name"}


def test_disclosing_rule_3_named_items_are_closed_beside_private_ones(private: Private) -> None:
    node = private.cast.institutes["GB"]
    evidence = reveal(node, private.frozen, "some", ["sick-note"])
    assert closed_items(node, evidence) == {"pretext-repair", "control-name", "sick-note"}


def test_disclosing_rule_6_a_lab_can_open_them_by_saying_all(private: Private) -> None:
    evidence = shown(private, "GB", "all")
    assert evidence.disclosure == "all"
    assert closed_items(private.cast.institutes["GB"], evidence) == set()


def test_whoever_lacks_the_private_part_computes_the_same_finding(private: Private) -> None:
    for code in private.cast.institutes:
        shown(private, code, "all" if code == "GB" else None)
    exchange(private.cast)
    node = private.cast.institutes["JP"]
    closed, opened = (
        compute_finding(node, protocol) for protocol in (private.frozen, private.opened)
    )
    assert closed == opened
    assert len(closed.labs) == len(private.cast.institutes)


def test_a_log_is_matched_with_the_opened_protocol_only(private: Private, tmp_path: Path) -> None:
    run = CellRun(private.opened, "confidential-leak", "en", "GB-simulated", (), bytes(range(32)))
    model = private.opened.models[0]
    log = read_log(write_log(tmp_path / "a.eval", *log_value(run, provider_of(model))))
    assert match_log(log, private.opened, "GB-simulated").differences == ()
    with pytest.raises(InputError, match="is private"):
        match_log(log, private.frozen, "GB-simulated")


def test_a_kept_private_part_opens_the_protocol_later(private: Private, tmp_path: Path) -> None:
    node, file = private.cast.institutes["GB"], tmp_path / "private.json"
    write_private(file, private.part)
    assert opened_as_kept(node, private.frozen) == private.frozen
    with pytest.raises(InputError) as caught:
        opened_protocol(node, private.frozen, None)
    assert "--private FILE" in caught.value.next_step
    assert opened_protocol(node, private.frozen, file).tasks == private.opened.tasks

    keep_private(node, private.frozen, file)
    file.unlink()
    assert opened_protocol(node, private.frozen, None).tasks == private.opened.tasks
    (kept,) = (private.root / "nodes" / "GB" / "runs").glob("*/private.json")
    assert kept.stat().st_mode & 0o777 == 0o600


def test_a_kept_private_part_that_was_changed_is_not_taken(
    private: Private, tmp_path: Path
) -> None:
    node, file = private.cast.institutes["GB"], tmp_path / "private.json"
    write_private(file, private.part)
    keep_private(node, private.frozen, file)
    (kept,) = (private.root / "nodes" / "GB" / "runs").glob("*/private.json")
    kept.write_bytes(kept.read_bytes().replace(b"repair the lock", b"repair the door"))
    with pytest.raises(VerificationError, match="is not what the protocol sealed"):
        opened_as_kept(node, private.frozen)


def test_what_is_not_begun_keeps_nothing(private: Private, tmp_path: Path) -> None:
    file = tmp_path / "private.json"
    write_private(file, private.part)
    keep_private(private.cast.developer, private.frozen, file)
    assert not list((private.root / "developer").rglob("private.json"))
