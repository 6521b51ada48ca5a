# SPDX-License-Identifier: Apache-2.0
"""L21 to L25: is the text in the language that the file says, and does the file say it right.

A text is looked at without links, placeholders and addresses, and where it seems to be wrong, also
without the words that it shares with its source, or repeats: names and code need not be translated.
Texts of fewer than ``_LEAST_LETTERS`` letters decide nothing.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

from countermark.exercise.lint import detection, scripts
from countermark.exercise.lint.finding import Finding, Rename, Rule
from countermark.exercise.lint.matching import counterparts
from countermark.exercise.lint.model import Item, ItemFile, LintSet, Recipe, meant
from countermark.exercise.lint.wording import folded, letters_of, printable, without_shared
from countermark.taxonomy.languages import LanguageTagError, commonly_meant, language

LANGUAGE_CODE = Rule("L21", "language-code", "error", "A language code is not its BCP 47 tag.")
WRONG_LANGUAGE = Rule("L22", "wrong-language", "error", "A text is in another language.")
WRONG_SCRIPT = Rule("L23", "wrong-script", "error", "A text is in another script.")
WRITTEN_VARIANT = Rule(
    "L24",
    "written-variant",
    "warning",
    "Cantonese and Mandarin, or two Chinese scripts, are mixed.",
)
NOT_CHECKED = Rule("L25", "language-not-checked", "note", "The detector lacks a language.")
RULES = (LANGUAGE_CODE, WRONG_LANGUAGE, WRONG_SCRIPT, WRITTEN_VARIANT, NOT_CHECKED)

_LEAST_LETTERS = 12
_LEAST_SAMPLE = 60
# By how much another language must lead. Measured by `benchmarks/lint.py --detection`.
LEAD = 2.0
LEAD_ALONE = 3.0  # without a source whose names could be set aside
_LEAD_OF_FILE = 6.0
_OWN_SCRIPT = 0.3
_SAMPLE = 4000


def check(lint: LintSet) -> Iterator[Finding]:
    """Yield findings on codes, then on the texts of each file."""
    things: list[ItemFile | Recipe] = [*lint.files, *lint.recipes]
    for thing in things:
        if thing.code:
            yield from _code(thing, lint)
    sources = {other.path: source for source, other in lint.pairs()}
    labels = candidates(lint)
    unknown: set[str] = set()
    for file in lint.files:
        if file.tag is None or not file.items:
            continue
        yield from text_findings(file, labels, sources.get(file.path))
        if not detection.detectable(file.tag) and _known(file.tag) and file.tag not in unknown:
            unknown.add(file.tag)
            yield Finding(
                NOT_CHECKED,
                file.path,
                f"whether texts are in {language(file.tag).english} was not checked: the detector "
                "does not know it; only its script was",
                "Let somebody who reads it look at a sample.",
                language=file.code,
            )


def candidates(lint: LintSet) -> list[str]:
    """Return the detector's labels of the languages of a set, and of English."""
    tags = {file.tag for file in lint.files if file.tag and detection.detectable(file.tag)}
    return sorted({detection.label(tag) for tag in tags} | {"en"})


def text_findings(
    file: ItemFile, labels: Sequence[str], source: ItemFile | None
) -> Iterator[Finding]:
    """Yield texts of one file in another script, variant or language (L22 to L24)."""
    tag = str(file.tag)
    if not _known(tag):
        return  # L21 has said that nobody knows this language
    yield from _script(file, language(tag).script, source)
    yield from _variant(file)
    if detection.detectable(tag):
        yield from _detected(file, labels, source)


def _known(tag: str) -> bool:
    try:
        language(tag)
    except LanguageTagError:
        return False
    return True


