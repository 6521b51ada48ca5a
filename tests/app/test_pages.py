# SPDX-License-Identifier: Apache-2.0
import csv
import json
import re
from collections import Counter
from dataclasses import replace
from posixpath import dirname, join, normpath
from urllib.parse import urldefrag

import pytest
from sample_book import CODES, sample_book
from sample_pages import Reader, data_files, only, pages, read, record, render

from countermark.app.site.page import DataFile, Page
from countermark.app.site.pages import MISSING, all_pages
from countermark.app.site.reference import load_reference
from countermark.app.site.signs import SIGNS
from countermark.app.site.words import WORDS
from countermark.node.book import Book
from countermark.records.account import Account
from countermark.records.canonical import content_digest
from countermark.records.decision import Decision
from countermark.records.finding import Finding
from countermark.records.protocol import Protocol

LIMIT = 60_000


def with_record(book: Book, old: type, change: dict[str, object]) -> Book:
    entries = tuple(
        replace(entry, record=entry.record.model_copy(update=change))
        if isinstance(entry.record, old)
        else entry
        for entry in book.entries
    )
    return replace(book, entries=entries)


def test_every_path_stands_once() -> None:
    paths = [found.path for found in record()]
    assert len(paths) == len(set(paths))


def test_every_link_leads_somewhere() -> None:
    statements = {entry.file for entry in sample_book().entries}
    for path in pages():
        if path == MISSING:
            continue
        for link in read(path).links:
            place, fragment = urldefrag(link)
            if place.startswith("https://"):
                continue
            target = normpath(join(dirname(path), place)) if place else path
            if target.startswith("../statements/"):
                assert target.removeprefix("../statements/") in statements
            elif not target.startswith("../blobs/sha256/"):
                assert target in pages() or target in data_files(), (path, link)
                if fragment:
                    assert fragment in read(target).ids, (path, link)


def test_a_book_that_lacks_some_statements_links_only_what_it_shows() -> None:
    book = sample_book()
    for kind in ("protocol", "framework", "finding"):
        kept = tuple(entry for entry in book.entries if entry.record.kind_name() != kind)
        whole = tuple(all_pages(replace(book, entries=kept), load_reference()))
        known = {found.path for found in whole}
        for page in whole:
            if isinstance(page, Page) and page.path != MISSING:
                for link in Reader(page).links:
                    place = urldefrag(link).url
                    target = normpath(join(dirname(page.path), place)) if place else page.path
                    outside = place.startswith("https://") or target.startswith("../")
                    assert outside or target in known, (page.path, link)


def test_the_missing_page_links_from_the_top() -> None:
    assert all(link.startswith(("/", "#")) for link in read(MISSING).links)


def test_identifiers_are_unique_on_their_page() -> None:
    for path in pages():
        repeated = [name for name, count in Counter(read(path).ids).items() if count > 1]
        assert not repeated, path


def test_no_page_but_the_one_that_checks_needs_a_script_or_a_style_of_its_own() -> None:
    for path in pages():
        reader = read(path)
        assert reader.tags["script"] == (3 if path == "verify/index.html" else 0)
        assert (b"script-src" in pages()[path].html) == (path == "verify/index.html")
        assert reader.tags["style"] == reader.tags["iframe"] == 0
        assert not [name for name, _ in reader.attributes if name == "style" or name[:2] == "on"]


def test_every_page_says_what_it_is() -> None:
    for path in pages():
        reader = read(path)
        assert reader.tags["h1"] == reader.tags["main"] == 1
        assert ("lang", "en") in reader.attributes
        html = pages()[path].html
        assert b"Made by Countermark 0." in html
        assert b"default-src 'none'" in html


def test_every_chart_has_its_words_and_its_table() -> None:
    drawn = 0
    for path in pages():
        reader = read(path)
        assert reader.tags["svg"] == reader.tags["desc"] == reader.tags["figure"]
        assert reader.tags["figcaption"] == reader.tags["figure"]
        assert reader.tags["table"] == reader.tags["caption"]
        # A figure comes before the table that repeats it.
        parts = [tag for tag in reader.order if tag in ("figure", "table")]
        figures = [place for place, tag in enumerate(parts) if tag == "figure"]
        assert all("table" in parts[place:] for place in figures), path
        drawn += len(figures)
    assert drawn > 20


