# SPDX-License-Identifier: Apache-2.0
"""Which script a text is written in, by the blocks of Unicode, for many texts at once.

The blocks are those of The Unicode Standard's Blocks.txt that hold letters of living scripts. A
language's usual script comes from CLDR (:mod:`countermark.taxonomy.languages`); Japanese and
Korean mix several. Letters of no block here count as *other*.

Simplified and traditional characters, and Cantonese and Mandarin, share a block. They are told
apart by characters that only one of the two uses; a text without any is not told apart.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

_BLOCKS: Final = (
    (0x0041, 0x005A, "Latn"), (0x0061, 0x007A, "Latn"), (0x00C0, 0x024F, "Latn"),
    (0x0250, 0x02AF, "Latn"), (0x1E00, 0x1EFF, "Latn"), (0x2C60, 0x2C7F, "Latn"),
    (0xFF21, 0xFF3A, "Latn"), (0xFF41, 0xFF5A, "Latn"), (0x0370, 0x03FF, "Grek"),
    (0x1F00, 0x1FFF, "Grek"), (0x0400, 0x052F, "Cyrl"), (0x1C80, 0x1C8F, "Cyrl"),
    (0x0531, 0x058F, "Armn"), (0x0591, 0x05FF, "Hebr"), (0x0610, 0x061A, "Arab"),
    (0x0620, 0x065F, "Arab"), (0x066E, 0x06D5, "Arab"), (0x06EE, 0x06EF, "Arab"),
    (0x06FA, 0x06FF, "Arab"), (0x0750, 0x077F, "Arab"), (0x08A0, 0x08FF, "Arab"),
    (0xFB50, 0xFDFF, "Arab"), (0xFE70, 0xFEFC, "Arab"), (0x0700, 0x074F, "Syrc"),
    (0x0780, 0x07BF, "Thaa"), (0x07C0, 0x07FF, "Nkoo"), (0x0900, 0x0963, "Deva"),
    (0x0970, 0x097F, "Deva"), (0xA8E0, 0xA8FF, "Deva"), (0x0980, 0x09E5, "Beng"),
    (0x09F0, 0x09FF, "Beng"), (0x0A00, 0x0A65, "Guru"), (0x0A70, 0x0A7F, "Guru"),
    (0x0A80, 0x0AE5, "Gujr"), (0x0AF0, 0x0AFF, "Gujr"), (0x0B00, 0x0B65, "Orya"),
    (0x0B70, 0x0B7F, "Orya"), (0x0B80, 0x0BE5, "Taml"), (0x0C00, 0x0C65, "Telu"),
    (0x0C78, 0x0C7F, "Telu"), (0x0C80, 0x0CE5, "Knda"), (0x0CF0, 0x0CFF, "Knda"),
    (0x0D00, 0x0D65, "Mlym"), (0x0D7A, 0x0D7F, "Mlym"), (0x0D80, 0x0DE5, "Sinh"),
    (0x0DF2, 0x0DFF, "Sinh"), (0x0E01, 0x0E4E, "Thai"), (0x0E81, 0x0ECE, "Laoo"),
    (0x0EDC, 0x0EDF, "Laoo"), (0x0F00, 0x0F1F, "Tibt"), (0x0F34, 0x0FFF, "Tibt"),
    (0x1000, 0x103F, "Mymr"), (0x104C, 0x109F, "Mymr"), (0xAA60, 0xAA7F, "Mymr"),
    (0x10A0, 0x10FF, "Geor"), (0x1C90, 0x1CBF, "Geor"), (0x1100, 0x11FF, "Hang"),
    (0x3130, 0x318F, "Hang"), (0xA960, 0xA97F, "Hang"), (0xAC00, 0xD7FF, "Hang"),
    (0x1200, 0x139F, "Ethi"), (0x2D80, 0x2DDF, "Ethi"), (0xAB00, 0xAB2F, "Ethi"),
    (0x13A0, 0x13FF, "Cher"), (0x1400, 0x167F, "Cans"), (0x1780, 0x17DD, "Khmr"),
    (0x1800, 0x180F, "Mong"), (0x1820, 0x18AF, "Mong"), (0x2D30, 0x2D7F, "Tfng"),
    (0x3005, 0x3007, "Hani"), (0x3400, 0x4DBF, "Hani"), (0x4E00, 0x9FFF, "Hani"),
    (0xF900, 0xFAFF, "Hani"), (0x20000, 0x323AF, "Hani"), (0x3041, 0x309F, "Hira"),
    (0x30A1, 0x30FA, "Kana"), (0x30FC, 0x30FF, "Kana"), (0x31F0, 0x31FF, "Kana"),
    (0xFF66, 0xFF9F, "Kana"), (0x3100, 0x312F, "Bopo"), (0xA000, 0xA4CF, "Yiii"),
    (0xA4D0, 0xA4FF, "Lisu"), (0xA500, 0xA63F, "Vaii"), (0x1E900, 0x1E95F, "Adlm"),
)  # fmt: skip
SCRIPTS: Final = tuple(dict.fromkeys(name for *_, name in _BLOCKS))
_MIXED: Final = {
    "Jpan": ("Hani", "Hira", "Kana"),
    "Kore": ("Hang", "Hani"),
    "Hans": ("Hani",),
    "Hant": ("Hani", "Bopo"),
}

SIMPLIFIED: Final = "们这说会对来时国为个学问题请过还发么给让从与东车门见长马鱼电话书写当"
TRADITIONAL: Final = "們這說會對來時國為個學問題請過還發麼給讓從與東車門見長馬魚電話書寫當"
_EITHER: Final = frozenset(SIMPLIFIED) & frozenset(TRADITIONAL)
CANTONESE: Final = "俾攞吓嘅係唔咗喺冇嗰哋啲嘢咁嚟佢乜噉啱嗌揾畀諗睇"
MANDARIN: Final = "的是不了在没沒那这這些他她它们們吗嗎很"


def parts_of(script: str) -> tuple[str, ...]:
    """Return the scripts that a language's script is made of: Japanese has three."""
    return _MIXED.get(script, (script,))


