# SPDX-License-Identifier: Apache-2.0
"""Language tags (BCP 47) with their names, scripts and directions, from Unicode CLDR by Babel.

A tag that is refused comes with the tag that was probably meant. The rules, in order:

1. A tag is well-formed: a language, then perhaps a script, then perhaps a region (``zh-Hans``).
2. One language has one tag: the shortest, current one (``en``, not ``eng``; ``fil``, not ``tl``).
3. The country's code is not the language's (``ja``, not ``jp``).
4. ``kw`` and ``kr`` were seen standing for Swahili and Korean. Alone they are refused; with a
   region or a script they are taken at their word (``kw-GB`` is Cornish, ``kr-Latn`` Kanuri).
5. Anything else that CLDR does not name is refused: language, script or region.
6. ``und``, ``mul``, ``mis`` and ``zxx`` name no language.
"""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import Final, Literal, NoReturn

from babel import Locale, UnknownLocaleError
from babel.core import get_global

from countermark.records.errors import InputError

Direction = Literal["ltr", "rtl"]

_TAG: Final = re.compile(r"([a-z]{2,3})(?:-([A-Z][a-z]{3}))?(?:-([A-Z]{2}))?")
_LONGEST_NAME: Final = 40  # Comparing names takes longer than linear time.
_NOT_LANGUAGES: Final = frozenset({"und", "mul", "mis", "zxx"})
# Names that the network's documents use where CLDR has another, in English and in the language.
_OWN_NAMES = {"sw": "Kiswahili"}
_NO_PLACES: Final = frozenset({"EZ", "QO", "UN", "XA", "XB", "ZZ"})
_RIGHT_TO_LEFT: Final = frozenset(
    {"Adlm", "Arab", "Hebr", "Mand", "Mend", "Nkoo", "Rohg", "Samr", "Syrc", "Thaa", "Yezi"}
)
# Seen in the network's published test files, where each stood for another language.
_MEANT: Final = {"ca": "yue", "ch": "zh-Hans", "kr": "ko", "kw": "sw", "my": "ms", "tl": "te"}
_REFUSED_ALONE: Final = frozenset({"kr", "kw"})


@dataclass(frozen=True, slots=True)
class Language:
    """One language as a tag names it.

    Parameters
    ----------
    tag
        The BCP 47 tag.
    english, endonym
        Its name in English and in itself; the English one twice where CLDR has no other.
    direction
        Which way its script runs.
    script
        ISO 15924 code of the script: the tag's own, or else the usual one.
    """

    tag: str
    english: str
    endonym: str
    direction: Direction
    script: str


class LanguageTagError(InputError):
    """A tag was refused; ``meant`` is the tag that was probably meant, if there is one."""

    def __init__(self, what: str, meant: str | None, *, where: str, next_step: str) -> None:
        super().__init__(what, where=where, next_step=next_step)
        self.meant = meant


@lru_cache(maxsize=1024)
def language(tag: str, *, where: str = "language tag") -> Language:
    """Return the language that a tag names.

    Parameters
    ----------
    tag
        The tag, such as ``sw`` or ``zh-Hans``.
    where
        What an error should say it was found in.

    Raises
    ------
    LanguageTagError
        If a rule of the module docstring is broken; it names the tag that was probably meant.
    """
    parts = _TAG.fullmatch(tag)
    if parts is None:
        _refuse(f"{tag[:_LONGEST_NAME]!r} is not a language tag", _respelled(tag), where)
    code, script, region = parts.groups()
    _check_code(tag, code, alone=tag == code, where=where)
    if script is not None and script not in _english().scripts:
        _refuse(f"{tag!r} has the script {script!r}, which is unknown", code, where)
    if region is not None and region not in _places():
        known = get_global("territory_aliases").get(region, [None])[0]
        _refuse(
            f"{tag!r} has the region {region!r}, which is unknown",
            tag.replace(f"-{region}", f"-{known}") if known else code,
            where,
        )
    used = script or _usual_script(tag)
    own = _own_locale(code, script)
    return Language(
        tag=tag,
        english=_name(_english(), code, script, region),
        endonym=_name(own or _english(), code, script, region),
        direction="rtl" if used in _RIGHT_TO_LEFT else "ltr",
        script=used,
    )


def commonly_meant(tag: str) -> Language | None:
    """Return the language that others were seen to mean by a valid tag, or nothing.

    ``ca`` is Catalan and ``my`` Burmese, yet published test files meant Cantonese and Malay. A
    linter can ask; it should not refuse.
    """
    other = _MEANT.get(tag)
    return language(other) if other else None


