# SPDX-License-Identifier: Apache-2.0
"""A witness that a log asks, with one thing bent. It has its own key, and no others."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

from countermark.node.node import Node
from countermark.node.ports import WitnessAnswer
from countermark.node.witnessing import add_checkpoint, open_witness
from countermark.signing.encoding import to_base64
from countermark.transparency.checkpoint import parse_checkpoint
from countermark.transparency.cosignature import cosign
from countermark.transparency.note import parse_signature_lines
from countermark.transparency.witness import SIZE_TYPE, TEXT_TYPE, parse_request


@dataclass
class LyingWitness:
    """A rostered witness; honest until it is given a lie, of which it keeps what it was asked."""

    node: Node
    lie: "Callable[[LyingWitness, bytes], WitnessAnswer] | None" = None
    asked: list[bytes] = field(default_factory=list)

    def add_checkpoint(self, body: bytes) -> WitnessAnswer:
        """Answer as it likes."""
        self.asked.append(body)
        return self.honest(body) if self.lie is None else self.lie(self, body)

    def honest(self, body: bytes) -> WitnessAnswer:
        """Answer by the rules."""
        verdict = add_checkpoint(self.node, open_witness(self.node), body)
        return WitnessAnswer(verdict.status, verdict.content_type, verdict.body)

    def signed(self, text: str, ahead: timedelta = timedelta(0)) -> WitnessAnswer:
        """Cosign any text at any time."""
        line = cosign(text, self.node.witness_signer, self.node.clock() + ahead)
        return WitnessAnswer(200, TEXT_TYPE, line.text.encode())

    @property
    def olds(self) -> list[int]:
        """The old sizes that it was asked from."""
        return [parse_request(body).old_size for body in self.asked]


def by_another(other: Node) -> "Callable[[LyingWitness, bytes], WitnessAnswer]":
    """Answer with a good line of somebody else."""
    return lambda _, body: LyingWitness(other).honest(body)


def on_another_checkpoint(liar: LyingWitness, body: bytes) -> WitnessAnswer:
    """Cosign something else than it was asked."""
    seen = parse_checkpoint(parse_request(body).note.text)
    return liar.signed(replace(seen, size=seen.size + 1).text)


def in_the_future(liar: LyingWitness, body: bytes) -> WitnessAnswer:
    """Cosign an hour ahead."""
    return liar.signed(parse_request(body).note.text, timedelta(hours=1))


def time_changed(liar: LyingWitness, body: bytes) -> WitnessAnswer:
    """Sign, then write an earlier time in."""
    (line,) = parse_signature_lines(
        liar.signed(parse_request(body).note.text).body.decode(), where="line"
    )
    forged = replace(line, signature=(1).to_bytes(8, "big") + line.signature[8:])
    return WitnessAnswer(200, TEXT_TYPE, forged.text.encode())


def no_line(_: LyingWitness, body: bytes) -> WitnessAnswer:
    """Say yes and nothing more."""
    return WitnessAnswer(200, TEXT_TYPE, b"")


def garbage(_: LyingWitness, body: bytes) -> WitnessAnswer:
    """Say what is no signature."""
    return WitnessAnswer(200, TEXT_TYPE, bytes(range(256)))


def huge(_: LyingWitness, body: bytes) -> WitnessAnswer:
    """Say far too much."""
    line = "\u2014 zz.example/witness " + to_base64(bytes(76)) + "\n"
    return WitnessAnswer(200, TEXT_TYPE, line.encode() * 40)


def rising_sizes(liar: LyingWitness, body: bytes) -> WitnessAnswer:
    """Say each time that it has cosigned one more."""
    return WitnessAnswer(409, SIZE_TYPE, b"%d\n" % len(liar.asked))


def size_that_is_none(_: LyingWitness, body: bytes) -> WitnessAnswer:
    """Answer 409 with something else than a size."""
    return WitnessAnswer(409, SIZE_TYPE, b"-1\n")


def beyond_the_log(_: LyingWitness, body: bytes) -> WitnessAnswer:
    """Claim to have cosigned more than there is."""
    return WitnessAnswer(409, SIZE_TYPE, b"1000000\n")
