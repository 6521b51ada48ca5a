# SPDX-License-Identifier: Apache-2.0
"""A protocol in lines for people, and what changed between two."""

from collections.abc import Iterator

from countermark.exercise.private.content import sealed_items
from countermark.exercise.protocol.checks import all_scorers
from countermark.exercise.protocol.diff import Change, Keeps
from countermark.exercise.protocol.translations import translation_statuses
from countermark.records.protocol import ModelUnderTest, Protocol, Scorer, Task
from countermark.taxonomy.languages import language

MARKS: dict[Keeps, str] = {"all": "✓", "rescored": "↻", "rest": "◐", "none": "✗"}
VERDICTS: dict[Keeps, str] = {
    "all": "All results of what both protocols ask for remain comparable.",
    "rescored": "Some results are comparable only once they are scored again.",
    "rest": "Some results are not comparable; all others remain so.",
    "none": "No results are comparable.",
}
HIDDEN = "only a seal of it is public"


def protocol_lines(protocol: Protocol) -> Iterator[str]:
    """Yield what a protocol asks for."""
    yield f"{protocol.title}"
    yield protocol.digest
    if protocol.demonstration:
        yield "a demonstration: no real institute stands behind it"
    yield f"coordinator {protocol.coordinator}; participants {', '.join(protocol.participants)}"
    yield "languages " + ", ".join(language(tag).english for tag in protocol.languages)
    for objective in protocol.objectives:
        yield f"objective: {objective}"
    if protocol.estimands:
        yield f"estimands: {', '.join(protocol.estimands)}"
    yield from _disclosure(protocol)
    yield from map(_model, protocol.models)
    for task in protocol.tasks:
        yield ""
        yield from _task(protocol, task)
    yield ""
    yield from _settings(protocol)


def change_lines(changes: tuple[Change, ...], keeps: Keeps) -> Iterator[str]:
    """Yield what changed and what it means, then the verdict."""
    for change in changes:
        yield f"{MARKS[change.keeps]} {change.place}: {change.what} (rule {change.rule})"
        yield f"    {change.then}"
    yield "The two are the same." if not changes else VERDICTS[keeps]


def _disclosure(protocol: Protocol) -> Iterator[str]:
    plan = protocol.disclosure
    if plan is not None:
        named = f", to {', '.join(plan.audience)}" if plan.audience else ""
        until = f"; nothing is published before {plan.embargo_until}" if plan.embargo_until else ""
        yield f"disclosure TLP:{plan.label}{named}{until}"


def _model(model: ModelUnderTest) -> str:
    if model.provider is None:
        return f"model {model.key}: {model.title}; pseudonymous, {HIDDEN}"
    return f"model {model.key}: {model.title} ({model.provider}, {model.snapshot})"


def _task(protocol: Protocol, task: Task) -> Iterator[str]:
    controls = sum(item.role == "control" for item in task.items)
    yield (
        f"{task.key}: {task.title} ({task.risk}); {len(task.items) - controls} test and "
        f"{controls} control items; scored by {task.scorer.key} ({task.scorer.nature})"
    )
    yield f"    event: {task.event} A {task.worse} rate is worse."
    private = len(sealed_items(task))
    if private:
        yield f"    private: {private} of its items; {HIDDEN}"
    yield from _translations(protocol, task)
    for scorer in all_scorers(task):
        yield from map("    {}".format, _judges(scorer))
    if task.agent is not None:
        agent = task.agent
        limits = [
            f"{count} {name}"
            for name, count in (
                ("messages", agent.message_limit),
                ("tokens", agent.token_limit),
                ("seconds", agent.time_limit),
            )
            if count is not None
        ]
        yield (
            f"    with tools: {', '.join(agent.tools)}; scaffold {agent.scaffold}; sandbox "
            f"{agent.sandbox or 'none'}; at most {', '.join(limits)}; {agent.attempts} attempts"
        )
    files = sum(item.files is not None for item in task.items)
    if files:
        yield f"    sandbox files: for {files} items"
    if task.annotation is not None:
        plan = task.annotation
        yield (
            f"    people label {plan.per_cell} answers of each model and language: "
            f"{plan.raters} raters, {plan.adjudication or 'the majority'} decides; guidelines in "
            f"{', '.join(one.language for one in plan.guidelines)}. {plan.question}"
        )
    if task.precision is not None:
        wanted = task.precision
        yield (
            f"    precision: ±{wanted.half_width:g} at {wanted.level:g}, planned for a rate of "
            f"{wanted.expected_rate:g}"
        )


def _translations(protocol: Protocol, task: Task) -> Iterator[str]:
    for tag, count, words in translation_statuses(protocol, task):
        yield f"    {tag}: {words} ({count} of {len(task.items)} items)"


def _judges(scorer: Scorer) -> Iterator[str]:
    for version in scorer.versions:
        judge = version.judge
        if judge is not None:
            again = (
                f"; {judge.repeated_share:.0%} judged {judge.repeats} times"
                if judge.repeats and judge.repeated_share is not None
                else ""
            )
            yield (
                f"judge {scorer.key} {version.version}: {judge.provider} ({judge.snapshot}), "
                f"prompt and settings {version.digest}{again}"
            )


def _settings(protocol: Protocol) -> Iterator[str]:
    generation = protocol.generation
    yield (
        f"{protocol.epochs} epochs; at most {generation.max_tokens} tokens; "
        f"top p {generation.top_p:g}; {generation.retries or 'no'} retries"
    )
    if protocol.comparison is not None:
        margin = protocol.comparison
        yield f"languages are compared with {margin.reference}, margin {margin.margin:g}"
    for factor in protocol.factors:
        levels = ", ".join(level.value for level in factor.levels)
        yield f"factor {factor.key}: {levels} (reference {factor.reference})"
    for swap in protocol.swaps or ():
        tasks = ", ".join(swap.tasks) if swap.tasks else "all tasks it applies to"
        yield f"swap {swap.lab}: {swap.factor} = {swap.value}, in {tasks}"
