# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from countermark.node.blobs import Blobs, blob_path
from countermark.records.canonical import content_digest
from countermark.records.errors import InputError, VerificationError


def test_what_is_put_is_found_by_its_content(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    digest = blobs.put(b"data")
    assert digest == content_digest(b"data")
    assert blobs.holds(digest)
    assert blobs.get(digest) == b"data"
    assert (tmp_path / blob_path(digest)).read_bytes() == b"data"


def test_what_was_never_put_is_nothing(tmp_path: Path) -> None:
    assert Blobs(tmp_path).get(content_digest(b"data")) is None
    assert not Blobs(tmp_path).holds(content_digest(b"data"))


@pytest.mark.parametrize("changed", [b"", b"Data", b"data\n"])
def test_a_file_that_was_changed_is_refused(tmp_path: Path, changed: bytes) -> None:
    blobs = Blobs(tmp_path)
    digest = blobs.put(b"data")
    (tmp_path / blob_path(digest)).write_bytes(changed)
    with pytest.raises(VerificationError, match="is not what its name says") as caught:
        blobs.get(digest)
    assert "pull again" in caught.value.next_step


@pytest.mark.parametrize(
    "digest",
    [
        "", "sha256:", "sha256:" + "a" * 63, "sha256:" + "a" * 65, "sha256:" + "A" * 64,
        "sha512:" + "a" * 64, "a" * 64, "sha256:" + "a" * 64 + "\n", "sha256:" + "g" * 64,
        "sha256:../../keys/statement.pem", "sha256:" + "../" * 21 + "a", "\0" * 71,
        "sha256:" + "\u0661" * 64,
    ],
)  # fmt: skip
def test_a_digest_that_is_none_leads_nowhere(tmp_path: Path, digest: str) -> None:
    for use in (blob_path, Blobs(tmp_path).get, Blobs(tmp_path).holds):
        with pytest.raises(InputError, match="is no content address"):
            use(digest)
