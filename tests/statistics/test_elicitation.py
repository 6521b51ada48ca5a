# SPDX-License-Identifier: Apache-2.0
"""Choosing the best of many on the items that then judge it looks better than it is."""

import numpy as np
import pytest

from countermark.statistics import (
    Crossing,
    Gap,
    LabGap,
    NotComputable,
    StatisticsError,
    elicitation_gaps,
)


def crossing(scores: np.ndarray, labs: str = "a", first_item: int = 0) -> Crossing:
    keys = tuple(f"q{i + first_item:03}" for i in range(scores.shape[1]))
    return Crossing(tuple(labs), keys, np.ones(scores.shape, dtype=int), scores, scores**2)


def runs(
    lifts: tuple[float, ...], items: int = 100, seed: int = 1
) -> tuple[Crossing, dict[str, Crossing]]:
    rng = np.random.Generator(np.random.PCG64(seed))
    rate = rng.beta(2, 3, (1, items)) * 0.7
    reference = crossing((rng.random((1, items)) < rate).astype(float))
    return reference, {
        f"e{j}": crossing((rng.random((1, items)) < rate + lift).astype(float))
        for j, lift in enumerate(lifts)
    }


def only(found: tuple[LabGap, ...]) -> Gap:
    (lab,) = found
    assert isinstance(lab.gap, Gap), lab.gap
    return lab.gap


def test_one_elicitation_is_the_paired_difference() -> None:
    reference, elicited = runs((0.2,))
    gap = only(elicitation_gaps(reference, elicited, better="higher", seed=1))
    paired = (elicited["e0"].total - reference.total)[0]
    assert gap.value == pytest.approx(paired.mean())
    assert gap.uncorrected == pytest.approx(paired.mean())
    assert gap.se == pytest.approx(paired.std(ddof=1) / 10)
    assert gap.df == 99
    assert [each.share for each in gap.chosen] == [1.0]


def test_a_clear_best_needs_no_correction() -> None:
    reference, elicited = runs((0.0, 0.6, 0.0))
    gap = only(elicitation_gaps(reference, elicited, better="higher", seed=1))
    assert gap.best == "e1"
    assert gap.value == pytest.approx(gap.uncorrected)
    assert [each.share for each in gap.chosen] == [0, 1, 0]
    mirrored = only(elicitation_gaps(reference, elicited, better="lower", seed=1))
    assert mirrored.best != "e1"


def test_the_choice_is_corrected() -> None:
    """Eight elicitations that do nothing: the best looks good, the corrected gap is nil."""
    corrected, uncorrected, held = [], [], 0
    for seed in range(150):
        reference, elicited = runs((0.0,) * 8, items=60, seed=seed)
        gap = only(elicitation_gaps(reference, elicited, better="higher", seed=1, splits=20))
        corrected.append(gap.value)
        uncorrected.append(gap.uncorrected)
        held += gap.lower <= 0 <= gap.upper
    assert np.mean(uncorrected) > 0.05
    assert np.mean(corrected) == pytest.approx(0, abs=0.02)
    assert held / 150 > 0.93


def test_rule_1_only_items_run_with_every_configuration_count() -> None:
    rng = np.random.default_rng(1)
    gap = only(
        elicitation_gaps(
            crossing(rng.random((1, 10))),
            {"x": crossing(rng.random((1, 10)), first_item=1), "y": crossing(rng.random((1, 9)))},
            better="higher",
            seed=1,
        )
    )
    assert gap.items == 8
    assert gap.items_dropped == ("q000", "q009", "q010")


def test_rule_2_of_equals_the_first_by_name_is_chosen() -> None:
    reference, elicited = runs((0.3,))
    copies = {"b": elicited["e0"], "a": elicited["e0"]}
    gap = only(elicitation_gaps(reference, copies, better="higher", seed=1))
    assert gap.best == "a"
    assert [(each.elicitation, each.share) for each in gap.chosen] == [("a", 1.0), ("b", 0.0)]


def test_rule_3_uncorrected_is_the_best_of_all_items() -> None:
    reference, elicited = runs((0.1, 0.1, 0.1, 0.1))
    gap = only(elicitation_gaps(reference, elicited, better="higher", seed=1))
    gaps = {name: (run.total - reference.total).mean() for name, run in elicited.items()}
    assert gap.best == max(gaps, key=lambda name: gaps[name])
    assert gap.uncorrected == pytest.approx(max(gaps.values()))
    assert gap.value < gap.uncorrected


def test_rule_4_too_little_is_not_computable_and_other_labs_stand() -> None:
    rng = np.random.default_rng(2)
    reference = crossing(rng.random((2, 10)), labs="ab")
    elicited = {"x": crossing(rng.random((1, 10)), labs="b")}
    first, second = elicitation_gaps(reference, elicited, better="higher", seed=1)
    assert isinstance(first.gap, NotComputable)
    assert "tried no elicitation" in first.gap.reason
    assert isinstance(second.gap, Gap)
    few = {"x": crossing(rng.random((1, 10)), labs="b", first_item=7)}
    _, second = elicitation_gaps(reference, few, better="higher", seed=1)
    assert isinstance(second.gap, NotComputable)
    assert "ran 3 items" in second.gap.reason


def test_rule_5_seed_and_data_settle_the_result() -> None:
    reference, elicited = runs((0.1, 0.1, 0.1), items=40)
    ask = {"better": "higher", "splits": 10}
    one = elicitation_gaps(reference, elicited, seed=1, **ask)  # type: ignore[arg-type]
    turned = dict(reversed(elicited.items()))
    assert one == elicitation_gaps(reference, turned, seed=1, **ask)  # type: ignore[arg-type]
    other = elicitation_gaps(reference, elicited, seed=2, **ask)  # type: ignore[arg-type]
    assert only(one).value != only(other).value


def test_runs_all_alike_give_an_exact_interval() -> None:
    ones = crossing(np.ones((1, 10)))
    gap = only(elicitation_gaps(ones, {"x": ones}, better="higher", seed=1))
    assert gap.se is None
    assert gap.value == 0
    assert gap.upper == pytest.approx(1 - 0.025 ** (1 / 10))


@pytest.mark.parametrize("wrong", [{"better": "more"}, {"splits": 0}, {"seed": -1}])
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    reference, elicited = runs((0.1,))
    asked = {"better": "higher", "seed": 1, **wrong}
    with pytest.raises(StatisticsError, match="higher or lower"):
        elicitation_gaps(reference, elicited, **asked)  # type: ignore[arg-type]