def sample(file: ItemFile) -> str:
    """Return some text from all over a file."""
    step = max(1, len(file.items) // 60)
    return " ".join(text[:200] for text in file.plain[::step])[:_SAMPLE]


@lru_cache(maxsize=4096)
def language_of(file: ItemFile) -> str | None:
    """Return the likeliest language of a whole file; nothing if there is too little text."""
    text = sample(file)
    enough = letters_of(text) >= _LEAST_SAMPLE
    return detection.whole(text) if enough else None


def _code(thing: ItemFile | Recipe, lint: LintSet) -> Iterator[Finding]:
    code = str(thing.code)
    problem = advice = None
    try:
        known = language(code)
    except LanguageTagError as error:
        problem, advice, tag = error.what, error.next_step, error.meant
    else:
        other = commonly_meant(code)
        tag = other.tag if other else None
        file = thing if isinstance(thing, ItemFile) else _dataset(thing, lint)
        if other is not None and not (file and language_of(file) == detection.label(code)):
            problem = f"{code!r} is {known.english}, but was seen standing for {other.english}"
            advice = f"Did you mean {other.tag}, {other.english}?"
    if problem is None or advice is None:
        return
    certain = tag is not None and _confirmed(thing, tag, lint)
    yield Finding(
        LANGUAGE_CODE,
        thing.path,
        f"{printable(problem)}" + (f"; the text is in {_english(str(tag))}" if certain else ""),
        f"Write {tag}." if certain else advice,
        language=code,
        fixes=(Rename(thing.path, code, str(tag)),) if certain else (),
    )


def _dataset(recipe: Recipe, lint: LintSet) -> ItemFile | None:
    """Return the dataset of a recipe in the recipe's own language code."""
    named = {name.casefold() for name in recipe.datasets}
    return next(
        (
            file
            for file in lint.files
            if file.code == recipe.code
            and file.path.rsplit("/", 1)[-1].removesuffix(".json").casefold() in named
        ),
        None,
    )


def _confirmed(thing: ItemFile | Recipe, tag: str, lint: LintSet) -> bool:
    """Tell whether the text itself is in the language that a code was probably meant for."""
    file = thing if isinstance(thing, ItemFile) else _dataset(thing, lint)
    if file is None:
        return False
    found = language_of(file)
    text = sample(file)
    if tag == "yue":
        ours, theirs = scripts.marks(text, scripts.CANTONESE, scripts.MANDARIN)
        return found in {"zh", "yue"} and ours > theirs
    if tag == "zh-Hans":
        ours, theirs = scripts.marks(text, scripts.SIMPLIFIED, scripts.TRADITIONAL)
        return found in {"zh", "wuu"} and ours > theirs
    return found is not None and detection.close(found, detection.label(tag))


def _detected(file: ItemFile, labels: Sequence[str], source: ItemFile | None) -> Iterator[Finding]:
    own = detection.label(str(file.tag))
    found = language_of(file)
    if found is not None and not detection.close(found, own):
        (guess,) = detection.guesses([sample(file)], own, [found])
        if guess.lead >= _LEAD_OF_FILE:
            yield Finding(
                WRONG_LANGUAGE,
                file.path,
                f"the file is to be in {_english(str(file.tag))}, and reads as {_english(found)}",
                "Correct the file's language code, or put the right texts into it.",
                line=file.items[0].line,
                key=file.items[0].key,
                language=file.code,
            )
            return
    texts = file.plain
    before = counterparts(file, source) if source else {}
    guesses = detection.guesses(texts, own, labels)
    for place, guess in enumerate(guesses):
        item, other = file.items[place], before.get(place)
        least = LEAD if other else LEAD_ALONE
        if guess.lead < least or detection.close(guess.language, own):
            continue
        if other is not None and folded(other.text) == folded(item.text):
            continue  # L26 says so
        rest = without_shared(texts[place], other.text if other else "")
        if letters_of(rest) < _LEAST_LETTERS:
            continue
        (again,) = detection.guesses([rest], own, labels)
        if again.lead >= least and not detection.close(again.language, own):
            yield Finding(
                WRONG_LANGUAGE,
                file.path,
                f"the text is to be in {_english(str(file.tag))}, and reads as "
                f"{_english(again.language)}: {printable(item.text)[:60]!r}",
                "Translate it; or, if it is meant to be so, leave it.",
                line=item.line,
                key=item.key,
                language=file.code,
            )


def _script(file: ItemFile, script: str, source: ItemFile | None) -> Iterator[Finding]:
    if not scripts.known_script(script):
        return
    texts = file.plain
    counts = scripts.letters(texts)
    shares = scripts.share(counts, script)
    before = counterparts(file, source) if source else {}
    for place in np.flatnonzero((shares < _OWN_SCRIPT) & (counts[:, -1] >= _LEAST_LETTERS)):
        item, other = file.items[place], before.get(int(place))
        if other is not None and folded(other.text) == folded(item.text):
            continue  # L26 says so
        rest = scripts.letters([without_shared(texts[place], other.text if other else "")])
        if rest[0, -1] < _LEAST_LETTERS or scripts.share(rest, script)[0] >= _OWN_SCRIPT:
            continue
        most = scripts.SCRIPTS[int(rest[0, :-1].argmax())]
        yield Finding(
            WRONG_SCRIPT,
            file.path,
            f"the text is to be in {_english(str(file.tag))}, which is written in {script}, and is "
            f"in {most}: {printable(item.text)[:60]!r}",
            "Translate it; or, if it is meant to be so, leave it.",
            line=item.line,
            key=item.key,
            language=file.code,
        )


def _variant(file: ItemFile) -> Iterator[Finding]:
    tag = str(file.tag)
    code, *more = tag.split("-")
    if code not in {"zh", "yue"}:
        return
    spoken = (scripts.CANTONESE, scripts.MANDARIN)
    written = (scripts.SIMPLIFIED, scripts.TRADITIONAL)
    tests = [
        (*spoken, "Mandarin") if code == "yue" else (*reversed(spoken), "Cantonese"),
        (*reversed(written), "simplified characters")
        if code == "yue" or "Hant" in more
        else (*written, "traditional characters"),
    ]
    for ours, theirs, name in tests:
        odd = [item for item in file.items if _against(item, ours, theirs)]
        if odd:
            yield Finding(
                WRITTEN_VARIANT,
                file.path,
                f"{len(odd)} of {len(file.items)} texts have marks of {name} and none of "
                f"{_english(tag)}: {printable(odd[0].text)[:40]!r}",
                "Let somebody who writes it look; or give the file the tag of what it is.",
                line=odd[0].line,
                key=odd[0].key,
                language=file.code,
            )


def _against(item: Item, ours: str, theirs: str) -> bool:
    own, other = scripts.marks(item.text, ours, theirs)
    return own == 0 and other >= 2


def _english(tag: str) -> str:
    try:
        return language(meant(tag) if len(tag) > 3 else tag).english
    except LanguageTagError:
        return printable(tag)
