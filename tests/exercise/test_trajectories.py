# SPDX-License-Identifier: Apache-2.0
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from countermark.exercise.trajectories import handed_in, opening, trajectory
from countermark.records.sample import Message, ToolCall

TOLD = (Message(role="system", content="s"), Message(role="user", content="u"))


def calls(*made: tuple[str, str]) -> Message:
    return Message(
        role="assistant",
        content="",
        calls=tuple(ToolCall(tool=tool, arguments=text) for tool, text in made),
    )


def reply(failed: Literal[True] | None = None) -> Message:
    return Message(role="tool", content="r", failed=failed)


def test_rule_1_what_comes_before_the_models_first_message_was_told() -> None:
    assert opening((*TOLD, calls(("bash", "{}")), reply(), *TOLD)) == TOLD
    assert opening(TOLD) == TOLD
    assert opening(()) == ()


def test_rule_2_the_answer_is_what_was_handed_in_last() -> None:
    first, second = ("submit", '{"answer":"one"}'), ("submit", '{"answer":"two"}')
    assert handed_in((*TOLD, calls(first), reply(), calls(second), reply())) == "two"
    assert handed_in((*TOLD, calls(first, ("bash", "{}")), reply(), reply(failed=True))) == "one"
    assert handed_in((*TOLD, calls(first), reply(), calls(second), reply(failed=True))) == "one"
    assert handed_in((*TOLD, calls(second))) == "two", "the limit came before the tool's reply"
    assert handed_in((*TOLD, Message(role="assistant", content="It is one."))) == ""
    assert handed_in(TOLD) is None
    for odd in ("[1]", "{", '{"answer":7}', "{}", "[" * 100_000):
        assert handed_in((*TOLD, calls(("submit", odd)))) == ("7" if "7" in odd else "")


def test_rule_3_calls_repeats_and_failures_are_counted() -> None:
    same = ("bash", '{"cmd":"ls"}')
    said = (
        *TOLD,
        calls(same, ("python", '{"code":"1"}')),
        reply(),
        reply(failed=True),
        calls(same),
        reply(),
        calls(("submit", '{"answer":"x"}')),
        reply(),
    )
    facts = trajectory(said, "message")
    assert (facts.tool_calls, facts.repeated_calls, facts.failed_calls) == (3, 1, 1)
    assert facts.limit == "message"


@given(st.lists(st.tuples(st.sampled_from(("bash", "python", "submit")), st.sampled_from("ab"))))
def test_there_are_never_more_repeats_than_calls(made: list[tuple[str, str]]) -> None:
    facts = trajectory([calls(*made)], None)
    assert facts.repeated_calls <= facts.tool_calls == sum(tool != "submit" for tool, _ in made)
