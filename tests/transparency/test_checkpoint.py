# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from countermark.records.errors import InputError, VerificationError
from countermark.signing.encoding import to_base64
from countermark.signing.vkey import parse_vkey
from countermark.transparency.checkpoint import (
    Checkpoint,
    open_checkpoint,
    parse_checkpoint,
    sign_checkpoint,
)
from countermark.transparency.note import NoteSigner
from countermark.transparency.tree import EMPTY_ROOT
from tests.transparency.conftest import PUBLIC_CHECKPOINT, PUBLIC_LOG, PUBLIC_ORIGIN, private

ROOT = to_base64(b"r" * 32)
SIGNER = NoteSigner("example.com/log", private("checkpoint"))


def test_a_public_checkpoint_opens() -> None:
    checkpoint = open_checkpoint(PUBLIC_CHECKPOINT.encode(), parse_vkey(PUBLIC_LOG, where="log"))
    assert (checkpoint.origin, checkpoint.size) == (PUBLIC_ORIGIN, 1432088532)
    assert checkpoint.text == PUBLIC_CHECKPOINT.split("\n\n")[0] + "\n"


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (1, f"\n5\n{ROOT}\n"),
        (1, f"a b\n5\n{ROOT}\n"),
        (1, f"a+b\n5\n{ROOT}\n"),
        (2, f"log\n05\n{ROOT}\n"),
        (2, f"log\n-5\n{ROOT}\n"),
        (2, f"log\n{2**63}\n{ROOT}\n"),
        (2, f"log\n0\n{ROOT}\n"),
        (3, f"log\n5\n{to_base64(b'r' * 31)}\n"),
        (3, f"log\n5\n{ROOT[:-2]}t=\n"),
        (3, "log\n5\n\n"),
        (4, f"log\n5\n{ROOT}\nextension\n"),
        (4, f"log\n5\n{ROOT}"),
        (4, f"log\n5\n{ROOT}\n\n"),
    ],
)
def test_rules_1_to_4_malformed_checkpoints(rule: int, text: str) -> None:
    with pytest.raises(InputError):
        parse_checkpoint(text, where=f"rule {rule}")


def test_rule_1_the_key_has_the_name_of_the_origin() -> None:
    with pytest.raises(InputError, match="origin other"):
        sign_checkpoint(Checkpoint("other", 1, b"r" * 32), SIGNER)
    note = sign_checkpoint(Checkpoint("example.com/log", 1, b"r" * 32), SIGNER)
    stranger = NoteSigner("stranger", SIGNER.private).log_key
    with pytest.raises(VerificationError, match="not signed by the log stranger"):
        open_checkpoint(note.to_bytes(), stranger)


def test_a_forged_checkpoint_does_not_open() -> None:
    note = sign_checkpoint(Checkpoint("example.com/log", 41, b"r" * 32), SIGNER)
    assert open_checkpoint(note.to_bytes(), SIGNER.log_key).size == 41
    forged = note.to_bytes().replace(b"\n41\n", b"\n42\n")
    with pytest.raises(VerificationError, match="not signed"):
        open_checkpoint(forged, SIGNER.log_key)


@given(st.integers(1, 2**63 - 1), st.binary(min_size=32, max_size=32))
def test_checkpoints_round_trip(size: int, root: bytes) -> None:
    checkpoint = Checkpoint("example.com/log", size, root)
    assert parse_checkpoint(checkpoint.text) == checkpoint


def test_the_empty_log_has_a_checkpoint() -> None:
    assert parse_checkpoint(Checkpoint("log", 0, EMPTY_ROOT).text).size == 0
