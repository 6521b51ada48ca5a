# SPDX-License-Identifier: Apache-2.0
"""Codes of parties and labs in the words of statements, which nobody may change: explained.

A statement says ``GB determined``, because that is what was signed. A page shows the same letters
with the name behind them, and says at its head whom each code that it shows stands for.
"""

import re
from collections.abc import Callable, Mapping

from markupsafe import Markup, escape

from countermark.app.site.figures import sentence
from countermark.node.book import Book
from countermark.records.protocol import RunPlan


class Codes:
    """The codes that statements may use, and those that one page has shown so far.

    Parameters
    ----------
    names
        The name of each party and lab by its code.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        longest_first = sorted(map(re.escape, names), key=len, reverse=True)
        # A code is a word of its own: not the start of a lab's key or of another name.
        self._pattern = re.compile(rf"(?<![\w-])(?:{'|'.join(longest_first) or '(?!)'})(?![\w-])")
        self._shown: set[str] = set()

    @property
    def shown(self) -> tuple[tuple[str, str], ...]:
        """The codes that were shown, each with its name."""
        return tuple((code, self._names[code]) for code in sorted(self._shown))

    def sentence(self, text: str) -> Markup:
        """Return a reason that a record gives as a sentence, with the names behind its codes."""
        # A code is not a word that begins with a capital.
        begins = self._pattern.match(text)
        return self.marked(f"{text[0]}{sentence(text)[1:]}" if begins else sentence(text))

    def marked(self, text: str) -> Markup:
        """Return a text as it is, with the names behind its codes."""
        found = Markup()
        end = 0
        for match in self._pattern.finditer(text):
            code = match[0]
            self._shown.add(code)
            found += escape(text[end : match.start()])
            found += Markup('<abbr title="{}">{}</abbr>').format(self._names[code], code)
            end = match.end()
        return found + escape(text[end:])


def party_names(book: Book, who: Callable[[str], str]) -> dict[str, str]:
    """Return the names behind the codes of all parties and labs of a book.

    Parameters
    ----------
    book
        The book.
    who
        Names a party by its code.
    """
    codes = {party.code for party in book.roster.parties} | {log.author for log in book.logs}
    names = {plan.lab: f"a lab of {who(plan.institute)}" for _, plan in book.of_kind(RunPlan)}
    names |= {code: who(code) for code in codes}
    return {code: name for code, name in names.items() if code != name}
