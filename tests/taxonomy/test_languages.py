# SPDX-License-Identifier: Apache-2.0
"""Tags are named from CLDR; each refusal names the tag that was probably meant."""

import pytest
from babel import Locale
from babel.core import get_global
from babel.localedata import locale_identifiers
from hypothesis import given, settings
from hypothesis import strategies as st

from countermark.records.errors import InputError
from countermark.taxonomy.languages import Language, commonly_meant, country, language


def refusal(tag: str) -> InputError:
    with pytest.raises(InputError) as caught:
        language(tag)
    return caught.value


@pytest.mark.parametrize(
    ("tag", "english", "endonym", "direction", "script"),
    [
        ("yue", "Cantonese", "粵語", "ltr", "Hant"),
        ("en", "English", "English", "ltr", "Latn"),
        ("fa", "Persian", "فارسی", "rtl", "Arab"),
        ("fr", "French", "français", "ltr", "Latn"),
        ("ja", "Japanese", "日本語", "ltr", "Jpan"),
        ("ko", "Korean", "한국어", "ltr", "Kore"),
        ("sw", "Kiswahili", "Kiswahili", "ltr", "Latn"),
        ("ms", "Malay", "Melayu", "ltr", "Latn"),
        ("zh-Hans", "Chinese (Simplified)", "中文 (简体)", "ltr", "Hans"),
        ("te", "Telugu", "తెలుగు", "ltr", "Telu"),
        ("hi", "Hindi", "हिन्दी", "ltr", "Deva"),
    ],
)
def test_languages_of_the_joint_exercises(
    tag: str, english: str, endonym: str, direction: str, script: str
) -> None:
    assert language(tag) == Language(tag, english, endonym, direction, script)  # type: ignore[arg-type]


def test_a_language_without_a_locale_keeps_its_english_name() -> None:
    assert language("ain").endonym == "Ainu"


def test_direction_agrees_with_every_locale_of_cldr() -> None:
    compared = 0
    for code in sorted({name.split("_")[0] for name in locale_identifiers()}):
        try:
            ours = language(code)
        except InputError:
            continue
        assert ours.direction == Locale(code).text_direction, code
        compared += 1
    assert compared > 200


def test_an_explicit_script_decides_the_direction() -> None:
    assert language("az").direction == "ltr"
    assert language("az-Arab").direction == "rtl"


@pytest.mark.parametrize(
    ("tag", "meant"),
    [
        ("zh_Hans", "zh-Hans"),
        ("EN", "en"),
        ("en-us", "en-US"),
        ("swahili", "sw"),
        ("Kiswahili", "sw"),
        ("farsi", "fa"),
        ("Norwegian Bokmål", "nb"),
    ],
)
def test_rule_1_a_tag_is_well_formed(tag: str, meant: str) -> None:
    assert f"Did you mean {meant}," in refusal(tag).next_step


def test_rule_1_a_long_text_gets_a_short_answer() -> None:
    error = refusal("swahili " * 10_000)
    assert len(str(error)) < 100
    assert "Write its BCP 47 tag" in error.next_step


@pytest.mark.parametrize(
    ("tag", "meant"),
    [("eng", "en"), ("iw", "he"), ("cmn", "zh-Hans"), ("tl", "te"), ("knc", "kr-Latn")],
)
def test_rule_2_one_language_has_one_tag(tag: str, meant: str) -> None:
    assert f"Did you mean {meant}," in refusal(tag).next_step


def test_rule_2_an_old_tag_in_use_for_another_language_shows_both() -> None:
    error = refusal("tl")
    assert "te, Telugu" in error.next_step
    assert "write fil" in error.next_step


@pytest.mark.parametrize(("tag", "meant"), [("jp", "ja"), ("cn", "zh-Hans"), ("ua", "uk")])
def test_rule_3_a_country_is_not_a_language(tag: str, meant: str) -> None:
    error = refusal(tag)
    assert "is the country" in error.what
    assert f"Did you mean {meant}," in error.next_step


@pytest.mark.parametrize(
    ("tag", "name", "meant", "certain"),
    [("kw", "Cornish", "sw, Kiswahili", "kw-GB"), ("kr", "Kanuri", "ko, Korean", "kr-Latn")],
)
def test_rule_4_codes_seen_for_another_language(
    tag: str, name: str, meant: str, certain: str
) -> None:
    error = refusal(tag)
    assert f"{tag!r} is {name}" in error.what
    assert f"Did you mean {meant}?" in error.next_step
    assert language(certain).english.startswith(name)


@pytest.mark.parametrize(
    ("tag", "advice"),
    [
        ("xx", "Write its BCP 47 tag"),
        ("aam", "Write its BCP 47 tag"),
        ("en-Abcd", "Did you mean en, English?"),
        ("en-UK", "Did you mean en-GB, English (United Kingdom)?"),
        ("en-XQ", "Did you mean en, English?"),
        ("en-ZZ", "Did you mean en, English?"),
    ],
)
def test_rule_5_cldr_must_know_every_part(tag: str, advice: str) -> None:
    assert advice in refusal(tag).next_step


@pytest.mark.parametrize("tag", ["und", "mul", "mis", "zxx"])
def test_rule_6_some_codes_name_no_language(tag: str) -> None:
    assert "names no language" in refusal(tag).what


def test_an_error_says_where_the_tag_was_found() -> None:
    with pytest.raises(InputError, match=r"protocol\.json: 'jp' is the country Japan"):
        language("jp", where="protocol.json")


ANY_TAG = st.text(max_size=12) | st.from_regex(
    r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?", fullmatch=True
)


def test_every_other_spelling_in_cldr_is_refused_by_its_own_name() -> None:
    for code in get_global("language_aliases"):
        assert repr(code) in refusal(code).what


@settings(max_examples=50, deadline=None)
@given(ANY_TAG)
def test_any_text_is_named_or_refused(tag: str) -> None:
    try:
        named = language(tag)
    except InputError:
        return
    assert named.tag == tag
    assert named.english
    assert named.endonym


def test_valid_tags_that_were_seen_for_another_language() -> None:
    found = {tag: commonly_meant(tag) for tag in ("my", "ca", "sw")}
    assert {tag: other.tag if other else None for tag, other in found.items()} == {
        "my": "ms",
        "ca": "yue",
        "sw": None,
    }


def test_countries_have_names() -> None:
    assert [country(code) for code in ("KE", "EU", "GB")] == [
        "Kenya",
        "European Union",
        "United Kingdom",
    ]


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("UK", "GB, United Kingdom"),
        ("gb", "GB, United Kingdom"),
        ("QQ", "such as KE"),
        ("ZZ", "such as KE"),
    ],
)
def test_unknown_countries_are_refused(code: str, advice: str) -> None:
    with pytest.raises(InputError) as caught:
        country(code)
    assert advice in caught.value.next_step
