# SPDX-License-Identifier: Apache-2.0
import pytest

from countermark.transparency.tile_audit import audit
from countermark.transparency.tiles import plan_append, root_of, tile_paths
from countermark.transparency.tree import EMPTY_ROOT


def log(size: int) -> dict[str, bytes]:
    """Files of a log of this many entries."""
    entries = [b"entry %d" % i for i in range(size)]
    return dict(plan_append(lambda _: None, 0, entries).files)


def test_rule_1_audit_names_a_missing_bundle() -> None:
    files = log(600)
    del files["tile/entries/001"]
    report = audit(files.get, 600, root_of(files.get, 600))
    assert not report.ok
    assert "tile/entries/001: is missing" in report.problems[0]


@pytest.mark.parametrize("path", [*tile_paths(600)])
def test_rules_1_and_2_audit_sees_every_changed_file(path: str) -> None:
    """The liar serves one file with one bit changed."""
    files = log(600)
    root = root_of(files.get, 600)
    for position in (0, len(files[path]) // 2, len(files[path]) - 1):
        changed = bytearray(files[path])
        changed[position] ^= 1
        assert not audit({**files, path: bytes(changed)}.get, 600, root).ok


def test_rule_2_audit_sees_a_missing_tile() -> None:
    files = log(600)
    root = root_of(files.get, 600)
    del files["tile/1/000.p/2"]
    report = audit(files.get, 600, root)
    assert report.problems == ("tile/1/000.p/2: is not what the entries give",)


def test_rule_3_audit_sees_another_root() -> None:
    report = audit(log(600).get, 600, b"\x00" * 32)
    assert report.problems == ("the root of the checkpoint is not what the entries give",)
    assert audit(log(0).get, 0, EMPTY_ROOT).ok


def test_audit_in_several_batches() -> None:
    size = 40_000
    files = log(size)
    assert audit(files.get, size, root_of(files.get, size)).ok
    assert not audit(files.get, size, b"\x00" * 32).ok
