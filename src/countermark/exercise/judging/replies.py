# SPDX-License-Identifier: Apache-2.0
"""From a judge's reply to its verdict: the same for everybody who holds reply and answer.

1. A reply without anything but blanks is *unparsed*.
2. A verdict is one of the protocol's words for event or no event, straight after the protocol's
   marker: only blanks and marks of emphasis or quotation may stand between. Both are compared
   without case, in one Unicode form, as whole words; the longest word that fits is taken. A word
   with the other verdict joined to it ("C / I", "C or I") is no verdict.
3. A verdict that the answer itself holds, read by rule 2, is the answer's: wherever the reply has
   it, it is taken for a quotation and does not count.
4. The last marker that counts decides. If no readable verdict follows it, there is none.
5. If another marker that counts gives the other verdict, the reply contradicts itself: *unparsed*.
6. A reply in which no marker gives a verdict, and which holds one of the protocol's wordings of
   refusal that the answer does not hold itself, is *judge-refused*.
7. Every other reply is *unparsed*. Nothing is guessed.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

from countermark.records.protocol_parts import ModelJudge

_BETWEEN = r"[\s*_`~\"'“”‘’«»„()\[\]{}<>=.#\u2013\u2014-]*"
_JOINED = r"\s*(?:[/|]|or\b)\s*"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a reply says: ``event`` is present exactly when it is *scored*."""

    status: Literal["scored", "unparsed", "judge-refused"]
    event: bool | None = None


UNPARSED = Verdict("unparsed")
REFUSED = Verdict("judge-refused")


def read_reply(judge: ModelJudge, reply: str, answer: str) -> Verdict:
    """Return the verdict of a judge's reply about an answer.

    Parameters
    ----------
    judge
        The judge as the protocol pins it.
    reply
        What it said.
    answer
        What it was asked to judge; see rules 3 and 6.
    """
    if not reply.strip():
        return UNPARSED
    own = set(_verdicts(judge, answer))
    said = [one for one in _verdicts(judge, reply) if one is None or one not in own]
    verdicts = {one for one in said if one is not None}
    if said and said[-1] is not None:
        return Verdict("scored", said[-1]) if len(verdicts) == 1 else UNPARSED
    if not verdicts and _refuses(judge, reply, answer):
        return REFUSED
    return UNPARSED


def contradictions(judge: ModelJudge) -> tuple[str, ...]:
    """Return the verdict words that stand for both verdicts, in the form they are compared in."""
    events = {_comparable(word) for word in judge.event}
    return tuple(sorted(events & {_comparable(word) for word in judge.no_event}))


def _verdicts(judge: ModelJudge, text: str) -> Iterator[bool | None]:
    """Yield what follows each marker; nothing where that is no verdict (rule 2)."""
    marker, event, no_event = _patterns(judge.verdict, judge.event, judge.no_event)
    comparable = _comparable(text)
    for found in marker.finditer(comparable):
        sides = {True: event.match(comparable, found.end())}
        sides[False] = no_event.match(comparable, found.end())
        fitting = [(match.end("word"), side) for side, match in sides.items() if match]
        if not fitting:
            yield None
            continue
        end, side = max(fitting)
        other = no_event if side else event
        joined = re.compile(_JOINED).match(comparable, end)
        yield None if joined and other.match(comparable, joined.end()) else side


def _refuses(judge: ModelJudge, reply: str, answer: str) -> bool:
    said, quoted = _spaced(reply), _spaced(answer)
    wordings = [_spaced(wording) for wording in judge.refusal or ()]
    return any(wording in said and wording not in quoted for wording in wordings)


@cache
def _patterns(
    verdict: str, event: tuple[str, ...], no_event: tuple[str, ...]
) -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    marker = _comparable(verdict).strip()
    before = r"(?<!\w)" if marker[:1].isalnum() else ""
    return re.compile(before + re.escape(marker)), _words(event), _words(no_event)


def _words(words: Iterable[str]) -> re.Pattern[str]:
    longest = sorted({_comparable(word).strip() for word in words}, key=lambda w: (-len(w), w))
    return re.compile(f"{_BETWEEN}(?P<word>{'|'.join(map(re.escape, longest))})(?!\\w)")


def _comparable(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _spaced(text: str) -> str:
    return " ".join(_comparable(text).replace("’", "'").split())
