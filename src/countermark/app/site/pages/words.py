# SPDX-License-Identifier: Apache-2.0
"""The page that explains the record's words."""

from collections.abc import Iterator

from countermark.app.site.context import Site
from countermark.app.site.page import Page
from countermark.app.site.words import WORDS


def word_pages(site: Site) -> Iterator[Page]:
    """Return the glossary, in alphabetical order of its terms."""
    words = sorted(WORDS.items(), key=lambda item: item[1].term)
    yield site.render("words", "words/", "Words", words=words)
