# SPDX-License-Identifier: Apache-2.0
"""The network's reference records: complete, sourced, and in our own words."""

import re
from collections.abc import Iterator

import pytest

from countermark.network.reference import load_declarations, load_institutes, load_partnerships
from countermark.records import Record
from countermark.records.canonical import JsonValue
from countermark.records.reference import Source
from countermark.taxonomy.languages import country

RECORDS = (*load_institutes(), *load_declarations(), *load_partnerships())
MEMBERS = {"AU", "CA", "EU", "FR", "JP", "KE", "KR", "SG", "GB", "US"}


def name(record: Record) -> str:
    return str(getattr(record, "key", None) or getattr(record, "code", ""))


def texts(value: JsonValue) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for child in value.values():
            yield from texts(child)
    elif isinstance(value, list):
        for child in value:
            yield from texts(child)


def test_ten_members_are_nine_countries_and_the_eu() -> None:
    codes = [institute.code for institute in load_institutes()]
    assert len(codes) == 10
    assert set(codes) == MEMBERS
    assert all(country(code) for code in codes)


def test_members_are_not_the_signatories_of_seoul() -> None:
    members = {institute.country for institute in load_institutes()}
    (seoul,) = (d for d in load_declarations() if d.key == "seoul-statement-of-intent")
    assert len(seoul.signatories) == 11
    assert set(seoul.signatories) - members == {"Germany", "Italy"}
    assert members - set(seoul.signatories) == {"Kenya"}


def test_the_coordinator_is_the_united_kingdom() -> None:
    coordinators = [i.code for i in load_institutes() if i.role and "Coordinator" in i.role]
    assert coordinators == ["GB"]


def test_the_declarations_are_those_that_pages_show() -> None:
    assert {declaration.key for declaration in load_declarations()} == {
        "bletchley-declaration",
        "joint-statement-risk-assessment",
        "network-consensus-2026",
        "network-mission-statement",
        "seoul-declaration",
        "seoul-ministerial-statement",
        "seoul-statement-of-intent",
    }


@pytest.mark.parametrize("key", ["bletchley-declaration", "seoul-ministerial-statement"])
def test_lists_that_our_sources_cut_short_say_so(key: str) -> None:
    (declaration,) = (d for d in load_declarations() if d.key == key)
    assert not declaration.signatories_complete
    assert "European Union" in declaration.signatories
    assert "only some" in declaration.summary


def test_the_consensus_has_eight_principles() -> None:
    (consensus,) = (d for d in load_declarations() if d.key == "network-consensus-2026")
    assert len(consensus.principles) == 8


def test_principles_have_unique_keys() -> None:
    for declaration in load_declarations():
        keys = [principle.key for principle in declaration.principles]
        assert len(keys) == len(set(keys)), declaration.key


def test_signatories_are_listed_once_and_in_order() -> None:
    for declaration in load_declarations():
        assert list(declaration.signatories) == sorted(set(declaration.signatories))


def test_partnerships_name_their_members() -> None:
    assert "uk-us-2024" in {partnership.key for partnership in load_partnerships()}
    for partnership in load_partnerships():
        assert partnership.members, partnership.key
        assert set(partnership.members) <= MEMBERS


@pytest.mark.parametrize("record", RECORDS, ids=name)
def test_every_record_is_dated_and_sourced(record: Record) -> None:
    value = record.to_value()
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", str(value["as_of"]))
    sources: tuple[Source, ...] = record.sources  # type: ignore[attr-defined]
    for source in sources:
        assert source.url
        assert re.match(r"https?://[a-zA-Z0-9.-]+\.[a-z]{2,}(/|$)", source.url), source.url
        assert (source.published or "") <= str(value["as_of"])
        assert "note" not in source.title.casefold()


@pytest.mark.parametrize("record", RECORDS, ids=name)
def test_every_text_is_our_own_and_certain(record: Record) -> None:
    for text in texts(record.to_value()):
        assert not re.search(r"\[(?:G|P|S|M|measured)\]|TODO|guess", text), text
        for quoted in re.findall(r"[“\"‘]([^”\"’]*)[”\"’]", text):
            assert len(quoted.split()) <= 8, quoted
