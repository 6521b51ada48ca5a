# SPDX-License-Identifier: Apache-2.0
"""The page that checks a file, in headless Chromium: three ticks, or why not; nothing leaves it."""

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, FileChooser, Page, expect, sync_playwright
from sample_book import sample_book
from verify_script import ARGUMENTS, chromium

from countermark.app.site.build import build_site
from countermark.app.site.pages.verify import inlined
from countermark.app.site.reference import load_reference
from countermark.app.web.server import HOST, create_app, listener, pages_of
from countermark.node.book import Book
from countermark.records.canonical import canonical
from countermark.signing.keys import statement_signer
from tests.transparency.conftest import NOON, build_network, institute, private, run_plan

pytestmark = pytest.mark.browser

NETWORK = build_network()
GOOD = NETWORK.publish("UK", run_plan()).to_bytes()
PAYLOADS = (
    "<img src=x onerror='globalThis.ran=1'>",
    "</script><script>globalThis.ran=1</script>",
    "<svg onload=globalThis.ran=1><a href=javascript:globalThis.ran=1>",
    "&lt;b&gt;\u202egpj.exe\u2066'\"`${globalThis.ran=1}`{{7*7}}",
)
# A busy machine's browser may miss a key that comes before it has made the window active.
ATTEMPTS, PATIENCE_MS = 10, 500
OVERFLOWS = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"


def book() -> Book:
    found = sample_book()
    return Book(found.entries, found.logs, NETWORK.roster)


@dataclass
class Visit:
    """The page in the browser, and what went over the wire or to the console meanwhile."""

    page: Page
    asked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def give(self, *files: tuple[str, bytes]) -> None:
        """Choose files, and wait for what the page says of them."""
        self.page.set_input_files("#files", [upload(*file) for file in files])
        expect(self.page.locator("#status")).to_contain_text(" valid.")

    def ticks(self) -> list[str]:
        """Return the headings of the three ticks of each file, with their marks."""
        return [text.strip() for text in self.page.locator("#results summary").all_inner_texts()]


def upload(name: str, data: bytes) -> Any:
    return {"name": name, "mimeType": "application/json", "buffer": data}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("record") / "site"
    build_site(book(), load_reference(), folder)
    return folder


@pytest.fixture
def visit(browser: Browser, folder: Path) -> Iterator[Visit]:
    with visiting(browser, (folder / "verify" / "index.html").as_uri()) as found:
        yield found


@contextmanager
def visiting(browser: Browser, address: str, script: str = "", **options: Any) -> Iterator[Visit]:
    page = browser.new_page(**options)
    found = Visit(page)
    page.on("request", lambda request: found.asked.append(request.url))
    page.on("console", lambda message: found.said.append(message.text))
    page.on("pageerror", lambda error: found.said.append(str(error)))
    page.on("dialog", lambda dialog: found.said.append(dialog.message))
    page.clock.set_fixed_time(NOON + timedelta(days=1))
    if script:
        page.add_init_script(script)
    page.goto(address)
    yield found
    page.close()


def test_a_good_file_has_three_ticks_from_a_folder(visit: Visit) -> None:
    visit.give(("good.json", GOOD))
    assert visit.ticks() == [
        "✓ Yes A member who may say it signed it",
        "✓ Yes It is in that author’s log",
        "✓ Yes Enough others witnessed it",
    ]
    expect(visit.page.locator("#status")).to_have_text("1 of 1 file valid.")
    said = visit.page.locator("#results section > p").all_inner_texts()
    assert said == [
        "✓ Valid",
        "Run plan, said by Institute UK (UK), witnessed 1 March 2026 at 12:00:01 UTC by 3 others.",
    ]
    assert visit.said == []
    # Each tick unfolds into its rules.
    expect(visit.page.locator("#results ol").first).to_be_hidden()
    visit.page.locator("#results summary").first.click()
    rules = visit.page.locator("#results li")
    expect(rules.nth(0)).to_contain_text("The file is whole and in its one form")
    assert rules.count() == 7
    assert visit.page.locator("#results ol").nth(1).get_attribute("start") == "5"


