# SPDX-License-Identifier: Apache-2.0
"""Conversations with tools: what the model was told, what it handed in, and facts of the way there.

1. What comes before the model's first message is what it was told.
2. Its answer is what it handed in last: the argument ``answer`` of its last call of ``submit``
   that did not fail. A conversation that ended without one has the empty answer: the model had its
   chance, so that is no error.
3. Every call counts as a tool call but those of ``submit``; it repeats an earlier one if tool and
   arguments are the same; it failed if the tool answered with an error.
"""

import json
from collections.abc import Sequence

from countermark.records.sample import Message, Trajectory

SUBMIT = "submit"
_ANSWER = "answer"


def opening(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Return what the model was told before it said anything (rule 1)."""
    first = next(
        (place for place, said in enumerate(messages) if said.role == "assistant"), len(messages)
    )
    return tuple(messages[:first])


def handed_in(messages: Sequence[Message]) -> str | None:
    """Return the model's answer (rule 2); nothing if it never said anything."""
    if all(said.role != "assistant" for said in messages):
        return None
    answer = ""
    for place, said in enumerate(messages):
        replies = _replies(messages, place)
        for number, call in enumerate(said.calls or ()):
            failed = number < len(replies) and bool(replies[number].failed)
            if call.tool == SUBMIT and not failed:
                answer = _answer(call.arguments)
    return answer


def trajectory(messages: Sequence[Message], limit: str | None) -> Trajectory:
    """Return the facts of a conversation (rule 3), and the limit that stopped it."""
    called = [
        (call.tool, call.arguments)
        for said in messages
        for call in said.calls or ()
        if call.tool != SUBMIT
    ]
    return Trajectory(
        tool_calls=len(called),
        repeated_calls=len(called) - len(set(called)),
        failed_calls=sum(bool(said.failed) for said in messages),
        limit=limit,
    )


def _replies(messages: Sequence[Message], place: int) -> list[Message]:
    """Return the tools' messages that follow one of the model's, in the order of its calls."""
    found = []
    for said in messages[place + 1 :]:
        if said.role != "tool":
            break
        found.append(said)
    return found


def _answer(arguments: str) -> str:
    try:
        given = json.loads(arguments)
    except (ValueError, RecursionError):
        return ""
    answer = given.get(_ANSWER, "") if isinstance(given, dict) else ""
    return answer if isinstance(answer, str) else json.dumps(answer)
