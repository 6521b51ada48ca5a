# SPDX-License-Identifier: Apache-2.0
"""The encodings that ship: checked, sourced, in our words, without a grade."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import pytest

from countermark.commitments import frameworks
from countermark.commitments.checks import check_framework, framework_warnings
from countermark.commitments.framework_diff import diff
from countermark.commitments.frameworks import (
    as_logged_by,
    framework_key,
    frameworks_of,
    known_framework,
    load_frameworks,
    published_as,
    standings,
)
from countermark.commitments.reference import companies, load_publications
from countermark.commitments.wording import SORTS, asks
from countermark.records.errors import InputError
from countermark.records.framework import Framework
from countermark.records.reference import Source
from countermark.records.threshold_rules import MetricBound, Regression, Trigger, Uplift

FOLDER = files("countermark.commitments") / "data" / "frameworks"
JUDGING = (
    r"weak|weaker|strong|poor|poorly|good|bad|best|worst|fails?|failed|fortunately|sadly|"
    r"unfortunately|violates?|violated|breach(?:es|ed)?|grade[sd]?|dangerously|inadequate|"
    r"impressive|laudable|disappointing|merely|only claims|broke its|kept its"
)
LONGEST_WORDS = 40
every = pytest.mark.parametrize("framework", load_frameworks(), ids=framework_key)


def texts(value: object) -> Iterator[str]:
    """Yield every text of a JSON value, but not those of its sources."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for entry in value:
            yield from texts(entry)
    elif isinstance(value, dict):
        for name, entry in value.items():
            if name not in {"source", "sources"}:
                yield from texts(entry)


def sources(framework: Framework) -> Iterator[Source]:
    yield from framework.sources or ()
    for name in ("thresholds", "mitigations", "process", "governance", "disclosure"):
        for entry in getattr(framework, name) or ():
            if entry.read_in is not None:
                yield entry.read_in.source


def kinds(key: str) -> Counter[str]:
    found = known_framework(key)
    assert found is not None
    return Counter(threshold.rule.kind for threshold in found.thresholds)


@every
def test_each_passes_the_checks_without_a_warning(framework: Framework) -> None:
    check_framework(framework)
    assert framework_warnings(framework) == ()
    assert not framework.demonstration
    assert framework.recorded_by is None


@every
def test_each_says_where_and_when_it_was_read(framework: Framework) -> None:
    assert framework.sources
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", framework.as_of or "")
    assert framework.document is not None
    for source in sources(framework):
        assert source.title
        assert source.published
        assert source.published <= (framework.as_of or "")
        assert (source.url or "").startswith("https://")
    for threshold in framework.thresholds:
        assert threshold.read_in is not None
        assert threshold.read_in.section


@every
def test_each_says_what_it_leaves_out(framework: Framework) -> None:
    assert framework.not_encoded


@every
def test_each_is_in_our_words_short_and_without_a_judgement(framework: Framework) -> None:
    for text in texts(framework.to_value()):
        assert not re.search(rf"\b(?:{JUDGING})\b", text, re.IGNORECASE), text
        assert not re.search(r"\[[GPSM]\]|\[measured\]|TODO|guess", text), text
        assert not re.search(r"[“”\"]", text), text
        for sentence in re.split(r"(?<=[.!?]) ", text):
            assert len(sentence.split()) <= LONGEST_WORDS, sentence


@every
def test_each_threshold_can_be_said_and_each_figure_says_what_was_assumed(
    framework: Framework,
) -> None:
    for threshold in framework.thresholds:
        assert asks(threshold.rule)
        if isinstance(threshold.rule, MetricBound | Regression):
            said = " ".join(threshold.assumed or ()).lower()
            for field in ("task", "languages", "estimand", "error budgets", "labs"):
                assert field in said, field
        if isinstance(threshold.rule, Uplift | Trigger):
            assert threshold.assumed


@every
def test_each_is_the_encoding_of_a_publication_of_its_company(framework: Framework) -> None:
    publication = published_as(framework)
    assert publication is not None
    assert publication.label in (None, framework.label)
    primary = [source for source in framework.sources or () if source.standing == "primary"]
    assert all(source.publisher == publication.publisher for source in primary)


def test_every_publication_is_encoded_and_no_company_without_one_has_a_file() -> None:
    assert {framework_key(one) for one in load_frameworks()} == {
        one.key for one in load_publications()
    }
    for company in companies():
        assert len(frameworks_of(company.slug)) == len(company.publications)