def country(code: str, *, where: str = "country code") -> str:
    """Return the English name of a country, or of the European Union, by its ISO 3166-1 code.

    Raises
    ------
    InputError
        If there is no such code.
    """
    name = _places().get(code)
    if name is None:
        known = get_global("territory_aliases").get(code.upper(), [code.upper()])[0]
        guess = known if known in _places() else None
        _refuse(f"{code[:_LONGEST_NAME]!r} is not the code of a country", guess, where)
    return name


@cache
def _english() -> Locale:
    return Locale("en")


@cache
def _places() -> dict[str, str]:
    """Return the English names of countries, by their two letters."""
    return {
        code: str(name)
        for code, name in _english().territories.items()
        if re.fullmatch(r"[A-Z]{2}", code) and code not in _NO_PLACES
    }


def _check_code(tag: str, code: str, *, alone: bool, where: str) -> None:
    if code in _NOT_LANGUAGES:
        _refuse(f"{tag!r} names no language", None, where)
    if alone and code in _REFUSED_ALONE:
        name = _english().languages[code]
        _refuse(
            f"{tag!r} is {name}, but was seen standing for another language",
            _MEANT[code],
            where,
            f" If {name} is meant, write {_plain(code)}.",
        )
    alias = get_global("language_aliases").get(code)
    if alias is not None and alias.split("_")[0] in _english().languages:
        usual, meant = _plain(alias), _MEANT.get(code)
        if meant is None:
            _refuse(f"{tag!r} is not the usual tag", usual, where)
        name = _english().languages[code]
        more = f" If {name} is meant, write {usual}."
        _refuse(f"{tag!r} is not the usual tag for {name}", meant, where, more)
    if code not in _english().languages:
        of_country = get_global("likely_subtags").get(f"und_{code.upper()}")
        place = _places().get(code.upper())
        if of_country is not None and place is not None:
            _refuse(f"{tag!r} is the country {place}, not a language", _short(of_country), where)
        _refuse(f"{tag!r} is no language that CLDR names", None, where)


def _refuse(what: str, meant: str | None, where: str, more: str = "") -> NoReturn:
    if meant is None:
        advice = "Write its BCP 47 tag, such as sw, ko or zh-Hans; for a country, such as KE."
    elif meant in _places():
        advice = f"Did you mean {meant}, {_places()[meant]}?"
    else:
        advice = f"Did you mean {meant}, {language(meant).english}?"
    raise LanguageTagError(
        what,
        None if meant is None or meant in _places() else meant,
        where=where,
        next_step=advice + more,
    )


def _respelled(tag: str) -> str | None:
    """Return a tag mended in case and separator, or found by the language's name."""
    if len(tag) > _LONGEST_NAME:
        return None
    pieces = tag.replace("_", "-").split("-")
    mended = "-".join(
        [pieces[0].lower()]
        + [piece.title() if len(piece) == 4 else piece.upper() for piece in pieces[1:]]
    )
    if _TAG.fullmatch(mended) and _usable(mended):
        return mended
    named = {name.casefold(): code for code, name in _english().languages.items()}
    named |= {"farsi": "fa", "kiswahili": "sw", "mandarin": "zh-Hans"}
    close = get_close_matches(tag.casefold(), named, n=1, cutoff=0.8)
    return named[close[0]] if close and _usable(named[close[0]]) else None


def _usable(tag: str) -> bool:
    try:
        language(tag)
    except InputError:
        return False
    return True


def _plain(code: str) -> str:
    """Return a tag that says no more than the language, yet is not refused."""
    if code in _REFUSED_ALONE:
        return f"{code}-{_usual_script(code)}"
    return "zh-Hans" if code == "zh" else code.replace("_", "-")


def _short(likely: str) -> str:
    code, script, _ = likely.split("_")
    return f"{code}-{script}" if code == "zh" else code


def _usual_script(tag: str) -> str:
    likely = get_global("likely_subtags")
    found = likely.get(tag.replace("-", "_")) or likely.get(tag.split("-", maxsplit=1)[0])
    return found.split("_")[1] if found else "Latn"


def _own_locale(code: str, script: str | None) -> Locale | None:
    for wanted in (script, None):
        try:
            return Locale(code, script=wanted)
        except UnknownLocaleError:
            continue
    return None


def _name(locale: Locale, code: str, script: str | None, region: str | None) -> str:
    name = _OWN_NAMES.get(code) or locale.languages.get(code) or _english().languages[code]
    details = [locale.scripts.get(script, script)] if script else []
    details += [locale.territories.get(region, region)] if region else []
    return f"{name} ({', '.join(details)})" if details else str(name)
