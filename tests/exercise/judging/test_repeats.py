# SPDX-License-Identifier: Apache-2.0
import pytest
from exercise_judges import model_judge

from countermark.exercise.judging.repeats import judge_seed, judgements_asked

DIGEST, OTHER = f"sha256:{'0' * 64}", f"sha256:{'1' * 64}"
SAMPLES = [f"model/task/en/item-{number}/1" for number in range(2000)]


def asked(share: float = 0.25, repeats: int = 3, protocol: str = DIGEST) -> list[object]:
    judge = model_judge(repeats=repeats, repeated_share=share)
    return [judgements_asked(judge, protocol, "judge", "v1", sample) for sample in SAMPLES]


def test_rule_1_each_answer_is_judged_once_and_some_so_often() -> None:
    assert judgements_asked(model_judge(), DIGEST, "judge", "v1", "a") == (None,)
    assert set(asked()) == {(None,), (None, 2, 3)}


def test_rule_2_the_subsample_is_drawn_by_protocol_scorer_version_and_sample() -> None:
    assert asked() == asked()
    assert asked() != asked(protocol=OTHER)
    judge = model_judge(repeats=2, repeated_share=0.5)
    drawn = {
        name: [judgements_asked(judge, DIGEST, *name, sample) for sample in SAMPLES]
        for name in (("judge", "v1"), ("other", "v1"), ("judge", "v2"))
    }
    assert len({tuple(one) for one in drawn.values()}) == 3


@pytest.mark.parametrize("share", [0.0, 0.1, 0.25, 0.5, 1.0])
def test_rule_3_the_share_is_the_chance_of_each(share: float) -> None:
    again = sum(one != (None,) for one in asked(share))
    assert abs(again / len(SAMPLES) - share) < 0.04
    assert (again == len(SAMPLES)) == (share == 1)


def test_rule_4_each_judgement_has_its_own_seed() -> None:
    seeds = {
        judge_seed(DIGEST, "judge", "v1", sample, lab, repeat)
        for sample in SAMPLES[:50]
        for lab in ("GB-a", "JP-b")
        for repeat in (None, 2, 3)
    }
    assert len(seeds) == 300
    assert all(0 <= seed < 1 << 31 for seed in seeds)
    assert judge_seed(DIGEST, "j", "v1", "s", "GB-a", None) == judge_seed(
        DIGEST, "j", "v1", "s", "GB-a", 1
    )
