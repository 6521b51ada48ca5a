# SPDX-License-Identifier: Apache-2.0
"""The joint finding: what the labs found together, cell by cell. Pure: evidence in, finding out.

For each model, task and language:

1. Only scored answers to test items are rated, and only those of the reference arm; all samples
   submitted of it are counted, on both axes. Swaps are compared with the reference arm of the same
   lab (rule 8), and enter no joint rate.
2. A judge without labelled answers in the language, or not run on them, is *not validated*:
   counts, and no rate.
3. A judge whose labelled answers do not show that it can tell events from others, in any version
   that a lab used, or labs that share no item, are *not computable*, with the reason; the rates of
   the judge or of the labs alone are then not published either.
4. Where the protocol has control items, and the lower end of their pass rate's interval is below
   the protocol's minimum, the cell is *not informative*: figures are shown and say nothing good.
5. Every rate is given for both estimands, without and (for a judge) with correction, with all labs
   and with each lab left out. There is no score over tasks, languages or models.
6. Labs that declared deviations are pooled and shown as such; leaving each out shows its weight.
7. A lab is pooled only if the scores of all its samples are open: of some, it could have chosen
   which; and only in cells that it ran as the protocol asks and as the others did, or declared
   otherwise (:mod:`countermark.exercise.comparing.comparability`). Who is left out is named with
   the reason.
8. All figures come of one analysis (:func:`countermark.statistics.analyse`), which also compares
   languages, settings and swaps; :mod:`countermark.exercise.joint.sections` publishes what is
   beyond one cell.
9. The figures of a cell are those of the task's own scorer. Further scorers, repeats and
   rejudgements stand beside it (:mod:`countermark.exercise.joint.judges`), by rules 2 and 3 as
   well.
10. A judge's rate is given beside the rate rectified with people's labels of a random sample of the
    same answers, where there is one; which of the corrections leads is said, and why
    (:mod:`countermark.exercise.annotation.taking`).

What is of one cell is in :mod:`countermark.exercise.joint.cells`.
"""

from collections.abc import Sequence

from countermark.exercise.annotation.taking import People
from countermark.exercise.joint.analysing import analysed, declared
from countermark.exercise.joint.cells import JointCell
from countermark.exercise.joint.differences import differences
from countermark.exercise.joint.figures import Rounding
from countermark.exercise.joint.pooling import pooled
from countermark.exercise.joint.sections import published
from countermark.exercise.rejudging.batches import LoggedRejudgement, rejudgements
from countermark.exercise.revealing.checking import Revealed
from countermark.records import finding as records
from countermark.records.evidence import AnnotationSet
from countermark.records.protocol import Protocol
from countermark.statistics import (
    JointAnalysis,
)

ABSOLUTE_TOLERANCE = 1e-9


def joint_finding(
    protocol: Protocol,
    revealed: Sequence[Revealed],
    annotations: Sequence[AnnotationSet],
    left_out: Sequence[records.LeftOut] = (),
    judged_again: Sequence[LoggedRejudgement] = (),
) -> records.Finding:
    """Compute the joint finding of an exercise.

    Parameters
    ----------
    protocol
        What was run.
    revealed
        The checked evidence of each lab, with the scores of all its samples open.
    annotations
        The labelled answers that the protocol names, and those that participants drew from the
        exercise and labelled.
    left_out
        Labs that are not in the figures, and why.
    judged_again
        Rejudgements of this exercise, not yet checked.

    Raises
    ------
    StateError
        If no labs ran the same.
    """
    pool = pooled(protocol, revealed)
    labs = pool.labs
    rounding = Rounding(protocol.significant_digits)
    people = People(protocol, labs, annotations)
    again = rejudgements(protocol, judged_again, labs, annotations)
    made = [
        JointCell(task, model.key, language, pool, people, again, rounding)
        for model in protocol.models
        for task in protocol.tasks
        for language in protocol.languages
    ]
    analysis = _analysed(protocol, labs, [one for one in made if one.refusal is None])
    cells = tuple(one.result(analysis) for one in made)
    references = {factor.key: factor.reference for factor in protocol.factors}
    beyond = published(analysis, cells, rounding, references)
    return records.Finding(
        protocol=protocol.digest,
        coordinator=protocol.coordinator,
        demonstration=protocol.demonstration,
        significant_digits=protocol.significant_digits,
        relative_tolerance=protocol.relative_tolerance,
        absolute_tolerance=ABSOLUTE_TOLERANCE,
        labs=tuple(
            records.LabSettings(
                institute=one.evidence.institute,
                lab=one.evidence.lab,
                evidence=one.entry.digest,
                settings=one.plan.settings,
                deviations=one.evidence.deviations,
                samples=one.evidence.opened.samples,
                transcripts_checked=one.evidence.opened.transcripts,
            )
            for one in labs
        ),
        left_out=tuple(sorted((*left_out, *pool.left_out), key=lambda one: one.lab)),
        differences=differences([one.plan for one in labs]),
        seed=declared(protocol).seed,
        replicates=declared(protocol).replicates,
        factors=beyond.factors,
        languages=beyond.languages,
        gaps=(*beyond.gaps, *pool.gaps),
        cells=cells,
        comparability=pool.table,
        rejudgements=again.used or None,
    )


def _analysed(
    protocol: Protocol, labs: Sequence[Revealed], cells: Sequence[JointCell]
) -> JointAnalysis | None:
    if not cells:
        return None
    return analysed(
        protocol,
        labs,
        [answer for one in cells for answer in one.answers],
        {one.key: one.judging for one in cells if one.judging is not None},
        {one.key: one.uninformative for one in cells if one.uninformative is not None},
        [answer for one in cells for answer in one.swapped],
    )