def test_the_roster_that_was_used_is_named(visit: Visit) -> None:
    facts = visit.page.locator("dl.facts").inner_text()
    assert NETWORK.roster.anchor in facts
    assert "Version" in facts
    assert "does not check who signed the roster" in visit.page.locator("main").inner_text()


@pytest.mark.parametrize("byte", [400, GOOD.index(b"uk.example/log") + 3, len(GOOD) - 40])
def test_one_flipped_bit_is_a_cross_with_its_reason(visit: Visit, byte: int) -> None:
    changed = bytearray(GOOD)
    changed[byte] ^= 1
    visit.give(("changed.json", bytes(changed)))
    assert any(text.startswith("✕ No") for text in visit.ticks())
    assert "✓ Valid" not in visit.page.locator("#results").inner_text()
    # What failed is unfolded, and says why.
    failed = visit.page.locator("#results li", has_text="✕ No").first
    expect(failed).to_be_visible()
    assert re.search(r"(signature|canonical|base64|not by|cosignature|log)", failed.inner_text())
    assert visit.said == []


def test_several_files_are_judged_each_on_its_own(visit: Visit) -> None:
    visit.give(("a.json", GOOD), ("b.json", GOOD[:-1]), ("c.json", GOOD))
    expect(visit.page.locator("#status")).to_have_text("2 of 3 files valid.")
    assert len(visit.ticks()) == 9
    visit.give(("d.json", GOOD))
    assert len(visit.ticks()) == 3


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\x89PNG\r\n\x1a\n", "not JSON"),
        (b"", "not JSON"),
        (b"{" * 100_000, "not JSON"),
        (b"[" * 5000 + b"]" * 5000, "no signed statement"),
        (b"null", "no signed statement"),
        (b'{"format":"countermark-sample"}', "another kind"),
        (b'{"format":"countermark-statement"}', "canonical"),
        (b'{"format":"countermark-statement"}\n', "fields of the file"),
    ],
)
def test_what_is_no_statement_gets_a_plain_word(visit: Visit, data: bytes, said: str) -> None:
    visit.give(("file", data))
    expect(visit.page.locator("#results")).to_contain_text(said)
    expect(visit.page.locator("#status")).to_have_text("0 of 1 file valid.")
    assert visit.said == []


def test_too_many_or_too_large_files_are_left_out(visit: Visit) -> None:
    visit.give(*((f"{number}.json", b"{}") for number in range(101)))
    expect(visit.page.locator("#status")).to_contain_text("1 more were left out")
    large = "() => Object.defineProperty(File.prototype, 'size', { value: 2 ** 27 })"
    visit.page.evaluate(large)
    visit.give(("large.json", GOOD))
    expect(visit.page.locator("#results")).to_contain_text("larger than 64 MiB")


def test_a_file_may_be_dropped(visit: Visit) -> None:
    drop = """text => {
      const data = new DataTransfer();
      data.items.add(new File([text], 'dropped.json'));
      const target = document.getElementById('drop');
      target.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true,
        cancelable: true }));
    }"""
    visit.page.evaluate(drop, GOOD.decode())
    expect(visit.page.locator("#status")).to_have_text("1 of 1 file valid.")
    expect(visit.page.locator("#results h2")).to_have_text("dropped.json")


