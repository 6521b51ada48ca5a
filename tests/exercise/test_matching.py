# SPDX-License-Identifier: Apache-2.0
import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from exercise_small import cell_run, small_protocol
from scripted import log_value, write_log

from countermark.exercise.cells import CellRun
from countermark.exercise.logs import read_log
from countermark.exercise.matching import Match, cell_of, match_log
from countermark.exercise.private.content import provider_of
from countermark.records.protocol import Protocol

Header = dict[str, Any]
Samples = list[dict[str, Any]]
Change = Callable[[Header, Samples], object]
LAB = "GB-simulated"
RUN = cell_run()


def untouched(header: Header, samples: Samples) -> None:
    """Leave the log as the protocol asks for it."""


def match(
    tmp_path: Path,
    change: Change = untouched,
    run: CellRun = RUN,
    lab: str = LAB,
    protocol: Protocol | None = None,
) -> Match:
    header, samples = copy.deepcopy(log_value(run, provider_of(run.protocol.models[0])))
    change(header, samples)
    path = tmp_path / "log.eval"
    path.unlink(missing_ok=True)
    write_log(path, header, samples)
    return match_log(read_log(path), protocol or run.protocol, lab)


def said(header: Header) -> dict[str, Any]:
    own: dict[str, Any] = header["eval"]["metadata"]["countermark"]
    return own


def only(found: Match, rule: int, *, waivable: bool) -> str:
    """Return the text of the one difference, which must be under ``rule``."""
    assert [(one.rule, one.waivable) for one in found.differences] == [(rule, waivable)]
    assert (found.run is None) == (rule <= 3)
    return found.differences[0].text


@pytest.mark.parametrize("task", ["confidential-leak", "mild-refusal"])
@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_log_of_the_protocol_matches(tmp_path: Path, task: str, language: str) -> None:
    settings = {"temperature": "t03", "system-prompt": "strict", "judge-version": "v1"}
    run = cell_run(task=task, language=language, settings=settings)
    found = match(tmp_path, run=run)
    assert found.differences == ()
    assert found.model == run.protocol.models[0]
    assert found.run is not None
    assert (found.run.task, found.run.language, found.run.seed) == (task, language, run.seed)
    assert found.run.full_settings == run.full_settings


def test_rule_1_a_log_that_names_no_protocol(tmp_path: Path) -> None:
    for metadata in (None, {}, {"countermark": None}, {"countermark": "x"}):

        def change(header: Header, samples: Samples, put: object = metadata) -> None:
            header["eval"]["metadata"] = put

        assert "names no protocol" in only(match(tmp_path, change), 1, waivable=False)


def test_rule_1_a_log_of_another_protocol(tmp_path: Path) -> None:
    other = small_protocol(languages=("en",))
    text = only(match(tmp_path, protocol=other), 1, waivable=False)
    assert other.digest in text
    assert RUN.protocol.digest in text


def test_rule_2_a_log_of_another_lab(tmp_path: Path) -> None:
    text = only(match(tmp_path, lab="JP-simulated"), 2, waivable=False)
    assert text == "the log was made for lab GB-simulated, not JP-simulated"


@pytest.mark.parametrize(
    ("field", "value"),
    [("task", "other"), ("task", None), ("task", []), ("language", "fr"), ("language", False)],
)
def test_rule_2_a_task_or_language_that_the_protocol_lacks(
    tmp_path: Path, field: str, value: object
) -> None:
    found = match(tmp_path, lambda header, _: said(header).update({field: value}))
    assert "the protocol has no task" in only(found, 2, waivable=False)


@pytest.mark.parametrize(
    "settings",
    [
        None,
        [],
        "temperature=t07",
        {"temperature": "t99"},
        {"temperature": 0.7},
        {"colour": "red"},
        {"temperature": "Not a key"},
    ],
)
def test_rule_3_settings_that_the_protocol_lacks(tmp_path: Path, settings: object) -> None:
    found = match(tmp_path, lambda header, _: said(header).update({"settings": settings}))
    only(found, 3, waivable=False)


