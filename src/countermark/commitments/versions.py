# SPDX-License-Identifier: Apache-2.0
"""The history of a developer's frameworks, from logged statements, and its alarms.

1. A version is one framework record. Logged several times, it is one version, first seen when it
   was first witnessed.
2. Versions stand in the order of their date of publication, then of force, then of witnessing.
3. A pair is two versions of one title that follow each other and that one hand recorded, or the two
   that an account names. Of several accounts of one pair the latest counts.
4. *Changed file*: two versions of one title and label, by whomever recorded, whose published files
   have different digests. This is an alarm.
5. *Changed content*: two versions of one title and label that the developer itself logged, of which
   the digests of the files do not tell that it is one file, and whose contents differ. An alarm.
6. *Older after newer*: the developer's own log has a version whose date is before that of a version
   of the same title that stands before it in the log. An alarm.
7. *Recorded again*: somebody else recorded one title and label twice, otherwise. This is a notice,
   because an encoder may correct itself; so it is where the developer does with one and the same
   file.

Titles and labels are one that look alike: case, white space, marks that nobody sees and other forms
of one letter make no other document of it.

Dates to the year or month are before others only where no day of them could be after.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, TypeAlias

from countermark.commitments.case import last_day
from countermark.commitments.framework_diff import FrameworkDiff, diff
from countermark.node.book import Entry
from countermark.records.account import Account
from countermark.records.framework import Framework

Sort: TypeAlias = Literal["changed-file", "changed-content", "older-after-newer", "recorded-again"]


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a framework, and where it was first logged.

    Parameters
    ----------
    framework, digest
        The version and its content address.
    entry
        Its first statement.
    logged
        How often it was logged.
    """

    framework: Framework
    digest: str
    entry: Entry
    logged: int

    @property
    def own(self) -> bool:
        """Whether the developer itself logged it."""
        return self.entry.author == self.framework.developer


@dataclass(frozen=True, slots=True)
class Pair:
    """Two versions to be compared, and the developer's account of the change, if it gave one."""

    before: Version
    after: Version
    account: Account | None

    def diff(self) -> FrameworkDiff:
        """Return what changed from one to the other."""
        ends = self.before.digest, self.after.digest
        return diff(self.before.framework, self.after.framework, self.account, digests=ends)


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something in a history that a reader has to know of.

    Parameters
    ----------
    sort
        What it is.
    rule
        Number of the rule that found it.
    title, label
        Of which document.
    digests
        The versions, in the order of the history.
    words
        What happened, in a sentence.
    """

    sort: Sort
    rule: int
    title: str
    label: str
    digests: tuple[str, ...]
    words: str


@dataclass(frozen=True, slots=True)
class History:
    """All versions of a developer's frameworks that were logged."""

    developer: str
    versions: tuple[Version, ...]
    pairs: tuple[Pair, ...]
    alarms: tuple[Alarm, ...]
    notices: tuple[Alarm, ...]

    def to_value(self) -> dict[str, Any]:
        """Return the history as a JSON object."""
        return {
            "developer": self.developer,
            "versions": [_version_value(version) for version in self.versions],
            "pairs": [
                {
                    "before": pair.before.digest,
                    "after": pair.after.digest,
                    "account": pair.account.digest if pair.account else None,
                }
                for pair in self.pairs
            ],
            "alarms": [_alarm_value(alarm) for alarm in self.alarms],
            "notices": [_alarm_value(notice) for notice in self.notices],
        }


def history(developer: str, entries: Iterable[Entry]) -> History:
    """Return the history of one developer's frameworks.

    Parameters
    ----------
    developer
        Its code.
    entries
        Logged statements, in any order; those of others are passed over.
    """
    statements: dict[str, list[Entry]] = defaultdict(list)
    accounts: dict[str, Account] = {}
    for entry in entries:
        record = entry.record
        if isinstance(record, Framework) and record.developer == developer:
            statements[entry.digest].append(entry)
        elif isinstance(record, Account) and record.developer == developer:
            accounts[entry.digest] = record
    versions = tuple(sorted((_version(found) for found in statements.values()), key=_order))
    told = sorted(accounts.items(), key=lambda one: (last_day(one[1].date), one[0]))
    found = tuple(
        sorted(_alarms(versions), key=lambda alarm: (alarm.rule, alarm.title, alarm.digests))
    )
    return History(
        developer,
        versions,
        tuple(_pairs(versions, [account for _, account in told])),
        tuple(one for one in found if one.sort != "recorded-again"),
        tuple(one for one in found if one.sort == "recorded-again"),
    )


def certainly_before(one: str, other: str) -> bool:
    """Tell whether a date, to the year, month or day, is before another whatever their days are."""
    shorter = min(len(one), len(other))
    return one[:shorter] < other[:shorter]


def same_document(one: Framework, other: Framework) -> bool:
    """Tell whether two records say that they are of one title and label."""
    return _name(one) == _name(other)


