# SPDX-License-Identifier: Apache-2.0
"""A log with one thing changed, and what its lab will tell of it."""

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from exercise_small import cell_run
from scripted import log_value, write_log

from countermark.exercise.comparing.configurations import configuration_of
from countermark.exercise.comparing.expectations import asked
from countermark.exercise.logs import read_log
from countermark.exercise.secrets import seed_for
from countermark.exercise.vocabulary import kind_of, read
from countermark.records.canonical import JsonValue, canonical
from countermark.records.protocol import ModelUnderTest
from countermark.records.protocol_parts import SealedText

Header = dict[str, Any]
Samples = list[dict[str, Any]]
RUN = cell_run(settings={"temperature": "t03"})
MODEL = RUN.protocol.models[0]
ASKED = {
    name: read(value)
    for name, value in asked(
        RUN.protocol, MODEL.key, RUN.task, RUN.language, RUN.full_settings
    ).items()
}


def told(
    tmp_path: Path, change: Callable[[Header, Samples], object] = lambda header, samples: None
) -> dict[str, JsonValue]:
    """Return what is told of the scripted log after a change."""
    header, samples = copy.deepcopy(log_value(RUN, str(MODEL.provider)))
    change(header, samples)
    log = read_log(write_log(tmp_path / "log.eval", header, samples))
    found = configuration_of(log, RUN, MODEL.key)
    names = [setting.name for setting in found.settings]
    assert names == sorted(set(names))
    return {setting.name: read(setting.value) for setting in found.settings}


def differing(found: dict[str, JsonValue]) -> set[str]:
    return {name for name, value in ASKED.items() if found.get(name) != value}


def called(sample: dict[str, Any], **config: object) -> None:
    sample.setdefault("events", []).append({"event": "model", "model": "m", "config": config})


def test_an_honest_log_tells_what_the_protocol_asks(tmp_path: Path) -> None:
    found = told(tmp_path)
    assert differing(found) == set()
    assert found["run.started"] == "2026-11-01T10:00:00Z"
    assert found["package.inspect_ai"] == found["tool.version"] == "0.3.285"


def test_rule_1_settings_of_the_header_are_told_by_our_names(tmp_path: Path) -> None:
    def change(header: Header, samples: Samples) -> None:
        header["eval"] |= {
            "eval_id": "abc",
            "model_base_url": "https://tenant.openai.azure.com/x",
            "model_args": {"api_key": "sk-verysecretverysecret", "dtype": "int8", "device": "cuda"},
            "sandbox": {"type": "docker", "config": "/home/a/compose.yaml"},
            "revision": {"commit": "123abc"},
        }
        header["eval"]["config"] |= {"message_limit": 5, "retry_on_error": 2}
        header["plan"]["config"] |= {"stop_seqs": ["</s>"], "frequency_penalty": 0.5}

    found = told(tmp_path, change)
    assert {
        "run.id": "abc",
        "model.route": "countermark at *.azure.com",
        "model.args.api_key": "(secret)",
        "model.args.dtype": "int8",
        "model.device.device": "cuda",
        "sandbox": "docker",
        "task.revision": "123abc",
        "limits.messages": 5,
        "error-policy.retries": 2,
        "generation.stop": ["</s>"],
        "generation.frequency_penalty": 0.5,
    }.items() <= found.items()
    assert "verysecret" not in json.dumps(found)
    assert "/home" not in json.dumps(found)
    assert differing(found) == {"error-policy.retries"}


def test_rule_2_another_system_prompt_is_seen_in_the_samples(tmp_path: Path) -> None:
    def change(header: Header, samples: Samples) -> None:
        for sample in samples:
            sample["messages"][0]["content"] += " Be careful."

    assert differing(told(tmp_path, change)) == {"system-prompt"}


def test_rule_2_another_wording_of_one_item_is_seen(tmp_path: Path) -> None:
    def change(header: Header, samples: Samples) -> None:
        samples[0]["messages"][-2]["content"] += "?"

    assert differing(told(tmp_path, change)) == {"dataset.items"}


def test_rule_2_a_sample_that_is_missing_is_no_other_wording(tmp_path: Path) -> None:
    assert differing(told(tmp_path, lambda header, samples: samples.pop())) == set()


