# SPDX-License-Identifier: Apache-2.0
import hashlib
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from documented_folder import documented_folder

from countermark.exercise.authoring.folder import Authored, read_authored, read_folder
from countermark.exercise.authoring.freezing import freeze_authored
from countermark.exercise.cells import CellRun
from countermark.exercise.private.content import (
    PrivatePart,
    check_open,
    open_private,
    private_items,
    prompt_of,
    provider_of,
)
from countermark.exercise.private.files import given_part, read_private
from countermark.exercise.private.sealing import Sealing, seal_private
from countermark.exercise.protocol.checks import check_protocol
from countermark.records.canonical import canonical
from countermark.records.errors import CountermarkError, InputError, UsageError, VerificationError
from countermark.records.protocol import Item, Protocol, Task

SECRETS = ("rival", "openai/example-model", "1" * 64)


@pytest.fixture
def authored(tmp_path: Path) -> Authored:
    return read_authored(documented_folder(tmp_path / "exercise"))


@pytest.fixture
def sealing(authored: Authored) -> Sealing:
    return sealed(authored)


def sealed(authored: Authored, earlier: PrivatePart | None = None) -> Sealing:
    return seal_private(authored.protocol, authored.private_models, authored.private_items, earlier)


def part_of(sealing: Sealing) -> PrivatePart:
    assert sealing.part is not None
    return sealing.part


def changed(part: PrivatePart, change: Callable[[Any], None]) -> PrivatePart:
    value = json.loads(part.to_bytes())
    change(value)
    return PrivatePart.from_bytes(json.dumps(value).encode(), where="private.json")


def private_item(protocol: Protocol) -> tuple[Task, Item]:
    task = protocol.tasks[0]
    return task, next(item for item in task.items if item.key == "false-review")


def test_what_is_private_is_not_in_the_frozen_protocol(sealing: Sealing) -> None:
    published = sealing.protocol.to_bytes().decode()
    assert not any(secret in published for secret in SECRETS)
    assert all(secret in part_of(sealing).to_bytes().decode() for secret in SECRETS)
    assert Protocol.from_bytes(sealing.protocol.to_bytes(), where="p.json") == sealing.protocol


def test_a_seal_is_a_salted_digest_of_the_content(sealing: Sealing) -> None:
    opening = next(one for one in part_of(sealing).texts if one.language == "en")
    content = canonical(opening.content.model_dump(mode="json", exclude_none=True))
    digest = hashlib.sha256(b"\0" + bytes.fromhex(opening.salt) + content).hexdigest()
    task, item = private_item(sealing.protocol)
    text = item.text("en")
    assert text is not None
    assert text.sealed is not None
    assert (text.sealed.salt, text.sealed.digest) == (opening.salt, digest)
    assert (opening.task, opening.item) == (task.key, item.key)


def test_the_content_of_a_seal_cannot_be_guessed_from_what_is_published(
    authored: Authored,
) -> None:
    # The salt is published, so equal content under an equal salt must still give another seal.
    fixed = iter([b"\1" * 32, b"\2" * 32, b"\3" * 32, b"\2" * 32])
    models = [
        seal_private(authored.protocol, ["model-a"], [], draw=lambda _: next(fixed)).protocol.models
        for _ in range(2)
    ]
    first, second = (model[0].sealed for model in models)
    assert first is not None
    assert second is not None
    assert first.salt == second.salt
    assert first.digest != second.digest


def test_every_seal_has_salt_and_blinding_of_its_own(sealing: Sealing) -> None:
    openings = part_of(sealing).openings
    drawn = [one.salt for one in openings] + [one.content.blinding for one in openings]
    assert len(set(drawn)) == len(drawn) == 6


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"{}", "no private part"),
        (b"[]", "not a JSON object"),
        (b'{"format": "countermark-private-part", "format": 1}', "twice"),
        (b" " * (64 * 1024 * 1024 + 1), "at most"),
    ],
)
def test_rule_1_what_is_no_private_part_is_refused(data: bytes, what: str) -> None:
    with pytest.raises(InputError) as caught:
        PrivatePart.from_bytes(data, where="private.json")
    assert what in caught.value.what
    assert caught.value.where == "private.json"


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value.update(more=1),
        lambda value: value.update(version=2),
        lambda value: value.update(format="other"),
        lambda value: value["models"][0].update(salt="00"),
        lambda value: value["texts"][0]["content"].update(answer="x"),
        lambda value: value["texts"][0]["content"].pop("blinding"),
    ],
)
def test_rule_1_other_fields_and_forms_are_refused(
    sealing: Sealing, change: Callable[[Any], None]
) -> None:
    with pytest.raises(InputError, match="no private part"):
        changed(part_of(sealing), change)


