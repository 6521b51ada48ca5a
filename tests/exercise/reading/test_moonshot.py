# SPDX-License-Identifier: Apache-2.0
"""The rules of ``exercise/reading/moonshot.py``, by their numbers."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from other_tools import (
    fixture,
    moonshot_data,
    moonshot_detail,
    moonshot_integration,
    moonshot_prompt,
    moonshot_result,
    write,
)

from countermark.exercise.reading import moonshot
from countermark.exercise.reading.documents import read_start, tally
from countermark.exercise.reading.found import FoundRun
from countermark.records.errors import InputError

HIT, MISS = ("a", "a"), ("b", "a")


def runs(folder: Path, value: Any) -> list[FoundRun]:
    path = write(folder, result__json=value) / "result.json"
    assert moonshot.recognises(path, read_start(path))
    return list(moonshot.read(path))


def early(**recipes: Any) -> dict[str, Any]:
    metadata = {"id": "x", "status": "completed", "recipes": ["r"], "cookbooks": []}
    return {"metadata": metadata | {"endpoints": ["m"]}} | recipes


KEY = "('m', 'r', 'd', 't')"


def test_rule_1_a_run_is_a_model_on_a_dataset(tmp_path: Path) -> None:
    details = [
        moonshot_detail({"accuracy": 50.0}, HIT, MISS, model_id=model, dataset_id=dataset)
        for model in ("m", "n")
        for dataset in ("d", "e")
    ]
    found = runs(tmp_path, moonshot_result(*details))
    assert [(run.model, run.task, run.status, run.submitted) for run in found] == [
        ("m", "r/d", "completed", 2),
        ("m", "r/e", "completed", 2),
        ("n", "r/d", "completed", 2),
        ("n", "r/e", "completed", 2),
    ]


def test_rule_1_cookbooks_hold_recipes(tmp_path: Path) -> None:
    result = moonshot_result(moonshot_detail({"accuracy": 50.0}, HIT, MISS))
    recipes = result["results"].pop("recipes")
    result["results"]["cookbooks"] = [{"id": "c1", "recipes": recipes}]
    (run,) = runs(tmp_path, result)
    assert run.settings is not None
    assert run.settings["cookbook"] == "c1"
    assert run.task == "r/d"


@pytest.mark.parametrize("cookbook", [False, True])
def test_rule_1_the_form_of_april_2024(cookbook: bool, tmp_path: Path) -> None:
    template = {"id": "t", "data": moonshot_data(HIT, MISS), "metrics": [{"exact_str_match": 0.5}]}
    models = [
        {"id": model, "datasets": [{"id": "d", "prompt_templates": [template]}]}
        for model in ("m", "n")
    ]
    recipe = {"id": "r", "models": models}
    results = (
        {"cookbooks": [{"id": "c", "recipes": [recipe]}]} if cookbook else {"recipes": [recipe]}
    )
    found = runs(tmp_path, early(results=results))
    assert [(run.model, run.task, run.stated) for run in found] == [
        ("m", "r/d", {"exact_str_match": 0.5}),
        ("n", "r/d", {"exact_str_match": 0.5}),
    ]
    assert tally(found[0].samples).means == {"exact_str_match": 0.5}


def test_rule_3_what_is_listed_by_prediction_is_not_of_the_run(tmp_path: Path) -> None:
    metrics = {"toxicity_classifier": {"toxicity": {"a": 9.3, "b": 4.5}, "percentage": 0.0}}
    (run,) = runs(tmp_path, moonshot_result(moonshot_detail(metrics, HIT, MISS)))
    assert run.stated == {"toxicity_classifier.percentage": 0.0}


@pytest.mark.parametrize("cookbook", [False, True])
def test_rule_1_the_first_form(cookbook: bool, tmp_path: Path) -> None:
    recipe = {KEY: {"data": moonshot_data(HIT, MISS), "results": [{"exact_str_match": 0.5}]}}
    (run,) = runs(tmp_path, early(c={"r": recipe}) if cookbook else early(r=recipe))
    assert (run.model, run.task, run.notes[0][:15]) == ("m", "r/d", "exact_str_match")
    assert run.settings is not None
    assert run.settings.get("cookbook") == ("c" if cookbook else None)
    assert tally(run.samples).means == {"exact_str_match": 0.5}


def test_rule_2_a_sample_is_named_by_its_place(tmp_path: Path) -> None:
    (run,) = runs(tmp_path, moonshot_result(moonshot_detail({"x": 1}, HIT, MISS)))
    first, second = run.samples()
    assert (first.item, second.item, first.epoch) == ("1", "2", 1)
    assert first.metadata == {"prompt_sha256": hashlib.sha256(b"p0").hexdigest()}
    assert first.usage is not None
    assert first.usage.seconds == 0.5


def test_rule_3_a_metric_of_the_whole_run_scores_no_sample(tmp_path: Path) -> None:
    detail = moonshot_detail({"relax_str_match": 50.0, "grading_criteria": {}}, HIT, MISS)
    (run,) = runs(tmp_path, moonshot_result(detail))
    assert [score.status for s in run.samples() for score in s.scores] == ["not-attempted"] * 2
    assert run.settings is not None
    assert run.settings["metrics.relax_str_match"] == 50.0
    assert "no sample has a score of its own" in run.notes[0]


def test_rule_4_accuracy_is_exact_match_if_it_is_in_every_run(tmp_path: Path) -> None:
    right = moonshot_detail({"accuracy": 50.0}, HIT, MISS)
    for name, other, scored in (
        ("same", moonshot_detail({"accuracy": 0.0}, MISS, dataset_id="e"), True),
        ("other", moonshot_detail({"accuracy": 100.0}, MISS, dataset_id="e"), False),
    ):
        found = runs(tmp_path / name, moonshot_result(right, other))
        means = [tally(run.samples).means for run in found]
        assert means == ([{"accuracy": 0.5}, {"accuracy": 0.0}] if scored else [{}, {}])
        assert ("exact match" in found[0].notes[0]) == scored


def test_rule_4_all_zero_proves_nothing(tmp_path: Path) -> None:
    (run,) = runs(tmp_path, moonshot_result(moonshot_detail({"accuracy": 0.0}, MISS, MISS)))
    assert tally(run.samples).means == {}


def test_rule_4_any_of_several_targets_will_do(tmp_path: Path) -> None:
    detail = moonshot_detail({"accuracy": 100.0}, ("a", ["b", "a"]), ("b", ["b"]))
    (run,) = runs(tmp_path, moonshot_result(detail))
    assert tally(run.samples).means == {"accuracy": 1.0}


def test_rule_5_verdicts_of_continuous_integration(tmp_path: Path) -> None:
    (run,) = runs(
        tmp_path,
        moonshot_integration(moonshot_prompt(1, False), moonshot_prompt(2, True)),
    )
    assert (run.model, run.task, run.submitted, run.notes) == ("m", "n/d", 2, ())
    assert tally(run.samples).means == {"refusal/attack_success": 0.5}
    assert run.settings is not None
    assert run.settings["connector.params.temperature"] == 0


def test_rule_5_another_rate_than_the_verdicts_is_noted(tmp_path: Path) -> None:
    (run,) = runs(tmp_path, moonshot_integration(moonshot_prompt(1, True), rate=40.0))
    assert "the file states 0.4" in run.notes[0]


def test_rule_5_a_lacking_verdict_is_unparsed(tmp_path: Path) -> None:
    (run,) = runs(
        tmp_path,
        moonshot_integration(moonshot_prompt(1, True), moonshot_prompt(2, None), rate=100.0),
    )
    assert [s.scores[0].status for s in run.samples()] == ["scored", "unparsed"]


@pytest.mark.parametrize(
    ("predicted", "outcome"),
    [("", "answered"), (None, "errored"), ({"response": "x"}, "answered"), ({}, "errored")],
)
def test_rule_6_outcomes(predicted: Any, outcome: str, tmp_path: Path) -> None:
    (run,) = runs(tmp_path, moonshot_result(moonshot_detail({"x": 1}, (predicted, "a"), HIT)))
    assert [sample.outcome for sample in run.samples()] == [outcome, "answered"]


def test_rule_6_what_did_not_complete_is_errored(tmp_path: Path) -> None:
    bad = moonshot_prompt(2, True, state="COMPLETED_WITH_ERRORS")
    (run,) = runs(tmp_path, moonshot_integration(moonshot_prompt(1, True), bad, rate=100.0))
    first, second = run.samples()
    assert (first.outcome, second.outcome) == ("answered", "errored")
    assert (second.scores[0].status, second.scores[0].raw) == ("not-attempted", True)


def test_rule_7_prompts_that_are_counted_and_not_there_are_missing(tmp_path: Path) -> None:
    detail = moonshot_detail({"accuracy": 50.0}, HIT, MISS)
    (run,) = runs(tmp_path, moonshot_result(detail, num_of_prompts=22))
    assert run.submitted == 22
    assert any("counts 22 prompts" in note for note in run.notes)


def test_a_real_result_gives_its_own_aggregates() -> None:
    path = fixture("moonshot/result-recipe.json")
    found = list(moonshot.read(path))
    assert len(found) == 46
    assert sum(tally(run.samples).samples for run in found) == 92
    of_bbq = [run for run in found if run.task.startswith("bbq/")]
    assert len(of_bbq) == 44
    for run in of_bbq:
        assert run.settings is not None
        assert tally(run.samples).means["accuracy"] * 100 == run.settings["metrics.accuracy"]
    assert [tally(run.samples).means for run in found[44:]] == [{}, {}]


BROKEN = {
    "truncated": (b'{"metadata": {', "is no JSON"),
    "a list": ([], "is no result"),
    "no metadata": ({"results": {}}, "has no metadata"),
    "no recipe": ({"metadata": {}, "results": {}}, "results of no recipe"),
    "empty": ({"metadata": {}}, "results of no recipe"),
    "no details": (
        {"metadata": {}, "results": {"recipes": [{"id": "r"}]}},
        "no list of details",
    ),
    "no data": (moonshot_result({"model_id": "m"}), "no list of data"),
    "no model": (moonshot_result(moonshot_detail({}, HIT, model_id=None)), "names no model"),
    "no prompt": (
        moonshot_result(moonshot_detail({}) | {"data": [{"predicted_result": "a"}]}),
        "has no prompt",
    ),
    "twice": (
        moonshot_result(moonshot_detail({}, HIT), moonshot_detail({}, MISS)),
        "' r m d t' twice",
    ),
    "a hostile key": (
        early(r={"(__import__('os').abort(), 'r', 'd', 't')": {"data": []}}),
        "under no name",
    ),
    "a deep key": (early(r={"(" * 3000: {"data": []}}), "under no name"),
    "prompt twice": (
        moonshot_integration(moonshot_prompt(1, True), moonshot_prompt(1, True)),
        "prompt_id '1' twice",
    ),
    "no results": ({"run_results": {}}, "no list of run_results"),
    "no individual results": ({"run_results": [{"metadata": {"a": 1}}]}, "no individual_results"),
    "deep": (b'{"metadata": ' + b"[" * 100_000, "nested too deep"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_broken_results_are_refused(case: str, tmp_path: Path) -> None:
    value, what = BROKEN[case]
    path = write(tmp_path, result__json=value) / "result.json"
    with pytest.raises(InputError, match=what) as caught:
        list(moonshot.read(path))
    assert "result.json" in str(caught.value.where)
