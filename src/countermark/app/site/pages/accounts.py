# SPDX-License-Identifier: Apache-2.0
"""Accounts: what a developer says has changed, beside what the comparison of versions found."""

from collections import Counter
from collections.abc import Iterator, Sequence

from countermark.app.site import addresses
from countermark.app.site.beside import STANCES, spoken_to
from countermark.app.site.context import Site, downloads
from countermark.app.site.known import Developer, Known
from countermark.app.site.naming import called
from countermark.app.site.page import Page
from countermark.app.site.signs import SIGNS
from countermark.commitments.announcing import Entries, Found
from countermark.commitments.comparing import Step
from countermark.commitments.framework_diff import Change, FrameworkDiff, diff
from countermark.commitments.tracker import Grid
from countermark.node.book import Entry
from countermark.records.account import Account, Announced


def account_pages(site: Site, known: Sequence[Developer], grids: Sequence[Grid]) -> Iterator[Page]:
    """Return one page for each account.

    Parameters
    ----------
    site
        The record.
    known
        The developers with their versions.
    grids
        The states of the commitments.
    """
    developers = {developer.code: developer for developer in known}
    found = {entry.digest: (entry, account) for entry, account in site.book.of_kind(Account)}
    for entry, account in found.values():
        yield _account_page(site, entry, account, developers.get(account.developer), grids)


def _account_page(
    site: Site,
    entry: Entry,
    account: Account,
    developer: Developer | None,
    grids: Sequence[Grid],
) -> Page:
    versions = {one.digest: one for one in developer.versions} if developer else {}
    before, after = versions.get(account.before), versions.get(account.after)
    compared = _compared(account, before, after)
    changes = compared.changes if compared else ()
    told = [(one, _about(one, before, after), _named(one, changes)) for one in account.changes]
    by_told = Counter[str](one.told for one in changes)
    paths = {change.path for change in developer.changes} if developer else set()
    path = addresses.change(account.before, account.after)
    return site.render(
        "account",
        addresses.account(entry.digest),
        called(site, entry),
        digest=entry.digest,
        entry=entry,
        account=account,
        developer=developer,
        before=before,
        after=after,
        compared=compared,
        told=told,
        counts={state: count for state in SIGNS["told"] if (count := by_told[state])},
        silent=[(one, _part(one, before, after)) for one in changes if one.told == "silent"],
        silent_by=Counter(one.effect for one in changes if one.told == "silent"),
        asked_silently=[one for one in changes if one.told == "silent" and one.material],
        change=path if path in paths else None,
        cells=spoken_to(grids, entry.digest),
        stances=STANCES,
        downloads=downloads((), entry),
    )


def _compared(account: Account, before: Known | None, after: Known | None) -> FrameworkDiff | None:
    if before is None or after is None:
        return None
    ends = before.digest, after.digest
    return diff(before.framework, after.framework, account, digests=ends)


def _about(one: Announced, before: Known | None, after: Known | None) -> str | None:
    """Return what an entry names, by its title where the version is known."""
    for key, version in ((one.threshold, before), (one.added, after), (one.provision, before)):
        if key:
            return _title(key, version)
    return None


def _part(change: Change, before: Known | None, after: Known | None) -> str:
    """Return what a change is of, by its title."""
    key = change.key or change.new_key
    title = f" “{_title(key, before if change.key else after)}”" if key else ""
    return f"{change.section}{title}"


def _title(key: str, version: Known | None) -> str:
    if version is None:
        return key
    titles = {one.key: one.title for one in version.framework.mitigations or ()}
    titles |= {one.key: one.title for one in version.framework.thresholds}
    return titles.get(key, key)


def _named(one: Announced, changes: Sequence[Change]) -> tuple[Change, ...]:
    """Return the changes that one entry of an account names, by the rules of the diff."""
    entries = Entries((one,))
    return tuple(change for change in changes if entries.naming(_found(change)))


def _found(change: Change) -> Found:
    step = Step(change.rule, change.effect, change.aspect, change.before, change.after)
    return Found(change.section, change.key, change.new_key, step)
