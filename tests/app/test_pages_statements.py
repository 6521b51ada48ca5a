# SPDX-License-Identifier: Apache-2.0
"""Pages of determinations, accounts and replies, and what other pages say and link of them."""

import re
from dataclasses import replace

import sample_promises
from frameworks import entry
from sample_book import DEVELOPER, sample_book
from sample_pages import Reader, data_files, pages, read, render

from countermark.app.site import addresses
from countermark.app.site.beside import STANCES
from countermark.app.site.context import Site
from countermark.app.site.known import known_developers
from countermark.app.site.naming import answer_sort, called, judged, question
from countermark.app.site.pages.commitments import grids
from countermark.app.site.reference import load_reference
from countermark.app.site.signs import SIGNS, sign
from countermark.node.book import Book, Entry
from countermark.records import Record
from countermark.records.account import Account, Reply
from countermark.records.canonical import content_digest
from countermark.records.decision import Decision
from countermark.records.determination import Determination
from countermark.records.framework import Framework
from countermark.records.threshold_rules import SecurityLevel, Trigger

OLD, NEW, _ = sample_promises.versions()


def site(book: Book | None = None) -> Site:
    return Site(book or sample_book(), load_reference())


def logged(*records: tuple[str, Record]) -> Book:
    """Return the sample book with more statements."""
    book = sample_book()
    more = tuple(
        entry(record, author, 900 + number, "2026-11-24T00:00:00Z")
        for number, (author, record) in enumerate(records)
    )
    return replace(book, entries=(*book.entries, *more))


def said_of(key: str, framework: Framework = NEW) -> tuple[Entry, Determination]:
    (found,) = [
        pair
        for pair in sample_book().of_kind(Determination)
        if (pair[1].key, pair[1].framework) == (key, framework.digest)
    ]
    return found


def page_of(digest: str, kind: str = "determination") -> str:
    place = {"determination": addresses.determination, "account": addresses.account}
    return f"{place.get(kind, addresses.reply)(digest)}index.html"


def test_every_determination_account_and_reply_has_a_page_and_links_lead_to_it() -> None:
    whole = site()
    for kind in (Determination, Account, Reply):
        for made, record in sample_book().of_kind(kind):
            path = page_of(made.digest, record.kind_name())
            assert f"{whole.place(made.digest)}index.html" == path
            reader = read(path)
            assert "Check it yourself" in reader.text
            assert f"countermark verify statements/{made.file}" in reader.text
            assert "◇ Demonstration: no real developer stands behind this." in reader.text
            line = f"{addresses.log(made.author)}index.html#n{made.index}"
            assert any(link.endswith(line) for link in reader.links)
            record_file = addresses.record(record.kind_name(), made.digest)
            assert any(link.endswith(record_file) for link in reader.links)
            assert data_files()[record_file].body == record.to_bytes()
            log = read(f"{addresses.log(made.author)}index.html")
            assert any(link.endswith(path) for link in log.links)


def test_statements_without_a_page_lead_to_their_line_in_the_log() -> None:
    whole = site()
    (kept, *_) = [one for one in sample_book().entries if one.record.kind_name() == "run-plan"]
    assert whole.place(kept.digest) == f"{addresses.log(kept.author)}index.html#n{kept.index}"
    assert whole.place(content_digest(b"nobody said it")) is None
    recorded = load_reference().frameworks[0]
    assert whole.place(recorded.digest) == addresses.framework(recorded.digest)


def test_a_determination_answers_the_five_questions_of_an_official() -> None:
    made, said = said_of("cyber")
    text = read(page_of(made.digest)).text
    top = text[: text.index("What it weighed")]
    assert "Is the threshold “Help with attacks on computers” reached? ● not reached" in top
    assert f"{said.reasons} Level found: “high”." in top
    assert "judged promised-model under version 2 of “Promises of the example developer”" in top
    assert (
        "below the level “critical” on the scale low / high / critical. The developer says “shall”"
        in top
    )
    assert "By itself this means that the threshold is ● kept" in top
    assert "United Kingdom (simulated). Judged by a panel of three." in top
    assert "The digest of the build that was judged" in top
    assert "Determined 20 November 2026; witnessed 23 November 2026" in top
    assert "by Japan (simulated), France (simulated), Kenya (simulated)" in top


