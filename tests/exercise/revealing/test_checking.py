# SPDX-License-Identifier: Apache-2.0
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from exercise_lab import TREE_KEY, Lab, honest_samples, one_cell
from exercise_lies import (
    COUNTS,
    MIXED,
    SOME,
    Samples,
    distrusted,
    first_changed,
    lines,
    with_answer,
)
from exercise_small import SEED

from countermark.exercise.revealing.seal import (
    opened_samples,
    revealed_file,
    secret_commitment,
)
from countermark.exercise.revealing.seal import sealed_root as root_of_opened
from countermark.records.canonical import canonical, content_digest
from countermark.records.errors import StateError, VerificationError
from countermark.records.evidence import Opened
from countermark.records.protocol import FactorSetting
from countermark.records.sample import RevealedSample

PROTOCOL = one_cell()
OTHER = "sha256:" + "5" * 64


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    folder = tmp_path_factory.mktemp("lab")
    return Lab(PROTOCOL, honest_samples(folder, PROTOCOL, "JP-simulated"))


def sealed_root(samples: Samples, tree_key: bytes) -> str:
    return root_of_opened(opened_samples(samples, tree_key))


def test_an_honest_lab_is_believed(lab: Lab) -> None:
    found = lab.reveal()
    assert len(found.samples) == len(lab.samples) == 8
    assert found.evidence.lab == "JP-simulated"
    assert found.plan == lab.plan_record()
    assert found.scores == tuple(one.scores for one in lab.samples)
    transcripts = [one.open_transcript for one in found.samples]
    assert transcripts == [one.transcript for one in lab.samples]


def test_the_secret_commitment_is_a_plain_sha_256() -> None:
    assert secret_commitment(SEED) == hashlib.sha256(SEED).hexdigest()


def test_the_root_changes_with_any_part_of_any_sample(lab: Lab) -> None:
    root = sealed_root(lab.samples, TREE_KEY)
    seen = {root, sealed_root(lab.samples, bytes(32)), sealed_root(lab.samples[1:], TREE_KEY)}
    seen.add(sealed_root(lab.samples[::-1], TREE_KEY))
    seen.add(sealed_root(first_changed(lambda s: with_answer(s, "x", 0.0))(lab.samples), TREE_KEY))
    assert len(seen) == 5


def test_rule_1_no_plan_seal_or_closing(lab: Lab) -> None:
    distrusted(replace(lab, forgotten=["run-plan"]), 1, "another run plan")
    distrusted(replace(lab, forgotten=["sealed-result"]), 1, "no seal of its own")
    distrusted(replace(lab, forgotten=["exercise-closing"]), 1, "no closing")
    for name in ("run_plan", "seal", "closing"):
        distrusted(replace(lab, evidence={name: OTHER}), 1)


def test_rule_1_a_statement_of_another_kind_in_their_place(lab: Lab) -> None:
    plan = lab.plan_record().digest
    distrusted(replace(lab, evidence={"seal": plan}), 1, "no seal of its own")
    distrusted(replace(lab, evidence={"closing": plan}), 1, "no closing")
    distrusted(replace(lab, evidence={"run_plan": lab.seal_record().digest}), 1, "another run plan")


def test_rule_1_a_second_plan_is_not_followed(lab: Lab) -> None:
    earlier = Lab(lab.protocol, lab.samples, seed=bytes(32)).entries()[0]
    later = replace(earlier, index=9)
    with pytest.raises(VerificationError, match="another run plan"):
        lab.reveal(before=(earlier,))
    assert lab.reveal(after=(later,))


@pytest.mark.parametrize("kind", ["run-plan", "sealed-result", "exercise-closing"])
def test_rule_1_logged_by_somebody_else(lab: Lab, kind: str) -> None:
    distrusted(replace(lab, authors={kind: "SG"}), 1)


@pytest.mark.parametrize("field", ["protocol", "lab"])
def test_rule_1_a_plan_or_seal_of_another_protocol_or_lab(lab: Lab, field: str) -> None:
    value = OTHER if field == "protocol" else "JP-elsewhere"
    distrusted(replace(lab, plan={field: value}), 1, "another run plan")
    distrusted(replace(lab, seal={field: value}), 1, "no seal of its own")


def test_rule_1_a_seal_of_another_plan(lab: Lab) -> None:
    distrusted(replace(lab, seal={"run_plan": OTHER}), 1, "no seal of its own")


def test_rule_1_a_closing_of_another_protocol(lab: Lab) -> None:
    distrusted(replace(lab, closing={"protocol": OTHER}), 1, "no closing of this exercise")


