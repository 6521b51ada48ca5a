# SPDX-License-Identifier: Apache-2.0
"""Determinations: what was asked, what a person found, why, and what became of it."""

from collections.abc import Iterator, Sequence

from countermark.app.site import addresses
from countermark.app.site.beside import STANCES, spoken_to, uses
from countermark.app.site.context import Site, downloads
from countermark.app.site.naming import answer_sort, judged, question
from countermark.app.site.page import Page
from countermark.commitments.judged import hold_determined, hold_security
from countermark.commitments.rates import HeldState
from countermark.commitments.tracker import Grid
from countermark.commitments.wording import asks
from countermark.node.book import Entry
from countermark.records.determination import Determination
from countermark.records.framework import Threshold
from countermark.records.threshold_rules import (
    CapabilityLevel,
    OutcomeThreshold,
    ScoreTier,
    SecurityLevel,
    Uplift,
)


def determination_pages(site: Site, grids: Sequence[Grid]) -> Iterator[Page]:
    """Return one page for each determination.

    Parameters
    ----------
    site
        The record.
    grids
        The states of the commitments.
    """
    found = {entry.digest: (entry, said) for entry, said in site.book.of_kind(Determination)}
    for entry, said in found.values():
        others = [
            (other, again)
            for other, again in found.values()
            if other.digest != entry.digest and _same_question(site, again, said)
        ]
        yield _determination_page(site, entry, said, others, grids)


def _determination_page(
    site: Site,
    entry: Entry,
    said: Determination,
    others: Sequence[tuple[Entry, Determination]],
    grids: Sequence[Grid],
) -> Page:
    framework = site.framework(said.framework)
    part = judged(said, framework)
    titles = {one.key: one.title for one in framework.mitigations or ()} if framework else {}
    return site.render(
        "determination",
        addresses.determination(entry.digest),
        question(said, framework),
        digest=entry.digest,
        entry=entry,
        said=said,
        framework=framework,
        part=part,
        asks=asks(part.rule) if isinstance(part, Threshold) else None,
        sort=answer_sort(said, framework),
        own=framework is not None and said.determined_by == framework.developer,
        alone=_alone(part, said) if isinstance(part, Threshold) else None,
        measures=[titles.get(key, key) for key in said.mitigations or ()],
        others=sorted(others, key=lambda pair: (pair[1].date, pair[0].digest), reverse=True),
        heard=any(other.determined_by != said.determined_by for _, other in others),
        later=_later(said, others),
        uses=uses(site, entry.digest),
        cells=spoken_to(grids, entry.digest),
        stances=STANCES,
        answer_sort=answer_sort,
        downloads=downloads((), entry),
    )


def _same_question(site: Site, one: Determination, other: Determination) -> bool:
    """Tell whether two are about one thing and one model, in one version or in two of a developer.

    A part of another version may ask something else under the same key; a page says which version.
    """
    if any(getattr(one, name) != getattr(other, name) for name in ("subject", "key", "model")):
        return False
    known = [site.framework(said.framework) for said in (one, other)]
    developers = {framework.developer for framework in known if framework}
    return one.framework == other.framework or (all(known) and len(developers) == 1)


def _later(said: Determination, others: Sequence[tuple[Entry, Determination]]) -> Entry | None:
    """Return the latest statement by which the same author answered the question again."""
    again = [
        (other.date, entry.digest, entry)
        for entry, other in others
        if (other.determined_by, other.framework) == (said.determined_by, said.framework)
        and other.date > said.date
    ]
    return max(again, key=lambda one: one[:2])[2] if again else None


def _alone(threshold: Threshold, said: Determination) -> HeldState | None:
    """Return what the gate makes of the threshold from this determination and nothing else."""
    if said.subject != "threshold":
        return None
    match threshold.rule:
        case SecurityLevel() as rule:
            return hold_security(rule, [said]).state
        case CapabilityLevel() | OutcomeThreshold() | ScoreTier() | Uplift() as rule:
            return hold_determined(threshold, rule, [said]).state
        case _:
            return None
