# SPDX-License-Identifier: Apache-2.0
"""Exercises: the list, and one page each with its stages and who delivered what."""

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from countermark.app.site import addresses
from countermark.app.site.charts import Stage, timeline
from countermark.app.site.context import Site, downloads, files
from countermark.app.site.exercises import Exercise, exercises
from countermark.app.site.page import DataFile, Page, Sheet
from countermark.exercise.stages.status import shows
from countermark.node.blobs import blob_path
from countermark.node.book import Entry
from countermark.node.policy import may_read_samples


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of an exercise: what happens, whose statements made it, how many there could be."""

    key: str
    title: str
    words: str
    entries: tuple[Entry, ...]
    expected: int

    @property
    def single(self) -> bool:
        """Whether only the coordinator makes this step."""
        return self.expected == 1

    def by(self, author: str) -> Entry | None:
        """Return an author's statement of this stage."""
        return next((entry for entry in self.entries if entry.author == author), None)


def steps(exercise: Exercise) -> tuple[Step, ...]:
    """Return the stages of an exercise in the order in which they happen."""
    everyone = len(exercise.protocol.participants)
    return (
        Step(
            "agreed",
            "Agreed",
            "participants countersign the protocol",
            tuple(entry for entry, _ in exercise.assents.countersigned),
            everyone,
        ),
        Step(
            "planned",
            "Run planned",
            "labs log what they will run",
            tuple(entry for entry, _ in exercise.plans),
            everyone,
        ),
        Step(
            "sealed",
            "Sealed",
            "labs commit to their results before they see another’s",
            tuple(entry for entry, _ in exercise.seals),
            everyone,
        ),
        Step(
            "closed",
            "Closed",
            "the coordinator ends the sealing, and revealing may begin",
            tuple(entry for entry, _ in exercise.closings),
            1,
        ),
        Step(
            "revealed",
            "Revealed",
            "labs publish the results that they sealed",
            tuple(entry for entry, _ in exercise.evidence),
            everyone,
        ),
        Step(
            "joint",
            "Joint finding",
            "the coordinator computes what they found together",
            tuple(entry for entry, _ in exercise.findings),
            1,
        ),
    )


def exercise_pages(site: Site) -> Iterator[Page | DataFile]:
    """Return the list of exercises and one page for each."""
    found = [(exercise, steps(exercise)) for exercise in exercises(site.book)]
    yield site.render("exercises", "exercises/", "Exercises", rows=found)
    for exercise, stages in found:
        yield from _exercise_page(site, exercise, stages)


def _exercise_page(
    site: Site, exercise: Exercise, stages: tuple[Step, ...]
) -> Iterator[Page | DataFile]:
    path = addresses.exercise(exercise.entry.digest)
    sheet = Sheet(
        f"{path}stages",
        "Stages",
        ("stage", "author", "witnessed", "log", "index", "statement"),
        tuple(
            (step.key, entry.author, entry.witnessed, entry.origin, entry.index, entry.file)
            for step in stages
            for entry in step.entries
        ),
    )
    yield site.render(
        "exercise",
        path,
        exercise.protocol.title,
        digest=exercise.entry.digest,
        exercise=exercise,
        steps=stages,
        chart=_chart(stages),
        downloads=downloads([sheet]),
        blob_path=blob_path,
        shows=shows,
        silent=_silent(exercise),
        readable=lambda evidence: may_read_samples("public", evidence, site.book.entries).allowed,
    )
    yield from files([sheet])


def _silent(exercise: Exercise) -> tuple[str, ...]:
    """Return the labs whose seal the closing lists, and that have revealed nothing."""
    listed = {seal.lab for _, closing in exercise.closings for seal in closing.seals}
    return tuple(sorted(listed - {evidence.lab for _, evidence in exercise.evidence}))


def _chart(stages: tuple[Step, ...]) -> Markup:
    drawn = [
        Stage(
            step.title,
            f"{len(step.entries)} of {step.expected}",
            tuple(entry.witnessed for entry in step.entries if entry.witnessed),
        )
        for step in stages
    ]
    said = "; ".join(
        f"{stage.label}: {stage.note}"
        + (f", from {min(stage.moments)} to {max(stage.moments)}" if stage.moments else "")
        for stage in drawn
    )
    return timeline("stages", "When each stage was reached", f"{said}.", drawn)
