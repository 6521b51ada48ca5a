# SPDX-License-Identifier: Apache-2.0
"""How often a judge is asked about one answer, and under which seed. Nobody chooses either.

1. Each answer is judged once. Where the protocol's judge has ``repeats``, the answers of a random
   subsample are judged so many times in all.
2. The subsample is drawn by a hash of the protocol's digest, scorer, version and sample. It is the
   same at every lab, and was fixed before there was an answer.
3. Each answer is drawn by itself, with the chance ``repeated_share``.
4. The seed of a judge's generation comes of the same, with the judging lab and the number of the
   judgement: two judgements of one answer differ by chance as two runs do.
"""

import hashlib

from countermark.records.canonical import JsonValue, canonical
from countermark.records.protocol_parts import ModelJudge

_WHOLE = 1 << 64


def judgements_asked(
    judge: ModelJudge, protocol: str, scorer: str, version: str, sample: str
) -> tuple[int | None, ...]:
    """Return the numbers of the judgements of one answer; the first has none.

    Parameters
    ----------
    judge
        The judge as the protocol pins it.
    protocol
        The protocol's digest.
    scorer, version
        Which scorer the judge is.
    sample
        The sample's key as text.
    """
    if judge.repeats is None or judge.repeated_share is None:
        return (None,)
    drawn = _drawn(["judge-again", protocol, scorer, version, sample])
    if drawn >= judge.repeated_share * _WHOLE:
        return (None,)
    return (None, *range(2, judge.repeats + 1))


def judge_seed(
    protocol: str, scorer: str, version: str, sample: str, lab: str, repeat: int | None
) -> int:
    """Return the seed of one judgement at one lab, at least 0 and below 2³¹ (rule 4)."""
    return _drawn(["judge-seed", protocol, scorer, version, sample, lab, repeat or 1]) >> 33


def _drawn(what: list[JsonValue]) -> int:
    return int.from_bytes(hashlib.sha256(canonical(what)).digest()[:8], "big")