def test_the_keyboard_alone_is_enough(visit: Visit) -> None:
    choosers: list[FileChooser] = []

    def keep(chooser: FileChooser) -> None:
        choosers.append(chooser)

    visit.page.on("filechooser", keep)
    visit.page.bring_to_front()
    visit.page.locator("#files").focus()
    expect(visit.page.locator("#files")).to_be_focused()
    for _ in range(ATTEMPTS):
        visit.page.keyboard.press("Space")
        visit.page.wait_for_timeout(PATIENCE_MS)
        if choosers:
            break
    choosers[0].set_files([upload("good.json", GOOD)])
    expect(visit.page.locator("#status")).to_contain_text("valid.")
    visit.page.keyboard.press("Tab")
    assert visit.page.evaluate("document.activeElement.tagName") == "SUMMARY"
    visit.page.keyboard.press("Enter")
    expect(visit.page.locator("#results li").first).to_be_visible()


def test_a_screen_reader_hears_the_result(visit: Visit) -> None:
    status = visit.page.get_by_role("status")
    assert status.get_attribute("aria-live") == "polite"
    visit.give(("good.json", GOOD))
    expect(status).to_have_text("1 of 1 file valid.")
    assert visit.page.get_by_label("Choose statement files").count() == 1
    # Marks are words too, not signs and colours alone.
    assert visit.page.locator("#results .tag > span:not([aria-hidden])").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_accessible_and_fits_a_telephone(browser: Browser, folder: Path, scheme: Any) -> None:
    address = (folder / "verify" / "index.html").as_uri()
    with visiting(browser, address, color_scheme=scheme) as seen:
        seen.give(("good.json", GOOD), ("a" * 200, GOOD[:-1]), ("few.json", one_witness()))
        seen.page.evaluate(Axe().axe_script)
        wanted = {"resultTypes": ["violations"], "preload": False}
        found = seen.page.evaluate("options => axe.run(document, options)", wanted)
        assert [rule["id"] for rule in found["violations"]] == []
        for details in seen.page.locator("#results details").all():
            details.evaluate("e => { e.open = true; }")
        seen.page.set_viewport_size({"width": 360, "height": 780})
        assert not seen.page.evaluate(OVERFLOWS)


def one_witness() -> bytes:
    return build_network().publish("UK", run_plan(), witnesses=("JP",)).to_bytes()


def test_texts_of_a_file_never_become_markup(browser: Browser, tmp_path: Path) -> None:
    """Every text that a file, its name or the roster holds is a payload in turn."""
    for number, payload in enumerate(PAYLOADS):
        parties = tuple(
            party.model_copy(update={"name": payload}) if party.code == "UK" else party
            for party in NETWORK.roster.parties
        )
        roster = replace(NETWORK.roster, parties=parties)
        site = tmp_path / str(number) / "site"
        build_site(Book(book().entries, book().logs, roster), load_reference(), site)
        with visiting(browser, (site / "verify" / "index.html").as_uri()) as seen:
            asked = list(seen.asked)
            seen.give(*((payload.replace("/", "∕"), data) for data in hostile(payload)))
            seen.page.locator("#results details").first.evaluate("e => { e.open = true; }")
            seen.page.wait_for_timeout(50)
            assert seen.page.evaluate("globalThis.ran") is None
            assert seen.page.locator("#results :is(img, svg, script, a, b)").count() == 0
            assert seen.said == []
            # Only the page, its two scripts, its style and icon; nothing once a file was given.
            assert [url for url in seen.asked[len(asked) :] if not url.endswith("/mark.svg")] == []
            shown = seen.page.locator("#results").inner_text()
            assert "✓ Valid" in shown
            assert payload[:8] in shown
            assert "\u202e" not in shown
            assert "\u2066" not in shown


