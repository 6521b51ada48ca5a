# SPDX-License-Identifier: Apache-2.0
"""``countermark framework diff``, ``history`` and ``corpus``: what became of promises."""

from collections.abc import Iterator
from pathlib import Path

import click

from countermark.app.cli.framework_reading import read_framework
from countermark.app.cli.logged import read_logged, record_argument
from countermark.app.cli.output import data, data_json, json_option, node_option, talk
from countermark.app.cli.reading import read_public_record, read_record
from countermark.app.cli.verb import Verb
from countermark.commitments.case import first_day
from countermark.commitments.corpus import (
    Agreement,
    Corpus,
    PairReport,
    Rates,
    compare_with_logged,
    read_corpus,
)
from countermark.commitments.corpus_tables import Counted
from countermark.commitments.framework_diff import FrameworkDiff
from countermark.commitments.framework_diff import diff as differences
from countermark.commitments.reference import companies
from countermark.commitments.versions import Alarm, History, Pair
from countermark.commitments.versions import history as history_of
from countermark.records.account import Account
from countermark.records.errors import InputError
from countermark.records.framework import Framework

ALARM = 3


def attach(noun: click.Group) -> None:
    """Add the verbs of this module to a noun."""
    for verb in (diff, history, corpus_report):
        noun.add_command(verb)


@click.command(cls=Verb, example="countermark framework diff framework-1.json framework-2.json")
@click.argument("before", metavar="FILE|KEY")
@click.argument("after", metavar="FILE|KEY")
@click.option(
    "--account",
    "account_file",
    type=click.Path(path_type=Path),
    help="The developer's own account of the change.",
)
@json_option
def diff(before: str, after: str, account_file: Path | None, *, as_json: bool) -> None:
    """Compare two versions of a framework, threshold by threshold."""
    account = read_record(Account, account_file) if account_file else None
    older, newer = read_framework(before), read_framework(after)
    found = differences(older, newer, account)
    if first_day(newer.published) < first_day(older.published):
        talk("The second version is the older one: what is called removed here was added.")
    if older.not_encoded or newer.not_encoded:
        talk("What is not written down of either version is not compared: see framework show.")
    if as_json:
        data_json(found.to_value())
        return
    for line in diff_lines(found):
        data(line)


def diff_lines(found: FrameworkDiff) -> Iterator[str]:
    """Yield a diff as lines."""
    old, new = found.before, found.after
    yield (
        f"{found.developer}: {old.label} ({old.published}) to {new.label} ({new.published}), "
        f"{len(found.changes)} change{'' if len(found.changes) == 1 else 's'}"
    )
    for change in found.changes:
        yield f"{change.effect:<12}  {change.told:<10}  {change.words}"
    for entry in found.unfound:
        yield f"announced and not found: {entry.words}"
    if not found.same_recorder:
        yield (
            "Two hands recorded the versions: a difference may be theirs "
            f"({old.recorded_by or found.developer}, {new.recorded_by or found.developer})."
        )


@click.command(
    cls=Verb,
    example="countermark framework history example-developer record",
    epilog="Exit codes: 0 no alarm, 3 at least one.",
)
@click.argument("developer")
@record_argument
@node_option
@json_option
def history(developer: str, record: Path | None, node_folder: Path, *, as_json: bool) -> int:
    """Show a developer's versions in order, and alarms: a file that changed under its label."""
    logged = read_logged(record, node_folder)
    found = history_of(developer, logged.entries)
    if not found.versions:
        known = sorted({one.developer for _, one in logged.of_kind(Framework)})
        raise InputError(
            f"has no framework of {developer}, only of: {', '.join(known) or 'nobody'}",
            where=str(record or node_folder),
            next_step="Check the developer's code, or pull first: countermark sync pull",
        )
    if as_json:
        data_json(found.to_value())
    else:
        for line in history_lines(found):
            data(line)
    for alarm in found.alarms:
        talk(f"Alarm: {_told(alarm)}")
    return ALARM if found.alarms else 0


