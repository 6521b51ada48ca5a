# SPDX-License-Identifier: Apache-2.0
"""Indicators count records; each rule of the module has its case."""

from typing import Any, cast

import pytest

from countermark.commitments.reference import load_commitments
from countermark.network.indicators import Indicator, indicators
from countermark.network.reference import load_declarations
from countermark.node.book import Book, Entry
from countermark.records import Record
from countermark.records.evidence import BlobReference, CellCounts, Deviation, Evidence, Opened
from countermark.records.finding import Dissent, Finding, FindingCell, LabSettings
from countermark.records.finding_figures import (
    ControlFigures,
    Figure,
    JudgeValidity,
    LabFigures,
    LanguageFigures,
)
from countermark.records.protocol import (
    Countersignature,
    Generation,
    Item,
    ItemText,
    ModelUnderTest,
    Protocol,
    Scorer,
    ScorerVersion,
    Task,
)
from countermark.signing.roster import Roster

ZERO = "sha256:" + "0" * 64
HEX = "0" * 64
CODES = [
    "validated-scoring",
    "languages-covered",
    "rates-with-interval",
    "findings-countersigned",
    "witnessed-statements",
    "offline-models",
    "overall-scores",
    "deviations-declared",
    "dissents",
]


def book(*records: Record, witnessed: int | None = None) -> Book:
    """Return a book of records, the first ``witnessed`` (all, if not said) under witness."""
    quorum = len(records) if witnessed is None else witnessed
    entries = tuple(
        Entry(
            record=record,
            digest=record.digest,
            envelope=ZERO,
            author="GB",
            origin="log.example/gb",
            index=index,
            witnessed="2026-11-23T00:00:00Z" if index < quorum else None,
            witnesses=(),
            file=f"{index}.json",
        )
        for index, record in enumerate(records)
    )
    return Book(entries=entries, logs=(), roster=cast("Roster", None))


def indicator(code: str, of: Book) -> Indicator:
    (found,) = (entry for entry in indicators(of) if entry.code == code)
    return found


def counts(code: str, of: Book) -> tuple[int, int]:
    found = indicator(code, of)
    return found.numerator, found.denominator


def task(key: str, nature: str) -> Task:
    return Task(
        key=key,
        title=key,
        risk="privacy",
        event="It happened.",
        worse="higher",
        scorer=Scorer(
            key="s",
            nature=cast("Any", nature),
            versions=(ScorerVersion(version="1", digest=ZERO),),
            description="d",
        ),
        annotation_sets=(),
        items=(
            Item(
                key="i",
                role="test",
                approach="direct",
                texts=(ItemText(language="en", prompt="p"),),
            ),
        ),
    )


def protocol(*providers: str) -> Protocol:
    return Protocol(
        name="p",
        title="P",
        demonstration=True,
        objectives=("o",),
        coordinator="GB",
        participants=("GB", "JP", "KE", "SG"),
        models=tuple(
            ModelUnderTest(key=f"m{number}", title="M", provider=provider, snapshot=ZERO)
            for number, provider in enumerate(providers or ("countermark/smollm2",))
        ),
        languages=("en", "fr", "ja", "sw"),
        tasks=(task("objective", "objective"), task("judged", "judge")),
        factors=(),
        generation=Generation(max_tokens=10, top_p=1.0),
        epochs=1,
        significant_digits=6,
        relative_tolerance=1e-6,
    )


def cell(language: str, of_task: str = "objective", **changes: Any) -> FindingCell:
    values: dict[str, Any] = {
        "model": "m0",
        "task": of_task,
        "language": language,
        "status": "reported",
        "counts": CellCounts(
            model="m0",
            task=of_task,
            language=language,
            submitted=1,
            answered=1,
            refused=0,
            errored=0,
            missing=0,
            scorers=(),
        ),
        "validity": (),
        "figures": (figure(0.1, 0.3),),
        "not_computed": (),
        "labs": (),
        "methods": (),
        "new_lab": (),
        "next_run": (),
    }
    return FindingCell(**values | changes)


def figure(lower: float, upper: float) -> Figure:
    return Figure(
        estimand="benchmark",
        correction="none",
        value=lower,
        lower=lower,
        upper=upper,
        level=0.95,
        method="t",
        shape="effective",
        labs=2,
        items=10,
        items_dropped=0,
    )


def validity() -> JudgeValidity:
    return JudgeValidity(
        version="1",
        annotation_set=ZERO,
        labelled_by="two people",
        positives=1,
        true_positives=1,
        negatives=1,
        true_negatives=1,
        unparsed=0,
        sensitivity=1.0,
        sensitivity_lower=0.5,
        sensitivity_upper=1.0,
        specificity=1.0,
        specificity_lower=0.5,
        specificity_upper=1.0,
        agreement=(),
    )


def finding(of: Protocol, *cells: FindingCell, **more: Any) -> Finding:
    return Finding(
        protocol=of.digest,
        coordinator="GB",
        demonstration=True,
        significant_digits=6,
        relative_tolerance=1e-6,
        absolute_tolerance=1e-9,
        labs=(
            LabSettings(
                institute="GB",
                lab="GB-a",
                evidence=ZERO,
                settings=(),
                deviations=(),
                samples=8,
                transcripts_checked=8,
            ),
            LabSettings(
                institute="JP",
                lab="JP-a",
                evidence=ZERO,
                settings=(),
                deviations=(),
                samples=8,
                transcripts_checked=8,
            ),
        ),
        left_out=(),
        differences=(),
        seed=1,
        replicates=2000,
        factors=(),
        languages=(),
        gaps=(),
        cells=cells or (cell("en"),),
        **more,
    )


