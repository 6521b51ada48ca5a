# SPDX-License-Identifier: Apache-2.0
"""What records can put into the fields of a report: words, with the record's digest and author.

Nothing here is written for a developer: a field is given what records state, or nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

from countermark.commitments.wording import asks, stands_off
from countermark.records.base import Record
from countermark.records.decision import Decision, ThresholdOutcome
from countermark.records.determination import Determination
from countermark.records.finding import Finding, FindingCell
from countermark.records.framework import Framework, Provision
from countermark.records.threshold_rules import SecurityLevel, Trigger
from countermark.taxonomy.languages import language

Filler: TypeAlias = Literal[
    "identity",
    "model",
    "domains",
    "thresholds",
    "acceptance",
    "conditions",
    "process",
    "governance",
    "disclosure",
    "uncertainties",
    "determinations",
    "results",
    "languages",
    "evaluators",
    "safety-mitigations",
    "security",
]
CONCLUSIONS = {
    "threshold": {"yes": "found reached", "no": "found not reached"},
    "mitigation": {"yes": "found in place", "no": "found not in place"},
    "duty": {"yes": "found fulfilled", "no": "found not fulfilled"},
    "provision": {"yes": "found so", "no": "found not so"},
}
"""What a determination says of each subject, where it does not leave it unclear."""


@dataclass(frozen=True)
class Evidence:
    """The records that a report is filled from, each kind sorted by digest.

    Parameters
    ----------
    framework
        The framework that the report is about.
    model
        Key of the model.
    findings, decisions, determinations
        The evidence on record; all of it fits the framework and the model.
    """

    framework: Framework
    model: str
    findings: tuple[Finding, ...]
    decisions: tuple[Decision, ...]
    determinations: tuple[Determination, ...]

    @cached_property
    def digests(self) -> dict[int, str]:
        """The digest of each record by its identity; a large finding's takes a while."""
        records = (self.framework, *self.findings, *self.decisions, *self.determinations)
        return {id(one): one.digest for one in records}

    def about(self, subject: str) -> Iterator[Determination]:
        """Yield the determinations about a threshold, a mitigation or a duty."""
        return (one for one in self.determinations if one.subject == subject)


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that a record states.

    Parameters
    ----------
    words
        What it states.
    kind, digest, author
        Of the record.
    """

    words: str
    kind: str
    digest: str
    author: str


Said: TypeAlias = tuple[Record, str]


def told(name: Filler, held: Evidence) -> Iterator[Entry]:
    """Yield what the records state for one filler."""
    for record, words in FILLERS[name](held):
        digest = held.digests[id(record)]
        yield Entry(words, record.kind_name(), digest, record.speaker or "")


def _of(record: Record, words: Iterable[str]) -> Iterator[Said]:
    for said in words:
        yield record, said


def _identity(held: Evidence) -> Iterator[Said]:
    own = held.framework
    words = f"{own.title}, {own.label}, published {own.published}, {own.status}"
    yield from _of(own, [words])


def _model(held: Evidence) -> Iterator[Said]:
    for one in held.decisions:
        pinned = f", snapshot {one.identity}" if one.identity else ", no snapshot pinned"
        yield from _of(one, [f"model {one.model}{pinned}"])


def _domains(held: Evidence) -> Iterator[Said]:
    own = held.framework
    yield from _of(own, (f"{one.title} ({one.key})" for one in own.domains or ()))


def _thresholds(held: Evidence) -> Iterator[Said]:
    own = held.framework
    for one in own.thresholds:
        status = f", {one.status}" if one.status else ""
        words = (
            f"{one.key} ({one.force}{status}): {one.title.rstrip('.')}. Asks that {asks(one.rule)}"
        )
        yield from _of(own, [words])


def _outcome(one: ThresholdOutcome, kinds: Mapping[str, str]) -> str:
    far = None if one.distance is None else stands_off(one.distance, kinds[one.threshold])
    distance = f"; {far}" if far else ""
    return f"{one.threshold}: {one.state} (rule {one.rule}): {one.reason}{distance}"


def _acceptance(held: Evidence) -> Iterator[Said]:
    kinds = {one.key: one.rule.kind for one in held.framework.thresholds}
    for one in held.decisions:
        day = f" for {one.at}" if one.at else ""
        yield from _of(one, [f"{one.verdict} {one.action}{day} (rule {one.rule}): {one.reason}"])
        yield from _of(one, (_outcome(each, kinds) for each in one.outcomes))


def _conditions(held: Evidence) -> Iterator[Said]:
    own = held.framework
    for one in own.thresholds:
        if isinstance(one.rule, Trigger):
            yield from _of(own, [f"{one.key}: {asks(one.rule)}"])
        if one.maximum_age_months is not None:
            aged = f"{one.key}: evidence counts for {one.maximum_age_months} months"
            yield from _of(own, [aged])
    for decision in held.decisions:
        yield from _of(decision, decision.warnings or ())
        yield from _of(decision, (f"would be needed: {one}" for one in decision.missing))


def _provisions(own: Framework, provisions: tuple[Provision, ...] | None) -> Iterator[Said]:
    yield from _of(
        own, (f"{one.words} ({one.force})" if one.force else one.words for one in provisions or ())
    )


def _process(held: Evidence) -> Iterator[Said]:
    yield from _provisions(held.framework, held.framework.process)
    for one in held.decisions:
        yield from _of(one, [f"{one.verdict} {one.action} was decided by {one.decided_by}"])


def _governance(held: Evidence) -> Iterator[Said]:
    yield from _provisions(held.framework, held.framework.governance)


def _disclosure(held: Evidence) -> Iterator[Said]:
    own = held.framework
    yield from _of(
        own, (f"promised, {one.force}, to {one.to}: {one.words}" for one in own.disclosure or ())
    )
    yield from _judged(held, "duty")


def _determined(one: Determination) -> str:
    level = f", level {one.level}" if one.level else ""
    persons = ", ".join(one.persons)
    found = CONCLUSIONS[one.subject].get(one.conclusion, "left unclear")
    return f"{one.subject} {one.key} {found}{level} on {one.date} by {persons}: {one.reasons}"


def _judged(held: Evidence, subject: str) -> Iterator[Said]:
    for one in held.about(subject):
        yield from _of(one, [_determined(one)])


def _determinations(held: Evidence) -> Iterator[Said]:
    yield from _judged(held, "threshold")
    for one in held.decisions:
        residual = (each for each in one.outcomes if each.residual)
        yield from _of(one, (f"{each.threshold}: {each.residual}" for each in residual))


def _cells(held: Evidence) -> Iterator[tuple[Finding, FindingCell]]:
    for found in held.findings:
        for cell in found.cells:
            if cell.model == held.model:
                yield found, cell


def _place(cell: FindingCell) -> str:
    return f"{cell.task}, {language(cell.language).english}"


def _uncertainties(held: Evidence) -> Iterator[Said]:
    for found, cell in _cells(held):
        if cell.status != "reported":
            status = cell.status.replace("-", " ")
            yield from _of(found, [f"{_place(cell)}: {status}: {cell.reason or 'no reason'}"])
    for found in held.findings:
        gaps = sum(gap.model in (None, held.model) for gap in found.gaps)
        if gaps:
            counted = "1 figure" if gaps == 1 else f"{gaps} figures"
            yield from _of(found, [f"{counted} could not be computed; the finding says why"])


def _results(held: Evidence) -> Iterator[Said]:
    for found, cell in _cells(held):
        if cell.status != "reported":
            continue
        for one in cell.figures:
            if one.without_lab is None:
                judged = "as scored" if one.correction == "none" else "corrected for the judge"
                words = (
                    f"{_place(cell)}: {one.value:.1%}, {one.level:.0%} interval {one.lower:.1%} to "
                    f"{one.upper:.1%} ({one.estimand}, {judged}, {one.labs} labs, "
                    f"{one.items} items)"
                )
                yield from _of(found, [words])


def _languages(held: Evidence) -> Iterator[Said]:
    for found in held.findings:
        tags = sorted({cell.language for one, cell in _cells(held) if one is found})
        names = ", ".join(language(tag).english for tag in tags)
        yield from _of(found, [f"tested in {names}"])


def _evaluators(held: Evidence) -> Iterator[Said]:
    for found in held.findings:
        labs = ", ".join(sorted(one.lab for one in found.labs))
        words = f"a joint finding of {labs}, computed by {found.coordinator}"
        yield from _of(found, [words, f"its protocol is {found.protocol}"])


def _measures(held: Evidence, *sorts: str) -> Iterator[Said]:
    own = held.framework
    judged = {one.key for one in held.about("mitigation")}
    wanted = [one for one in own.mitigations or () if one.sort in sorts]
    for one in wanted:
        proof = "" if one.key in judged else "; no determination shows it in place"
        yield from _of(own, [f"promised: {one.title} ({one.key}){proof}"])
    keys = {one.key for one in wanted}
    for found in held.about("mitigation"):
        if found.key in keys:
            yield from _of(found, [_determined(found)])


def _safety_mitigations(held: Evidence) -> Iterator[Said]:
    yield from _measures(held, "deployment", "process")


def _security(held: Evidence) -> Iterator[Said]:
    own = held.framework
    for one in own.thresholds:
        if isinstance(one.rule, SecurityLevel):
            yield from _of(own, [f"{one.key}: {asks(one.rule)}"])
    yield from _measures(held, "security")


FILLERS: dict[Filler, Callable[[Evidence], Iterator[Said]]] = {
    "identity": _identity,
    "model": _model,
    "domains": _domains,
    "thresholds": _thresholds,
    "acceptance": _acceptance,
    "conditions": _conditions,
    "process": _process,
    "governance": _governance,
    "disclosure": _disclosure,
    "uncertainties": _uncertainties,
    "determinations": _determinations,
    "results": _results,
    "languages": _languages,
    "evaluators": _evaluators,
    "safety-mitigations": _safety_mitigations,
    "security": _security,
}
"""What each filler of an outline's field takes from the records."""
