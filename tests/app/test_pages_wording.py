# SPDX-License-Identifier: Apache-2.0
"""Words that readers took for others: codes, days, shapes, joined and signed, not known."""

import csv
import re
from collections import Counter, defaultdict
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from command_line import done
from sample_book import CODES, DEVELOPER, sample_book
from sample_pages import Reader, data_files, pages, read, render

from countermark.app.site import addresses
from countermark.app.site.beside import lines
from countermark.app.site.codes import Codes
from countermark.app.site.context import Site
from countermark.app.site.decided import decisions
from countermark.app.site.known import known_developers
from countermark.app.site.pages.commitments import grids
from countermark.app.site.reference import load_reference
from countermark.app.site.signs import SIGNS
from countermark.commitments.tracker import Cell
from countermark.commitments.tracker_rules import Behind
from countermark.records.decision import Decision

COMPANY = addresses.company(DEVELOPER) + "index.html"


class Prose(HTMLParser):
    """The words of a page's main part that no element explains or marks as code."""

    def __init__(self, html: bytes) -> None:
        super().__init__()
        self.words: list[str] = []
        self._inside: list[str] = []
        self.feed(html.decode())
        self.text = re.sub(r"\s+", " ", " ".join(self.words))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("main", "abbr", "code", "pre"):
            self._inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._inside and self._inside[-1] == tag:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        if self._inside == ["main"]:
            self.words.append(data)


def cells() -> list[Cell]:
    site = Site(sample_book(), load_reference())
    return [cell for grid in grids(site, known_developers(site)) for cell in grid.cells]


def test_no_code_of_an_institute_stands_in_prose_without_its_name() -> None:
    kinds = "decisions|determinations|accounts|replies|commitments|frameworks"
    found = [path for path in pages() if re.match(rf"({kinds})/|index.html", path)]
    explained = 0
    for path in found:
        html = pages()[path].html
        bare = re.findall(rf"(?<![\w-])(?:{'|'.join(CODES)})(?![\w-])", Prose(html).text)
        assert not bare, path
        for code in CODES:
            if f">{code}</abbr>".encode() in html:
                name = re.search(rf'<abbr title="([^"]+)">{code}<', html.decode())
                assert name
                assert name[1].endswith(" (simulated)")
                assert f"<strong>{code}</strong> is {name[1]}".encode() in html, path
                explained += 1
    assert explained > 5


def test_a_code_is_explained_without_a_change_of_the_words() -> None:
    codes = Codes({"GB": "The United Kingdom", "GB-sim": "a lab", "a-developer": "A & B"})
    assert codes.sentence("GB determined <it>, GBX did not; without GB-sim") == (
        '<abbr title="The United Kingdom">GB</abbr> determined &lt;it&gt;, GBX did not; without '
        '<abbr title="a lab">GB-sim</abbr>.'
    )
    assert codes.sentence("a-developer says so") == (
        '<abbr title="A &amp; B">a-developer</abbr> says so.'
    )
    assert [code for code, _ in codes.shown] == ["GB", "GB-sim", "a-developer"]
    assert codes.marked("GB") == '<abbr title="The United Kingdom">GB</abbr>'
    assert Codes({}).sentence("nobody says") == "Nobody says."


def test_in_a_record_of_real_exercises_codes_are_explained_too() -> None:
    book = sample_book()
    entries = tuple(
        replace(one, record=one.record.model_copy(update={"demonstration": False}))
        if hasattr(one.record, "demonstration")
        else one
        for one in book.entries
        if one.record.kind_name() != "account"
    )
    found = render(replace(book, entries=entries))
    told = [page.html for page in found.values() if b"In the words of statements" in page.html]
    assert any(b"<strong>GB</strong> is United Kingdom," in html for html in told)


def test_a_kept_threshold_is_explained_where_not_reached_stands_beside_it() -> None:
    made = next(one for one in decisions(sample_book()) if one.decision.action == "develop")
    text = read(f"{addresses.decision(made.entry.digest)}index.html").text
    assert "or what it describes not reached. Crossed means the other side" in text
    assert text.index("Kept means that") < text.index("determined that it is not reached")
    assert "One institute: United Kingdom (simulated)" in text
    assert "kept" in read("words/index.html").ids
    # What keeps a limit is kept; a mitigation is in place, a duty fulfilled, a provision followed.
    assert not re.search(r"(mitigation|duty|provision) [^.]* (not )?kept", read(COMPANY).text)


