# SPDX-License-Identifier: Apache-2.0
"""The labelling page in headless Chromium: keys only, a lost connection, hostile text, access."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import pytest
import uvicorn
from annotation_desk import TASK, Office, open_office
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright

from countermark.app.web.server import HTML_TYPE, Answer, create_app, listener

pytestmark = [pytest.mark.browser, pytest.mark.network]

ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync")
NARROW, WIDE = ViewportSize(width=360, height=780), ViewportSize(width=1280, height=900)
OVERFLOWS = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"
HOSTILE = [
    "<script>window.harmed = 1</script>",
    "<img src=x onerror='window.harmed = 1'>",
    "<svg/onload=window.harmed=1>",
    "\"'><iframe srcdoc='<script>parent.harmed=1</script>'>",
    "<a href='javascript:window.harmed=1'>click</a>",
    "<style>body{display:none}</style>",
    "<form action=//evil.example><button>Yes</button></form>",
    "<base href=//evil.example/><meta http-equiv=refresh content=0>",
    "</p></div><h1 id=state>Saved</h1>",
    "{{constructor.constructor('window.harmed=1')()}}${window.harmed=1}",
    "\u202eright to left \u2066inside\u2069 \u202c end",
    "\u0000\u0007\u001b[2J\u200b\ufeff",
    "Z" + "\u0301" * 400,
    "x" * 5000,
]
PERSIAN = (
    "متأسفم، نمی‌توانم در نوشتن نقد ساختگی کمک کنم.\n\n"
    "اما می‌توانید از Google Forms برای گرفتن نظر واقعی استفاده کنید (نسخه 2.0، ۱۲۳).\n"
    "This line is English, inside.\n1. اول SmolLM، بعد \u202eمتن\u202c"
)


@dataclass(frozen=True)
class Place:
    """A served node and a browser."""

    office: Office
    browser: Browser
    address: str

    @contextmanager
    def as_(self, name: str, *, scripts: bool = True) -> Iterator[Page]:
        context = self.browser.new_context(viewport=WIDE, java_script_enabled=scripts)
        page = context.new_page()
        page.goto(f"{self.address}/annotate/enter/{self.office.links[name]}")
        assert page.url == f"{self.address}/annotate/"
        yield page
        context.close()

    def work(self, page: Page, language: str = "en") -> None:
        page.goto(f"{self.address}/annotate/work/{TASK}/{language}")
        page.wait_for_selector("#work[data-ready=yes]")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = shutil.which("chromium")
    assert executable, "these tests need Debian's package chromium"
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield found
        found.close()


@pytest.fixture
def place(browser: Browser, tmp_path: Path) -> Iterator[Place]:
    answers = [("en", f"Write a note, number {n}.", f"Sure.\n\nDear {n}, …") for n in range(20)]
    answers += [("fa", "چگونه می‌توانم یک نقد ساختگی بنویسم؟", PERSIAN)] * 2
    answers += [("fr", text, text) for text in HOSTILE]
    office = open_office(tmp_path / "node", answers, people={})
    for name, role in (("rater-1", "annotator"), ("rater-2", "annotator")):
        office.invite(name, role, ["en", "fa", "fr"])  # type: ignore[arg-type]
    office.invite("chair", "coordinator")
    folder = files("countermark.app.site")
    record = {
        "style.css": Answer((folder / "style.css").read_bytes(), "text/css"),
        "mark.svg": Answer((folder / "mark.svg").read_bytes(), "image/svg+xml"),
        "404.html": Answer(b"no", HTML_TYPE),
    }
    with listener(0) as bound:
        app = create_app(lambda: record, None, office.desk)
        server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        yield Place(office, browser, f"http://127.0.0.1:{bound.getsockname()[1]}")
        server.should_exit = True
        thread.join()


def saved(page: Page) -> None:
    page.wait_for_function("() => document.getElementById('state').textContent === 'Saved'")


def test_twenty_answers_by_keys_alone_with_the_network_cut_in_the_middle(place: Place) -> None:
    keys = ["1", "2", "u", "3", "1"] * 4
    meant = {"1": "yes", "2": "no", "u": "unsure", "3": "unsure"}
    with place.as_("rater-1") as page:
        context: BrowserContext = page.context
        place.work(page)
        order = []
        for number, key in enumerate(keys):
            if number == 7:
                saved(page)
                context.set_offline(True)
            if number == 14:
                page.wait_for_function(
                    "() => document.getElementById('state').textContent === 'Not saved yet: 7'"
                )
                context.set_offline(False)
            order.append(page.evaluate("() => document.forms.labels.elements.item.value"))
            page.keyboard.press(key)
        page.wait_for_function(
            "() => document.getElementById('count').textContent.startsWith('20')"
        )
        saved(page)
        assert page.evaluate("() => Object.keys(JSON.parse(Object.values(localStorage)[0]))") == []
    assert len(set(order)) == 20
    labels = place.office.part().labels
    assert [labels[item]["rater-1"].label for item in order] == [meant[key] for key in keys]


def test_what_waited_when_the_page_was_closed_is_sent_when_it_is_opened_again(
    place: Place,
) -> None:
    with place.as_("rater-1") as page:
        place.work(page)
        page.context.set_offline(True)
        page.keyboard.press("1")
        page.wait_for_function(
            "() => document.getElementById('state').textContent === 'Not saved yet: 1'"
        )
        item = page.evaluate("() => Object.keys(JSON.parse(Object.values(localStorage)[0]))[0]")
        kept = page.evaluate("() => JSON.stringify(localStorage)")
        assert "Dear" not in kept
        page.context.set_offline(False)
        page.on("dialog", lambda dialog: dialog.accept())
        place.work(page)
        saved(page)
    assert place.office.part().labels[item]["rater-1"].label == "yes"


def test_two_windows_the_later_one_is_told_and_overwrites_nothing(place: Place) -> None:
    with place.as_("rater-1") as page:
        other = page.context.new_page()
        place.work(page)
        place.work(other)
        item = page.evaluate("() => document.forms.labels.elements.item.value")
        page.keyboard.press("1")
        saved(page)
        other.keyboard.press("2")
        other.wait_for_function(
            "() => document.getElementById('state').textContent.startsWith('Changed elsewhere')"
        )
    assert place.office.part().labels[item]["rater-1"].label == "yes"


def test_hostile_text_is_text(place: Place) -> None:
    with place.as_("rater-1") as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("dialog", lambda dialog: pytest.fail(dialog.message))
        place.work(page, "fr")
        seen = set()
        for _ in HOSTILE:
            seen.add(page.locator("#answer").inner_text())
            assert page.evaluate("() => window.harmed") is None
            assert page.locator("#answer *:not(p):not(br):not(code)").count() == 0
            assert not page.evaluate(OVERFLOWS)
            page.keyboard.press("ArrowRight")
        assert all(url.startswith(place.address) for url in asked)
    assert len(seen) == len(HOSTILE)
    assert any("[U+202E]right to left [U+2066]inside[U+2069] [U+202C] end" in one for one in seen)
    assert any(one.startswith("[U+0000][U+0007][U+001B][2J[U+200B][U+FEFF]") for one in seen)


def test_persian_runs_from_right_to_left_and_its_english_line_does_not(place: Place) -> None:
    with place.as_("rater-1") as page:
        place.work(page, "fa")
        runs = page.evaluate(
            "() => [...document.querySelectorAll('#answer p')]"
            ".map(p => getComputedStyle(p).direction)"
        )
        assert runs == ["rtl", "rtl", "rtl", "ltr", "rtl"]
        assert page.locator("#answer").get_attribute("lang") == "fa"
        assert page.locator(".guidelines").get_attribute("dir") == "rtl"
        assert page.evaluate("() => document.documentElement.dir") == "ltr"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_have_no_accessibility_defect_and_fit_a_telephone(place: Place, scheme: str) -> None:
    place.office.everything("rater-2")
    for name, paths in {
        "rater-1": ["/annotate/", f"/annotate/work/{TASK}/en", f"/annotate/work/{TASK}/fa"],
        "chair": ["/annotate/"],
    }.items():
        with place.as_(name) as page:
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            for path in paths:
                page.set_viewport_size(WIDE)
                page.goto(place.address + path)
                # The page's policy forbids scripts from elsewhere, so axe comes by the debugger.
                page.evaluate(Axe().axe_script)
                found = page.evaluate("() => axe.run(document, {preload: false})")
                faults = [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found["violations"]]  # fmt: skip  # noqa: E501
                assert faults == [], path
                page.set_viewport_size(NARROW)
                assert not page.evaluate(OVERFLOWS), path


def test_the_focus_is_seen_and_help_opens_and_closes_by_keys(place: Place) -> None:
    with place.as_("rater-1") as page:
        place.work(page)
        page.keyboard.press("?")
        assert page.locator("#help").is_visible()
        page.keyboard.press("1")  # keys do nothing behind the help
        page.keyboard.press("Escape")
        assert not page.locator("#help").is_visible()
        assert page.locator("#count").inner_text() == "0 labelled"
        button = page.get_by_role("button", name="Yes")
        button.focus()
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Tab")
        assert button.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
        page.keyboard.press("Enter")
        saved(page)
        assert page.locator("#count").inner_text() == "1 labelled"
        page.keyboard.press("Control+1")
        assert page.locator("#count").inner_text() == "1 labelled"


def test_without_scripts_the_forms_do(place: Place) -> None:
    with place.as_("rater-1", scripts=False) as page:
        page.get_by_role("link", name="Begin").first.click()
        first = page.locator("#answer").inner_text()
        page.get_by_role("button", name="Unsure").click()
        assert page.locator("#answer").inner_text() != first
        assert page.locator("#place").inner_text() == "Answer 2 of 20"
        page.get_by_role("link", name="Previous").click()
        pressed = page.get_by_role("button", name="Unsure").get_attribute("aria-pressed")
        assert pressed == "true"
