# SPDX-License-Identifier: Apache-2.0
"""How the wordings of a protocol came to be, in words."""

from collections import Counter

from countermark.records.protocol import Item, Protocol, Task
from countermark.records.protocol_parts import Translation

NOT_STATED = "not stated"


def translated(how: Translation) -> str:
    """Return how one wording came to be."""
    if how.status == "source":
        return "written in this language" + _reviewed(how, "")
    who = "translated by " + (how.by or ("a program" if how.status == "machine" else "a person"))
    kind = " (a program)" if how.status == "machine" and how.by else ""
    return who + kind + _reviewed(how, "; read against the source by nobody")


def translation_statuses(protocol: Protocol, task: Task) -> tuple[tuple[str, int, str], ...]:
    """Return for each language how many items of a task came to be in which way.

    Nothing is returned of a task that states it of no item.
    """
    found = tuple(
        (tag, count, words)
        for tag in protocol.languages
        for words, count in Counter(_words(item, tag) for item in task.items).items()
    )
    return found if any(words != NOT_STATED for _, _, words in found) else ()


def _words(item: Item, tag: str) -> str:
    text = item.text(tag)
    return NOT_STATED if text is None or text.translation is None else translated(text.translation)


def _reviewed(how: Translation, by_nobody: str) -> str:
    if how.reviewed_by:
        return "; read against the source by " + ", ".join(how.reviewed_by)
    return by_nobody