def test_decisions_are_dated_newest_first_and_the_latest_of_each_question_is_marked() -> None:
    made = decisions(sample_book())
    days = [one.decision.at or (one.entry.witnessed or "")[:10] for one in made]
    assert days == sorted(days, reverse=True)
    latest = Counter(
        (one.entry.author, one.decision.model, one.decision.action)
        for one in made
        if one.standing == "latest"
    )
    assert set(latest.values()) == {1}
    assert len(latest) == 2
    for path in ("decisions/index.html", COMPANY):
        text = read(path).text
        assert text.count("◉ latest") == 2
        assert text.count("↻ decided again later") == 2
    listed = re.findall(r"(?:Deploy|Develop) \S+: [^;]*", read(COMPANY).text)
    assert len(listed) == 4
    assert all(re.search(r"(for|witnessed) \d+ November 2026", one) for one in listed)


def test_the_day_for_which_was_decided_counts_before_that_of_witnessing() -> None:
    book = sample_book()
    deploy = [one for one in decisions(book) if one.decision.action == "deploy"]
    oldest = deploy[-1]

    def dated(at: str) -> list[str]:
        entries = tuple(
            replace(one, record=one.record.model_copy(update={"at": at}))
            if one.digest == oldest.entry.digest and isinstance(one.record, Decision)
            else one
            for one in book.entries
        )
        made = decisions(replace(book, entries=entries))
        return [one.entry.digest for one in made if one.later is None]

    assert oldest.entry.digest in dated("2026-11-24")
    assert oldest.entry.digest not in dated("2026-11-22")


def test_a_decision_says_whether_its_author_decided_again() -> None:
    for made in decisions(sample_book()):
        reader = read(f"{addresses.decision(made.entry.digest)}index.html")
        assert ("decided again later, under version 3.0: ◇ NOT ENOUGH EVIDENCE" in reader.text) == (
            made.later is not None
        )
        if made.later:
            assert any(
                link.endswith(addresses.decision(made.later) + "index.html")
                for link in reader.links
            )


def test_a_decision_that_nobody_has_witnessed_yet_is_the_latest() -> None:
    book = sample_book()
    oldest = [one for one in decisions(book) if one.decision.action == "deploy"][-1]
    entries = tuple(
        replace(one, witnessed=None) if one.digest == oldest.entry.digest else one
        for one in book.entries
    )
    made = decisions(replace(book, entries=entries))
    assert made[0].entry.digest == oldest.entry.digest
    assert made[0].later is None


def test_a_word_has_one_shape_and_one_colour_wherever_it_stands() -> None:
    shown = defaultdict(set)
    for sort, states in SIGNS.items():
        for state, found in states.items():
            shown[found.word or state].add((found.shape, found.tone))
            assert found.shape
            assert sort
    assert {word: ways for word, ways in shown.items() if len(ways) > 1} == {}


def test_bad_news_of_different_kinds_on_one_page_differs_in_shape() -> None:
    kinds = (("verdict", "state", "standing"), ("effect",), ("commitment",), ("told",), ("alarm",))
    bad = [
        {found.shape for sort in kind for found in SIGNS[sort].values() if found.tone == "no"}
        for kind in kinds
    ]
    for number, shapes in enumerate(bad):
        assert shapes
        for others in bad[number + 1 :]:
            assert not shapes & others
    assert SIGNS["effect"]["removed"].shape != SIGNS["commitment"]["contested"].shape


def test_no_sentence_stands_twice_under_one_commitment() -> None:
    html = pages()[COMPANY].html.decode()
    sections = re.findall(r'<section class="part">.*?</section>', html, re.DOTALL)
    assert len(sections) == 8
    for section in sections:
        items = [
            re.sub(r"<[^>]+>", "", item.split('<span class="quiet">By')[0])
            for item in re.findall(r"<li>(.*?)</li>", section, re.DOTALL)
        ]
        sentences = [one for item in items for one in re.split(r"(?<=\.) (?=[A-Z])", item.strip())]
        assert [one for one, count in Counter(sentences).items() if count > 1] == []
    for cell in cells():
        assert {one.digest for one in cell.statements} == {
            digest for line in lines(cell.statements) for digest, _ in line.statements
        }
        assert {one.words for one in cell.statements} == {
            words for line in lines(cell.statements) for words in line.words
        }


def said(digest: str, words: str, date: str = "2026-01-01", author: str = "GB") -> Behind:
    return Behind(digest, "determination", author, date, "", None, "supports", 11, words)


