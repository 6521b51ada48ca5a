# SPDX-License-Identifier: Apache-2.0
"""The folder in headless Chromium, opened from disk: looks, access, and nothing asked elsewhere."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from lint_sets import defective
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright
from sample_book import sample_book

from countermark.app.site.build import build_site
from countermark.app.site.lint import lint_page
from countermark.app.site.reference import load_reference
from countermark.exercise.lint import lint

pytestmark = pytest.mark.browser

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NARROW = ViewportSize(width=360, height=780)
WIDE = ViewportSize(width=1280, height=900)

# Rectangles of texts in one chart that overlap, or that leave the chart.
BAD_TEXTS = """() => [...document.querySelectorAll('svg.chart')].flatMap(svg => {
  const frame = svg.getBoundingClientRect();
  const texts = [...svg.querySelectorAll('text')]
    .map(t => [t.textContent, t.getBoundingClientRect()]);
  const outside = texts.filter(([, r]) => r.left < frame.left - 1 || r.right > frame.right + 1);
  const over = texts.filter(([, r], i) => texts.some(([, s], j) => i < j
    && r.left < s.right && s.left < r.right && r.top + 3 < s.bottom && s.top + 3 < r.bottom));
  return [...outside, ...over].map(([words]) => words);
})"""
SMALLEST_TEXT = """() => Math.min(...[...document.querySelectorAll('body *')]
  .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()))
  .map(e => parseFloat(getComputedStyle(e).fontSize)), 99)"""
# What sorts of elements a page has: what a checker says of one it says of all of its sort.
SORTS_OF_ELEMENTS = """() => [...new Set([...document.querySelectorAll('*')].map(e =>
  [e.parentElement?.tagName, e.tagName, e.getAttribute('class'), e.getAttribute('role')].join(' ')
))]"""
OVERFLOWS = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"


@dataclass(frozen=True)
class Site:
    """The built folder and the browser that looks at it."""

    folder: Path
    browser: Browser

    def paths(self) -> list[str]:
        """Return every page that can be opened from disk; 404.html is only ever served."""
        found = sorted(self.folder.rglob("*.html"))
        return [str(path.relative_to(self.folder)) for path in found if path.name != "404.html"]

    def address(self, path: str) -> str:
        return (self.folder / path).as_uri()


@dataclass(frozen=True)
class Seen:
    """What one visit to a page showed; of pages that show nothing new no checker is asked."""

    light: list[str] | None
    dark: list[str] | None
    overflows: bool
    bad_texts: list[str]
    smallest_text: float
    asked: list[str]
    failed: list[str]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    executable = shutil.which("chromium")
    assert executable, "these tests need Debian's package chromium"
    folder = tmp_path_factory.mktemp("record") / "site"
    build_site(sample_book(), load_reference(), folder)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield Site(folder, browser)
        browser.close()


@pytest.fixture(scope="module")
def seen(site: Site) -> dict[str, Seen]:
    """Visit every page once, so that the browser's time is spent once."""
    return visit(site, check_all=False)


def visit(site: Site, *, check_all: bool) -> dict[str, Seen]:
    """Look at every page; ask the checker of all, or where a page has a new sort of element."""
    page = site.browser.new_page()
    asked: list[str] = []
    failed: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("requestfailed", lambda request: failed.append(f"{request.url} {request.failure}"))
    page.on("console", lambda message: failed.append(message.text))
    found = {}
    known: set[str] = set()
    for path in site.paths():
        asked.clear()
        failed.clear()
        page.set_viewport_size(WIDE)
        page.emulate_media(color_scheme="light")
        page.goto(site.address(path))
        requests, failures = list(asked), list(failed)
        sorts = set(page.evaluate(SORTS_OF_ELEMENTS))
        light = dark = None
        if check_all or sorts - known:
            page.evaluate(Axe().axe_script)
            light = _violations(page, {})
            # Only colours depend on the scheme, so only they are looked at again.
            page.emulate_media(color_scheme="dark")
            dark = _violations(page, {"runOnly": ["color-contrast", "link-in-text-block"]})
        known |= sorts
        page.set_viewport_size(NARROW)
        found[path] = Seen(
            light,
            dark,
            page.evaluate(OVERFLOWS),
            page.evaluate(BAD_TEXTS),
            page.evaluate(SMALLEST_TEXT),
            requests,
            failures,
        )
    page.close()
    return found


def test_no_page_has_an_accessibility_defect_in_light_or_dark(seen: dict[str, Seen]) -> None:
    assert {path: page.light for path, page in seen.items() if page.light} == {}
    assert {path: page.dark for path, page in seen.items() if page.dark} == {}
    assert sum(page.light is not None for page in seen.values()) > len(seen) // 8


@pytest.mark.slow
def test_no_page_at_all_has_an_accessibility_defect(site: Site) -> None:
    seen = visit(site, check_all=True)
    assert {path: (page.light, page.dark) for path, page in seen.items()} == dict.fromkeys(
        seen, ([], [])
    )


def test_every_page_fits_a_telephone(seen: dict[str, Seen]) -> None:
    assert [path for path, page in seen.items() if page.overflows] == []
    assert {path: page.bad_texts for path, page in seen.items() if page.bad_texts} == {}
    assert min(page.smallest_text for page in seen.values()) >= 12


def test_nothing_is_asked_for_elsewhere_and_nothing_fails(
    site: Site, seen: dict[str, Seen]
) -> None:
    asked = {url for page in seen.values() for url in page.asked}
    assert f"{site.folder.as_uri()}/style.css" in asked
    assert all(url.startswith(site.folder.as_uri()) for url in asked)
    # The icon of the page before is given up when the next page is opened.
    failed = [text for page in seen.values() for text in page.failed if "ERR_ABORTED" not in text]
    assert failed == []


def test_the_record_can_be_read_without_scripts(site: Site) -> None:
    context = site.browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site.address("index.html"))
    page.get_by_role("link", name="Joint test of a small model").click()
    assert page.get_by_role("heading", level=1).inner_text().startswith("Joint test")
    assert page.get_by_role("img", name="rates by language").first.is_visible()
    page.get_by_role("link", name="English").first.click()
    assert page.get_by_text("Lab by lab").is_visible()
    context.close()


def test_the_keyboard_reaches_the_content_first(site: Site) -> None:
    page = site.browser.new_page(viewport=WIDE)
    page.goto(site.address("index.html"))
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    assert skip.evaluate("e => e === document.activeElement")
    assert skip.evaluate("e => e.getBoundingClientRect().top") >= 0
    assert skip.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
    page.close()


def _violations(page: Page, options: dict[str, object]) -> list[str]:
    # Preloading would have axe fetch the style sheet, which the page's own policy forbids.
    wanted = {"resultTypes": ["violations"], "preload": False, **options}
    found = page.evaluate("options => axe.run(document, options)", wanted)
    return [
        f"{rule['id']}: {node['html'][:160]}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def test_the_page_of_a_lint_is_readable_for_everybody_and_loads_nothing(
    site: Site, tmp_path: Path
) -> None:
    file = tmp_path / "lint.html"
    file.write_bytes(lint_page(lint(defective(tmp_path / "set")), "a set"))
    page = site.browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    page.set_viewport_size(NARROW)
    assert not page.evaluate(OVERFLOWS)
    assert asked == [file.as_uri()]
    page.evaluate(Axe().axe_script)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert _violations(page, {}) == []
    # The style is allowed by its digest; were that wrong, the page would have none.
    assert page.evaluate("() => getComputedStyle(document.body).margin") == "0px"
