# SPDX-License-Identifier: Apache-2.0
"""The rules of ``exercise/reading/helm.py``, by their numbers."""

from pathlib import Path
from typing import Any

import pytest
from other_tools import fixture, helm_request, helm_stat, helm_stats, write, write_helm

from countermark.exercise.reading import helm
from countermark.exercise.reading.documents import read_start, tally
from countermark.exercise.reading.found import FoundRun
from countermark.records.errors import InputError

DIALECT = {"name": "dialect", "robustness": True, "fairness": False, "computed_on": "perturbed"}


def runs(path: Path) -> list[FoundRun]:
    assert path.is_dir() or helm.recognises(path, read_start(path))
    return list(helm.read(path))


def state(*requests: dict[str, Any]) -> dict[str, Any]:
    return {"adapter_spec": {"model": "org/m"}, "request_states": list(requests)}


def of(instance: str, **more: Any) -> dict[str, Any]:
    request = helm_request(instance)
    request["instance"] |= more
    return request


def test_rule_1_a_run_is_a_split_under_a_perturbation(tmp_path: Path) -> None:
    folder = write_helm(
        tmp_path,
        scenario_state=state(of("id1"), of("id1", perturbation=DIALECT), of("id9", split="valid")),
        per_instance_stats=[
            helm_stats("id1", 1.0),
            helm_stats("id1", 0.0, perturbation=DIALECT),
            helm_stats("id9", 0.0) | {"stats": [helm_stat("exact_match", 0.0, "valid")]},
        ],
        stats=[
            helm_stat("exact_match", 1.0),
            helm_stat("exact_match", 0.0, perturbation=DIALECT),
            helm_stat("exact_match", 0.0, perturbation=DIALECT | {"computed_on": "worst"}),
            helm_stat("exact_match", 0.0, "valid"),
        ],
    )
    found = runs(folder)
    assert [
        (run.settings["split"], run.settings.get("perturbation.name"), run.submitted)
        for run in found
        if run.settings
    ] == [("test", None, 1), ("test", "dialect", 1), ("valid", None, 1)]
    assert [tally(run.samples).means["exact_match"] for run in found] == [1.0, 0.0, 0.0]
    assert [run.notes for run in found] == [(), (), ()]


def test_rule_1_a_part_of_a_split_is_a_run_of_its_own(tmp_path: Path) -> None:
    toxic, other = {"sub_split": "toxic"}, {"sub_split": "non-toxic"}
    found = runs(
        write_helm(
            tmp_path,
            scenario_state=state(of("id1", **toxic), of("id2", **other)),
            per_instance_stats=[
                helm_stats("id1", 1.0) | {"stats": [helm_stat("exact_match", 1.0, **toxic)]},
                helm_stats("id2", 0.0) | {"stats": [helm_stat("exact_match", 0.0, **other)]},
            ],
            stats=[helm_stat("exact_match", 1.0, **toxic), helm_stat("exact_match", 0.0, **other)],
        )
    )
    assert [(run.submitted, run.stated, run.notes) for run in found] == [
        (1, {"exact_match": 1.0}, ()),
        (1, {"exact_match": 0.0}, ()),
    ]


@pytest.mark.parametrize("name", helm.FILES)
def test_rule_1_any_file_of_the_folder_will_do(name: str, tmp_path: Path) -> None:
    (run,) = runs(write_helm(tmp_path) / name)
    assert (run.task, run.model, run.submitted) == ("sums:model=org_m", "org/m", 2)


def test_rule_2_trials_are_epochs_and_choices_are_one_sample(tmp_path: Path) -> None:
    requests = [
        helm_request("id1", trial=trial, reference_index=choice, request_mode=mode)
        for trial in (0, 1)
        for choice in (0, 1)
        for mode in ("calibration", "original")
    ]
    (run,) = runs(
        write_helm(
            tmp_path,
            scenario_state=state(*requests),
            per_instance_stats=[helm_stats("id1", 1.0), helm_stats("id1", 0.0, trial=1)],
        )
    )
    samples = list(run.samples())
    assert [(sample.item, sample.epoch) for sample in samples] == [("id1", 1), ("id1", 2)]
    assert samples[0].metadata is not None
    assert samples[0].metadata["requests"] == 4