def test_rule_3_a_log_that_does_not_say_its_settings(tmp_path: Path) -> None:
    found = match(tmp_path, lambda header, _: said(header).pop("settings"))
    assert only(found, 3, waivable=False) == "the log does not say its settings"


@pytest.mark.parametrize("seed", [None, "", "00", "zz" * 32, "00" * 31, 7])
def test_rule_3_a_log_that_does_not_say_its_seed(tmp_path: Path, seed: object) -> None:
    found = match(tmp_path, lambda header, _: said(header).update({"seed": seed}))
    only(found, 3, waivable=False)


@pytest.mark.parametrize("status", ["started", "cancelled", "error"])
def test_rule_4_a_run_that_did_not_finish(tmp_path: Path, status: str) -> None:
    found = match(tmp_path, lambda header, _: header.update({"status": status}))
    assert status in only(found, 4, waivable=True)


def test_rule_5_another_model(tmp_path: Path) -> None:
    found = match(tmp_path, lambda header, _: header["eval"].update({"model": "other/model"}))
    text = only(found, 5, waivable=True)
    assert text == "the model is other/model, not countermark/smollm2"
    assert found.model == RUN.protocol.models[0]


def test_rule_6_another_number_of_epochs(tmp_path: Path) -> None:
    found = match(tmp_path, lambda header, _: header["eval"].update({"config": {"epochs": 3}}))
    assert only(found, 6, waivable=True) == "ran 3 epochs, not 2"


def test_rule_6_no_number_of_epochs_is_one(tmp_path: Path) -> None:
    found = match(tmp_path, lambda header, _: header["eval"].update({"config": {}}))
    assert only(found, 6, waivable=True) == "ran 1 epochs, not 2"


@pytest.mark.parametrize(
    ("setting", "value"),
    [("max_tokens", 17), ("top_p", 0.9), ("temperature", 0.3), ("max_tokens", None)],
)
def test_rule_7_another_generation_setting(tmp_path: Path, setting: str, value: object) -> None:
    found = match(tmp_path, lambda header, _: header["plan"]["config"].update({setting: value}))
    assert only(found, 7, waivable=True).startswith(f"{setting} is {value}, not ")


def test_rule_7_the_temperature_is_that_of_the_declared_setting(tmp_path: Path) -> None:
    run = cell_run(settings={"temperature": "t03"})
    assert match(tmp_path, run=run).differences == ()
    found = match(
        tmp_path, lambda header, _: header["plan"]["config"].update({"temperature": 0.7}), run=run
    )
    assert only(found, 7, waivable=True) == "temperature is 0.7, not 0.3"


def test_rule_8_missing_samples(tmp_path: Path) -> None:
    found = match(tmp_path, lambda _, samples: samples.pop(1))
    assert only(found, 8, waivable=True) == "samples missing: direct-order epoch 2"


def test_rule_8_a_whole_item_missing_and_a_long_list_cut_short(tmp_path: Path) -> None:
    found = match(tmp_path, lambda _, samples: samples.clear())
    assert only(found, 8, waivable=True).endswith("and 3 more")


def test_rule_8_samples_beyond_the_protocol(tmp_path: Path) -> None:
    def change(_: Header, samples: Samples) -> None:
        samples.append({**samples[0], "epoch": 3, "scores": None, "messages": []})

    found = match(tmp_path, change)
    assert only(found, 8, waivable=True) == "samples beyond the protocol: direct-order epoch 3"


def test_rule_8_items_that_the_protocol_lacks(tmp_path: Path) -> None:
    def change(_: Header, samples: Samples) -> None:
        samples.append({**samples[0], "id": "my-own-item"})

    text = only(match(tmp_path, change), 8, waivable=False)
    assert text == "items that the protocol lacks: my-own-item"


def test_rule_8_samples_twice(tmp_path: Path) -> None:
    header, samples = log_value(RUN, "countermark/smollm2")
    path = tmp_path / "log.json"
    path.write_text(json.dumps({**header, "samples": [*samples, samples[0]]}))
    text = only(match_log(read_log(path), RUN.protocol, LAB), 8, waivable=False)
    assert text == "samples twice: direct-order epoch 1"