def test_frameworks_are_sorted_and_cached() -> None:
    keys = [framework_key(one) for one in load_frameworks()]
    assert keys == sorted(keys)
    assert load_frameworks() is load_frameworks()
    dates = [one.published for one in frameworks_of("anthropic")]
    assert dates == sorted(dates)
    assert frameworks_of("nobody") == ()
    assert known_framework("nobody") is None


def test_at_most_one_version_of_a_title_is_in_force() -> None:
    counted = Counter(
        (one.developer, one.title) for one in load_frameworks() if one.status == "in-force"
    )
    assert max(counted.values()) == 1


PARTS = ("domains", "mitigations", "process", "governance", "disclosure")


def test_no_part_that_a_version_has_is_left_out_of_the_next() -> None:
    # Else a comparison would call removed what we only did not write down.
    for company in companies():
        versions = frameworks_of(company.slug)
        for before, after in pairwise(versions):
            if before.title == after.title:
                lost = [
                    part for part in PARTS if getattr(before, part) and not getattr(after, part)
                ]
                assert lost == [], framework_key(after)


@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [
        ("anthropic-rsp-2.1", "anthropic-rsp-2.2", ("who-decides", "act-as-crossed", "board-told")),
        ("anthropic-rsp-3.0", "anthropic-rsp-3.1", ("risk-report",)),
        ("xai-faif-2025-12", "xai-faif-2026-06", ("shutdown", "risk-owners", "honesty")),
        ("microsoft-fgf-1", "microsoft-fgf-2026-02", ("officers-decide", "capabilities")),
        ("anthropic-rsp-1.0", "anthropic-rsp-2.0", ("board-told", "readiness", "security-asl-3")),
        ("anthropic-rsp-2.0", "anthropic-rsp-2.1", ("weapons-basic", "officer-may-ask")),
        ("anthropic-rsp-2.2", "anthropic-rsp-3.0",
         ("weapons-basic", "weapons-advanced", "dramatic-acceleration", "asl-3-security")),
        ("meta-faf-1.1", "meta-aasf-2", ("to-moderate", "benefits", "senior-approval")),
        ("openai-preparedness-beta", "openai-preparedness-2",
         ("last-word", "advisory-group", "bio-chem-high", "third-parties", "outside-access")),
        ("google-fsf-2.0", "google-fsf-3.0", ("misalignment", "bodies", "review")),
        ("google-fsf-3.0", "google-fsf-3.1", ("government", "instrumental-reasoning-1")),
    ],
)  # fmt: skip
def test_what_both_texts_say_is_not_called_removed(
    before: str, after: str, kept: tuple[str, ...]
) -> None:
    older, newer = known_framework(before), known_framework(after)
    assert older is not None
    assert newer is not None
    removed = {one.key for one in diff(older, newer).changes if one.effect == "removed"}
    assert removed.isdisjoint(kept)


def test_what_two_texts_both_ask_is_not_called_new() -> None:
    older, newer = known_framework("microsoft-fgf-1"), known_framework("microsoft-fgf-2026-02")
    assert older is not None
    assert newer is not None
    added = {one.new_key for one in diff(older, newer).changes if one.effect == "added"}
    assert added.isdisjoint({"six-months", "harm-refusal", "high-security", "deeper-assessment"})


def test_what_a_company_says_that_it_took_back_is_seen() -> None:
    # From stop to develop with mitigations, in the words of the newer version's log of changes.
    older, newer = known_framework("meta-faf-1.1"), known_framework("meta-aasf-2")
    assert older is not None
    assert newer is not None
    removed = {one.key for one in diff(older, newer).changes if one.effect == "removed"}
    assert removed == {"pause", "screening"}


def test_a_scope_that_a_company_narrowed_is_seen() -> None:
    older, newer = known_framework("anthropic-rsp-2.1"), known_framework("anthropic-rsp-2.2")
    assert older is not None
    assert newer is not None
    (change,) = diff(older, newer).changes
    assert (change.key, change.effect) == ("asl-3-security", "reworded")
    assert "insiders" in (change.after or "")


def test_a_word_of_force_that_a_company_changed_is_seen() -> None:
    older, newer = known_framework("xai-rmf-draft-2025-02-20"), known_framework("xai-rmf-2025-08")
    assert older is not None
    assert newer is not None
    weakened = {(one.key, one.before, one.after) for one in diff(older, newer).changes
                if one.effect == "weakened"}  # fmt: skip
    assert weakened == {("imminent-threat", "should", "may"), ("shutdown", "should", "may")}


def test_development_asks_for_security_and_not_for_a_safety_case() -> None:
    found = known_framework("google-fsf-3.1")
    assert found is not None
    for one in found.thresholds:
        if "develop" in one.actions:
            assert one.mitigations is not None
            assert all(key.startswith("security-") for key in one.mitigations)


