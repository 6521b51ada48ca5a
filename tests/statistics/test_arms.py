# SPDX-License-Identifier: Apache-2.0
"""A designed arm finds what one swap does, and says for whom."""

import numpy as np
import pytest

from countermark.statistics import (
    Arm,
    Crossing,
    Difference,
    NotComputable,
    StatisticsError,
    designed_arms,
    difference,
    holm,
)


def crossing(scores: np.ndarray, first_lab: int = 0, first_item: int = 0) -> Crossing:
    labs, items = scores.shape
    names = tuple(f"lab{k + first_lab}" for k in range(labs))
    keys = tuple(f"q{i + first_item:03}" for i in range(items))
    return Crossing(names, keys, np.ones((labs, items), dtype=int), scores, scores**2)


def arm(factor: str, shifts: tuple[float, ...], seed: int = 1, items: int = 80) -> Arm:
    rng = np.random.Generator(np.random.PCG64(seed))
    base = rng.uniform(0.3, 0.5, (len(shifts), items))
    swapped = base + np.array(shifts)[:, np.newaxis] + rng.normal(0, 0.05, base.shape)
    return Arm(factor, crossing(base), crossing(np.clip(swapped, 0, 1)))


def computed(result: Difference | NotComputable) -> Difference:
    assert isinstance(result, Difference), result
    return result


def test_rule_1_the_contrast_is_swapped_minus_reference_at_each_lab() -> None:
    one = arm("temperature", (0.1, 0.2))
    (contrast,) = designed_arms([one])
    assert [each.lab for each in contrast.labs] == ["lab0", "lab1"]
    for each, shift in zip(contrast.labs, (0.1, 0.2), strict=True):
        found = computed(each.difference)
        assert found.lower < shift < found.upper
        row = one.swapped.labs.index(each.lab)
        paired = one.swapped.total[row] - one.reference.total[row]
        assert found.value == pytest.approx(paired.mean())
        assert found.se == pytest.approx(paired.std(ddof=1) / np.sqrt(80))


def test_rule_2_the_joint_contrast_is_for_these_labs() -> None:
    one = arm("temperature", (0.0, 0.3, 0.0))
    (contrast,) = designed_arms([one])
    joint = computed(contrast.joint)
    paired = (one.swapped.total - one.reference.total).mean(axis=0)
    assert joint.labs_are == "fixed"
    assert joint.value == pytest.approx(0.1, abs=0.02)
    assert joint.se == pytest.approx(paired.std(ddof=1) / np.sqrt(80))
    assert joint.df == pytest.approx(79)
    assert joint.labs_differ is not None
    assert joint.labs_differ.p < 1e-6
    assert (joint.labs_differ.df_labs, joint.labs_differ.df_error) == (2, 158)
    alike = computed(designed_arms([arm("temperature", (0.1, 0.1, 0.1))])[0].joint)
    assert alike.labs_differ is not None
    assert alike.labs_differ.p > 0.01


def test_rule_2_labs_need_not_have_the_same_items() -> None:
    """The joint contrast takes what all labs share; each lab's own takes all it ran."""
    one = arm("temperature", (0.1, 0.1))
    count = one.swapped.count.copy()
    count[1, :10] = 0
    swapped = Crossing(
        one.swapped.labs,
        one.swapped.items,
        count,
        one.swapped.total * count,
        one.swapped.square * count,
    )
    (contrast,) = designed_arms([Arm("temperature", one.reference, swapped)])
    assert computed(contrast.joint).items == 70
    assert [computed(each.difference).items for each in contrast.labs] == [80, 70]
    assert len(computed(contrast.joint).items_dropped) == 10


def test_rule_3_arms_are_adjusted_together_and_a_missing_one_counts() -> None:
    apart = Arm("tools", crossing(np.ones((1, 5))), crossing(np.ones((1, 5)), first_lab=5))
    arms = [arm("temperature", (0.01, 0.01), 2), apart, arm("prompt", (0.2, 0.2), 3)]
    found = designed_arms(arms)
    assert [each.factor for each in found] == ["prompt", "temperature", "tools"]
    assert isinstance(found[2].joint, NotComputable)
    assert found[2].labs == ()
    raw = [computed(found[0].joint).p, computed(found[1].joint).p, 1.0]
    assert [each.adjusted for each in found] == list(holm(raw))


def test_rule_4_two_arms_of_one_factor_are_refused() -> None:
    with pytest.raises(StatisticsError, match="two arms"):
        designed_arms([arm("prompt", (0.1,)), arm("prompt", (0.2,))])


def test_no_arms_give_no_contrasts() -> None:
    assert designed_arms([]) == ()


def test_the_joint_test_has_its_size_where_labs_share_items() -> None:
    """Labs answer the same items alike, so their contrasts are not independent."""
    rng = np.random.Generator(np.random.PCG64(4))
    rejected = 0
    for _ in range(300):
        shared = rng.normal(0, 0.1, (1, 40))
        base = np.full((4, 40), 0.5)
        swapped = np.clip(base + shared + rng.normal(0, 0.05, (4, 40)), 0, 1)
        found = difference(crossing(swapped), crossing(base), "generalised", labs="fixed")
        rejected += computed(found).p < 0.05
    assert rejected / 300 < 0.06 + 0.027  # two standard errors
