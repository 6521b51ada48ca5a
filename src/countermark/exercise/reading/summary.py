# SPDX-License-Identifier: Apache-2.0
"""What is in a run, in counts: on two axes, each summing to what was submitted.

1. *Submitted* is what the tool says, or all samples that are known, whichever is more.
2. Outcomes sum to it: what was submitted and is not in the log is *missing*.
3. For each score, *scored*, *unparsed* and *not attempted* sum to it.
4. A mean is of the scored alone, and stands beside the other two counts; nothing scored, no mean.
5. Samples are read one by one and let go.
"""

import math
from collections import Counter
from dataclasses import asdict, dataclass

import msgspec

from countermark.exercise.reading.found import FoundRun, FoundSample, Trajectory
from countermark.records.canonical import JsonValue

OUTCOMES = ("answered", "refused", "errored", "missing")


@dataclass(frozen=True, slots=True)
class ScoreSummary:
    """One score over all samples (rules 3 and 4)."""

    scored: int
    unparsed: int
    not_attempted: int
    mean: float | None


@dataclass(frozen=True, slots=True)
class TrajectorySummary:
    """Calls of tools over all samples, and how many samples each limit stopped."""

    tool_calls: int
    repeated_calls: int
    failed_calls: int
    limits: dict[str, int]


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What was found in one run.

    Parameters
    ----------
    run
        The run.
    samples
        How many samples are in the log.
    items, epochs
        How many different items these are of, and the highest epoch.
    submitted
        Under rule 1.
    outcomes, scores
        Counts on the two axes.
    trajectory
        If any sample has one.
    retried, invalidated, edited
        How many samples had failed attempts before, were declared invalid, and have an edited
        score.
    """

    run: FoundRun
    samples: int
    items: int
    epochs: int
    submitted: int
    outcomes: dict[str, int]
    scores: dict[str, ScoreSummary]
    trajectory: TrajectorySummary | None
    retried: int
    invalidated: int
    edited: int

    @property
    def notes(self) -> tuple[str, ...]:
        """The run's notes, and what the samples add to them."""
        counted = (
            (self.retried, "failed before and were tried again"),
            (self.invalidated, "were declared invalid after the run; they are counted"),
            (self.edited, "have a score that was edited; the history is kept"),
        )
        return (*self.run.notes, *(f"{count:,} samples {what}" for count, what in counted if count))

    def to_value(self) -> dict[str, JsonValue]:
        """Return the JSON form of ``exercise read``."""
        run = self.run
        return {
            "file": run.file,
            "tool": run.tool,
            "tool_version": run.tool_version,
            "model": run.model,
            "task": run.task,
            "language": run.language,
            "status": run.status,
            "created": run.created,
            "settings": dict(run.settings or {}),
            "samples": self.samples,
            "submitted": self.submitted,
            "items": self.items,
            "epochs": self.epochs,
            "outcomes": dict(self.outcomes),
            "scores": {name: asdict(score) for name, score in self.scores.items()},
            "stated": dict(run.stated or {}),
            "usage": msgspec.structs.asdict(run.usage) if run.usage else None,
            "trajectory": asdict(self.trajectory) if self.trajectory else None,
            "notes": list(self.notes),
        }


class _Tally:
    """Counts and a mean of one score; the sum is exact enough to print by Kahan's correction."""

    def __init__(self) -> None:
        self.scored = self.unparsed = 0
        self._sum = self._lost = 0.0

    def add(self, value: float) -> None:
        self.scored += 1
        term = value - self._lost
        total = self._sum + term
        self._lost = (total - self._sum) - term
        self._sum = total

    def summary(self, submitted: int) -> ScoreSummary:
        mean = self._sum / self.scored if self.scored else None
        return ScoreSummary(
            scored=self.scored,
            unparsed=self.unparsed,
            not_attempted=submitted - self.scored - self.unparsed,
            mean=mean if mean is not None and math.isfinite(mean) else None,
        )


class _Counter:
    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.tallies: dict[str, _Tally] = {}
        self.items: set[int] = set()  # of hashes: a million names would take far more
        self.epochs = self.retried = self.invalidated = self.edited = 0
        self.calls = [0, 0, 0]
        self.limits: Counter[str] = Counter()
        self.trajectories = 0

    def add(self, sample: FoundSample) -> None:
        self.outcomes[sample.outcome] += 1
        for score in sample.scores:
            tally = self.tallies.get(score.scorer)
            if tally is None:
                tally = self.tallies[score.scorer] = _Tally()
            if score.value is not None:
                tally.add(score.value)
            elif score.status == "unparsed":
                tally.unparsed += 1
        if sample.outcome == "missing":
            return
        self.items.add(hash(sample.item))
        self.epochs = max(self.epochs, sample.epoch)
        self.retried += sample.retries > 0
        self.invalidated += sample.invalidated is not None
        self.edited += any(score.history for score in sample.scores)
        if sample.trajectory is not None:
            self._add_trajectory(sample.trajectory)

    def _add_trajectory(self, one: Trajectory) -> None:
        self.trajectories += 1
        each = (one.tool_calls, one.repeated_calls, one.failed_calls)
        self.calls = [total + more for total, more in zip(self.calls, each, strict=True)]
        if one.limit is not None:
            self.limits[one.limit] += 1

    def trajectory(self) -> TrajectorySummary | None:
        """Return the calls of tools, if any sample tells of them."""
        if not self.trajectories:
            return None
        calls, repeated, failed = self.calls
        return TrajectorySummary(calls, repeated, failed, dict(self.limits))


def summarise(run: FoundRun) -> RunSummary:
    """Read all samples of a run and count them.

    Raises
    ------
    InputError
        If a sample cannot be read.
    """
    counter = _Counter()
    for sample in run.samples():
        counter.add(sample)
    known = counter.outcomes.total()
    submitted = max(known, run.submitted or 0)
    samples = known - counter.outcomes["missing"]
    counter.outcomes["missing"] = submitted - samples
    return RunSummary(
        run=run,
        samples=samples,
        items=len(counter.items),
        epochs=counter.epochs,
        submitted=submitted,
        outcomes={name: counter.outcomes[name] for name in OUTCOMES},
        scores={name: tally.summary(submitted) for name, tally in counter.tallies.items()},
        trajectory=counter.trajectory(),
        retried=counter.retried,
        invalidated=counter.invalidated,
        edited=counter.edited,
    )
