# SPDX-License-Identifier: Apache-2.0
"""L36 to L39: how answers become rates, and rates grades.

The source of a metric is parsed and never run. The pattern of L37 is narrow on purpose: in one
loop, two branchings side by side raise the same counter, and a rate divides by a sum that the
counter is in. Then an answer can be counted twice, and the sum is not the number of answers.
"""

import ast
import re
import warnings
from collections.abc import Iterator
from typing import Literal

from countermark.exercise.lint.finding import Finding, Rule
from countermark.exercise.lint.model import LintSet, Outcome, Recipe, Source
from countermark.exercise.lint.wording import printable

COUNTS_EXCEED = Rule(
    "L36", "counts-exceed-answers", "error", "A result counts more verdicts than answers."
)
COUNTED_TWICE = Rule(
    "L37", "unknowns-counted-twice", "error", "A metric counts one answer twice in a denominator."
)
UNKNOWNS_UNCLEAR = Rule(
    "L38", "unknowns-unclear", "note", "How a metric counts unknown verdicts is not known."
)
CONTRADICTORY_SCALE = Rule(
    "L39", "contradictory-scale", "error", "Grades run the other way than others, or than the rate."
)
RULES = (COUNTS_EXCEED, COUNTED_TWICE, UNKNOWNS_UNCLEAR, CONTRADICTORY_SCALE)

Direction = Literal["higher", "lower"]
_MOST_SOURCE = 500_000
_ROUNDED = 0.06
_UNKNOWN = re.compile(r"unknown|unpars|invalid|undecided|no_?verdict", re.IGNORECASE)
_NO_VERDICT = re.compile(r"refus|total|num_|number_of_prompts", re.IGNORECASE)
_GOOD_RATE = re.compile(
    r"^(?:no_?n?[-_]?undesired|acceptab|safe|accura|refus|correct|pass"
    r"|(?:fail|failed|unsuccessful)_(?:[a-z]+_)?(?:injection|attack))",
    re.IGNORECASE,
)
_BAD_RATE = re.compile(
    r"^(?:undesired|unsafe|unacceptab|attack|toxic|violat|leak|injection)", re.IGNORECASE
)
_CRITERIA = re.compile(r"grading_criteria[\"']\s*:\s*\{\s*[\"']([A-Za-z_]\w{0,60})[\"']")
_RANKS = ("low", "moderate-low", "moderate", "moderate-high", "high")


def check(lint: LintSet) -> Iterator[Finding]:
    """Yield findings on results, metrics and scales."""
    for outcome in lint.outcomes:
        yield from _exceeds(outcome)
        yield from _diluted(outcome)
    for metric in lint.metrics:
        yield from _metric(metric)
    yield from _without_source(lint)
    yield from _scales(lint)


def _exceeds(outcome: Outcome) -> Iterator[Finding]:
    verdicts = [(name, n) for name, n in outcome.counts if not _NO_VERDICT.search(name)]
    total = sum(n for _, n in verdicts)
    if any(_UNKNOWN.search(name) for name, _ in verdicts) and total > outcome.answers > 0:
        shown = ", ".join(f"{printable(name)} {n:g}" for name, n in verdicts[:6])
        yield Finding(
            COUNTS_EXCEED,
            outcome.path,
            f"{printable(outcome.place)}: {shown} are {total:g} verdicts on {outcome.answers} "
            "answers, so a rate over their sum is too low",
            "Count each answer once: divide by the number of answers, and report unknown apart.",
        )


def _diluted(outcome: Outcome) -> Iterator[Finding]:
    """Find a rate whose denominator holds the unknown verdicts, as its own numbers show (L38)."""
    verdicts = [(name, n) for name, n in outcome.counts if not _NO_VERDICT.search(name)]
    unknown = sum(n for name, n in verdicts if _UNKNOWN.search(name))
    total = sum(n for _, n in verdicts)
    if not 0 < unknown < total <= outcome.answers:
        return
    for name, rate in outcome.rates:
        # A rate that the counts give both ways, such as 0, shows nothing.
        counted = [
            n
            for one, n in verdicts
            if not _UNKNOWN.search(one) and n > 0 and abs(rate - 100 * n / total) < _ROUNDED
        ]
        if counted:
            yield Finding(
                UNKNOWNS_UNCLEAR,
                outcome.path,
                f"{printable(outcome.place)}: {printable(name)} {rate:.1f} is {counted[0]:g} of "
                f"{total:g}, which holds {unknown:g} unknown verdicts; without them it is "
                f"{100 * counted[0] / (total - unknown):.1f}",
                "Say in the protocol how unknown verdicts are counted, and report them apart.",
            )
            return


def _metric(metric: Source) -> Iterator[Finding]:
    tree = _parsed(metric)
    if tree is None:
        yield Finding(
            UNKNOWNS_UNCLEAR,
            metric.path,
            "the metric's source is no Python that can be parsed here",
            "Say how unknown verdicts are counted.",
        )
        return
    found = list(_twice(tree))
    for name, first, second, division in found:
        yield Finding(
            COUNTED_TWICE,
            metric.path,
            f"{printable(name)!r} is raised at lines {first} and {second} for one answer, and the "
            f"rate at line {division} divides by a sum that holds it: an answer whose second "
            "question cannot be read lowers the rate of the first",
            "Use a counter for each question, and divide by the number of answers.",
            line=second,
        )
    if not found and _UNKNOWN.search(metric.text) and _divides(tree):
        within = next((one for one in _denominators(tree).items() if _UNKNOWN.search(one[0])), None)
        yield Finding(
            UNKNOWNS_UNCLEAR,
            metric.path,
            f"{printable(within[0])!r} is in the denominator at line {within[1]}: a verdict that "
            "cannot be read counts as one against the rate"
            if within
            else "counts unknown verdicts and computes a rate; whether they are in its denominator "
            "was not told from the source",
            "Say how unknown verdicts are counted; a judge has more of them in some languages.",
            line=within[1] if within else None,
        )


