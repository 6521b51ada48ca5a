# SPDX-License-Identifier: Apache-2.0
"""A framework and the list of those that ship, as the command line writes them."""

from collections.abc import Iterable, Iterator

from countermark.commitments.frameworks import framework_key, standings
from countermark.commitments.wording import SORTS, asks
from countermark.records.canonical import JsonValue
from countermark.records.framework import Duty, Framework, Place, Provision, Threshold


def framework_lines(framework: Framework) -> Iterator[str]:
    """Yield everything that a framework says, line by line."""
    yield (f"{framework.developer}: {framework.title}, {framework.label} ({framework.published})")
    yield f"{framework.status}; {framework.digest}"
    if framework.recorded_by is not None:
        yield f"recorded by {framework.recorded_by}, not by the developer"
    if framework.effective is not None:
        yield f"in force from {framework.effective}"
    yield f"text: {framework.source}"
    if framework.document is not None:
        yield f"file: {framework.document}"
    yield from _section("Domains", (f"{one.key}: {one.title}" for one in framework.domains or ()))
    yield ""
    yield "Thresholds"
    for threshold in framework.thresholds:
        yield from _threshold(threshold)
    yield from _section(
        "Mitigations",
        (
            f"{one.key} ({one.sort}): {one.title}{_where(one.read_in)}"
            for one in framework.mitigations or ()
        ),
    )
    yield from _section("Process", map(_provision, framework.process or ()))
    yield from _section("Governance", map(_provision, framework.governance or ()))
    yield from _section("Disclosure", map(_duty, framework.disclosure or ()))
    yield from _section("Not encoded", framework.not_encoded or ())
    yield from _section(
        "Sources",
        (
            f"{source.title}, {source.publisher}"
            f"{f', {source.published}' if source.published else ''} ({source.standing})"
            f"{f': {source.url}' if source.url else ''}"
            for source in framework.sources or ()
        ),
    )
    if framework.as_of is not None:
        yield f"    read until {framework.as_of}"


def known_lines(frameworks: tuple[Framework, ...]) -> Iterator[str]:
    """Yield one block for each of the frameworks that ship."""
    for framework in frameworks:
        yield (
            f"{framework_key(framework)}: {framework.developer}, {framework.title}, "
            f"{framework.label} ({framework.published}, {framework.status})"
        )
        kinds = ", ".join(f"{SORTS[kind]} {count}" for kind, count in kinds_of(framework).items())
        yield f"    {kinds}; source: {' and '.join(standings(framework))}"


def known_value(framework: Framework) -> dict[str, JsonValue]:
    """Return one of the frameworks that ship as a row for JSON."""
    return {
        "key": framework_key(framework),
        "company": framework.developer,
        "title": framework.title,
        "label": framework.label,
        "published": framework.published,
        "status": framework.status,
        "digest": framework.digest,
        "kinds": dict(kinds_of(framework)),
        "sources": list(standings(framework)),
    }


def kinds_of(framework: Framework) -> dict[str, int]:
    """Count a framework's thresholds by kind, in the order of the kinds; absent kinds left out."""
    kinds = [threshold.rule.kind for threshold in framework.thresholds]
    return {kind: kinds.count(kind) for kind in SORTS if kind in kinds}


def _threshold(threshold: Threshold) -> Iterator[str]:
    status = f", {threshold.status}" if threshold.status else ""
    yield (
        f"{threshold.key} ({threshold.force}, {'/'.join(threshold.actions)}{status}): "
        f"{threshold.title}"
    )
    yield f"    {asks(threshold.rule)}"
    if threshold.domain is not None:
        yield f"    domain: {threshold.domain}"
    if threshold.mitigations is not None:
        yield f"    mitigations: {', '.join(threshold.mitigations)}"
    if threshold.maximum_age_months is not None:
        yield f"    evidence at most {threshold.maximum_age_months} months old"
    if threshold.standing is not None:
        yield f"    evidence at least from: {threshold.standing}"
    if threshold.due_once is not None:
        yield f"    due once one of these is reached: {', '.join(threshold.due_once)}"
    for text in threshold.assumed or ():
        yield f"    assumed: {text}"
    if threshold.read_in is not None:
        yield f"    read in: {_place(threshold.read_in)}"


def _provision(provision: Provision) -> str:
    force = f" ({provision.force})" if provision.force else ""
    return f"{provision.key}{force}: {provision.words}{_where(provision.read_in)}"


def _duty(duty: Duty) -> str:
    before = f", before {duty.before}" if duty.before else ""
    return f"{duty.key} ({duty.force}, to {duty.to}{before}): {duty.words}{_where(duty.read_in)}"


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    for position, line in enumerate(lines):
        if position == 0:
            yield ""
            yield title
        yield f"    {line}"


def _where(place: Place | None) -> str:
    return f" [{place.section}]" if place is not None and place.section is not None else ""


def _place(place: Place) -> str:
    source = place.source
    section = f", {place.section}" if place.section else ""
    return f"{source.title}{section} ({source.standing})"