def test_sentences_of_the_same_statements_stand_on_one_line() -> None:
    one, two = ("a", "2026-01-01"), ("b", "2026-01-01")
    first, second, third = lines(
        [
            said("a", "x"),
            said("a", "y"),
            said("b", "y"),
            said("a", "z"),
            said("a", "y", author="JP"),
        ]
    )
    assert (first.words, first.statements) == (("x", "z"), (one,))
    assert (second.words, second.statements) == (("y",), (one, two))
    assert (third.author, third.words) == ("JP", ("y",))
    assert lines([]) == ()


def test_a_state_holds_since_the_statement_that_gives_it_and_not_since_the_earliest() -> None:
    whole = {(cell.company, cell.commitment): cell for cell in cells()}
    told = whole[DEVELOPER, "vii"]
    assert told.since == told.statements[0].date == "2026-11-10"
    assert "⇄ contested since 10 November 2026" in read(COMPANY).text
    assert "Since when III ⇄ contested since 20 November 2026. VII ⇄ contested since 10" in (
        read(COMPANY).text
    )
    for file in ("commitments/grid.csv", f"{addresses.company(DEVELOPER)}commitments.csv"):
        rows = csv.DictReader(data_files()[file].body.decode().splitlines())
        days = [
            row["since"]
            for row in rows
            if row["commitment"] == "vii" and row.get("company", DEVELOPER) == DEVELOPER
        ]
        assert days == ["2026-11-10"]


def test_a_grid_counts_each_statement_once() -> None:
    text = read("commitments/index.html").text
    row = text[text.index("The same for the demonstration") :]
    counted = re.findall(r"(?:●|⇄|◐) [a-z]+(\d+)", row)[:8]
    own = [cell for cell in cells() if cell.company == DEVELOPER]
    assert counted == [str(len({one.digest for one in cell.statements})) for cell in own]


def test_companies_join_commitments_and_authors_sign_statements() -> None:
    for company in load_reference().companies:
        text = read(f"commitments/{company.slug}/index.html").text
        assert text.startswith(
            f" Frontier AI Safety Commitments {company.name} Joined the commitments: "
        )
        assert "Signed" not in text
        assert "signator" not in text
        # Signed is said of statements only, here of those that are not.
        assert set(re.findall(r"\S+ signed", text)) <= {"not signed"}
    assert {"joined", "statement"} <= set(read("words/index.html").ids)


def test_what_is_unknown_says_what_is_not_known_and_who_could_say_it() -> None:
    text = read("commitments/g42/index.html").text
    assert "no statement in this record tells whether G42 does what I, II, III" in text
    assert "That says nothing for it or against it." in text
    commands = re.findall(
        r"<code>countermark (\w+) (\w+)", pages()["commitments/g42/index.html"].html.decode()
    )
    assert len(commands) == 5
    for noun, verb in commands:
        assert done(noun, verb, "--help").out
    assert "unknown" not in read(COMPANY).ids, "everything is known there"


def test_one_missing_document_is_told_of_once() -> None:
    text = read("commitments/mistral-ai/index.html").text
    assert text.count("Not found in the log or in our sources") == 1
    due = [one for one in cells() if (one.company, one.state) == ("mistral-ai", "overdue")]
    again = text.count("◷ overdue since 11 February 2025: as for I. Rule 18.")
    assert again == len(due) - 1 > 1


@pytest.mark.parametrize("company", ["anthropic", "meta", "openai", "xai"])
def test_versions_of_different_titles_can_be_compared_by_hand(company: str, tmp_path: Path) -> None:
    page = pages()[f"commitments/{company}/index.html"]
    assert "Only versions of one title are compared here" in Reader(page).text
    commands = re.findall(r"countermark framework diff ([^ <]+) ([^ <]+)<", page.html.decode())
    assert commands
    for command in commands:
        files = [tmp_path / name for name in command]
        for file in files:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data_files()[str(file.relative_to(tmp_path / "site"))].body)
        assert "changes" in done("framework", "diff", *files).out.splitlines()[0]


def test_a_company_with_one_title_says_nothing_of_others() -> None:
    assert "Only versions of one title" not in read("commitments/google/index.html").text
    text = read(COMPANY).text
    assert "Only versions of one title are compared here" in text
    assert "by hand" not in text, "its titles were in force side by side"


def test_a_company_page_says_what_asks_less_and_whether_an_account_is_logged() -> None:
    (own,) = [
        one
        for one in known_developers(Site(sample_book(), load_reference()))
        if one.code == DEVELOPER
    ]
    for effect in ("weakened", "removed"):
        count = sum(change.diff.count(effect) for change in own.changes)
        assert f"{count} part{'' if count == 1 else 's'} " in read(COMPANY).text
    assert "Of 1 of them the developer’s account is logged." in read(COMPANY).text
    assert "No account of them is logged here." in read("commitments/xai/index.html").text
