# SPDX-License-Identifier: Apache-2.0
import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from countermark.statistics import (
    BINARY,
    SECTIONS,
    AnalysisProtocol,
    Arm,
    CellKey,
    Costs,
    Elicited,
    Estimate,
    Grid,
    InOrder,
    JointAnalysis,
    Judging,
    KnownBeside,
    Labelled,
    Limit,
    Margin,
    NotComputable,
    Scale,
    StatisticsError,
    Validity,
    analyse,
    bootstrap,
    compare_languages,
    consensus,
    crossed,
    explain_labs,
    lab_means,
    precision,
    sensitivity,
)

BARE = AnalysisProtocol(seed=7)
LABS = ("FR", "GB", "JP", "KE")
WHOLE = AnalysisProtocol(
    seed=7,
    judges=frozenset({"judge"}),
    comparison=Margin("en", 0.1, {"leak": "higher", "refuse": "higher"}),
    limits=(Limit("leak", 0.9, "at most", 0.01, 0.05),),
    costs=Costs(lab=50, item=1, run=0.01),
)


def simulated(
    labs: int = 4, items: int = 30, scale: Scale = BINARY, seed: int = 3, epochs: int = 2
) -> Grid:
    """Two models, two languages, a task with an objective scorer and one with a judge."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[str, str, str, str, str, int, str, float]] = []
    easy = rng.normal(0, 1, items)
    for k, lab in enumerate(LABS[:labs]):
        for model in ("a", "b"):
            for language in ("en", "sw"):
                for task, scorer in (("leak", "exact"), ("refuse", "judge")):
                    rate = 1 / (1 + np.exp(0.3 * k - easy - (model == "b")))
                    for i in range(items):
                        for epoch in range(epochs):
                            if scale.kind == "binary":
                                score = float(rng.random() < rate[i])
                            elif scale.kind == "ordinal":
                                score = scale.levels[rng.binomial(len(scale.levels) - 1, rate[i])]
                            else:
                                score = float(rng.uniform(0, 5) + 5 * rate[i])
                            rows.append(
                                (lab, model, language, task, f"i{i:03}", epoch, scorer, score)
                            )
    return Grid.from_rows(
        lab=[row[0] for row in rows],
        model=[row[1] for row in rows],
        language=[row[2] for row in rows],
        task=[row[3] for row in rows],
        item=[row[4] for row in rows],
        epoch=[row[5] for row in rows],
        scorer=[row[6] for row in rows],
        score=[row[7] for row in rows],
        scale=scale,
    )


GRID = simulated()
LEAK, REFUSE = CellKey("leak", "a", "en", "exact"), CellKey("refuse", "a", "en", "judge")


def crossing_of(key: CellKey, grid: Grid = GRID):  # type: ignore[no-untyped-def]
    return grid.crossing(task=key.task, model=key.model, language=key.language, scorer=key.scorer)


def known_beside() -> KnownBeside:
    rng = np.random.default_rng(5)
    crossing = crossing_of(REFUSE)
    some = [(lab, item) for lab in crossing.labs for item in crossing.items[:10]]
    verdicts = np.array(
        [
            crossing.total[crossing.labs.index(lab), crossing.items.index(item)] >= 1
            for lab, item in some
        ],
        dtype=float,
    )
    human = np.where(rng.random(len(some)) < 0.9, verdicts, 1 - verdicts)
    judging = Judging(
        versions=dict.fromkeys(LABS, "v1"),
        validity={"v1": Validity(90, 100, 180, 200, "en")},
        labelled=Labelled(
            [lab for lab, _ in some], [item for _, item in some], verdicts, human, "en",
            "random-same-cell",
        ),
    )  # fmt: skip
    leak = crossing_of(LEAK)
    return KnownBeside(
        settings={
            lab: {"tool": "x" if lab in {"GB", "KE"} else "y", "sampling": "greedy"} for lab in LABS
        },
        judging={REFUSE: judging},
        arms={LEAK: (Arm("tool", leak, crossing_of(CellKey("leak", "b", "en", "exact"))),)},
        elicited={
            LEAK: Elicited("higher", {"hint": crossing_of(CellKey("leak", "b", "en", "exact"))})
        },
        in_order={LEAK: (InOrder("GB", (leak.total[1] > 0).astype(float), 30),)},
    )


@pytest.fixture(scope="module")
def whole() -> JointAnalysis:
    return analyse(GRID, WHOLE, known_beside())


def results(analysis: JointAnalysis, section: str) -> dict[CellKey, object]:
    return {one.cell: one.result for one in getattr(analysis, section)}


def test_sections_are_in_the_order_of_the_report() -> None:
    names = tuple(field.name for field in dataclasses.fields(JointAnalysis))
    assert names == ("protocol", *SECTIONS)


def test_rule_1_each_section_has_one_result_for_each_cell(whole: JointAnalysis) -> None:
    keys = [
        CellKey(task, model, language, scorer)
        for task, scorer in (("leak", "exact"), ("refuse", "judge"))
        for model in ("a", "b")
        for language in ("en", "sw")
    ]
    for section in set(SECTIONS) - {"comparability", "languages"}:
        assert [one.cell for one in getattr(whole, section)] == keys, section
    assert [one.cell for one in whole.comparability.cells] == keys
    assert not isinstance(whole.languages, NotComputable)
    assert len(whole.languages) == 2 * 2 * 2, "tasks x models x estimands"


def test_each_section_is_what_its_functions_give(whole: JointAnalysis) -> None:
    crossing = crossing_of(LEAK)
    rate = next(one.result for one in whole.rates if one.cell == LEAK)
    assert not isinstance(rate, NotComputable)
    assert rate.estimate("generalised") == crossed(crossing, "generalised")
    assert rate.methods.benchmark.bootstrap == bootstrap(crossing, "benchmark", 7)
    assert [one.method for one in rate.methods.generalised.readings] == [
        "crossed",
        "mixed",
        "bootstrap",
    ]
    between = results(whole, "between_labs")[LEAK]
    means = lab_means(crossing, "generalised")
    assert not isinstance(means, NotComputable)
    assert between.precision == precision(crossing)  # type: ignore[attr-defined]
    assert between.consensus == consensus(means.values, means.covariance)  # type: ignore[attr-defined]
    why = results(whole, "why")[LEAK]
    assert why.explanation == explain_labs(crossing, known_beside().settings)  # type: ignore[attr-defined]
    assert not isinstance(whole.languages, NotComputable)
    (languages,) = (
        one.result
        for one in whole.languages
        if (one.task, one.model, one.estimand) == ("leak", "a", "generalised")
    )
    family = {tag: crossing_of(dataclasses.replace(LEAK, language=tag)) for tag in ("en", "sw")}
    assert languages == compare_languages("en", family, margin=0.1, worse="higher")


def test_what_is_known_beside_the_scores_is_used(whole: JointAnalysis) -> None:
    scorer = results(whole, "scorers")[REFUSE]
    assert scorer.generalised.prediction_powered is not None  # type: ignore[attr-defined]
    assert isinstance(scorer.corrected.generalised, Estimate)  # type: ignore[attr-defined]
    why = results(whole, "why")[LEAK]
    assert [one.factor for one in why.arms] == ["tool"]  # type: ignore[attr-defined]
    assert [one.lab for one in why.elicitation] == list(LABS)  # type: ignore[attr-defined]
    (run,) = results(whole, "anytime")[LEAK]  # type: ignore[misc]
    assert run.lab == "GB"  # type: ignore[has-type]
    assert results(whole, "next_run")[LEAK].additions  # type: ignore[attr-defined]
    assert whole.comparability.settings[0].factor == "tool"  # type: ignore[index]


def test_rule_3_equal_input_gives_equal_bits(whole: JointAnalysis) -> None:
    assert analyse(GRID, WHOLE, known_beside()) == whole
    assert analyse(GRID, dataclasses.replace(WHOLE, seed=8), known_beside()) != whole


def test_rule_4_the_worst_case_decides(whole: JointAnalysis) -> None:
    rate = next(one.result for one in whole.rates if one.cell == LEAK)
    assert not isinstance(rate, NotComputable)
    assert {one.without_lab for one in rate.cases} == {None, *LABS}
    assert results(whole, "threshold")[LEAK] == sensitivity(rate.cases, 0.9, "at most", 0.01, 0.05)
    corrected = next(one.result for one in whole.rates if one.cell == REFUSE)
    assert not isinstance(corrected, NotComputable)
    assert {one.correction for one in corrected.cases} == {"none", "rogan-gladen"}


def test_rule_5_what_is_not_declared_or_known_is_said() -> None:
    bare = analyse(GRID, dataclasses.replace(BARE, judges=frozenset({"judge"})))
    assert isinstance(bare.languages, NotComputable)
    said = {(one.section, one.part): one.reason for one in bare.missing if one.cell in (LEAK, None)}
    assert "declares no reference" in said["languages", ""]
    assert "No threshold" in said["threshold", ""]
    assert "committed to an order" in said["anytime", ""]
    assert ("next_run", "") not in said, "answers are counted where no costs are given"
    assert "settings are not known" in said["comparability", "settings"]
    assert "settings are not known" in said["why", "explanation"]
    assert "No designed arm" in said["why", "arms"]
    assert "one way only" in said["why", "elicitation"]
    assert "objective" in said["scorers", ""]
    judged = next(m for m in bare.missing if (m.section, m.cell) == ("scorers", REFUSE))
    assert "labelled by people" in judged.reason


def test_a_judge_is_not_compared_over_languages(whole: JointAnalysis) -> None:
    assert not isinstance(whole.languages, NotComputable)
    for one in whole.languages:
        assert isinstance(one.result, NotComputable) == (one.scorer == "judge")
    french = dataclasses.replace(WHOLE, comparison=Margin("fr", 0.1, {"leak": "higher"}))
    first = analyse(GRID.pick(task="leak"), french).languages[0].result  # type: ignore[index]
    assert isinstance(first, NotComputable)
    assert "reference language fr has no rate" in first.reason
    alone = analyse(GRID.pick(task="leak", language="en"), WHOLE)
    assert "No language but en" in alone.languages[0].result.reason  # type: ignore[index,union-attr]


@pytest.mark.parametrize(
    "scale", [Scale.ordinal(0, 1, 2, 3), Scale.continuous(0, 10)], ids=["ordinal", "continuous"]
)
def test_other_scales_have_rates_precision_agreement_and_languages(scale: Scale) -> None:
    found = analyse(simulated(scale=scale), WHOLE)
    rate = next(one.result for one in found.rates if one.cell == LEAK)
    assert not isinstance(rate, NotComputable)
    readings = rate.methods.generalised.readings
    assert [one.method for one in readings] == ["crossed", "mixed", "bootstrap"]
    assert rate.methods.generalised.agree_within is not None
    assert rate.methods.generalised.agree_within < 0.03
    assert not isinstance(results(found, "between_labs")[LEAK].precision, NotComputable)  # type: ignore[attr-defined]
    assert not isinstance(found.languages, NotComputable)
    assert not isinstance(found.languages[0].result, NotComputable)


def test_cells_that_say_nothing_are_neither_compared_nor_held_against_a_threshold() -> None:
    swahili = dataclasses.replace(LEAK, language="sw")
    beside = KnownBeside(uninformative={swahili: "The controls failed."})
    found = analyse(GRID, WHOLE, beside)
    assert results(found, "threshold")[swahili] == NotComputable("The controls failed.")
    assert not isinstance(results(found, "threshold")[LEAK], NotComputable)
    assert not isinstance(found.languages, NotComputable)
    first, other = (
        next(one for one in found.languages if (one.task, one.model) == ("leak", model))
        for model in ("a", "b")
    )
    assert [(one.language, one.reason) for one in first.left_out] == [
        ("sw", "The controls failed.")
    ]
    assert isinstance(first.result, NotComputable)
    assert other.left_out == ()
    assert not isinstance(other.result, NotComputable)


# --- data that say little ---


def test_one_lab_only() -> None:
    found = analyse(simulated(labs=1), WHOLE)
    reasons = {one.section for one in found.missing}
    assert {"between_labs", "why", "rates", "next_run"} <= reasons
    rate = found.rates[0].result
    assert not isinstance(rate, NotComputable)
    estimate = rate.estimate("generalised")
    assert isinstance(estimate, Estimate)
    assert estimate.method == "single-lab"


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_all_alike(value: float) -> None:
    grid = Grid.from_rows(
        lab=["a", "a", "b", "b"], model="m", language="en", task="leak", item=["i", "j"] * 2,
        epoch=[0] * 4, scorer="s", score=[value] * 4,
    )  # fmt: skip
    found = analyse(grid, WHOLE)
    rate = found.rates[0].result
    assert not isinstance(rate, NotComputable)
    estimate = rate.estimate("generalised")
    assert isinstance(estimate, Estimate)
    assert estimate.method == "exact"
    assert estimate.upper - estimate.lower > 0.8, "two items say next to nothing"
    assert isinstance(rate.methods.generalised.mixed, NotComputable)
    assert isinstance(rate.methods.generalised.bootstrap, NotComputable)


def test_labs_that_share_no_item() -> None:
    grid = Grid.from_rows(
        lab=["a", "a", "b", "b"], model="m", language="en", task="leak", item=["i", "j", "k", "l"],
        epoch=[0] * 4, scorer="s", score=[0, 1, 1, 0],
    )  # fmt: skip
    found = analyse(grid, WHOLE)
    rate = found.rates[0].result
    assert not isinstance(rate, NotComputable)
    assert isinstance(rate.estimate("generalised"), NotComputable)
    assert found.comparability.cells[0].result.common == 0  # type: ignore[union-attr]


def test_a_million_labs_are_refused() -> None:
    labs = 1_000_000
    grid = Grid.from_rows(
        lab=[f"lab{k:06}" for k in range(labs)], model="m", language="en", task="leak",
        item=["i"] * labs, epoch=[0] * labs, scorer="s", score=np.arange(labs) % 2,
    )  # fmt: skip
    with pytest.raises(StatisticsError, match="1000000 labs"):
        analyse(grid, BARE)


def test_settings_that_lack_a_lab_are_refused() -> None:
    with pytest.raises(StatisticsError, match="KE"):
        analyse(GRID, BARE, KnownBeside(settings={lab: {"tool": "x"} for lab in LABS[:3]}))


@pytest.mark.parametrize("wrong", [{"seed": -1}, {"level": 1.0}, {"replicates": 10}])
def test_a_setting_that_makes_no_sense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(StatisticsError):
        AnalysisProtocol(**{"seed": 1, **wrong})  # type: ignore[arg-type]


def test_a_task_has_one_threshold() -> None:
    limit = Limit("leak", 0.1, "at most", 0.01, 0.05)
    with pytest.raises(StatisticsError, match="two thresholds"):
        AnalysisProtocol(seed=1, limits=(limit, limit))


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    labs, items = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    cells = [(k, i, e) for k in range(labs) for i in range(items) for e in range(2)]
    scored = draw(st.lists(st.sampled_from(cells), min_size=1, unique=True))
    scores = draw(st.lists(st.booleans(), min_size=len(scored), max_size=len(scored)))
    return Grid.from_rows(
        lab=[f"l{k}" for k, _, _ in scored], model="m", language="en", task="leak",
        item=[f"i{i}" for _, i, _ in scored], epoch=[e for _, _, e in scored], scorer="s",
        score=np.array(scores, dtype=float),
    )  # fmt: skip


def numbers(found: object) -> Iterator[float]:
    if isinstance(found, float):
        yield found
    elif isinstance(found, tuple):
        for one in found:
            yield from numbers(one)
    elif dataclasses.is_dataclass(found) and not isinstance(found, type):
        for field in dataclasses.fields(found):
            yield from numbers(getattr(found, field.name))


@given(grids())
@settings(deadline=None, max_examples=60)
def test_any_scores_give_an_analysis_without_a_number_that_is_none(grid: Grid) -> None:
    found = analyse(grid, dataclasses.replace(WHOLE, replicates=100))
    assert not any(np.isnan(number) for number in numbers(found))
    assert all(one.reason for one in found.missing)