def test_rule_1_evidence_by_somebody_who_does_not_take_part(lab: Lab) -> None:
    stranger = replace(lab, lab="US-simulated", author="US")
    distrusted(stranger, 1, "no participant in this exercise")
    distrusted(replace(lab, evidence={"protocol": OTHER}), 1)


def test_rule_1_evidence_for_another_institutes_lab(lab: Lab) -> None:
    distrusted(replace(lab, lab="SG-simulated"), 1, "whose lab this is not")
    distrusted(replace(lab, evidence={"institute": "SG"}), 1, "whose lab this is not")


@pytest.mark.parametrize(
    "settings",
    [
        (),
        (FactorSetting(factor="temperature", value="t99"),),
        (FactorSetting(factor="colour", value="red"),),
    ],
)
def test_rule_1_a_plan_without_a_value_for_every_factor(
    lab: Lab, settings: tuple[FactorSetting, ...]
) -> None:
    distrusted(replace(lab, plan={"settings": settings}), 1, "another run plan")


def test_rule_2_a_closing_that_came_before_the_seal(lab: Lab) -> None:
    early = {"exercise-closing": "2026-11-01T08:59:59Z"}
    distrusted(replace(lab, witnessed=early), 2)
    same = {"exercise-closing": "2026-11-01T09:00:00Z"}
    assert replace(lab, witnessed=same).reveal()


@pytest.mark.parametrize("kind", ["sealed-result", "exercise-closing"])
def test_rule_2_what_nobody_is_known_to_have_witnessed_has_to_wait(lab: Lab, kind: str) -> None:
    with pytest.raises(StateError, match="witnesses are not known here yet") as caught:
        replace(lab, witnessed={kind: None}).reveal()
    assert "sync pull" in caught.value.next_step


def test_rule_2_a_closing_that_does_not_list_the_seal(lab: Lab) -> None:
    listed = (lab.seal_reference(seal=OTHER),)
    distrusted(replace(lab, closing={"seals": listed}), 2)


def test_rule_2_a_lab_that_sealed_twice_may_not_choose(lab: Lab) -> None:
    both = (lab.seal_reference(), lab.seal_reference(seal=OTHER))
    distrusted(replace(lab, closing={"seals": both}), 2)
    others = (lab.seal_reference(), lab.seal_reference(lab="SG-simulated", seal=OTHER))
    assert replace(lab, closing={"seals": others}).reveal()


@pytest.mark.parametrize("change", [{"digest": OTHER}, {"size": 1}])
def test_rule_3_a_file_with_another_digest_or_size(lab: Lab, change: dict[str, object]) -> None:
    said = lab.evidence_record().samples.model_copy(update=change)
    distrusted(replace(lab, evidence={"samples": said}), 3)


def test_rule_4_a_line_too_few_or_too_many(lab: Lab) -> None:
    distrusted(replace(lab, data=lines(lambda samples: samples.pop())), 4, "7 samples where 8")
    distrusted(replace(lab, data=lines(lambda samples: samples.append(samples[0]))), 4, "9 samples")
    distrusted(replace(lab, data=lambda _: b""), 4)
    distrusted(replace(lab, data=lambda data: data[:-1]), 4)


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("space", lambda data: data.replace(b'{"scores":', b'{ "scores":', 1)),
        ("junk", lambda data: b"junk\n" + data.split(b"\n", 1)[1]),
        ("twice", lambda data: data.replace(b'{"scores":', b'{"scores":{},"scores":', 1)),
        ("separator", lambda data: data.replace(b"\n", b"\r", 1)),
        ("null", lambda data: data.replace(b'"role":"user"', b'"extra":null,"role":"user"', 1)),
        ("deep", lambda data: b"[" * 5000 + b"\n" + data.split(b"\n", 1)[1]),
    ],
)
def test_rule_4_a_line_that_is_no_canonical_sample(
    lab: Lab, what: str, change: Callable[[bytes], bytes]
) -> None:
    assert lab.file() != replace(lab, data=change).file()
    distrusted(replace(lab, data=change), 4)


def test_rule_4_other_samples_than_the_protocol_asks_for(lab: Lab) -> None:
    def renamed(samples: list[Any]) -> None:
        for part in ("scores", "transcript"):
            samples[0][part]["value"]["key"]["item"] = "my-own-item"

    distrusted(replace(lab, data=lines(renamed)), 4, "other samples")
    distrusted(replace(lab, data=lines(lambda samples: samples.reverse())), 4, "other samples")
    twice = lines(lambda samples: samples.__setitem__(1, samples[0]))
    distrusted(replace(lab, data=twice), 4, "other samples")


def test_rule_4_a_sample_with_two_keys(lab: Lab) -> None:
    def crossed(samples: list[Any]) -> None:
        samples[0]["transcript"]["value"]["key"]["epoch"] = 2

    distrusted(replace(lab, data=lines(crossed)), 4, "two keys")