def test_rule_2_the_part_of_another_protocol_is_refused(
    authored: Authored, sealing: Sealing
) -> None:
    with pytest.raises(InputError, match="private part of the protocol sha256:"):
        open_private(sealed(authored).protocol, part_of(sealing))


@pytest.mark.parametrize(
    ("change", "kind", "what", "where"),
    [
        (
            lambda value: value["models"].clear(),
            InputError,
            "lacks what this seal seals",
            "private part, model model-a",
        ),
        (
            lambda value: value["texts"].pop(),
            InputError,
            "lacks what this seal seals",
            "private part, fraud-advice/false-review in fr",
        ),
        (
            lambda value: value["texts"].append(value["texts"][0]),
            InputError,
            "opens a seal twice",
            "private part, fraud-advice/false-review in en",
        ),
        (
            lambda value: value["texts"].append(value["texts"][0] | {"item": "sick-note"}),
            InputError,
            "opens a seal that the protocol lacks",
            "private part, fraud-advice/sick-note in en",
        ),
        (
            lambda value: value["texts"][0]["content"].update(prompt="Something else."),
            VerificationError,
            "is not what the protocol sealed",
            "private part, fraud-advice/false-review in en",
        ),
        (
            lambda value: value["models"][0].update(salt="0" * 64),
            VerificationError,
            "is not what the protocol sealed",
            "private part, model model-a",
        ),
    ],
)
def test_rule_3_each_seal_is_opened_once_and_nothing_else(
    sealing: Sealing,
    change: Callable[[Any], None],
    kind: type[CountermarkError],
    what: str,
    where: str,
) -> None:
    with pytest.raises(kind) as caught:
        open_private(sealing.protocol, changed(part_of(sealing), change))
    assert (caught.value.what, caught.value.where) == (what, where)


def test_rule_4_an_opened_protocol_is_what_was_written(
    authored: Authored, sealing: Sealing
) -> None:
    opened = open_private(sealing.protocol, part_of(sealing))
    assert opened.tasks == authored.protocol.tasks
    assert opened.models == authored.protocol.models
    check_open(opened)
    check_protocol(opened, where="opened")


def test_rule_4_an_opened_protocol_is_still_the_frozen_document(sealing: Sealing) -> None:
    opened = open_private(sealing.protocol, part_of(sealing))
    assert opened.digest == sealing.protocol.digest
    assert opened.to_bytes() == sealing.protocol.to_bytes()
    assert opened.frozen == sealing.protocol
    assert private_items(opened) == private_items(sealing.protocol) == {"false-review"}
    run = CellRun(opened, "fraud-advice", "en", "SG-lab", (), bytes(32))
    assert run.metadata()["protocol"] == sealing.protocol.digest
    text = run.item("false-review").text("en")
    assert text is not None
    assert "rival" in prompt_of(text, "false-review")


def test_rule_4_files_are_sealed_with_the_item_and_are_the_same_in_each_language(
    authored: Authored,
) -> None:
    whole = seal_private(authored.protocol, [], [("errand", "summary")])
    assert whole.protocol.tasks[1].items[0].files is None
    opened = open_private(whole.protocol, part_of(whole))
    assert opened.tasks == authored.protocol.tasks

    other = authored.protocol.tasks[1].items[0].model_copy(update={"files": None})
    mixed = part_of(whole).model_copy(
        update={
            "texts": (
                part_of(whole).texts[0],
                *part_of(
                    seal_private(_with_item(authored, other), [], [("errand", "summary")])
                ).texts[1:],
            )
        }
    )
    seals = [one.seal for one in mixed.texts]
    frozen = _with_seals(whole.protocol, seals)
    part = mixed.model_copy(update={"protocol": frozen.digest})
    with pytest.raises(VerificationError, match="other files in another language"):
        open_private(frozen, part)


def _with_item(authored: Authored, item: Item) -> Protocol:
    task = authored.protocol.tasks[1]
    tasks = (authored.protocol.tasks[0], task.model_copy(update={"items": (item, *task.items[1:])}))
    return authored.protocol.model_copy(update={"tasks": tasks})


def _with_seals(protocol: Protocol, seals: list[Any]) -> Protocol:
    task = protocol.tasks[1]
    item = task.items[0]
    texts = tuple(
        text.model_copy(update={"sealed": seal})
        for text, seal in zip(item.texts, seals, strict=True)
    )
    items = (item.model_copy(update={"texts": texts}), *task.items[1:])
    tasks = (protocol.tasks[0], task.model_copy(update={"items": items}))
    return protocol.model_copy(update={"tasks": tasks})