def plain(text: str) -> str:
    """Return a title or label without what does not make it another one."""
    shown = (
        one for one in unicodedata.normalize("NFKC", text) if unicodedata.category(one) != "Cf"
    )
    return " ".join("".join(shown).casefold().split())


def _name(framework: Framework) -> tuple[str, str]:
    return plain(framework.title), plain(framework.label)


def _version(statements: list[Entry]) -> Version:
    # The developer's own statement comes first, whoever else logged the same record.
    first = min(
        statements,
        key=lambda entry: (
            entry.author != getattr(entry.record, "developer", None),
            *(entry.witnessed or "~", entry.author, entry.index),
        ),
    )
    if not isinstance(first.record, Framework):
        raise TypeError("only frameworks have versions")
    places = {(entry.origin, entry.index) for entry in statements}
    return Version(first.record, first.digest, first, len(places))


def _order(version: Version) -> tuple[str, ...]:
    framework = version.framework
    witnessed = version.entry.witnessed or "~"
    return framework.published, framework.effective or "", witnessed, version.digest


def _pairs(versions: tuple[Version, ...], accounts: list[Account]) -> Iterator[Pair]:
    by_digest = {version.digest: version for version in versions}
    told: dict[tuple[str, str], Account] = {}
    for account in accounts:
        told[account.before, account.after] = account
    lines: dict[tuple[str, str], list[Version]] = defaultdict(list)
    for version in versions:
        hand = version.framework.recorded_by or version.framework.developer
        lines[plain(version.framework.title), hand].append(version)
    paired = set()
    for line in lines.values():
        for before, after in pairwise(line):
            ends = before.digest, after.digest
            paired.add(ends)
            yield Pair(before, after, told.get(ends))
    for ends, account in told.items():
        if ends not in paired and set(ends) <= by_digest.keys():
            yield Pair(by_digest[ends[0]], by_digest[ends[1]], account)


def _alarms(versions: tuple[Version, ...]) -> Iterator[Alarm]:
    groups: dict[tuple[str, str], list[Version]] = defaultdict(list)
    titles: dict[tuple[str, str], list[Version]] = defaultdict(list)
    for version in versions:
        groups[_name(version.framework)].append(version)
        if version.own:
            titles[plain(version.framework.title), version.entry.origin].append(version)
    for group in groups.values():
        yield from _changed_files(group)
        hands: dict[str, list[Version]] = defaultdict(list)
        for version in group:
            hands[version.framework.recorded_by or version.framework.developer].append(version)
        for hand in hands.values():
            for one, other in pairwise(hand):
                yield from _changed_content(one, other)
    for group in titles.values():
        yield from _backdated(group)


def _changed_files(group: list[Version]) -> Iterator[Alarm]:
    for one, other in pairwise(version for version in group if version.framework.document):
        if one.framework.document != other.framework.document:
            words = "the published file changed, and its label did not"
            yield _alarm("changed-file", 4, one, other, words)


def _changed_content(one: Version, other: Version) -> Iterator[Alarm]:
    files = one.framework.document, other.framework.document
    ends = one.digest, other.digest
    if None not in files and files[0] != files[1]:
        return
    if not diff(one.framework, other.framework, digests=ends).changes:
        return
    if one.own and other.own and None in files:
        words = "what it says changed, and its label did not"
        yield _alarm("changed-content", 5, one, other, words)
    else:
        yield _alarm("recorded-again", 7, one, other, "it was recorded twice, otherwise")


def _backdated(group: list[Version]) -> Iterator[Alarm]:
    newest: Version | None = None
    for version in sorted(group, key=lambda one: one.entry.index):
        published = version.framework.published
        if newest and certainly_before(published, newest.framework.published):
            words = (
                f"a version dated {published} was logged after one dated "
                f"{newest.framework.published}"
            )
            yield _alarm("older-after-newer", 6, version, newest, words)
        else:
            newest = version


def _alarm(sort: Sort, rule: int, one: Version, other: Version, words: str) -> Alarm:
    framework = one.framework
    digests = (one.digest, other.digest)
    return Alarm(sort, rule, framework.title, framework.label, digests, words)


def _version_value(version: Version) -> dict[str, Any]:
    framework = version.framework
    return {
        "framework": version.digest,
        "title": framework.title,
        "label": framework.label,
        "published": framework.published,
        "effective": framework.effective,
        "status": framework.status,
        "document": framework.document,
        "recorded_by": framework.recorded_by,
        "thresholds": len(framework.thresholds),
        "author": version.entry.author,
        "index": version.entry.index,
        "witnessed": version.entry.witnessed,
        "logged": version.logged,
        "demonstration": framework.demonstration,
    }


def _alarm_value(alarm: Alarm) -> dict[str, Any]:
    return {
        "sort": alarm.sort,
        "rule": alarm.rule,
        "title": alarm.title,
        "label": alarm.label,
        "frameworks": list(alarm.digests),
        "words": alarm.words,
    }