def letters(texts: Sequence[str]) -> NDArray[np.int64]:
    """Count the letters of each text by script.

    Returns
    -------
    array
        One row for each text, one column for each of ``SCRIPTS``, and a last one for all of them.
    """
    width = len(SCRIPTS) + 1
    counts = np.zeros((len(texts), width), dtype=np.int64)
    lengths = np.array([len(text) for text in texts], dtype=np.int64)
    points = code_points("".join(texts))
    rows = np.repeat(np.arange(len(texts)), lengths)
    kinds = _table()[points]
    known = kinds > 0
    flat = np.bincount(
        rows[known] * width + kinds[known] - 1, minlength=len(texts) * width
    ).reshape(len(texts), width)
    counts[:, :-1] = flat[:, :-1]
    counts[:, -1] = flat[:, :-1].sum(axis=1)
    return counts


def share(counts: NDArray[np.int64], script: str) -> NDArray[np.float64]:
    """Return the share of each text's letters that belong to a script; 1 where it has none."""
    columns = [SCRIPTS.index(part) for part in parts_of(script) if part in SCRIPTS]
    total = counts[:, -1]
    own = counts[:, columns].sum(axis=1)
    return np.where(total > 0, own / np.maximum(total, 1), 1.0)


def code_points(text: str) -> NDArray[np.uint32]:
    """Return the code points of a text."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def known_script(script: str) -> bool:
    """Tell whether the table above has all parts of a script."""
    return all(part in SCRIPTS for part in parts_of(script))


def marks(text: str, ours: str, theirs: str) -> tuple[int, int]:
    """Count the characters of a text that only the first, and only the second list has."""
    first, second = _only(ours, theirs)
    return len(first.findall(text)), len(second.findall(text))


@cache
def _only(ours: str, theirs: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    common = (frozenset(ours) & frozenset(theirs)) | _EITHER
    first, second = ("".join(sorted(frozenset(one) - common)) for one in (ours, theirs))
    return re.compile(f"[{first}]"), re.compile(f"[{second}]")


@cache
def _table() -> NDArray[np.uint8]:
    table = np.zeros(0x110000, dtype=np.uint8)
    for start, end, name in _BLOCKS:
        table[start : end + 1] = SCRIPTS.index(name) + 1
    table[0xD7] = table[0xF7] = 0  # the signs for times and divided by
    return table
