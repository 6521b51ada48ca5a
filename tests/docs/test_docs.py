# SPDX-License-Identifier: Apache-2.0
"""Documents that cannot lie: what they show exists.

1. Every ``countermark`` command parses: noun, verb, options; in a shell block also what it needs.
2. Every ``inspect eval countermark/exercise`` names parameters of the task; every ``make`` a verb.
3. Every link leads to a file, and every fragment to a heading.
4. Every path in code of a room or folder of the repository is there.
5. Every Python block runs and prints what its comments say.
6. Every noun and verb of the command line is shown somewhere.
"""

import ast
import contextlib
import copy
import io
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise, takewhile
from pathlib import Path

import click
import pytest

from countermark.app.cli.main import cli

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "countermark"
PLACES = {"src", "docs", "tests", "benchmarks", "schemas", "scripts"}
SHELL = {"sh", "bash"}
SESSION = "console"
KEYWORDS = {"do", "then", "else", "if", "while", "!", "time", "{"}
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")], key=str)

documents = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=[str(path.relative_to(ROOT)) for path in DOCUMENTS]
)


@dataclass(frozen=True, slots=True)
class Fence:
    """A fenced block: its language and its lines."""

    language: str
    body: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A command as a document shows it; only a shell block shows it whole."""

    words: tuple[str, ...]
    whole: bool


def fences(text: str) -> list[Fence]:
    """Return the fenced blocks of a Markdown text."""
    found = re.findall(r"^```([^\n]*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [Fence(language.strip(), body) for language, body in found]


def prose(text: str) -> str:
    """Return a Markdown text without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def code_spans(text: str) -> list[str]:
    """Return the code in the running text."""
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose(text))]


def shell_commands(script: str) -> Iterator[tuple[str, ...]]:
    """Yield the simple commands of a shell script, without keywords and assignments before them."""
    for line in script.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words: list[str] = []
        for word in [*lexer, ";"]:
            if set(word) <= set(lexer.punctuation_chars):
                if words:
                    yield tuple(words)
                words = []
            elif words or not (word in KEYWORDS or re.match(r"[A-Za-z_]\w*=", word)):
                words.append(word)


def shown(text: str) -> list[Shown]:
    """Return every command that a document shows, in shell blocks and in code."""
    blocks = [fence.body for fence in fences(text) if fence.language in SHELL]
    sessions = [fence.body for fence in fences(text) if fence.language == SESSION]
    blocks += re.findall(r"^\$ (.*)$", "\n".join(sessions), re.MULTILINE)
    whole = [Shown(words, whole=True) for block in blocks for words in shell_commands(block)]
    mentioned = [Shown(tuple(span.split()), whole=False) for span in code_spans(text)]
    return [
        Shown((Path(one.words[0]).name, *one.words[1:]), one.whole)
        for one in (*whole, *mentioned)
        if one.words
    ]


