# SPDX-License-Identifier: Apache-2.0
"""What is known of developers and their frameworks: logged, or recorded from public text.

A *logged* version is a statement that somebody signed. A *recorded* one comes with Countermark,
from sources that anybody can read, and nobody signed it. Where both are the same, the logged one
counts. Logged versions are compared as their history says; recorded ones each with the next of the
same title, because another title may be another document; and any two that a logged account names.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from countermark.app.site import addresses
from countermark.app.site.context import Site
from countermark.commitments.framework_diff import FrameworkDiff, diff
from countermark.commitments.reference import Company
from countermark.commitments.versions import Alarm, history
from countermark.node.book import Entry
from countermark.records.account import Account, Reply
from countermark.records.framework import Framework


@dataclass(frozen=True, slots=True)
class Known:
    """One version of a framework, and its first statement if it was logged."""

    framework: Framework
    digest: str
    entry: Entry | None

    @property
    def path(self) -> str:
        """The folder of its page."""
        return addresses.framework(self.digest)

    @property
    def own(self) -> bool:
        """Whether the developer itself logged it."""
        return self.entry is not None and self.entry.author == self.framework.developer

    @property
    def recorder(self) -> str | None:
        """Who wrote it down, where it was logged."""
        return self.entry.author if self.entry else None


@dataclass(frozen=True, slots=True)
class Compared:
    """Two versions that follow each other, what changed, and the account of it if there is one."""

    before: Known
    after: Known
    diff: FrameworkDiff
    account: Account | None

    @property
    def path(self) -> str:
        """The folder of its page."""
        return addresses.change(self.before.digest, self.after.digest)


@dataclass(frozen=True, slots=True)
class Developer:
    """One developer: a signatory of the commitments, or the author of a logged framework."""

    code: str
    name: str
    company: Company | None
    demonstration: bool
    versions: tuple[Known, ...]
    changes: tuple[Compared, ...]
    alarms: tuple[Alarm, ...]
    notices: tuple[Alarm, ...]
    replies: tuple[tuple[Entry, Reply], ...]

    @property
    def path(self) -> str:
        """The folder of its page."""
        return addresses.company(self.code)

    @property
    def as_company(self) -> Company:
        """What the tracker needs of a developer that is no signatory."""
        since = self.versions[0].framework.published if self.versions else ""
        return self.company or Company(self.code, self.name, since, (), since, (self.name,))

    @property
    def renamed(self) -> tuple[tuple[Known, Known], ...]:
        """The last version of a title and the first of the next, which may be one document.

        The next title is one that begins where the other has ended; no two are here that a change
        already compares.
        """
        titles: dict[str, list[Known]] = {}
        for one in self.versions:
            titles.setdefault(one.framework.title.casefold(), []).append(one)
        ends = {(change.before.digest, change.after.digest) for change in self.changes}
        return tuple(
            (line[-1], after[0])
            for line, after in pairwise(titles.values())
            if line[-1].framework.published <= after[0].framework.published
            and (line[-1].digest, after[0].digest) not in ends
        )

    @property
    def in_force(self) -> tuple[Known, ...]:
        """The newest version of each title, where it is in force."""
        newest = {one.framework.title.casefold(): one for one in self.versions}
        return tuple(one for one in newest.values() if one.framework.status == "in-force")

    def alarmed(self, digest: str) -> tuple[Alarm, ...]:
        """Return the alarms about one version."""
        return tuple(alarm for alarm in self.alarms if digest in alarm.digests)


def known_developers(site: Site) -> tuple[Developer, ...]:
    """Return every developer: the signatories in the order of their list, then the others."""
    companies = {company.slug: company for company in site.reference.companies}
    told: dict[str, list[Entry]] = {code: [] for code in companies}
    for entry in site.book.entries:
        if isinstance(entry.record, Framework | Account):
            told.setdefault(entry.record.developer, []).append(entry)
    promising = {record.developer for _, record in site.book.of_kind(Framework)}
    codes = (*companies, *sorted(promising - set(companies)))
    return tuple(_developer(site, code, companies.get(code), told[code]) for code in codes)


def _developer(site: Site, code: str, company: Company | None, entries: list[Entry]) -> Developer:
    past = history(code, entries)
    logged = {one.digest: Known(one.framework, one.digest, one.entry) for one in past.versions}
    recorded = tuple(_recorded(site, code))
    versions = logged | {one.digest: one for one in recorded}
    changes = {
        (pair.before.digest, pair.after.digest): Compared(
            logged[pair.before.digest], logged[pair.after.digest], pair.diff(), pair.account
        )
        for pair in past.pairs
    }
    for ends, account in _by_sources(versions, entries):
        if ends not in changes:
            before, after = (versions[digest] for digest in ends)
            found = diff(before.framework, after.framework, account, digests=ends)
            changes[ends] = Compared(before, after, found, account)
    order = sorted(versions.values(), key=_order)
    replies = {e.digest: (e, r) for e, r in site.book.of_kind(Reply) if r.developer == code}
    return Developer(
        code,
        site.who(code),
        company,
        any(one.framework.demonstration for one in order),
        tuple(order),
        tuple(changes.values()),
        past.alarms,
        past.notices,
        tuple(sorted(replies.values(), key=lambda pair: (pair[1].date, pair[0].digest))),
    )


def _by_sources(
    versions: dict[str, Known], entries: list[Entry]
) -> Iterator[tuple[tuple[str, str], Account | None]]:
    """Yield which versions to compare where one was not logged, each with its account."""
    accounts = {entry.digest: entry.record for entry in entries}
    told: dict[tuple[str, str], Account] = {}
    for _, record in sorted(accounts.items()):
        if isinstance(record, Account):
            told.setdefault((record.before, record.after), record)
    titles: dict[str, list[Known]] = {}
    for one in sorted(versions.values(), key=_order):
        titles.setdefault(one.framework.title.casefold(), []).append(one)
    for line in titles.values():
        for before, after in pairwise(line):
            logged = before.entry and after.entry  # the history has compared these
            if not logged and before.framework.label != after.framework.label:
                ends = before.digest, after.digest
                yield ends, told.pop(ends, None)
    yield from ((ends, account) for ends, account in told.items() if set(ends) <= versions.keys())


def _order(version: Known) -> tuple[str, ...]:
    framework, entry = version.framework, version.entry
    witnessed = (entry.witnessed or "~") if entry else ""
    dates = framework.published, framework.effective or "", witnessed
    return *dates, framework.label, version.digest


def _recorded(site: Site, code: str) -> Iterator[Known]:
    own = (pair for pair in site.shipped.items() if pair[1].developer == code)
    for digest, framework in sorted(own, key=lambda pair: (pair[1].published, pair[1].label)):
        if digest in site.recorded:
            yield Known(framework, digest, None)