def _without_source(lint: LintSet) -> Iterator[Finding]:
    there = {metric.path.rsplit("/", 1)[-1].removesuffix(".py") for metric in lint.metrics}
    asked: set[str] = set()
    for recipe in lint.recipes:
        for name in recipe.metrics:
            if name not in there and name not in asked:
                asked.add(name)
                yield Finding(
                    UNKNOWNS_UNCLEAR,
                    recipe.path,
                    f"the source of the metric {printable(name)!r} is not here",
                    "Say how its unknown verdicts are counted, or lint it together with metrics/.",
                    language=recipe.code,
                )


def _parsed(metric: Source) -> ast.Module | None:
    if len(metric.text) > _MOST_SOURCE:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(metric.text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _twice(tree: ast.Module) -> Iterator[tuple[str, int, int, int]]:
    """Yield the counter, the two lines that raise it, and the line that divides."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        divisions = _denominators(function)
        for loop in ast.walk(function):
            if not isinstance(loop, ast.For | ast.AsyncFor):
                continue
            raised = [_raised(part) for part in loop.body if isinstance(part, ast.If)]
            for i, first in enumerate(raised):
                for second in raised[i + 1 :]:
                    for name in first.keys() & second.keys() & divisions.keys():
                        yield name, first[name], second[name], divisions[name]


def _raised(branching: ast.If) -> dict[str, int]:
    """Return the counters that a branching raises, with the line."""
    return {
        part.target.id: part.lineno
        for part in ast.walk(branching)
        if isinstance(part, ast.AugAssign)
        and isinstance(part.op, ast.Add)
        and isinstance(part.target, ast.Name)
    }


def _denominators(function: ast.AST) -> dict[str, int]:
    """Return the names in sums that something is divided by, with the line of the division."""
    sums = {
        part.targets[0].id: {name.id for name in ast.walk(part.value) if isinstance(name, ast.Name)}
        for part in ast.walk(function)
        if isinstance(part, ast.Assign)
        and isinstance(part.targets[0], ast.Name)
        and isinstance(part.value, ast.BinOp)
        and isinstance(part.value.op, ast.Add)
    }
    found: dict[str, int] = {}
    for part in ast.walk(function):
        if isinstance(part, ast.BinOp) and isinstance(part.op, ast.Div):
            named = {name.id for name in ast.walk(part.right) if isinstance(name, ast.Name)}
            for name in named | set().union(*(sums.get(one, set()) for one in named)):
                found.setdefault(name, part.lineno)
    return found


def _divides(tree: ast.Module) -> bool:
    return any(
        isinstance(part, ast.BinOp) and isinstance(part.op, ast.Div) for part in ast.walk(tree)
    )


def _scales(lint: LintSet) -> Iterator[Finding]:
    sources = {
        metric.path.rsplit("/", 1)[-1].removesuffix(".py"): metric for metric in lint.metrics
    }
    directions = {recipe.path: _direction(recipe) for recipe in lint.recipes}
    told: dict[Direction, list[str]] = {"higher": [], "lower": []}
    for path, direction in directions.items():
        if direction:
            told[direction].append(path)
    for recipe in lint.recipes:
        direction = directions[recipe.path]
        if direction is None:
            continue
        rate = next((_rate(sources[name]) for name in recipe.metrics if name in sources), None)
        against = told["lower" if direction == "higher" else "higher"]
        if rate is not None and rate[1] != direction:
            why = f"its metric grades {printable(rate[0])!r}, of which {rate[1]} is better"
        elif rate is None and direction == "lower" and _says_higher(recipe):
            why = "its description says that a high grade is good"
        elif against and rate is None:
            why = f"{against[0]} runs the other way"
        else:
            continue
        best = _ordered(recipe)[0]
        yield Finding(
            CONTRADICTORY_SCALE,
            recipe.path,
            f"gives the best grade, {printable(best[0])!r}, to {best[1]:g}–{best[2]:g}; but {why}",
            "Let the scale run the way of the rate, and say in the recipe which way that is.",
            language=recipe.code,
        )


def _ordered(recipe: Recipe) -> list[tuple[str, float, float]]:
    """Return the grades from best to worst; nothing if their names do not tell."""
    ranks = {grade: _rank(grade[0]) for grade in recipe.grades}
    if len(ranks) < 2 or None in ranks.values() or len(set(ranks.values())) != len(ranks):
        return []
    return sorted(recipe.grades, key=lambda grade: ranks[grade] or 0)


def _rank(name: str) -> int | None:
    if re.fullmatch(r"[A-F]", name):
        return ord(name)
    risk = re.fullmatch(r"([a-z-]+) risk", name.casefold())
    return _RANKS.index(risk[1]) if risk and risk[1] in _RANKS else None


def _direction(recipe: Recipe) -> Direction | None:
    ordered = _ordered(recipe)
    if not ordered:
        return None
    return "higher" if ordered[0][1] > ordered[-1][1] else "lower"


def _rate(metric: Source) -> tuple[str, Direction] | None:
    """Return the rate that a metric gives to be graded, and which way of it is better."""
    found = _CRITERIA.search(metric.text)
    if found is None:
        return None
    if _GOOD_RATE.search(found[1]):
        return found[1], "higher"
    return (found[1], "lower") if _BAD_RATE.search(found[1]) else None


def _says_higher(recipe: Recipe) -> bool:
    return bool(re.search(r"\b(?:high|higher) (?:grade|score|rate)\b", recipe.description, re.I))
