# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from countermark.records.errors import InputError, StorageError, VerificationError
from countermark.transparency import tiles, tree
from countermark.transparency.tile_audit import audit
from countermark.transparency.tiles import (
    TileTree,
    encode_bundle,
    parse_bundle,
    plan_append,
    read_entries,
    root_of,
    tile_path,
    tile_paths,
)


def entries(start: int, end: int) -> list[bytes]:
    return [b"entry %d" % i for i in range(start, end)]


def leaves(size: int) -> list[bytes]:
    return [tree.leaf_hash(entry) for entry in entries(0, size)]


def grow(*sizes: int) -> dict[str, bytes]:
    """Files of a log that was published at each of these sizes."""
    files: dict[str, bytes] = {}
    size = 0
    for new in sizes:
        plan = plan_append(files.get, size, entries(size, new))
        assert plan.size == new
        assert not any(files.get(p, d) != d for p, d in plan.files.items()), "a file was changed"
        files.update(plan.files)
        size = new
    return files


@pytest.mark.parametrize(
    ("level", "index", "width", "path"),
    [
        (0, 0, 256, "tile/0/000"),
        (0, 1234067, 256, "tile/0/x001/x234/067"),
        (1, 67, 5, "tile/1/067.p/5"),
        (None, 1000, 255, "tile/entries/x001/000.p/255"),
        (63, 999, 1, "tile/63/999.p/1"),
    ],
)
def test_paths_are_those_of_the_specification(
    level: int | None, index: int, width: int, path: str
) -> None:
    assert tile_path(level, index, width) == path


def test_files_of_70000_leaves_are_those_the_specification_counts() -> None:
    paths = [path for path in tile_paths(70_000) if "entries" not in path]
    level_0 = [path for path in paths if path.startswith("tile/0/")]
    assert len(level_0) == 274
    assert level_0[-1] == "tile/0/273.p/112"
    assert paths[274:] == ["tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"]
    assert list(tile_paths(256)) == ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]
    assert list(tile_paths(0)) == []


@given(st.lists(st.binary(max_size=40), max_size=256))
def test_bundles_round_trip(items: list[bytes]) -> None:
    assert parse_bundle(encode_bundle(items), len(items)) == tuple(items)


def test_a_bundle_is_exactly_its_entries() -> None:
    data = encode_bundle([b"one", b"two"])
    for bad, width in ((data, 1), (data, 3), (data[:-1], 2), (data + b"\x00", 2), (b"\x00", 0)):
        with pytest.raises(VerificationError):
            parse_bundle(bad, width)
    with pytest.raises(InputError, match="65,536 bytes"):
        encode_bundle([b"x" * 65_536])
    assert parse_bundle(encode_bundle([b"x" * 65_535]), 1) == (b"x" * 65_535,)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 700), min_size=1, max_size=6).map(sorted))
def test_growing_in_steps_gives_the_tree_of_growing_at_once(sizes: list[int]) -> None:
    size = sizes[-1]
    files = grow(*sizes)
    assert set(tile_paths(size)) <= set(files)
    assert all(files[path] == data for path, data in grow(size).items())
    root = tree.root_hash(leaves(size))
    assert root_of(files.get, size) == root
    assert audit(files.get, size, root).ok


@pytest.mark.parametrize("size", [1, 255, 256, 257, 511, 600])
def test_proofs_from_tiles_are_those_from_leaves(size: int) -> None:
    files, hashes = grow(size), leaves(size)
    for index in range(0, size, 17):
        expected = tree.inclusion_proof(hashes, index)
        assert tiles.inclusion_proof(files.get, index, size) == expected
    for old in range(0, size + 1, 17):
        expected = tree.consistency_proof(hashes, old)
        assert tiles.consistency_proof(files.get, old, size) == expected


def test_proofs_in_a_log_of_three_levels() -> None:
    size = 70_000
    files = grow(31_337, size)
    root, old_root = root_of(files.get, size), root_of(files.get, 31_337)
    for index in (0, 1, 255, 256, 65_535, 65_536, 69_999):
        proof = tiles.inclusion_proof(files.get, index, size)
        leaf = tree.leaf_hash(b"entry %d" % index)
        assert tree.verify_inclusion(leaf, index, size, proof, root)
        assert not tree.verify_inclusion(leaf, index ^ 1, size, proof, root)
    proof = tiles.consistency_proof(files.get, 31_337, size)
    assert tree.verify_consistency(31_337, old_root, size, root, proof)


def test_old_sizes_stay_provable_when_partial_tiles_are_gone() -> None:
    files = {path: data for path, data in grow(100, 600).items() if not path.endswith(".p/100")}
    assert root_of(files.get, 100) == tree.root_hash(leaves(100))
    expected = tree.inclusion_proof(leaves(100), 42)
    assert tiles.inclusion_proof(files.get, 42, 100) == expected
    assert list(read_entries(files.get, 90, 100, 100)) == entries(90, 100)
    assert audit(files.get, 100, tree.root_hash(leaves(100))).ok


@pytest.mark.parametrize(("start", "end"), [(0, 0), (0, 600), (250, 260), (256, 512), (599, 600)])
def test_entries_of_a_range(start: int, end: int) -> None:
    assert list(read_entries(grow(600).get, start, end, 600)) == entries(start, end)


@pytest.mark.parametrize(("start", "end"), [(-1, 3), (3, 2), (0, 601)])
def test_entries_out_of_range(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="not in a log"):
        list(read_entries(grow(600).get, start, end, 600))


def test_missing_and_broken_tiles_are_named() -> None:
    files = grow(600)
    del files["tile/0/001"]
    with pytest.raises(StorageError, match="tile/0/001: is missing"):
        tiles.inclusion_proof(files.get, 300, 600)
    files["tile/0/001"] = b"short"
    with pytest.raises(VerificationError, match="tile/0/001: is 5 bytes"):
        tiles.inclusion_proof(files.get, 300, 600)


def test_rule_1_a_growing_log_changes_no_file() -> None:
    sizes = (1, 255, 256, 257, 511, 600, 66_000)
    assert set(tile_paths(66_000)) <= set(grow(*sizes))  # `grow` compares


def test_rule_3_an_append_does_not_build_on_a_changed_bundle() -> None:
    """The liar changes an entry of the partial bundle and leaves the hash tiles as they are."""
    files = grow(300)
    path = "tile/entries/001.p/44"
    files[path] = files[path].replace(b"entry 299", b"entry 298")
    with pytest.raises(VerificationError, match=r"tile/entries/001.p/44: has other entries"):
        plan_append(files.get, 300, [b"next"])
    assert plan_append(files.get, 300, []).files == {}


def test_a_tree_that_is_kept_reads_each_tile_once() -> None:
    files, read = grow(600), []

    def reader(path: str) -> bytes | None:
        read.append(path)
        return files.get(path)

    kept = TileTree(reader, 600)
    for index in range(600):
        assert kept.inclusion_proof(index) == tiles.inclusion_proof(files.get, index, 600)
    for old in range(601):
        assert kept.consistency_proof(old) == tiles.consistency_proof(files.get, old, 600)
    assert kept.root() == tree.root_hash(leaves(600))
    assert sorted(read) == ["tile/0/000", "tile/0/001", "tile/0/002.p/88", "tile/1/000.p/2"]