def test_all_kinds_are_used() -> None:
    used = {threshold.rule.kind for one in load_frameworks() for threshold in one.thresholds}
    assert used == set(SORTS)


def test_the_two_numbers_of_xai_are_there_once_and_gone_later() -> None:
    for key in ("xai-rmf-2025-08", "xai-faif-2025-12"):
        assert kinds(key)["metric-bound"] == 2
        found = known_framework(key)
        assert found is not None
        limits = {
            threshold.key: threshold.rule.limit
            for threshold in found.thresholds
            if isinstance(threshold.rule, MetricBound)
        }
        assert limits == {"restricted-queries": 0.05, "mask": 0.5}
    assert kinds("xai-faif-2026-06")["metric-bound"] == 0
    # A limit that a draft leaves open, with an example, is no limit.
    assert set(kinds("xai-rmf-draft-2025-02-10")) == {"not-quantified"}


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("magic-agi-readiness-1.0", "trigger"),
        ("magic-agi-readiness-1.0", "uplift"),
        ("cohere-framework-1.0", "regression"),
        ("nvidia-risk-assessment-2025-02", "score-tier"),
        ("g42-framework-2025-02", "security-level"),
        ("google-fsf-2.0", "uplift"),
        ("meta-faf-1.1", "outcome"),
        ("microsoft-fgf-1", "capability-level"),
        ("anthropic-rsp-1.0", "metric-bound"),
        ("anthropic-rsp-2.2", "trigger"),
        ("naver-asf-2024", "trigger"),
    ],
)
def test_what_a_framework_states_has_its_kind(key: str, kind: str) -> None:
    assert kinds(key)[kind] > 0


def test_standings_are_primary_first() -> None:
    found = known_framework("magic-agi-readiness-1.0")
    assert found is not None
    assert standings(found) == ("primary", "secondary")


@dataclass(frozen=True)
class Shelf:
    """One folder of files that stands for the packaged one."""

    folder: Path

    def put(self, key: str, **changed: object) -> None:
        """Put in a shipped framework, with changes; ``None`` takes a field out."""
        value = {**json.loads((FOLDER / f"{key}.json").read_text("utf-8")), **changed}
        value = {name: entry for name, entry in value.items() if entry is not None}
        (self.folder / f"{key}.json").write_text(json.dumps(value), encoding="utf-8")


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    monkeypatch.setattr(frameworks, "packaged", lambda _room, _name: tmp_path)
    load_frameworks.cache_clear()
    yield Shelf(tmp_path)
    load_frameworks.cache_clear()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"effective": "2024-01-01"}, "takes effect on 2024-01-01"),
        ({"published": "2025-02-18"}, "is no known publication of nvidia"),
        ({"sources": None}, "has no sources"),
        ({"as_of": None}, "has no sources, or no day"),
        ({"recorded_by": "GB"}, "names who recorded it"),
    ],
    ids=["rule 1", "rule 2", "rule 3 sources", "rule 3 day", "rule 4"],
)
def test_a_file_that_breaks_a_rule_is_refused(
    shelf: Shelf, changed: dict[str, object], said: str
) -> None:
    shelf.put("nvidia-risk-assessment-2025-02", **changed)
    with pytest.raises(InputError, match=said):
        load_frameworks()


def test_a_file_that_keeps_the_rules_is_read(shelf: Shelf) -> None:
    shelf.put("nvidia-risk-assessment-2025-02")
    assert len(load_frameworks()) == 1


def test_whoever_logs_anothers_framework_says_so() -> None:
    found = known_framework("xai-faif-2025-12")
    assert found is not None
    assert as_logged_by(found, "xai") == found
    recorded = as_logged_by(found, "GB")
    assert (recorded.recorded_by, recorded.speaker) == ("GB", "GB")
    # Who recorded it first is kept, so that nobody passes for them.
    assert as_logged_by(recorded, "JP").recorded_by == "GB"


def test_the_published_file_is_pinned_and_must_be_the_one_that_was_encoded() -> None:
    found = known_framework("xai-faif-2025-12")
    assert found is not None
    with pytest.raises(InputError, match="but the framework names sha256:aa01669c"):
        as_logged_by(found, "GB", b"another file")
    digest = f"sha256:{hashlib.sha256(b'the file').hexdigest()}"
    without = found.model_copy(update={"document": None})
    assert as_logged_by(without, "GB", b"the file").document == digest
    assert as_logged_by(found.model_copy(update={"document": digest}), "GB", b"the file")