def test_rule_5_a_leak_taken_out_after_sealing(lab: Lab) -> None:
    change = first_changed(lambda sample: with_answer(sample, "I will not say.", 0.0))
    distrusted(replace(lab, after_sealing=change), 5, "not those it sealed")


def test_rule_5_a_transcript_changed_after_sealing(lab: Lab) -> None:
    seed = lab.samples[0].transcript.seed + 1
    change = first_changed(
        lambda one: replace(one, transcript=one.transcript.model_copy(update={"seed": seed}))
    )
    distrusted(replace(lab, after_sealing=change), 5)


def test_rule_6_another_tree_key_than_it_sealed_with(lab: Lab) -> None:
    distrusted(replace(lab, evidence={"tree_key": "00" * 32}), 6, "salts")


@pytest.mark.parametrize("part", ["scores", "transcript"])
def test_rule_6_salts_that_the_tree_key_does_not_give(lab: Lab, part: str) -> None:
    other = opened_samples(lab.samples, bytes(32))

    def resalted(samples: tuple[RevealedSample, ...]) -> tuple[RevealedSample, ...]:
        bent = samples[3].model_copy(update={part: getattr(other[3], part)})
        return (*samples[:3], bent, *samples[4:])

    root = root_of_opened(resalted(opened_samples(lab.samples, TREE_KEY)))
    # Sealed under salts of its own, so that the root holds and the tree key does not.
    distrusted(replace(lab, shown=resalted, seal={"root": root}), 6, "salts")


def test_rule_6_a_seed_that_the_plan_did_not_commit_to(lab: Lab) -> None:
    distrusted(replace(lab, evidence={"secret_seed": "00" * 32}), 6, "secret seed")
    distrusted(replace(lab, plan={"secret_commitment": "00" * 32}), 6, "secret seed")


@pytest.mark.parametrize("field", ["submitted", "answered", "missing"])
def test_rule_7_counts_that_are_not_the_samples(lab: Lab, field: str) -> None:
    (counts,) = lab.evidence_record().counts
    bent = counts.model_copy(update={field: getattr(counts, field) + 1})
    distrusted(replace(lab, evidence={"counts": (bent,)}), 7)
    distrusted(replace(lab, evidence={"counts": ()}), 7)


def test_the_file_is_one_canonical_line_a_sample(lab: Lab) -> None:
    data = revealed_file(opened_samples(lab.samples, TREE_KEY))
    assert data.endswith(b"\n")
    for line in data.splitlines():
        value = RevealedSample.model_validate_json(line).model_dump(mode="json", exclude_none=True)
        assert canonical(value) == line
    assert content_digest(data) == lab.evidence_record().samples.digest


# Parts that are closed


@pytest.mark.parametrize(
    ("shown", "word", "scores", "transcripts"),
    [(SOME, "some", 8, 1), (MIXED, "some", 5, 0), (COUNTS, "counts", 0, 0)],
)
def test_a_lab_that_closes_some_or_all_is_believed(
    lab: Lab, shown: Any, word: str, scores: int, transcripts: int
) -> None:
    found = replace(lab, shown=shown).reveal()
    assert found.evidence.disclosure == word
    assert found.evidence.tree_key is None
    opened_ = found.evidence.opened
    assert (opened_.samples, opened_.scores, opened_.transcripts) == (8, scores, transcripts)
    assert (found.scores is not None) == (scores == 8)


def test_a_closed_part_shows_nothing_of_itself(lab: Lab) -> None:
    data = replace(lab, shown=COUNTS).file()
    assert all(set(json.loads(line)[part]) == {"leaf"} for line in data.splitlines()
               for part in ("scores", "transcript"))  # fmt: skip
    shown = replace(lab, shown=SOME).file()
    assert shown.count(b'"messages"') == 1
    for place, sample in enumerate(lab.samples):
        answer = canonical(sample.transcript.messages[-1].content)
        same = lab.samples[2].transcript.messages[-1].content.encode() in answer
        assert place == 2 or same or answer not in shown


def test_rule_4_a_closed_part_carries_nothing_else(lab: Lab) -> None:
    def smuggled(samples: list[Any]) -> None:
        samples[0]["transcript"]["value"] = {"note": "x"}

    distrusted(replace(lab, shown=SOME, data=lines(smuggled)), 4)


@pytest.mark.parametrize("shown", [SOME, COUNTS])
def test_rule_4_a_sample_dropped_behind_closed_leaves(lab: Lab, shown: Any) -> None:
    distrusted(replace(lab, shown=shown, data=lines(lambda samples: samples.pop())), 4)