def test_without_the_private_part_what_is_asked_for_says_where_to_get_it(
    sealing: Sealing,
) -> None:
    _, item = private_item(sealing.protocol)
    for ask in (
        lambda: provider_of(sealing.protocol.models[0]),
        lambda: prompt_of(item.texts[0], "fraud-advice/false-review"),
        lambda: check_open(sealing.protocol),
    ):
        with pytest.raises(InputError) as caught:
            ask()
        assert "--private FILE" in caught.value.next_step


def test_sealing_rule_2_the_same_folder_with_the_same_part_is_the_same_protocol(
    authored: Authored, sealing: Sealing
) -> None:
    assert sealed(authored).protocol.digest != sealing.protocol.digest
    again = sealed(authored, part_of(sealing))
    assert again.protocol.digest == sealing.protocol.digest
    assert again.part == sealing.part


def test_sealing_rule_2_a_changed_text_has_a_new_seal_and_the_others_keep_theirs(
    tmp_path: Path, sealing: Sealing
) -> None:
    folder = documented_folder(tmp_path / "changed")
    file = folder / "items/fraud-advice.fr.csv"
    file.write_text(file.read_text("utf-8").replace("mon rival", "mon voisin"), "utf-8")
    again = sealed(read_authored(folder), part_of(sealing))
    _, before = private_item(sealing.protocol)
    _, after = private_item(again.protocol)
    assert before.texts[0] == after.texts[0]
    assert before.texts[1].sealed != after.texts[1].sealed
    assert before.texts[1].sealed is not None
    assert after.texts[1].sealed is not None
    assert before.texts[1].sealed.salt != after.texts[1].sealed.salt


def test_sealing_rule_3_key_role_approach_and_translation_stay_in_the_open(
    authored: Authored, sealing: Sealing
) -> None:
    _, before = private_item(authored.protocol)
    _, after = private_item(sealing.protocol)
    for field in ("key", "role", "approach"):
        assert getattr(before, field) == getattr(after, field)
    assert [one.translation for one in before.texts] == [one.translation for one in after.texts]
    assert sealing.protocol.models[0].title == "Model A"


def test_a_folder_without_private_content_has_no_private_part(authored: Authored) -> None:
    assert seal_private(authored.protocol, [], []) == Sealing(authored.protocol, None)


def test_freezing_rule_1_private_content_needs_a_place(authored: Authored, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="private items or pseudonymous models"):
        freeze_authored(authored, None)
    with pytest.raises(InputError, match="private items or pseudonymous models"):
        read_folder(tmp_path / "exercise")


def test_freezing_rule_1_a_place_needs_private_content(tmp_path: Path) -> None:
    folder = documented_folder(tmp_path / "open")
    for name, marks in (
        ("protocol.yaml", ("    pseudonym: true\n",)),
        ("items/fraud-advice.en.jsonl", (', "private": true',)),
        ("items/fraud-advice.fr.csv", ("rival.,true,,",)),
    ):
        text = (folder / name).read_text("utf-8")
        for mark in marks:
            assert mark in text
            text = text.replace(mark, "rival.,,," if "rival" in mark else "")
        (folder / name).write_text(text, "utf-8")
    with pytest.raises(UsageError, match="nothing private"):
        freeze_authored(read_authored(folder), tmp_path / "private.json")
    assert not (tmp_path / "private.json").exists()


def test_freezing_rule_2_the_private_part_is_its_owners_only(
    authored: Authored, tmp_path: Path
) -> None:
    path = tmp_path / "private.json"
    protocol = freeze_authored(authored, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert open_private(protocol, given_part(path)).tasks == authored.protocol.tasks


def test_freezing_rule_3_nothing_that_a_part_opens_is_lost(
    authored: Authored, tmp_path: Path
) -> None:
    path = tmp_path / "private.json"
    first = freeze_authored(authored, path)
    assert freeze_authored(authored, path).digest == first.digest
    assert len(list(tmp_path.glob("private*.json"))) == 1
    other = authored.protocol.model_copy(update={"title": "Another title"})
    second = freeze_authored(
        Authored(other, (), authored.private_models, authored.private_items), path
    )
    kept = tmp_path / f"private-{first.digest[7:19]}.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert open_private(first, given_part(kept)).digest == first.digest
    assert open_private(second, given_part(path)).digest == second.digest
    assert [one.sealed for one in first.models] == [one.sealed for one in second.models]


def test_a_private_part_that_is_not_there_says_so(tmp_path: Path) -> None:
    assert read_private(tmp_path / "absent.json") is None
    with pytest.raises(InputError, match="is no file"):
        given_part(tmp_path / "absent.json")
