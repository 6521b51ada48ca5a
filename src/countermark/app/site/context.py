# SPDX-License-Identifier: Apache-2.0
"""What every page shares: the book, the reference data, names of things, and the one template."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from countermark import __version__
from countermark.app.site import addresses, figures, signs
from countermark.app.site.codes import Codes, party_names
from countermark.app.site.decided import Decided, decisions
from countermark.app.site.exercises import with_page
from countermark.app.site.page import DataFile, Page, Sheet
from countermark.app.site.reference import Reference
from countermark.app.site.words import WORDS
from countermark.node.book import Book, Entry
from countermark.records.account import Reply
from countermark.records.canonical import JsonValue, canonical, content_digest
from countermark.records.finding import Finding
from countermark.records.framework import Framework
from countermark.records.protocol import Protocol
from countermark.taxonomy.languages import language

MISSING = "404.html"

SECTIONS = (
    ("Findings", "findings/index.html"),
    ("Exercises", "exercises/index.html"),
    ("Decisions", "decisions/index.html"),
    ("Log", "log/index.html"),
    ("Members", "members/index.html"),
    ("Declarations", "declarations/index.html"),
    ("Partnerships", "partnerships/index.html"),
    ("Commitments", "commitments/index.html"),
    ("Frameworks", "frameworks/index.html"),
    ("Law", "law/index.html"),
    ("Words", "words/index.html"),
    ("Check a file", "verify/index.html"),
)

PAGES: dict[str, Callable[[str], str]] = {
    "protocol": addresses.protocol,
    "finding": addresses.finding,
    "framework": addresses.framework,
    "decision": addresses.decision,
    "determination": addresses.determination,
    "account": addresses.account,
    "reply": addresses.reply,
}
"""Kinds with a page of their own."""


@dataclass(frozen=True, slots=True)
class Download:
    """A link to the same figures or record as a file."""

    label: str
    path: str


@dataclass(frozen=True)
class Site:
    """A book and what is known about the world, ready to be shown."""

    book: Book
    reference: Reference

    @cached_property
    def demonstration(self) -> bool:
        """Whether any protocol, finding or framework of the book says it is a demonstration."""
        return any(
            entry.record.demonstration
            for entry in self.book.entries
            if isinstance(entry.record, Protocol | Finding | Framework)
        )

    @cached_property
    def state(self) -> str:
        """Content address of the logs that all pages were made from."""
        logs: JsonValue = {log.origin: [log.size, log.root] for log in self.book.logs}
        return content_digest(canonical(logs))

    @cached_property
    def entries(self) -> dict[str, Entry]:
        """The first statement of each record by its content address."""
        found: dict[str, Entry] = {}
        for entry in self.book.entries:
            found.setdefault(entry.digest, entry)
        return found

    @cached_property
    def shown(self) -> frozenset[str]:
        """Content addresses of the records that have a page of their own."""
        return with_page(self.book)

    @cached_property
    def commitments(self) -> dict[str, str]:
        """Titles of the Frontier AI Safety Commitments by their keys."""
        return {one.key: one.title for one in self.reference.commitments.principles}

    @cached_property
    def developers(self) -> frozenset[str]:
        """Codes of those with a page: companies of the commitments, and who logged a framework."""
        promising = {record.developer for _, record in self.book.of_kind(Framework)}
        return frozenset(promising | self.companies.keys())

    @cached_property
    def decisions(self) -> tuple[Decided, ...]:
        """Every decision with a page, the newest first."""
        return decisions(self.book)

    @cached_property
    def shipped(self) -> dict[str, Framework]:
        """The versions that come with the package, by content address."""
        return {one.digest: one for one in self.reference.frameworks}

    @cached_property
    def recorded(self) -> frozenset[str]:
        """Content addresses of the versions that come with the package and that nobody logged."""
        # Whoever logs a recorded version adds its own name; but for that the two are the same.
        logged = {
            record.model_copy(update={"recorded_by": None}).digest
            for _, record in self.book.of_kind(Framework)
        }
        return frozenset(self.shipped.keys() - logged)

    @cached_property
    def _replies(self) -> dict[str, dict[str, tuple[Entry, Reply]]]:
        found: dict[str, dict[str, tuple[Entry, Reply]]] = {}
        for entry, record in self.book.of_kind(Reply):
            if record.of:
                found.setdefault(record.of, {}).setdefault(entry.digest, (entry, record))
        return found

    @cached_property
    def _party_names(self) -> dict[str, str]:
        return party_names(self.book, self.who)

    @cached_property
    def day(self) -> str:
        """The last day of which the record tells: what is computed for a day is for this one."""
        witnessed = (log.witnessed[:10] for log in self.book.logs if log.witnessed)
        sources = (company.as_of for company in self.reference.companies)
        return max(witnessed, default=max(sources))

    @cached_property
    def companies(self) -> dict[str, str]:
        """Names of the signatories of the commitments by their codes."""
        return {company.slug: company.name for company in self.reference.companies}

    @cached_property
    def countries(self) -> dict[str, str]:
        """Names of the members by their codes."""
        return {institute.code: institute.country for institute in self.reference.institutes}

    def who(self, code: str) -> str:
        """Return the name of an author; a member in a demonstration is named as simulated."""
        if code in self.countries:
            name = self.countries[code]
            return f"{name} (simulated)" if self.demonstration else name
        if code in self.companies:
            return self.companies[code]
        party = self.book.roster.party(code)
        return party.name if party else code

    def framework(self, digest: str) -> Framework | None:
        """Return a version of a framework that was logged, or that comes with the package."""
        entry = self.entries.get(digest)
        held = entry.record if entry else self.shipped.get(digest)
        return held if isinstance(held, Framework) else None

    def replies(self, digest: str) -> tuple[tuple[Entry, Reply], ...]:
        """Return what developers replied to a statement, the oldest first, each once."""
        found = self._replies.get(digest, {})
        return tuple(sorted(found.values(), key=lambda pair: (pair[1].date, pair[0].digest)))

    def witnesses(self, entry: Entry) -> tuple[str, ...]:
        """Return the names of those that witnessed a statement."""
        parties = self.book.roster.parties
        codes = {party.witness.name: party.code for party in parties if party.witness}
        return tuple(self.who(codes[name]) if name in codes else name for name in entry.witnesses)

    def place(self, digest: str) -> str | None:
        """Return where a statement can be read: its own page, or its line in its author's log."""
        entry = self.entries.get(digest)
        if entry is None:
            return addresses.framework(digest) if digest in self.recorded else None
        own = PAGES.get(entry.record.kind_name())
        return own(digest) if own and digest in self.shown else self.line(entry)

    def line(self, entry: Entry) -> str:
        """Return where a statement stands in its author's log."""
        return f"{addresses.log(entry.author)}index.html#n{entry.index}"

    def language(self, tag: str) -> str:
        """Return the English name of a language."""
        return language(tag).english

    def render(
        self, template: str, path: str, title: str, *, digest: str | None = None, **values: Any
    ) -> Page:
        """Fill a template.

        Parameters
        ----------
        template
            Name of the template without its suffix.
        path
            Folder of the page from the site's root, empty or ending in a slash; or a file name.
        title
            Title of the page, which is also its first heading.
        digest
            Content address of the record that the page is about, if it is about one.
        values
            What the template shows.
        """
        file = path if path.endswith(".html") else f"{path}index.html"
        # A server sends this page from any depth, so its links start at the top.
        root = "/" if file == MISSING else "../" * file.count("/")

        def link(target: str) -> str:
            return root + (target + "index.html" if target.endswith("/") else target)

        def term(key: str, shown: str | None = None) -> Markup:
            word = WORDS[key]
            return Markup('<a class="term" href="{}#{}">{}</a>').format(
                link("words/"), key, shown or word.term
            )

        codes = Codes(self._party_names)
        html = (
            _environment()
            .get_template(f"{template}.html")
            .render(
                site=self,
                title=title,
                section=f"{file.split('/', maxsplit=1)[0]}/index.html",
                file=file,
                front=file == "index.html",
                link=link,
                term=term,
                coded=codes.sentence,
                codes=codes,
                digest=digest,
                version=__version__,
                sections=SECTIONS,
                **values,
            )
        )
        return Page(file, title, html.encode())


