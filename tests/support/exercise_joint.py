# SPDX-License-Identifier: Apache-2.0
"""Checked evidence with chosen scores, as :func:`joint_finding` takes it."""

from collections.abc import Callable, Mapping
from typing import Literal

from exercise_lab import TREE_KEY, Lab
from exercise_small import annotations

from countermark.exercise.cells import full_settings, planned_keys
from countermark.exercise.joint.finding import joint_finding
from countermark.exercise.revealing.checking import Revealed
from countermark.exercise.revealing.seal import opened_samples
from countermark.exercise.samples import LabSample
from countermark.exercise.scoring import scorer_of, scorer_version
from countermark.records.evidence import AnnotationSet, CellConfiguration, Deviation
from countermark.records.finding import Finding
from countermark.records.protocol import FactorSetting, Protocol
from countermark.records.sample import SampleKey, SampleScores, Score, Transcript

Outcome = Literal["answered", "refused", "errored", "missing"]
Scored = float | Outcome | None
"""A value; nothing for an answer that was not parsed; or why there was no answer."""
Values = Callable[[SampleKey], Scored]
PASS: Scored = 1.0


def revealed(
    protocol: Protocol,
    lab: str,
    values: Values,
    settings: Mapping[str, str] | None = None,
    deviations: tuple[Deviation, ...] = (),
    configurations: tuple[CellConfiguration, ...] | None = None,
) -> Revealed:
    """Return one lab's checked evidence.

    Parameters
    ----------
    protocol, lab
        What was run, and by whom.
    values
        What came of each sample of a test item or a control.
    settings
        Declared factors.
    deviations, configurations
        What the lab declared, and what it told of how it ran.
    """
    chosen = full_settings(
        protocol,
        tuple(FactorSetting(factor=f, value=v) for f, v in (settings or {}).items()),
    )
    samples = tuple(
        _sample(protocol, chosen, key, values(key)) for key in planned_keys(protocol, lab)
    )
    honest = Lab(
        protocol,
        samples,
        lab=lab,
        author=lab[:2],
        plan={"settings": chosen},
        evidence={"deviations": deviations, "configurations": configurations},
    )
    record = honest.evidence_record()
    entry = next(one for one in honest.entries() if one.digest == record.digest)
    return Revealed(entry, record, honest.plan_record(), opened_samples(samples, TREE_KEY))


def finding_of(
    protocol: Protocol,
    labs: Mapping[str, Values],
    settings: Mapping[str, Mapping[str, str]] | None = None,
    sets: tuple[AnnotationSet, ...] | None = None,
) -> Finding:
    """Return the joint finding of several labs."""
    return joint_finding(
        protocol,
        [
            revealed(protocol, lab, values, (settings or {}).get(lab))
            for lab, values in labs.items()
        ],
        annotations() if sets is None else sets,
    )


def control_passed(key: SampleKey) -> bool:
    """Tell whether a sample is of a control item."""
    return key.item.startswith("control-")


def _sample(
    protocol: Protocol, settings: tuple[FactorSetting, ...], key: SampleKey, value: Scored
) -> LabSample:
    task = next(task for task in protocol.tasks if task.key == key.task)
    scorer = scorer_of(task, next(item for item in task.items if item.key == key.item))
    version = scorer_version(protocol, task, scorer, settings)
    outcome: Outcome = value if isinstance(value, str) else "answered"
    number = None if isinstance(value, str) else value
    score = Score(
        scorer=scorer.key,
        version=version,
        status="not-attempted"
        if outcome != "answered"
        else "unparsed"
        if number is None
        else "scored",
        value=number,
    )
    return LabSample(
        scores=SampleScores(key=key, outcome=outcome, scores=(score,)),
        transcript=Transcript(key=key, messages=(), seed=0),
    )