def history_lines(found: History) -> Iterator[str]:
    """Yield a history as lines."""
    for version in found.versions:
        framework = version.framework
        count = len(framework.thresholds)
        yield (
            f"{framework.published}  {framework.title}, {framework.label}: "
            f"{count} threshold{'' if count == 1 else 's'}, {framework.status}"
        )
        hand = "by the developer" if version.own else f"by {version.entry.author}"
        witnessed = version.entry.witnessed or "not yet witnessed"
        yield f"    {version.digest} logged {hand}, {witnessed}"
    for pair in found.pairs:
        changed = pair.diff()
        counts = ", ".join(
            f"{changed.count(effect)} {effect}"
            for effect in ("weakened", "removed", "strengthened", "added")
        )
        yield (
            f"{pair.before.framework.label} to {pair.after.framework.label}: {counts}; "
            f"{_account(pair, changed)}"
        )
    for notice in found.notices:
        yield f"Notice: {_told(notice)}"


def _told(alarm: Alarm) -> str:
    return f"{alarm.title}, {alarm.label}: {alarm.words} ({', '.join(alarm.digests)})"


@click.command(
    "corpus", cls=Verb, example="countermark framework corpus frontier-safety-framework-corpus"
)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--record",
    type=click.Path(path_type=Path, file_okay=False),
    help="A public record, whose frameworks' documents are compared with the corpus.",
)
@json_option
def corpus_report(folder: Path, record: Path | None, *, as_json: bool) -> None:
    """Report on your copy of the Frontier Safety Framework Corpus; nothing is logged."""
    corpus = read_corpus(folder)
    codes = {name: company.slug for company in companies() for name in company.publishers}
    logged = read_public_record(record).of_kind(Framework) if record else ()
    agreements = compare_with_logged(corpus, [framework for _, framework in logged], codes)
    if as_json:
        data_json(
            {
                **corpus.to_value(),
                "logged": [
                    {
                        "framework": one.framework,
                        "developer": one.developer,
                        "label": one.label,
                        "document": one.document,
                        "standing": one.standing,
                        "versions": list(one.versions),
                    }
                    for one in agreements
                ],
            }
        )
        return
    for line in corpus_lines(corpus, agreements):
        data(line)


def corpus_lines(corpus: Corpus, agreements: tuple[Agreement, ...]) -> Iterator[str]:
    """Yield the report on a corpus as lines."""
    yield f"{len(corpus.documents)} documents, {len(corpus.traced)} traced commitments"
    for one in corpus.documents:
        yield f"{one.published}  {one.provider}: {one.document}, {one.version}  {one.digest or '-'}"
    for again in corpus.reuploads():
        yield f"Another file under one label: {again.provider} {again.label}, {again.version}"
    for report in corpus.by_pair():
        pair = report.pair
        yield f"{pair.provider} {pair.before} to {pair.after} ({pair.regime}): {_found(report)}"
    for differs in corpus.disagreements():
        first = " and the first pass" if differs.as_first_pass else ""
        yield (
            f"The tables disagree on {differs.provider} {differs.before} to {differs.after}: "
            f"the table of pairs{first}, {_counts(differs.table)}; "
            f"the adjudicated codes, {_counts(differs.adjudicated)}"
        )
    for pair_id in corpus.unlisted():
        yield f"Traced, and not in the table of pairs: {pair_id}"
    yield f"All: {_rates(corpus.rates())}"
    yield f"Evidentiary: {_rates(corpus.rates('evidentiary'))}"
    yield f"Other: {_rates(corpus.rates('other'))}"
    for logged in agreements:
        versions = f" ({', '.join(logged.versions)})" if logged.versions else ""
        yield f"Logged {logged.developer} {logged.label}: {logged.standing}{versions}"


def _found(report: PairReport) -> str:
    if report.rates.material:
        counts = ", ".join(f"{count} {name}" for name, count in sorted(report.outcomes.items()))
        return f"{counts}; {_rates(report.rates)}"
    if report.ids:
        return "no material change"
    # Nothing was looked for, which says nothing of what changed.
    return "traced, and no row of it is here" if report.pair.traced else "not traced"


def _counts(counted: Counted) -> str:
    return (
        f"{counted.material} material ({counted.announced} announced, {counted.silent} silent, "
        f"{counted.no_account} without an account)"
    )


def _rates(rates: Rates) -> str:
    if rates.strict is None or rates.lenient is None:
        return f"{rates.material} material, no account"
    return (
        f"{rates.material} material, silent {rates.strict:.3f} strict "
        f"({rates.partly + rates.silent}/{rates.accounted}), {rates.lenient:.3f} lenient "
        f"({rates.silent}/{rates.accounted})"
    )


def _account(pair: Pair, changed: FrameworkDiff) -> str:
    if pair.account is None:
        return "no account logged"
    silent = len(changed.silently_weakened)
    return f"account given, silent on {silent or 'none'} of what was weakened or removed"