def test_rule_2_pieces_of_a_long_text_are_one_sample(tmp_path: Path) -> None:
    adapter = {"model": "org/m", "method": "language_modeling"}
    likely = {**helm_stats("id1", 0.0), "stats": [helm_stat("logprob", -3.0)]}
    (run,) = runs(
        write_helm(
            tmp_path,
            run_spec={"name": "pile", "adapter_spec": adapter},
            scenario_state={"adapter_spec": adapter, "request_states": [helm_request("id1")] * 3},
            per_instance_stats=[likely] * 3,
            stats=[helm_stat("bits_per_byte", 0.8)],
        )
    )
    (sample,) = run.samples()
    assert (sample.item, sample.scores, run.stated) == ("id1", (), {"bits_per_byte": 0.8})
    assert sample.metadata is not None
    assert sample.metadata["requests"] == 3


def test_rule_2_the_first_versions_write_texts_for_outputs(tmp_path: Path) -> None:
    request = helm_request("id1")
    request["instance"] |= {"input": "2+2", "references": [{"output": "4", "tags": ["correct"]}]}
    (run,) = runs(
        write_helm(
            tmp_path, scenario_state=state(request), per_instance_stats=[helm_stats("id1", 1.0)]
        )
    )
    assert next(run.samples()).target == "4"


def test_rule_4_a_statistic_that_two_metrics_give(tmp_path: Path) -> None:
    stats = [helm_stats("id1", score) for score in (1.0, 1.0, 0.25)]
    (run,) = runs(
        write_helm(tmp_path, scenario_state=state(of("id1")), per_instance_stats=stats,
                   stats=[helm_stat("exact_match", 1.0), helm_stat("exact_match", 0.25)])
    )  # fmt: skip
    assert tally(run.samples).means == {"exact_match": 1.0, "exact_match/2": 0.25}
    assert run.notes == ()


@pytest.mark.parametrize(
    ("result", "outcome", "error"),
    [
        ({"success": False, "error": "429", "completions": []}, "errored", "429"),
        ({"success": True, "completions": []}, "errored", "the log has no completion"),
        (None, "errored", "the log has no completion"),
        ({"success": True, "completions": [{"text": ""}]}, "answered", None),
    ],
)
def test_rule_3_failed_requests(
    result: Any, outcome: str, error: str | None, tmp_path: Path
) -> None:
    bad = helm_request("id2") | {"result": result}
    (run,) = runs(write_helm(tmp_path, scenario_state=state(helm_request("id1"), bad)))
    sample = list(run.samples())[1]
    assert (sample.outcome, sample.error) == (outcome, error)
    (score,) = sample.scores
    assert (score.status, score.raw) == ("scored" if error is None else "not-attempted", 0.0)
    assert run.submitted == 2
    assert any("1 requests failed" in note for note in run.notes) == (error is not None)


def test_rule_4_statistics_are_scores_unless_they_describe_the_request(tmp_path: Path) -> None:
    empty = helm_stats("id2", 0.0) | {
        "stats": [{"name": {"name": "exact_match", "split": "test"}, "count": 0}]
    }
    (run,) = runs(write_helm(tmp_path, per_instance_stats=[helm_stats("id1", 1.0), empty]))
    first, second = run.samples()
    assert [(s.scorer, s.value) for s in first.scores] == [("exact_match", 1.0)]
    assert first.metadata == {"num_prompt_tokens": 7.0}
    assert first.usage is not None
    assert first.usage.input_tokens == 7
    assert [score.status for score in second.scores] == ["unparsed"]
    assert first.target == "4"
    assert [m.text for m in first.messages] == ["Q: 2+2", " 4"]


def test_rule_4_a_statistic_that_one_instance_lacks_is_unparsed(tmp_path: Path) -> None:
    (run,) = runs(write_helm(tmp_path, per_instance_stats=[helm_stats("id1", 1.0)]))
    assert [[c.status for c in s.scores] for s in run.samples()] == [["scored"], ["unparsed"]]


def test_rule_5_a_mean_that_differs_is_noted(tmp_path: Path) -> None:
    (same,) = runs(write_helm(tmp_path / "same"))
    assert same.notes == ()
    assert same.settings is not None
    assert same.settings["stats.exact_match"] == 0.5
    (other,) = runs(write_helm(tmp_path / "other", stats=[helm_stat("exact_match", 0.9)]))
    assert "the file states 0.9" in other.notes[0]


def test_rule_6_the_files_are_of_one_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'id2' in trial 1, which scenario_state\.json does not"):
        runs(write_helm(tmp_path, scenario_state=state(helm_request("id1"))))


def test_rule_6_without_requests_what_has_statistics_was_answered(tmp_path: Path) -> None:
    (run,) = runs(write_helm(tmp_path, scenario_state=None))
    assert [sample.outcome for sample in run.samples()] == ["answered"] * 2
    assert any("counts as answered" in note for note in run.notes)


