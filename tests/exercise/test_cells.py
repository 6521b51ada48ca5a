# SPDX-License-Identifier: Apache-2.0
import pytest
from exercise_small import SEED, cell_run, small_protocol

from countermark.exercise.cells import full_settings, planned_keys
from countermark.records.errors import InputError
from countermark.records.protocol import FactorSetting

PROTOCOL = small_protocol()
REFERENCE = {"temperature": "t07", "system-prompt": "plain", "judge-version": "v2"}


def test_settings_not_declared_are_the_reference_in_the_protocols_order() -> None:
    declared = (
        FactorSetting(factor="judge-version", value="v1"),
        FactorSetting(factor="temperature", value="t03"),
    )
    full = full_settings(PROTOCOL, declared)
    assert [(one.factor, one.value) for one in full] == [
        ("temperature", "t03"),
        ("system-prompt", "plain"),
        ("judge-version", "v1"),
    ]
    assert full_settings(PROTOCOL, full) == full
    assert {one.factor: one.value for one in full_settings(PROTOCOL, ())} == REFERENCE


@pytest.mark.parametrize(
    ("pairs", "text"),
    [
        ([("colour", "red")], "no factor 'colour'"),
        ([("temperature", "t99")], "no value 't99' of the factor temperature"),
        ([("temperature", "t03"), ("temperature", "t03")], "declared twice"),
    ],
)
def test_settings_that_the_protocol_lacks_are_refused(
    pairs: list[tuple[str, str]], text: str
) -> None:
    declared = tuple(FactorSetting(factor=factor, value=value) for factor, value in pairs)
    with pytest.raises(InputError, match=text) as caught:
        full_settings(PROTOCOL, declared)
    assert "temperature" in caught.value.next_step or "t03" in caught.value.next_step


@pytest.mark.parametrize(("task", "language"), [("other", "en"), ("mild-refusal", "fr")])
def test_a_task_or_language_that_the_protocol_lacks_is_refused(task: str, language: str) -> None:
    with pytest.raises(InputError, match=r"the protocol has no (task|language)") as caught:
        cell_run(task=task, language=language)
    assert "Use one of" in caught.value.next_step


def test_a_cell_knows_its_items() -> None:
    run = cell_run()
    assert run.item("direct-order").key == "direct-order"
    assert run.definition.key == "confidential-leak"
    with pytest.raises(InputError, match="has no item 'sick-note'"):
        run.item("sick-note")


def test_the_metadata_says_what_an_import_needs() -> None:
    assert cell_run(settings={"temperature": "t03"}).metadata() == {
        "protocol": PROTOCOL.digest,
        "task": "confidential-leak",
        "language": "en",
        "lab": "GB-simulated",
        "settings": {**REFERENCE, "temperature": "t03"},
        "seed": SEED.hex(),
    }


def test_planned_keys_are_every_item_of_every_cell_once() -> None:
    keys = list(planned_keys(PROTOCOL))
    assert len(keys) == len(set(map(str, keys))) == (4 + 3) * 2 * 2
    assert [(key.task, key.language) for key in keys[::8]][:2] == [
        ("confidential-leak", "en"),
        ("confidential-leak", "ja"),
    ]
    assert {key.epoch for key in keys} == {1, 2}


def test_planned_keys_pass_over_items_without_a_translation() -> None:
    task = PROTOCOL.tasks[0]
    texts = tuple(text for text in task.items[0].texts if text.language != "ja")
    item = task.items[0].model_copy(update={"texts": texts})
    protocol = PROTOCOL.model_copy(
        update={"tasks": (task.model_copy(update={"items": (item, *task.items[1:])}),)}
    )
    keys = list(planned_keys(protocol))
    assert len(keys) == 4 * 2 + 3 * 2
    assert not [key for key in keys if (key.item, key.language) == (item.key, "ja")]
