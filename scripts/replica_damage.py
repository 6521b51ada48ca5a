# SPDX-License-Identifier: Apache-2.0
"""The replica's folder with one kind of damage at a time, each of a kind seen in published files.

Where each kind was seen: docs/replica.md. What a protocol folder has no place for (a target that
means four things, a metric's denominator, grades) is not among them; the lint of Moonshot's own
files finds those.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ItemLine = dict[str, str]


@dataclass(frozen=True, slots=True)
class Damage:
    """One kind of damage: what it is, and what does it to a folder."""

    words: str
    do: Callable[[Path], None]


def _lines(path: Path) -> list[ItemLine]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _write(path: Path, lines: list[ItemLine]) -> None:
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    path.write_text(text, encoding="utf-8")


def _of(folder: Path, task: str, language: str) -> Path:
    return folder / "items" / f"{task}.{language}.jsonl"


def _changed(path: Path, change: Callable[[int, ItemLine], ItemLine]) -> None:
    _write(path, [change(number, line) for number, line in enumerate(_lines(path))])


def _keys_not_shared(folder: Path) -> None:
    _changed(_of(folder, "privacy", "en"), lambda n, line: line | {"key": f"{n + 1}"})


def _disjoint(folder: Path) -> None:
    for language in ("ja", "ko", "zh-Hans"):
        source = _lines(_of(folder, "violent-crime", language))
        _write(
            _of(folder, "privacy", language),
            [line | {"key": f"chat-{n}"} for n, line in enumerate(source)],
        )


def _missing_cells(folder: Path) -> None:
    for task in ("privacy", "jailbreak", "violent-crime", "intellectual-property"):
        _of(folder, task, "yue").unlink()
    for task in ("privacy", "jailbreak", "violent-crime"):
        _of(folder, task, "fa").unlink()
    _of(folder, "privacy", "te").unlink()


def _translated_label(folder: Path) -> None:
    _changed(_of(folder, "privacy", "ja"), lambda _, line: line | {"approach": "直接"})


def _wrong_code(folder: Path) -> None:
    path = _of(folder, "privacy", "sw")
    path.rename(_of(folder, "privacy", "kw"))


def _another_language(folder: Path) -> None:
    _write(_of(folder, "privacy", "fa"), _lines(_of(folder, "privacy", "fr")))


def _corrupt_key(folder: Path) -> None:
    path = _of(folder, "privacy", "sw")
    _changed(path, lambda n, line: line | {"key": line["key"] + "\\"} if n == 3 else line)


def _untranslated(folder: Path) -> None:
    english = _lines(_of(folder, "privacy", "en"))
    _changed(_of(folder, "privacy", "te"), lambda n, line: english[n] if n in (4, 9) else line)


def _repeated(folder: Path) -> None:
    path = _of(folder, "jailbreak", "zh-Hans")
    first = _lines(path)[0]["prompt"]
    _changed(path, lambda n, line: line | {"prompt": first} if n in (2, 5) else line)


DAMAGES = (
    Damage("English keys that no other language has", _keys_not_shared),
    Damage("other items under the same name in three languages", _disjoint),
    Damage("eight of fifty cells are not there", _missing_cells),
    Damage("a code that was translated in one language", _translated_label),
    Damage("`kw` for Kiswahili", _wrong_code),
    Damage("French text in the Farsi file", _another_language),
    Damage("a stray character at the end of one key", _corrupt_key),
    Damage("two items left in English", _untranslated),
    Damage("two items that became the same as another in one language", _repeated),
)


def damaged(make: Callable[[Path], None], folder: Path) -> Iterator[Damage]:
    """Yield each damage with the folder made anew and damaged so."""
    for damage in DAMAGES:
        make(folder)
        damage.do(folder)
        yield damage