def test_a_determination_shows_what_it_weighed_and_what_became_of_it() -> None:
    made, said = said_of("cyber")
    text = read(page_of(made.digest)).text
    assert all(one.words in text for one in said.evidence)
    assert "Promises of the example developer, Example Developer, 15 January 2026 (primary" in text
    uses = text[text.index("Decisions that were given it") : text.index("Commitments it speaks")]
    assert "Develop promised-model: ◇ NOT ENOUGH EVIDENCE" in uses
    assert "● counted there. The threshold cyber is ● kept in it." in uses
    older = read(page_of(said_of("cyber", OLD)[0].digest)).text
    assert "○ left out there: It is about another version of the framework." in older


def test_a_determination_names_the_commitments_that_it_speaks_to() -> None:
    whole = site()
    computed = grids(whole, known_developers(whole))
    cells = [cell for grid in computed for cell in grid.cells]
    for made, _ in sample_book().of_kind(Determination):
        reader = read(page_of(made.digest))
        speaking = {
            (cell.commitment, one.stance)
            for cell in cells
            for one in cell.statements
            if one.digest == made.digest
        }
        for commitment, stance in speaking:
            assert any(link.endswith(f"#{commitment}") for link in reader.links)
            assert STANCES[stance] in reader.text
        assert ("None: no rule ties it" in reader.text) == (not speaking)


def test_a_reply_stands_beside_what_it_answers_and_leads_back() -> None:
    ((made, reply),) = sample_book().of_kind(Reply)
    assert reply.of
    answered = read(page_of(reply.of))
    assert reply.words in answered.text
    assert any(link.endswith(page_of(made.digest, "reply")) for link in answered.links)
    back = read(page_of(made.digest, "reply"))
    assert reply.words in back.text
    assert any(link.endswith(page_of(reply.of)) for link in back.links)
    assert "Is the mitigation “A filter of answers” in place? ✕ not in place" in back.text
    assert "III. Say how risks are kept below the thresholds: ⇄ contested" in back.text
    ((decided, _),) = [
        pair for pair in sample_book().of_kind(Decision) if pair[1].action == "develop"
    ]
    assert reply.words in read(f"{addresses.decision(decided.digest)}index.html").text


def test_a_reply_to_a_decision_stands_on_its_page() -> None:
    ((decided, decision), *_) = sample_book().of_kind(Decision)
    reply = sample_promises.reply(decided.digest).model_copy(update={"words": "We waited."})
    found = render(logged((DEVELOPER, reply)))
    text = Reader(found[f"{addresses.decision(decided.digest)}index.html"]).text
    assert "We waited. Reply of Example Developer" in text
    own = Reader(found[page_of(reply.digest, "reply")]).text
    assert "May Example Developer deploy" in own
    assert decision.verdict in own, "what it answers is told, not only linked"
    assert "?." not in own


def test_an_account_stands_beside_what_was_found() -> None:
    ((made, account),) = sample_book().of_kind(Account)
    text = read(page_of(made.digest, "account")).text
    for one in account.changes:
        assert one.words in text
    assert "Honesty is new. ✚ added Honest answers to people ✚ added, ● announced (rule 4)" in text
    assert "The typeface is new. without saying which way no part by name not found here" in text
    silent = text[text.index("Found, and not announced") :]
    assert "⊖ removed threshold: No work without people: not quantified" in silent
    assert "▼ weakened threshold “Help with attacks on computers”, level: high → critical" in silent
    assert "It leaves out 2 changes of what is asked." in text
    change = f"{addresses.change(OLD.digest, NEW.digest)}index.html"
    assert any(link.endswith(change) for link in read(page_of(made.digest, "account")).links)
    assert any(link.endswith(page_of(made.digest, "account")) for link in read(change).links), (
        "the page of the change leads to the account"
    )


def test_an_account_of_versions_that_nobody_holds_says_so() -> None:
    nowhere = content_digest(b"nowhere")
    account = sample_promises.account(OLD, NEW).model_copy(update={"before": nowhere})
    text = Reader(render(logged((DEVELOPER, account)))[page_of(account.digest, "account")]).text
    assert "This record does not hold both versions" in text
    assert "The versions themselves." in text
    assert "Found, and not announced" not in text


def test_an_account_of_recorded_versions_is_held_against_them() -> None:
    versions = [one for one in load_reference().frameworks if one.developer == "openai"]
    beta, second = sorted(versions, key=lambda one: one.published)[:2]
    assert beta.title != second.title
    account = Account(
        developer="openai",
        recorded_by="GB",
        before=beta.digest,
        after=second.digest,
        date="2025-04-15",
        changes=(),
        demonstration=False,
    )
    found = render(logged(("GB", account)))
    text = Reader(found[f"{addresses.change(beta.digest, second.digest)}index.html"]).text
    assert "The developer’s own account" in text
    assert "United Kingdom (simulated) wrote down what OpenAI said" in (
        Reader(found[page_of(account.digest, "account")]).text
    )