def test_pages_are_light() -> None:
    heavy = {path: len(page.html) for path, page in pages().items() if len(page.html) > LIMIT}
    assert not heavy
    assert len(data_files()["style.css"].body) < 10_000


def test_a_demonstration_says_so_on_every_page() -> None:
    assert all(b"did not take part." in page.html for page in pages().values())


def test_a_record_of_real_exercises_has_no_such_banner() -> None:
    book = sample_book()
    entries = tuple(
        replace(entry, record=entry.record.model_copy(update={"demonstration": False}))
        if hasattr(entry.record, "demonstration")
        else entry
        for entry in book.entries
        # An account names versions by their bytes, which this changes.
        if not isinstance(entry.record, Account)
    )
    found = render(replace(book, entries=entries))
    assert not any(b"simulated" in page.html for page in found.values())


def test_an_empty_book_has_pages() -> None:
    book = sample_book()
    found = render(Book((), (), book.roster))
    assert {"index.html", "findings/index.html", "log/index.html"} <= found.keys()
    assert "no joint finding yet" in Reader(found["findings/index.html"]).text


def test_texts_of_records_are_shown_and_not_run() -> None:
    hostile = '<img src=x onerror="alert(1)">'
    book = with_record(sample_book(), Protocol, {"title": hostile, "objectives": (hostile,)})
    for page in render(book).values():
        assert b"<img" not in page.html


def test_only_https_sources_become_links() -> None:
    reference = load_reference()
    first = reference.institutes[0]
    source = first.sources[0].model_copy(update={"url": "javascript:alert(1)"})
    changed = first.model_copy(update={"sources": (source,)})
    reference = replace(reference, institutes=(changed, *reference.institutes[1:]))
    for found in all_pages(sample_book(), reference):
        if isinstance(found, Page):
            assert "javascript:alert(1)" not in Reader(found).links


def test_a_finding_starts_with_its_verdict() -> None:
    text = read(only(r"findings/[0-9a-f]+/index\.html")).text
    start = text[:900]
    assert "62.3% of answers in English (48.3% to 76.3%)" in start
    assert "No rate is reported in Japanese: not informative." in start
    assert "No rate is reported in Japanese or Persian: judge not validated." in start
    assert "4 of 5 countersigned, 1 dissent" in text[:1400]
    assert "Temperature differs between labs and changed together with Wording of" in text


def test_a_finding_shows_every_figure_over_all_labs() -> None:
    (entry, finding), *_ = sample_book().of_kind(Finding)
    text = read(only(r"findings/[0-9a-f]+/index\.html")).text
    for cell in finding.cells:
        for figure in cell.figures:
            if figure.without_lab is None:
                assert f"{figure.value * 100:.1f}%" in text
    for word in ("Reported", "Not informative", "Judge not validated", "Not computable"):
        assert word in text
    assert "countermark verify statements/" in text
    assert entry.digest in pages()[only(r"findings/[0-9a-f]+/index\.html")].html.decode()


def test_a_cell_shows_labs_that_are_not_equivalent_in_words() -> None:
    text = read(only(r"findings/.*/leak/en/index\.html")).text
    assert "83.3%, not equivalent" in text
    assert "18 of 20 tries" in text
    assert "Without Japan (simulated)" in text


def test_a_cell_without_a_rate_says_so_first() -> None:
    text = read(only(r"findings/.*/leak/ja/index\.html")).text
    assert text.index("Not informative") < 300
    assert "The model passed 3 of 20 controls" in text


def test_files_hold_figures_unrounded() -> None:
    (_, finding), *_ = sample_book().of_kind(Finding)
    (path,) = [path for path in data_files() if re.fullmatch(r"findings/[0-9a-f]+/rates.csv", path)]
    rows = list(csv.DictReader(data_files()[path].body.decode().splitlines()))
    figures = [figure for cell in finding.cells for figure in cell.figures]
    assert [row["value"] for row in rows] == [repr(figure.value) for figure in figures]
    twin = json.loads(data_files()[path.replace(".csv", ".json")].body)
    assert [row["upper"] for row in twin["rows"]] == [figure.upper for figure in figures]