def downloads(sheets: Sequence[Sheet], entry: Entry | None = None) -> tuple[Download, ...]:
    """Return the links under a table: each sheet as CSV and JSON, and the record itself."""
    found = [
        Download(f"{sheet.title} ({suffix.upper()})", f"{sheet.path}.{suffix}")
        for sheet in sheets
        for suffix in ("csv", "json")
    ]
    if entry:
        kind = entry.record.kind_name()
        found.append(Download("The record itself (JSON)", addresses.record(kind, entry.digest)))
    return tuple(found)


def files(sheets: Sequence[Sheet]) -> tuple[DataFile, ...]:
    """Return the files of some sheets."""
    return tuple(file for sheet in sheets for file in sheet.files())


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("countermark.app.site"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "figure": figures.figure,
        "rate": figures.rate_text,
        "interval": lambda found: figures.interval(found.lower, found.upper),
        "label": figures.label,
        "moment": figures.moment,
        "date": figures.date,
        "sentence": figures.sentence,
        "short": addresses.short,
    }
    environment.globals |= {
        "addresses": addresses,
        "sign": signs.sign,
        "tone": signs.tone,
        "date_text": figures.date_text,
    }
    return environment


def fill(template: str, **values: Any) -> bytes:
    """Fill a template that stands alone: a page of no site, in one file."""
    return _environment().get_template(f"{template}.html").render(**values).encode()