def test_a_determination_without_its_framework_still_says_what_it_can() -> None:
    book = sample_book()
    kept = tuple(one for one in book.entries if not isinstance(one.record, Framework))
    found = render(replace(book, entries=kept))
    made, said = said_of("cyber")
    text = Reader(found[page_of(made.digest)]).text
    assert "Is the threshold “cyber” reached? ● not reached" in text
    assert "under a framework that is not in this record" in text
    assert said.reasons in text


def test_a_later_answer_of_the_same_author_is_pointed_out() -> None:
    made, said = said_of("cyber")
    again = said.model_copy(update={"date": "2026-11-23", "conclusion": "yes"})
    found = render(logged(("GB", again)))
    text = Reader(found[page_of(made.digest)]).text
    assert "This is not its latest word" in text
    assert "answered the same question again on 23 November 2026" in text
    assert "This is not its latest word" not in Reader(found[page_of(again.digest)]).text
    assert "The word of anybody else on the same question." in text
    other = sample_promises.determination("SG", NEW, "cyber", conclusion="unclear")
    text = Reader(render(logged(("SG", other)))[page_of(made.digest)]).text
    assert "Singapore (simulated), 20 November 2026: ◇ unclear" in text
    assert "The word of anybody else on the same question." not in text
    assert "This is not its latest word" not in text


def test_the_answer_to_another_version_is_not_taken_for_the_latest_word() -> None:
    older, _ = said_of("cyber", OLD)
    text = read(page_of(older.digest)).text
    assert "20 November 2026, under version 2: ● not reached, at the level “high”." in text
    assert "This is not its latest word" not in text


def test_a_level_that_is_reached_is_not_called_kept() -> None:
    _, said = said_of("cyber")
    high = said.model_copy(update={"level": "critical"})
    text = Reader(render(logged(("GB", high)))[page_of(high.digest)]).text
    found = "● not reached, at the level “critical”. By itself this means that the threshold is ✕"
    assert found in text


def test_each_subject_has_its_question_and_its_words() -> None:
    expected = {
        ("threshold", "cyber"): ("reached", "Help with attacks on computers"),
        ("threshold", "compute"): ("fired", "New assessment after a step of compute"),
        ("threshold", "weights"): ("level", "Weights are guarded"),
        ("mitigation", "filter"): ("in place", "A filter of answers"),
        ("duty", "report"): ("fulfilled", "A report on each release"),
        ("duty", "compute"): ("fulfilled", "a new assessment"),
        ("provision", "board"): ("followed", "A board answers for it"),
    }
    for (subject, key), (sort, name) in expected.items():
        said = sample_promises.determination("GB", NEW, key, subject=subject)
        assert judged(said, NEW) is not None
        assert answer_sort(said, NEW) == sort
        assert f"“{name}”" in question(said, NEW)
        page = Reader(render(logged(("GB", said)))[page_of(said.digest)])
        assert f"“{name}”" in page.text
        assert sign(sort, "no").striptags() in page.text
    rules = {one.key: one.rule for one in NEW.thresholds}
    assert isinstance(rules["compute"], Trigger)
    assert isinstance(rules["weights"], SecurityLevel)


def test_statements_are_called_by_what_they_are_about() -> None:
    whole = site()
    names = {one.record.kind_name(): called(whole, one) for one in sample_book().entries}
    assert names["decision"].startswith("May Example Developer")
    assert names["finding"] == "Joint finding: Joint test of a small model in four languages"
    assert names["account"] == "What Example Developer says has changed: 1 to 2"
    assert names["run-plan"] == "Run plan"


def test_pages_of_statements_are_light_and_say_what_they_are_about() -> None:
    found = [path for path in pages() if re.match(r"(determinations|accounts|replies)/", path)]
    assert len(found) == 7
    for path in found:
        assert len(pages()[path].html) < 20_000
        text = read(path).text
        for words in ("What was promised", "What is known", "Who says so", "What is missing"):
            assert words in text
        assert "Since when" in text


def test_answers_to_one_question_differ_in_shape() -> None:
    for sort in ("reached", "fired", "level", "in place", "fulfilled", "followed"):
        shapes = {found.shape for found in SIGNS[sort].values()}
        assert set(SIGNS[sort]) == {"yes", "no", "unclear"}
        assert len(shapes) == 3