def test_a_records_file_has_the_digest_that_the_page_states() -> None:
    for entry in sample_book().entries:
        name = f"records/{entry.record.kind_name()}-{entry.digest[7:19]}.json"
        assert content_digest(data_files()[name].body) == entry.digest


def test_a_cell_of_a_spreadsheet_is_never_a_formula() -> None:
    book = with_record(sample_book(), Protocol, {"tasks": (_task_with_prompt("=1+1"),)})
    found = all_pages(book, load_reference())
    (items,) = [file for file in found if file.path.endswith("/items.csv")]
    assert isinstance(items, DataFile)
    assert b",'=1+1," in items.body


def _task_with_prompt(prompt: str) -> object:
    (_, protocol), *_ = sample_book().of_kind(Protocol)
    task = protocol.tasks[0]
    item = task.items[0]
    text = item.texts[0].model_copy(update={"prompt": prompt})
    changed = item.model_copy(update={"texts": (text, *item.texts[1:])})
    return task.model_copy(update={"items": (changed, *task.items[1:])})


@pytest.mark.parametrize("verdict", ["MAY", "MUST NOT", "NOT ENOUGH EVIDENCE"])
def test_a_decision_starts_with_its_verdict(verdict: str) -> None:
    decided = ((e, r) for e, r in sample_book().of_kind(Decision) if r.action == "deploy")
    (entry,) = [e for e, record in decided if record.verdict == verdict]
    text = read(f"decisions/{entry.digest[7:19]}/index.html").text
    shape = SIGNS["verdict"][verdict].shape
    assert f"May Example Developer deploy SmallModel-135M? {shape} {verdict} " in text[:120]
    assert "the limit is at most" in text


def test_a_protocol_shows_every_text_of_every_item() -> None:
    (_, protocol), *_ = sample_book().of_kind(Protocol)
    for task in protocol.tasks:
        text = read(only(rf"protocols/[0-9a-f]+/{task.key}/index\.html")).text
        for item in task.items:
            assert item.key in text
            assert all(shown.prompt and shown.prompt in text for shown in item.texts)


def test_an_exercise_shows_who_delivered_what() -> None:
    text = read(only(r"exercises/[0-9a-f]+/index\.html")).text
    for stage in ("Agreed", "Run planned", "Sealed", "Closed", "Revealed", "Joint finding"):
        assert stage in text
    assert "missing" not in text


def test_an_exercise_shows_what_is_missing() -> None:
    book = sample_book()
    entries = tuple(
        entry
        for entry in book.entries
        if (entry.author, entry.record.kind_name()) != ("KE", "evidence")
    )
    found = render(replace(book, entries=entries))
    (path,) = [path for path in found if re.fullmatch(r"exercises/[0-9a-f]+/index.html", path)]
    text = Reader(found[path]).text
    assert "4 of 5" in text
    assert "missing" in text


def test_a_log_page_lists_every_entry_and_its_files() -> None:
    book = sample_book()
    for log in book.logs:
        path = f"log/{log.author.lower()}/index.html"
        links = " ".join(read(path).links)
        own = [entry for entry in book.entries if entry.author == log.author]
        assert all(entry.file in links for entry in own)
        assert log.origin in read(path).text


def test_what_no_quorum_has_witnessed_has_no_statement_file() -> None:
    book = sample_book()
    entries = tuple(replace(entry, witnessed=None, witnesses=()) for entry in book.entries)
    found = render(replace(book, entries=entries))
    for page in found.values():
        assert not [link for link in Reader(page).links if "../statements/" in link]


def test_members_say_which_of_them_are_simulated() -> None:
    assert "A simulated institute with this member’s code" in read("members/jp/index.html").text
    assert "None." in read("members/us/index.html").text
    text = read("members/index.html").text
    assert text.count(" yes ") == len(CODES)


def test_every_principle_with_an_indicator_shows_its_figure() -> None:
    text = read("declarations/network-consensus-2026/index.html").text
    assert "4 of 5 signatures of participants" in text


def test_every_company_has_its_page() -> None:
    reference = load_reference()
    for company in reference.companies:
        text = read(f"commitments/{company.slug}/index.html").text
        assert company.standing in text
        assert all(found.title in text for found in company.publications)


def test_every_word_that_pages_use_is_explained() -> None:
    assert set(WORDS) <= set(read("words/index.html").ids)
