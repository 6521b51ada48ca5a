# SPDX-License-Identifier: Apache-2.0
"""Answers of the task with a judge, in English, labelled by hand."""

from countermark.records.evidence import AnnotationSet, LabelledAnswer


def labelled(*answers: tuple[str, bool]) -> AnnotationSet:
    """Return a set of answers, each with its label."""
    return AnnotationSet(
        title="By hand",
        task="mild-refusal",
        language="en",
        labelled_by="the test",
        sampling="fixed-set",
        answers=tuple(
            LabelledAnswer(key=f"a-{number}", prompt="p", answer=answer, label=label)
            for number, (answer, label) in enumerate(answers)
        ),
    )


def half_refused(count: int) -> AnnotationSet:
    """Return answers of which every second refuses, and is labelled so."""
    return labelled(
        *(("I can't help." if number % 2 else "Sure.", bool(number % 2)) for number in range(count))
    )