def test_rule_4_fewer_samples_sealed_than_the_protocol_asks_for(lab: Lab) -> None:
    distrusted(replace(lab, samples=lab.samples[1:], shown=COUNTS), 4, "other samples")


@pytest.mark.parametrize("shown", [SOME, COUNTS])
def test_rule_5_two_samples_swapped_behind_closed_leaves(lab: Lab, shown: Any) -> None:
    def swapped(samples: list[Any]) -> None:
        samples[4]["transcript"], samples[5]["transcript"] = (
            samples[5]["transcript"],
            samples[4]["transcript"],
        )

    distrusted(replace(lab, shown=shown, data=lines(swapped)), 5)


def test_rule_5_another_value_under_the_same_leaf(lab: Lab) -> None:
    def other(samples: list[Any]) -> None:
        samples[2]["transcript"]["value"]["seed"] += 1

    distrusted(replace(lab, shown=SOME, data=lines(other)), 5)


def test_rule_5_a_score_changed_while_its_transcript_is_closed(lab: Lab) -> None:
    def softer(samples: list[Any]) -> None:
        score = samples[0]["scores"]["value"]["scores"][0]
        score["value"] = 1 - score["value"]

    distrusted(replace(lab, shown=SOME, data=lines(softer)), 5)


def test_rule_4_the_transcript_of_another_sample(lab: Lab) -> None:
    def borrowed(samples: list[Any]) -> None:
        samples[3]["transcript"] = samples[2]["transcript"]

    distrusted(replace(lab, shown=SOME, data=lines(borrowed)), 4, "two keys")


@pytest.mark.parametrize(
    "change",
    [
        {"disclosure": "counts"},
        {"disclosure": "all"},
        {"opened": {"samples": 8, "scores": 8, "transcripts": 2}},
        {"opened": {"samples": 8, "scores": 7, "transcripts": 1}},
        {"opened": {"samples": 9, "scores": 8, "transcripts": 1}},
    ],
)
def test_rule_6_another_word_for_what_is_open(lab: Lab, change: dict[str, Any]) -> None:
    if "opened" in change:
        change = {"opened": Opened(**change["opened"])}
    distrusted(replace(lab, shown=SOME, evidence=change), 6, "another word")


def test_rule_6_a_tree_key_that_would_open_what_is_closed(lab: Lab) -> None:
    for shown in (SOME, COUNTS):
        distrusted(replace(lab, shown=shown, evidence={"tree_key": TREE_KEY.hex()}), 6, "tree key")
    distrusted(replace(lab, evidence={"tree_key": None}), 6, "tree key")


@pytest.mark.parametrize("shown", [SOME, COUNTS])
def test_rule_6_the_seed_opens_the_plan_whatever_is_closed(lab: Lab, shown: Any) -> None:
    distrusted(replace(lab, shown=shown, evidence={"secret_seed": "00" * 32}), 6, "secret seed")


@pytest.mark.parametrize(
    "change",
    [
        {"submitted": 9},
        {"answered": 7},
        {"answered": 9},
        {"answered": 7, "refused": 1},
        {"answered": 0, "errored": 8},
        {"scorers": ()},
        {"language": "fr"},
        {"task": "mild-refusal"},
    ],
)
def test_rule_7_counts_that_no_samples_can_have(lab: Lab, change: dict[str, Any]) -> None:
    (counts,) = lab.evidence_record().counts
    bent = {"counts": (counts.model_copy(update=change),)}
    distrusted(replace(lab, shown=COUNTS, evidence=bent), 7)


def test_rule_7_scorers_of_another_version_or_number(lab: Lab) -> None:
    (counts,) = lab.evidence_record().counts
    first, *rest = counts.scorers
    for change in ({"version": "v9"}, {"scored": first.scored - 1}, {"scored": first.scored + 1}):
        scorers = (first.model_copy(update=change), *rest)
        bent = {"counts": (counts.model_copy(update={"scorers": scorers}),)}
        distrusted(replace(lab, shown=COUNTS, evidence=bent), 7)


def test_rule_7_counts_that_the_open_scores_contradict(lab: Lab) -> None:
    (counts,) = lab.evidence_record().counts
    scorers = tuple(
        one.model_copy(update={"scored": 0, "not_attempted": one.scored}) for one in counts.scorers
    )
    said = counts.model_copy(update={"answered": 0, "errored": 8, "scorers": scorers})
    assert replace(lab, shown=COUNTS, evidence={"counts": (said,)}).reveal()
    distrusted(replace(lab, shown=MIXED, evidence={"counts": (said,)}), 7, "below its open scores")


def test_rule_1_the_seal_of_another_exercise(lab: Lab) -> None:
    distrusted(replace(lab, shown=COUNTS, seal={"protocol": OTHER}), 1, "no seal of its own")