def place(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the noun, or the noun and the verb, that a ``countermark`` command names."""
    names = tuple(takewhile(lambda word: re.fullmatch(r"[a-z|]+", word), words[1:]))
    command = cli.get_command(click.Context(cli), names[0]) if names else None
    return names[:2] if isinstance(command, click.Group) else names[:1]


def fault(command: Shown) -> str | None:
    """Return what is wrong with a command, or nothing."""
    words = command.words
    if words[0] == "countermark":
        return _countermark_fault(command)
    if words[:3] == ("inspect", "eval", "countermark/exercise"):
        return _inspect_fault(words)
    if words[0] == "make":
        unknown = {word for word in words[1:] if "=" not in word} - make_verbs()
        return f"the Makefile has no {', '.join(sorted(unknown))}" if unknown else None
    return None


def _countermark_fault(command: Shown) -> str | None:
    names, rest = place(command.words), command.words[1 + len(place(command.words)) :]
    for name in names[0].split("|") if names else ():
        for verb in names[1].split("|") if len(names) > 1 else (None,):
            found = _named(name, verb)
            if isinstance(found, str):
                return found
            problem = _strict(found, rest) if command.whole else _options(found, rest)
            if problem:
                return problem
    return None if names else _options(cli, rest)


def _named(noun: str, verb: str | None) -> click.Command | str:
    command = cli.get_command(click.Context(cli), noun)
    if command is None:
        return f"there is no countermark {noun}"
    if verb is None or not isinstance(command, click.Group):
        return command
    return command.commands.get(verb) or f"there is no countermark {noun} {verb}"


def _options(command: click.Command, words: tuple[str, ...]) -> str | None:
    context = click.Context(command, help_option_names=["-h", "--help"])
    known = {name for parameter in command.get_params(context) for name in parameter.opts}
    said = {
        word.strip("[]").split("=")[0] for word in words if re.match(r"\[?-{1,2}[A-Za-z]", word)
    }
    return f"{command.name} has no {', '.join(sorted(said - known))}" if said - known else None


def _strict(command: click.Command, words: tuple[str, ...]) -> str | None:
    plain = copy.copy(command)
    plain.params = [copy.copy(parameter) for parameter in command.params]
    for parameter in plain.params:
        if isinstance(parameter.type, click.Path):
            parameter.type = click.STRING  # whether the file is there is not for a document to say
    try:
        plain.make_context(command.name, list(words))
    except click.exceptions.Exit:
        return None  # --help
    except click.UsageError as error:
        return error.format_message()
    return None


def _inspect_fault(words: tuple[str, ...]) -> str | None:
    given = {
        after.partition("=")[0]
        for before, after in pairwise(words)
        if before == "-T" and "=" in after
    }
    unknown = given - task_parameters()
    return f"countermark/exercise has no {', '.join(sorted(unknown))}" if unknown else None


@cache
def task_parameters() -> set[str]:
    """Return the parameters of the Inspect task, without importing Inspect."""
    tree = ast.parse((SOURCE / "exercise" / "inspect" / "task.py").read_text("utf-8"))
    (task,) = (
        node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "exercise"
    )
    return {argument.arg for argument in task.args.args}


@cache
def make_verbs() -> set[str]:
    """Return the verbs of the Makefile."""
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def broken_links(text: str, folder: Path) -> list[str]:
    """Return the relative links of a document that lead nowhere."""
    targets = re.findall(r"\]\(<?([^)>\s]+)>?(?:\s[^)]*)?\)", re.sub(r"`[^`]*`", "", prose(text)))
    broken = []
    for target in targets:
        name, _, fragment = target.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        file = folder / name if name else None
        if file is not None and not file.exists():
            broken.append(target)
        elif fragment:
            inside = text if file is None else file.read_text("utf-8")
            if fragment not in anchors(inside):
                broken.append(target)
    return broken


def anchors(text: str) -> set[str]:
    """Return the fragments that a document's headings give."""
    headings = re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in headings}


def missing_paths(text: str) -> list[str]:
    """Return the paths in code that begin as a room or a folder of ours does and are not there."""
    rooms = {path.name for path in SOURCE.iterdir() if (path / "__init__.py").is_file()}
    found = []
    for span in code_spans(text):
        first = span.split("/")[0]
        if not re.fullmatch(r"[\w.-]+(?:/[\w.-]+)*/?", span) or "/" not in span:
            continue
        if (first in PLACES and not (ROOT / span).exists()) or (
            first in rooms and not (SOURCE / span).exists()
        ):
            found.append(span)
    return found


def run_python(code: str, names: dict[str, object] | None = None) -> None:
    """Run a block; what it prints must be what the comments behind its prints say."""
    printed = io.StringIO()
    known = {} if names is None else names
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "a document", "exec"), known)  # noqa: S102  our own documents
    said = re.findall(r"^print\(.*\)  # (.+)$", code, re.MULTILINE)
    assert printed.getvalue().splitlines()[: len(said)] == said


@documents
def test_rule_1_and_2_every_command_shown_exists(document: Path) -> None:
    text = document.read_text("utf-8")
    problems = [f"{' '.join(one.words)}: {why}" for one in shown(text) if (why := fault(one))]
    assert problems == []


@documents
def test_rule_3_every_link_leads_somewhere(document: Path) -> None:
    assert broken_links(document.read_text("utf-8"), document.parent) == []


