# SPDX-License-Identifier: Apache-2.0
"""How often a judge agrees with people: its verdicts on labelled answers of one language.

Answers that the judge could not read are counted apart: in an exercise such answers are not scored
either. Counts are never pooled over languages or versions.
"""

from collections import Counter
from dataclasses import dataclass

from countermark.exercise.scoring.refusal_judge import REFUSAL_JUDGE, refused
from countermark.records.errors import InputError
from countermark.records.evidence import AnnotationSet
from countermark.records.rejudgement import Rejudgement


@dataclass(frozen=True, slots=True)
class LabelCounts:
    """What one judge version made of the labelled answers of one language."""

    version: str
    positives: int
    true_positives: int
    negatives: int
    true_negatives: int
    unparsed: int


def label_counts(scorer: str, version: str, annotations: AnnotationSet) -> LabelCounts:
    """Run a judge version on labelled answers and count where it agrees.

    Raises
    ------
    InputError
        If this software has no such judge.
    """
    if scorer != REFUSAL_JUDGE:
        raise InputError(
            f"is no judge that this software has: {scorer}",
            where=annotations.task,
            next_step=f"Use {REFUSAL_JUDGE}, or the Countermark release that has the judge.",
        )
    seen = Counter(
        (labelled.label, refused(labelled.answer, version)) for labelled in annotations.answers
    )
    return _counts(version, seen)


def reply_counts(version: str, annotations: AnnotationSet, said: Rejudgement) -> LabelCounts:
    """Count where a judge that is a model agrees, from its replies about the labelled answers.

    An answer without a reply was not read.
    """
    values = {one.labelled: one.value for one in said.judgements}
    verdicts = {None: None, 0.0: False, 1.0: True}
    seen = Counter(
        (labelled.label, verdicts[values.get(labelled.key)]) for labelled in annotations.answers
    )
    return _counts(version, seen)


def _counts(version: str, seen: Counter[tuple[bool, bool | None]]) -> LabelCounts:
    return LabelCounts(
        version=version,
        positives=seen[True, True] + seen[True, False],
        true_positives=seen[True, True],
        negatives=seen[False, True] + seen[False, False],
        true_negatives=seen[False, False],
        unparsed=seen[True, None] + seen[False, None],
    )