def hostile(payload: str) -> list[bytes]:
    """Return statement files, the first one valid, whose texts are a payload."""
    said = institute().model_copy(update={"country": payload, "name": payload, "notes": (payload,)})
    network = build_network()
    statement = network.publish("UK", said)
    envelope = statement.envelope
    signer = statement_signer(private("UK statements"))
    text = envelope.payload.decode()
    files = [statement.to_bytes()]
    for old in ("institute", "urn:countermark:institute:v1", "https://in-toto.io/Statement/v1"):
        bent = text.replace(f'"{old}"', canonical(payload).decode())
        payload_bytes = bent.encode()
        pae = b"DSSEv1 %d %s %d %s" % (
            len(envelope.payload_type), envelope.payload_type.encode(),
            len(payload_bytes), payload_bytes,
        )  # fmt: skip
        signature = bytes.fromhex(signer.sign(pae).signature)
        other = replace(envelope, payload=payload_bytes, signature=signature)
        files.append(replace(statement, envelope=other).to_bytes())
    files.append(replace(statement, envelope=replace(envelope, payload_type=payload)).to_bytes())
    name = re.sub(r"[\s+]", "", payload)
    files += [
        statement.to_bytes().replace(old, canonical(name)[1:-1])
        for old in (b"uk.example/log", b"jp.example/witness")
    ]
    files.append(canonical({"format": payload}))
    return files


def test_the_roster_cannot_leave_its_element() -> None:
    html = inlined({"name": "</script><!--<script>&\u2028"})
    assert not set("<>&\u2028") & set(html)


WITHOUT = "Object.defineProperty(Crypto.prototype, 'subtle', { get: () => undefined });"
OLD = """const verify = SubtleCrypto.prototype.verify;
SubtleCrypto.prototype.verify = async function (name, ...rest) {
  if (name === 'Ed25519') throw new DOMException('Unrecognized name.', 'NotSupportedError');
  return verify.call(this, name, ...rest);
};"""
LYING = "SubtleCrypto.prototype.verify = async () => true;"


@pytest.mark.parametrize(
    ("script", "why"), [(WITHOUT, "no cryptography"), (OLD, "Ed25519"), (LYING, "Ed25519")]
)
def test_without_the_means_to_check_it_says_so_and_shows_no_tick(
    browser: Browser, folder: Path, script: str, why: str
) -> None:
    with visiting(browser, (folder / "verify" / "index.html").as_uri(), script) as seen:
        expect(seen.page.locator("#status")).to_contain_text("Nothing can be checked here")
        expect(seen.page.locator("#status")).to_contain_text(why)
        expect(seen.page.locator("#files")).to_be_hidden()
        seen.page.set_input_files("#files", [upload("good.json", GOOD)])
        seen.page.wait_for_timeout(50)
        assert seen.page.locator("#results").inner_text() == ""


def test_without_scripts_it_says_so(browser: Browser, folder: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((folder / "verify" / "index.html").as_uri())
    assert page.get_by_text("the one page that needs scripts").is_visible()
    assert not page.locator("#files").is_visible()
    context.close()


@contextmanager
def served() -> Iterator[int]:
    pages = pages_of(book(), load_reference())
    with listener(0) as bound:
        server = uvicorn.Server(uvicorn.Config(create_app(lambda: pages), log_level="warning"))
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[bound])))
        thread.start()
        yield bound.getsockname()[1]
        server.should_exit = True
        thread.join()


@pytest.mark.network
def test_over_http_on_this_machine_it_works_and_on_another_host_it_says_so(
    browser: Browser,
) -> None:
    with served() as port:
        with visiting(browser, f"http://{HOST}:{port}/verify/") as seen:
            seen.give(("good.json", GOOD))
            assert [text[:5] for text in seen.ticks()] == ["✓ Yes"] * 3
            assert seen.said == []
            assert all(url.startswith(f"http://{HOST}:{port}/") for url in seen.asked)
            seen.page.goto(f"http://{HOST}:{port}/words/")
            blocked = "document.head.append(Object.assign(document.createElement('script'), "
            seen.page.evaluate(f"() => {{ {blocked} {{src: '/verify.js'}})) }}")
            seen.page.wait_for_timeout(100)
            assert seen.page.evaluate("globalThis.countermark") is None
        with visiting(browser, f"http://record.example:{port}/verify/") as far:
            expect(far.page.locator("#status")).to_contain_text("Nothing can be checked here")
            assert far.ticks() == []
