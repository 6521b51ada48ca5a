# SPDX-License-Identifier: Apache-2.0
"""The commitments, their signatories and their documents: complete, sourced, without a grade."""

import re

import pytest

from countermark.commitments.reference import companies, load_commitments, load_publications
from countermark.records.reference import Publication

SIXTEEN = [
    "Amazon",
    "Anthropic",
    "Cohere",
    "Google",
    "G42",
    "IBM",
    "Inflection AI",
    "Meta",
    "Microsoft",
    "Mistral AI",
    "Naver",
    "OpenAI",
    "Samsung Electronics",
    "Technology Innovation Institute",
    "xAI",
    "Zhipu.ai",
]
FOUR = ["Magic", "MiniMax", "01.AI", "NVIDIA"]
FOUND = {
    *("Amazon", "Anthropic", "Cohere", "Google", "G42", "Meta", "Microsoft", "Naver"),
    *("OpenAI", "xAI", "Magic", "NVIDIA"),
}


def found(key: str) -> Publication:
    (publication,) = (p for p in load_publications() if p.key == key)
    return publication


def test_exactly_twenty_companies_signed() -> None:
    assert list(load_commitments().signatories) == SIXTEEN + FOUR
    assert load_commitments().signatories_complete
    assert [company.name for company in companies()] == SIXTEEN + FOUR
    assert len({company.slug for company in companies()}) == 20


def test_sixteen_signed_first_and_four_later() -> None:
    signed = {company.name: company.signed for company in companies()}
    assert [name for name, date in signed.items() if date == "2024-05-21"] == SIXTEEN
    assert [name for name, date in signed.items() if date == "2025-02"] == FOUR


def test_eight_commitments_with_three_outcomes() -> None:
    commitments = load_commitments()
    assert [p.key for p in commitments.principles] == [
        "i",
        "ii",
        "iii",
        "iv",
        "v",
        "vi",
        "vii",
        "viii",
    ]
    assert "three outcomes" in commitments.summary


def test_twelve_companies_have_documents_and_the_others_say_so() -> None:
    with_documents = {company.name for company in companies() if company.publications}
    assert with_documents == FOUND
    for company in companies():
        nothing = company.standing == f"no framework found in our sources as of {company.as_of}"
        assert nothing == (company.name not in FOUND)


def test_every_document_belongs_to_one_company_and_comes_in_order() -> None:
    listed = [publication.key for company in companies() for publication in company.publications]
    assert sorted(listed) == sorted(publication.key for publication in load_publications())
    for company in companies():
        dates = [publication.date for publication in company.publications]
        assert dates == sorted(dates)


def test_the_latest_document_is_named() -> None:
    (google,) = (company for company in companies() if company.slug == "google")
    assert google.standing == "latest found: Frontier Safety Framework (3.1), 2026-04-17"


def test_the_two_numbers_of_xai_are_recorded_as_stated_and_as_gone() -> None:
    assert any("two numbers" in note for note in found("xai-faif-2025-12").notes)
    assert any("Neither of the two numbers" in note for note in found("xai-faif-2026-06").notes)


@pytest.mark.parametrize("publication", load_publications(), ids=lambda p: p.key)
def test_every_document_is_dated_sourced_and_ungraded(publication: Publication) -> None:
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", publication.as_of)
    assert publication.date <= publication.as_of
    for source in publication.sources:
        assert source.url
        assert source.url.startswith(("https://", "http://"))
        assert (source.published or "") <= publication.as_of
    for note in publication.notes:
        assert not re.search(r"\[(?:G|P|S|M|measured)\]|TODO|guess", note)
        assert not re.search(r"\b(weak|strong|good|bad|poor|fails?|grade|violat\w*)\b", note), note
        for quoted in re.findall(r"[“\"‘]([^”\"’]*)[”\"’]", note):
            assert len(quoted.split()) <= 8, quoted
