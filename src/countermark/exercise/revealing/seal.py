# SPDX-License-Identifier: Apache-2.0
"""What a lab seals, and the file that opens its seal wholly, in part or not at all.

The revealed file has one canonical JSON line a sample, in the sealed order, whatever is disclosed.
Scores and transcript are each open (value and salt) or closed (the leaf's hash), so the sealed root
can be computed from every such file, and the number of samples is always seen.

============  =================  =================  ==================================
disclosure    scores             transcripts        tree key
============  =================  =================  ==================================
``all``       open               open               published
``some``      open or closed, but not all open and  not published: it opens all
              not all closed
``counts``    closed             closed             not published
============  =================  =================  ==================================
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence

from countermark.exercise.samples import LabSample
from countermark.records.base import Part
from countermark.records.canonical import JsonValue, canonical
from countermark.records.evidence import Disclosure, Opened
from countermark.records.sample import (
    ClosedLeaf,
    DisclosedSample,
    OpenScores,
    OpenTranscript,
    RevealedSample,
    SampleKey,
)
from countermark.transparency.commitment import commitment_root, salt_of
from countermark.transparency.disclosure import sample_leaves, sample_node
from countermark.transparency.tree import inclusion_proof


def secret_commitment(seed: bytes) -> str:
    """Return what a run plan says of a secret seed, in hex."""
    return hashlib.sha256(seed).hexdigest()


def opened_samples(samples: Iterable[LabSample], tree_key: bytes) -> tuple[RevealedSample, ...]:
    """Return all samples with the salts of their leaves, everything open."""
    return tuple(
        RevealedSample(
            scores=OpenScores(value=sample.scores, salt=salt_of(tree_key, 2 * index).hex()),
            transcript=OpenTranscript(
                value=sample.transcript, salt=salt_of(tree_key, 2 * index + 1).hex()
            ),
        )
        for index, sample in enumerate(samples)
    )


def sealed_root(samples: Sequence[RevealedSample]) -> str:
    """Return the root that a lab seals, in hex: two salted leaves a sample, open or closed."""
    return commitment_root([leaf for sample in samples for leaf in sample_leaves(sample)]).hex()


def close(
    samples: Iterable[RevealedSample],
    *,
    scores: Callable[[SampleKey], bool],
    transcript: Callable[[SampleKey], bool],
) -> tuple[RevealedSample, ...]:
    """Close parts of open samples.

    Parameters
    ----------
    samples
        Samples with everything open.
    scores, transcript
        Tell of a sample whether that part is to be closed.
    """
    return tuple(
        _closed(
            sample,
            scores=scores(sample.scores.value.key),
            transcript=transcript(sample.scores.value.key),
        )
        for sample in samples
        if isinstance(sample.scores, OpenScores)
    )


def opened(samples: Sequence[RevealedSample]) -> Opened:
    """Count what is open."""
    return Opened(
        samples=len(samples),
        scores=sum(sample.open_scores is not None for sample in samples),
        transcripts=sum(sample.open_transcript is not None for sample in samples),
    )


def disclosure(shown: Opened) -> Disclosure:
    """Return the name of what is disclosed when so much is open."""
    if shown.scores == shown.transcripts == shown.samples:
        return "all"
    return "some" if shown.scores or shown.transcripts else "counts"


def revealed_file(samples: Iterable[RevealedSample]) -> bytes:
    """Return the revealed file: one canonical JSON line a sample."""
    return b"".join(canonical(value_of(sample)) + b"\n" for sample in samples)


def read_revealed(data: bytes) -> tuple[RevealedSample, ...]:
    """Read a revealed file, unchecked.

    Raises
    ------
    pydantic.ValidationError
        If a line is no sample.
    """
    return tuple(RevealedSample.model_validate_json(line) for line in lines_of(data))


def lines_of(data: bytes) -> list[bytes]:
    """Return the lines of a revealed file."""
    return data.removesuffix(b"\n").split(b"\n")


def disclose(
    samples: Sequence[RevealedSample], seal: str, index: int, *, scores_only: bool = False
) -> DisclosedSample:
    """Return one sample of a revealed file to be shown alone, with its path to the sealed root."""
    nodes = [sample_node(sample) for sample in samples]
    return DisclosedSample(
        format="countermark-sample",
        version=1,
        seal=seal,
        samples=len(samples),
        index=index,
        path=tuple(value.hex() for value in inclusion_proof(nodes, index)),
        sample=_closed(samples[index], scores=False, transcript=scores_only),
    )


def value_of(part: Part) -> JsonValue:
    """Return a part as JSON, absent fields left out."""
    value: JsonValue = part.model_dump(mode="json", exclude_none=True)
    return value


def _closed(sample: RevealedSample, *, scores: bool, transcript: bool) -> RevealedSample:
    first, second = (ClosedLeaf(leaf=leaf.hex()) for leaf in sample_leaves(sample))
    return RevealedSample(
        scores=first if scores else sample.scores,
        transcript=second if transcript else sample.transcript,
    )