def test_a_real_folder_gives_its_own_aggregates() -> None:
    test, valid = runs(fixture("helm/mmlu-philosophy"))
    for run, count in ((test, 9), (valid, 1)):
        assert run.submitted == count
        means = tally(run.samples).means
        assert len(means) == 8
        assert run.settings is not None
        for metric, mean in means.items():
            assert mean == pytest.approx(run.settings[f"stats.{metric}"])
        assert run.notes == ()


def displayed(**more: Any) -> dict[str, Any]:
    predictions = [
        {"instance_id": name, "train_trial_index": 0, "predicted_text": text, "stats": stats}
        for name, text, stats in (
            ("id1", " 4", {"exact_match": 1.0}),
            ("id2", "", {"exact_match": 0.0}),
            ("id3", None, {"exact_match": 0.0}),
        )
    ]
    predictions[0]["mapped_output"] = "four"
    instances = [of(name)["instance"] for name in ("id1", "id2", "id3")]
    requests = [{"instance_id": "id1", "train_trial_index": 0, "request": {"prompt": "Q"}}]
    return {
        "display_predictions__json": predictions,
        "instances__json": instances,
        "display_requests__json": requests,
    } | more


def test_rule_7_files_for_the_web_pages_stand_for_those_that_are_not_there(tmp_path: Path) -> None:
    write(tmp_path, **displayed())
    folder = write_helm(tmp_path, scenario_state=None, per_instance_stats=None)
    (run,) = runs(folder)
    first, second, third = run.samples()
    assert [(m.role, m.text) for m in first.messages] == [("user", "Q"), ("assistant", " 4")]
    assert (first.target, first.scores[0].answer) == ("4", "four")
    assert [s.outcome for s in (first, second, third)] == ["answered", "answered", "errored"]
    assert (run.submitted, tally(run.samples).means) == (3, {"exact_match": 0.5})
    assert [note[:25] for note in run.notes[:2]] == [
        "Samples are from display_",
        "1 requests failed; HELM m",
    ]


def test_rule_7_broken_files_for_the_web_pages_are_refused(tmp_path: Path) -> None:
    write(tmp_path, **displayed(display_predictions__json=[1]))
    with pytest.raises(InputError, match="is no prediction") as caught:
        runs(write_helm(tmp_path, scenario_state=None))
    assert str(caught.value.where).endswith("display_predictions.json: entry 0")


def test_rule_7_aggregates_alone_say_how_many_samples_are_missing(tmp_path: Path) -> None:
    stats = [helm_stat("exact_match", 0.5), helm_stat("num_instances", 9.0)]
    folder = write_helm(tmp_path, scenario_state=None, per_instance_stats=None, stats=stats)
    (run,) = runs(folder)
    assert (run.submitted, list(run.samples()), run.stated) == (9, [], {"exact_match": 0.5})
    assert run.settings is not None
    assert run.settings["split"] == "test"


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "truncated": ({"scenario_state": b'{"request_states": ['}, "is no JSON"),
    "no requests": ({"scenario_state": {"adapter_spec": {}}}, "no list of request_states"),
    "no instance": ({"scenario_state": state({"x": 1})}, "has no instance"),
    "no id": ({"scenario_state": state(of("id1", id=None))}, "no id of its instance"),
    "twice": (
        {"scenario_state": state(helm_request("id1"), helm_request("id1"))},
        "'id1' twice in trial 1",
    ),
    "trial": ({"scenario_state": state(helm_request("id1", trial=-1))}, "the trial -1"),
    "no stats": ({"per_instance_stats": [{"instance_id": "id1"}]}, "no list of stats"),
    "an object": ({"per_instance_stats": {}}, "no list of instances"),
    "nameless": ({"per_instance_stats": [{"instance_id": "a", "stats": [1]}]}, "without a name"),
    "no adapter": ({"run_spec": {}, "scenario_state": {}}, "no adapter_spec"),
    "deep": ({"stats": b"[" * 100_000}, "nested too deep"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_folders_are_refused(case: str, tmp_path: Path) -> None:
    files, what = BROKEN[case]
    with pytest.raises(InputError, match=what) as caught:
        list(helm.read(write_helm(tmp_path, **files)))
    assert str(tmp_path) in str(caught.value.where)


def test_a_link_in_the_folder_is_refused(tmp_path: Path) -> None:
    folder = write_helm(tmp_path, stats=None)
    (folder / "stats.json").symlink_to("/etc/hostname")
    with pytest.raises(InputError, match="is a link"):
        list(helm.read(folder))
