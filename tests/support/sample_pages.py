# SPDX-License-Identifier: Apache-2.0
"""The pages of the sample book, rendered once and read as a browser would."""

import re
from collections import Counter
from functools import cache
from html.parser import HTMLParser

from sample_book import sample_book

from countermark.app.site.page import DataFile, Page
from countermark.app.site.pages import all_pages
from countermark.app.site.reference import load_reference
from countermark.node.book import Book

INLINE = {"a", "b", "bdi", "code", "em", "small", "span", "strong", "sub", "time"}


class Reader(HTMLParser):
    """What a page holds, as far as the tests ask."""

    def __init__(self, page: Page) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: Counter[str] = Counter()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.order: list[str] = []
        self.words: list[str] = []
        self._inside_main = False
        self.feed(page.html.decode())
        self.text = re.sub(r"\s+", " ", "".join(self.words))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.order.append(tag)
        if tag not in INLINE:
            self.words.append(" ")
        self._inside_main = self._inside_main or tag == "main"
        for name, value in attrs:
            self.attributes.append((name, value or ""))
            if name in ("href", "src") and tag != "use":
                self.links.append(value or "")
            if name == "id":
                self.ids.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        self._inside_main = self._inside_main and tag != "main"

    def handle_data(self, data: str) -> None:
        if self._inside_main:
            self.words.append(data)


@cache
def record() -> tuple[Page | DataFile, ...]:
    return tuple(all_pages(sample_book(), load_reference()))


@cache
def pages() -> dict[str, Page]:
    return {page.path: page for page in record() if isinstance(page, Page)}


@cache
def data_files() -> dict[str, DataFile]:
    return {file.path: file for file in record() if isinstance(file, DataFile)}


@cache
def read(path: str) -> Reader:
    return Reader(pages()[path])


def only(pattern: str) -> str:
    (path,) = [path for path in pages() if re.fullmatch(pattern, path)]
    return path


def render(book: Book) -> dict[str, Page]:
    found = all_pages(book, load_reference())
    return {page.path: page for page in found if isinstance(page, Page)}