@documents
def test_rule_4_every_path_in_code_is_there(document: Path) -> None:
    assert missing_paths(document.read_text("utf-8")) == []


@documents
def test_rule_5_python_blocks_run(document: Path) -> None:
    names: dict[str, object] = {}  # a block goes on where the one before it ended
    for fence in fences(document.read_text("utf-8")):
        if fence.language.split()[:1] == ["python"]:
            run_python(fence.body, names)


def test_rule_6_every_noun_and_verb_is_shown() -> None:
    context = click.Context(cli)
    wanted: set[tuple[str, ...]] = set()
    for noun in cli.list_commands(context):
        command = cli.get_command(context, noun)
        verbs = command.commands if isinstance(command, click.Group) else ()
        wanted |= {(noun, verb) for verb in verbs} or {(noun,)}
    commands = [one for path in DOCUMENTS for one in shown(path.read_text("utf-8"))]
    seen = {place(one.words) for one in commands if one.words[0] == "countermark"}
    assert wanted - seen == set()


@pytest.mark.parametrize(
    ("snippet", "reason"),
    [
        ("```sh\ncountermark assay it.json\n```", "no countermark assay"),
        ("```sh\ncountermark log forget demo\n```", "no countermark log forget"),
        ("```sh\ncountermark verify a.json --online\n```", "--online"),
        ("```sh\nfor n in GB; do .venv/bin/countermark log audit; done\n```", "Missing argument"),
        ("```sh\ncountermark exercise seal \\\n  --node demo\n```", "--protocol"),
        ("```sh\ncountermark gate decide --framework f --finding g --model m --action sell\n```",
         "sell"),
        ("```sh\nX=$(countermark node status --depth 3)\n```", "--depth"),
        ("```console\n$ .venv/bin/countermark vow\ncountermark said no\n```", "no countermark vow"),
        ("Say `countermark finding sing`.", "no countermark finding sing"),
        ("Say `countermark sync pull|push`.", "no countermark sync push"),
        ("Say `countermark demo [--fast]`.", "--fast"),
        ("Say `countermark --quiet`.", "--quiet"),
        ("```sh\ninspect eval countermark/exercise -T protocl=p.json\n```", "protocl"),
        ("Say `make coffee`.", "coffee"),
    ],
)  # fmt: skip
def test_rules_1_and_2_see_a_wrong_command(snippet: str, reason: str) -> None:
    faults = [found for one in shown(snippet) if (found := fault(one))]
    assert len(faults) == 1
    assert reason in faults[0]


@pytest.mark.parametrize(
    "snippet",
    [
        "```sh\nmake demo NO_SERVE=1 && countermark verify --quiet a/*.json > out  # all\n```",
        "```sh\ncountermark log audit --help\n```",
        "```text\ncountermark nonsense\n```",
        "Say `countermark exercise`, `countermark sync pull|pull` or `countermark demo --out …`.",
    ],
)
def test_rules_1_and_2_let_right_commands_pass(snippet: str) -> None:
    assert [fault(one) for one in shown(snippet) if fault(one)] == []


def test_rule_3_sees_a_broken_link(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# A heading: with *marks*\n", "utf-8")
    text = (
        "[a](there.md) [b](there.md#a-heading-with-marks) [c](https://example.org) [d](#here)\n"
        "[e](gone.md) ![f](gone.svg) [g](there.md#other) [h](#nowhere)\n\n## Here\n"
    )
    assert broken_links(text, tmp_path) == ["gone.md", "gone.svg", "there.md#other", "#nowhere"]


def test_rule_4_sees_a_missing_path() -> None:
    text = "`node/ports.py`, `exercise/`, `tile/entries/`, `node/manager.py`, `docs/gone.md`"
    assert missing_paths(text) == ["node/manager.py", "docs/gone.md"]


def test_rule_5_sees_a_block_that_prints_something_else() -> None:
    run_python("print(1 + 1)  # 2\n")
    with pytest.raises(AssertionError):
        run_python("print(1 + 1)  # 3\n")
    with pytest.raises(NameError):
        run_python("nobody()\n")