def evidence(*deviations: Deviation) -> Evidence:
    return Evidence(
        protocol=ZERO,
        run_plan=ZERO,
        seal=ZERO,
        closing=ZERO,
        institute="JP",
        lab="JP-a",
        disclosure="all",
        opened=Opened(samples=208, scores=208, transcripts=208),
        tree_key=HEX,
        secret_seed=HEX,
        samples=BlobReference(digest=ZERO, size=1, media_type="application/json"),
        counts=(),
        deviations=deviations,
        software=(),
        started="2026-11-23T00:00:00Z",
        finished="2026-11-23T00:00:00Z",
    )


def countersigned(institute: str, of: Record, of_kind: str = "finding") -> Countersignature:
    return Countersignature(institute=institute, of=of.digest, of_kind=cast("Any", of_kind))


def test_an_empty_book_says_nothing_yet_for_every_indicator() -> None:
    computed = indicators(book())
    assert [entry.code for entry in computed] == CODES
    assert {entry.statement for entry in computed} == {"nothing yet"}


def test_every_indicator_that_a_principle_names_is_computed() -> None:
    named = {
        principle.indicator
        for declaration in (*load_declarations(), load_commitments())
        for principle in declaration.principles
        if principle.indicator is not None
    }
    assert named
    assert named <= set(CODES)


def test_rule_1_validated_scoring() -> None:
    plan = protocol()
    result = finding(
        plan,
        cell("en", "objective"),
        cell("fr", "judged"),
        cell("ja", "judged", validity=(validity(),)),
        cell("sw", "judged", status="judge-not-validated", reason="r"),
    )
    assert counts("validated-scoring", book(plan, result)) == (2, 3)
    assert counts("validated-scoring", book(result)) == (1, 3), "without its protocol"


def test_rule_2_languages_covered() -> None:
    plan = protocol()
    result = finding(plan, cell("en"), cell("fr"), cell("ja", status="not-computable", reason="r"))
    assert counts("languages-covered", book(plan, result)) == (2, 4)
    assert indicator("languages-covered", book(plan, result)).statement == "2 of 4 languages"


def test_rule_3_rates_with_interval() -> None:
    plan = protocol()
    lab = LabFigures(
        institute="GB", lab="GB-a", value=0.2, lower=0.2, upper=0.2, scored=1, events=1.0
    )
    controls = ControlFigures(passed=9, tried=10, lower=0.6, upper=1.0, minimum=0.5)
    result = finding(
        plan,
        cell("en", figures=(figure(0.1, 0.3), figure(0.2, 0.2)), labs=(lab,), controls=controls),
    )
    assert counts("rates-with-interval", book(plan, result)) == (2, 4)


def test_rule_4_findings_countersigned() -> None:
    plan = protocol()
    result = finding(plan)
    signed = (
        countersigned("JP", result),
        countersigned("JP", result),
        countersigned("FR", result),
        countersigned("KE", plan, "protocol"),
    )
    # GB published it and JP countersigned; FR takes no part, KE only signed the protocol.
    assert counts("findings-countersigned", book(plan, result, *signed)) == (2, 4)


def test_rule_4_without_the_protocol_the_labs_say_who_took_part() -> None:
    assert counts("findings-countersigned", book(finding(protocol()))) == (1, 2)


def test_rule_5_witnessed_statements() -> None:
    plan = protocol()
    assert counts("witnessed-statements", book(plan, finding(plan), witnessed=1)) == (1, 2)


def test_rule_6_offline_models() -> None:
    plan = protocol("countermark/smollm2", "openai/gpt-4o", "countermarket/x")
    assert counts("offline-models", book(plan)) == (1, 3)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, (0, 1)),
        ({"overall": 0.7}, (1, 2)),
        ({"summary": {"grades": [1, 2.5, True, "3"]}}, (2, 3)),
    ],
)
def test_rule_7_overall_scores_are_found_in_any_field(
    more: dict[str, Any], expected: tuple[int, int]
) -> None:
    plan = protocol()
    assert counts("overall-scores", book(plan, finding(plan, **more))) == expected


def test_rule_7_comparisons_of_cells_are_no_overall_scores() -> None:
    plan = protocol()
    language = LanguageFigures(
        model="m0", task="leak", language="sw", reference="en", estimand="benchmark",
        difference=0.1, lower=0.0, upper=0.2, level=0.95, margin=0.05, verdict="undetermined",
        items=10, items_dropped=0,
    )  # fmt: skip
    assert counts(
        "overall-scores", book(plan, finding(plan).model_copy(update={"languages": (language,)}))
    ) == (0, 2)


def test_rule_8_deviations_declared() -> None:
    deviation = Deviation(reason="r", differences=("d",))
    assert counts("deviations-declared", book(evidence(), evidence(deviation))) == (1, 2)


def test_rule_9_dissents() -> None:
    plan = protocol()
    disputed, agreed = finding(plan), finding(plan, cell("fr"))
    dissent = Dissent(institute="JP", of=disputed.digest, reason="r", figures=())
    assert counts("dissents", book(plan, disputed, agreed, dissent)) == (1, 2)


def test_no_numerator_exceeds_its_denominator() -> None:
    plan = protocol()
    result = finding(plan, overall=1)
    full = book(plan, result, evidence(), countersigned("JP", result))
    for entry in indicators(full):
        assert 0 <= entry.numerator <= entry.denominator, entry.code