def test_rule_3_a_temperature_that_was_raised_during_the_run(tmp_path: Path) -> None:
    def change(header: Header, samples: Samples) -> None:
        for number, sample in enumerate(samples):
            called(sample, temperature=1.5 if number == 3 else 0.3)

    found = told(tmp_path, change)
    assert differing(found) == {"changed-during-run", "generation.temperature"}
    assert found["changed-during-run"] == ["generation.temperature"]
    assert found["generation.temperature"] == [0.3, 1.5]


def test_rule_3_all_calls_with_another_temperature_than_the_header(tmp_path: Path) -> None:
    def change(header: Header, samples: Samples) -> None:
        for sample in samples:
            called(sample, temperature=1.5)

    found = told(tmp_path, change)
    assert differing(found) == {"generation.temperature"}
    assert found["generation.temperature"] == 1.5


def test_rule_3_a_change_that_the_header_records(tmp_path: Path) -> None:
    def change(header: Header, samples: Samples) -> None:
        one = {"config": "generate", "name": "top_p", "value": 0.5}
        header["config_updates"] = [{"changes": [one], "provenance": {"author": "x"}}]

    found = told(tmp_path, change)
    assert found["changed-during-run"] == ["generation.top_p"]
    assert found["generation.top_p"] == 0.5


def test_rule_3_a_provider_that_answers_with_two_versions(tmp_path: Path) -> None:
    def change(header: Header, samples: Samples) -> None:
        for number, sample in enumerate(samples):
            sample["output"]["model"] = f"x-2026-0{1 + number % 2}"

    found = told(tmp_path, change)
    assert found["model.answered"] == ["x-2026-01", "x-2026-02"]
    assert found["changed-during-run"] == ["model.answered"]


def test_rule_4_a_fallback_model(tmp_path: Path) -> None:
    def change(header: Header, samples: Samples) -> None:
        samples[0]["model_fallbacks"] = [{"model": "a", "fallback_model": "b", "count": 1}]

    found = told(tmp_path, change)
    assert differing(found) == {"model.fallback"}
    assert found["model.fallback"] == ["b"]


@pytest.mark.parametrize(
    ("shift", "policy", "unique"),
    [(0, "per sample, from the lab's secret seed", True), (1, "per sample", False)],
)
def test_rule_5_seeds(tmp_path: Path, shift: int, policy: str, *, unique: bool) -> None:
    def change(header: Header, samples: Samples) -> None:
        for sample in samples:
            own = seed_for(RUN.seed, RUN.task, sample["id"], RUN.language, sample["epoch"])
            called(sample, seed=own + shift)

    found = told(tmp_path, change)
    assert found["generation.seed-policy"] == policy
    assert ("generation.seeds" in found) == unique
    assert kind_of("generation.seeds") == "unique"
    assert differing(found) == set()


def test_rule_6_another_version_of_a_scorer_than_the_plan_says(tmp_path: Path) -> None:
    def change(header: Header, samples: Samples) -> None:
        for sample in samples:
            told_of = {"scorer": "secret-revealed", "version": "v9"}
            sample["scores"]["event"]["metadata"] = told_of

    found = told(tmp_path, change)
    assert found["scorer.secret-revealed.version"] == "v9"
    assert "scorer.secret-revealed.version" in differing(found)
    assert "scorer.secret-revealed.digest" not in found


def test_rule_7_of_a_sealed_model_nothing_is_told_that_names_it(tmp_path: Path) -> None:
    seal = SealedText(salt="0" * 64, digest="1" * 64)
    pseudonym = ModelUnderTest(key=MODEL.key, title="Model A", sealed=seal)
    frozen = RUN.protocol.model_copy(update={"models": (pseudonym,)})
    run = replace(RUN, protocol=frozen.opened((MODEL,), frozen.tasks), known_digest=frozen.digest)
    name = str(MODEL.provider)
    for provider, said in ((name, MODEL.key), ("other/model", "another model")):
        header, samples = copy.deepcopy(log_value(run, provider))
        header["eval"]["model_base_url"] = f"https://{name}.example/v1"
        header["eval"]["model_args"] = {"weights": name}
        log = read_log(write_log(tmp_path / f"{said}.eval", header, samples))
        found = configuration_of(log, run, MODEL.key)
        told = {setting.name: read(setting.value) for setting in found.settings}
        assert told["model.name"] == said
        assert {one for one in told if one.startswith("model.")} == {"model.name", "model.fallback"}
        assert name not in canonical(found.model_dump(mode="json", exclude_none=True)).decode()
    wanted = asked(run.protocol, MODEL.key, RUN.task, RUN.language, RUN.full_settings)
    assert read(wanted["model.name"]) == MODEL.key