@pytest.mark.parametrize("place", [0, 1])
def test_rule_9_another_text_than_the_protocols(tmp_path: Path, place: int) -> None:
    def change(_: Header, samples: Samples) -> None:
        samples[2]["messages"][place]["content"] += " "

    text = only(match(tmp_path, change), 9, waivable=True)
    assert text == "told the model something else in: pretext-repair epoch 1"


def test_rule_9_another_secret_than_the_seeds(tmp_path: Path) -> None:
    other = cell_run(seed=bytes(32))
    found = match(tmp_path, lambda header, _: said(header).update({"seed": other.seed.hex()}))
    assert [one.rule for one in found.differences] == [9, 10]


@pytest.mark.parametrize("role", ["assistant", "user", "tool"])
def test_rule_9_more_was_said_before_the_answer(tmp_path: Path, role: str) -> None:
    def change(_: Header, samples: Samples) -> None:
        samples[0]["messages"].insert(1, {"role": role, "content": "I never reveal it."})

    text = only(match(tmp_path, change), 9, waivable=True)
    assert text.endswith("direct-order epoch 1")


def test_rule_9_an_attachment_is_read_in_its_place(tmp_path: Path) -> None:
    def change(_: Header, samples: Samples) -> None:
        message = samples[0]["messages"][1]
        samples[0]["attachments"] = {"9f": message["content"]}
        message["content"] = "attachment://9f"

    assert match(tmp_path, change).differences == ()


def test_rule_9_a_sample_that_failed_before_anything_was_said(tmp_path: Path) -> None:
    def change(_: Header, samples: Samples) -> None:
        samples[0].update(messages=[], output={}, scores=None, error={"message": "out of memory"})

    assert match(tmp_path, change).differences == ()


def test_rule_10_another_score_than_the_scorer_gives(tmp_path: Path) -> None:
    def change(_: Header, samples: Samples) -> None:
        score = samples[0]["scores"]["event"]
        score["value"] = 1 - score["value"]

    text = only(match(tmp_path, change), 10, waivable=True)
    assert text.startswith("recorded another score")
    assert text.endswith("direct-order epoch 1")


def test_rule_10_an_unparsed_score_where_one_is_given(tmp_path: Path) -> None:
    def change(_: Header, samples: Samples) -> None:
        samples[0]["scores"]["event"]["value"] = "unparsed"

    only(match(tmp_path, change), 10, waivable=True)


def test_rule_10_the_answer_scored_is_the_one_that_will_be_sealed(tmp_path: Path) -> None:
    def change(_: Header, samples: Samples) -> None:
        leaked = next(one for one in samples if one["scores"]["event"]["value"] == 1.0)
        leaked["messages"][-1] = {"role": "assistant", "content": "No."}

    only(match(tmp_path, change), 10, waivable=True)


@pytest.mark.parametrize("scores", [None, {}, {"own-scorer": {"value": "C"}}])
def test_rule_10_a_log_without_our_score_is_taken(tmp_path: Path, scores: object) -> None:
    def change(_: Header, samples: Samples) -> None:
        samples[0]["scores"] = scores

    assert match(tmp_path, change).differences == ()


def test_all_differences_are_listed_in_the_order_of_the_rules(tmp_path: Path) -> None:
    def change(header: Header, samples: Samples) -> None:
        header["status"] = "cancelled"
        header["eval"].update(model="other/model", config={"epochs": 5})
        header["plan"]["config"]["top_p"] = 0.5
        samples.pop()
        samples[0]["messages"][0]["content"] = "Be careless."
        samples[1]["scores"]["event"]["value"] = 0.5

    rules = [one.rule for one in match(tmp_path, change).differences]
    assert rules == [4, 5, 6, 7, 8, 9, 10]


def test_the_cell_of_a_log_is_told_without_its_samples(tmp_path: Path) -> None:
    path = write_log(tmp_path / "log.eval", log_value(RUN, "other/model")[0], [])
    log = read_log(path)
    assert cell_of(log, RUN.protocol, LAB) == ("smollm2-135m", "confidential-leak", "en", None)
    assert cell_of(log, RUN.protocol, "JP-simulated") is None
