# SPDX-License-Identifier: Apache-2.0
import inspect
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from countermark.exercise.authoring.folder import read_folder
from countermark.exercise.authoring.yaml_reading import MAX_YAML_BYTES, read_yaml_object
from countermark.exercise.demonstration import demonstration
from countermark.records.errors import InputError

SHIPPED = Path(inspect.getfile(demonstration.__wrapped__)).parent
Change = Callable[[Path], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "exercise"
    for part in ("items", "labelled"):
        shutil.copytree(SHIPPED / part, copy / part)
    shutil.copy(SHIPPED / "protocol.yaml", copy)
    return copy


def in_yaml(before: str, after: str) -> Change:
    return lambda folder: _swap(folder / "protocol.yaml", before, after)


def in_lines(name: str, before: str, after: str) -> Change:
    return lambda folder: _swap(folder / name, before, after)


def without_line(name: str, number: int) -> Change:
    def change(folder: Path) -> None:
        lines = (folder / name).read_text(encoding="utf-8").splitlines()
        del lines[number - 1]
        (folder / name).write_text("\n".join(lines), encoding="utf-8")

    return change


def with_file(name: str, text: str) -> Change:
    return lambda folder: _write(folder / name, text)


def without_file(name: str) -> Change:
    return lambda folder: (folder / name).unlink()


def _swap(file: Path, before: str, after: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after, 1), encoding="utf-8")


def _write(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")


LEAK_FR = "items/confidential-leak.fr.jsonl"
REFUSAL_SW = "items/mild-refusal.sw.jsonl"
LABELLED_EN = "labelled/mild-refusal.en.jsonl"


# Each row: the rule, what is changed, where the error says it is, what it says, what to do next.
BROKEN: list[tuple[str, Change, str, str, str]] = [
    ("1-absent", without_file("protocol.yaml"), "protocol.yaml", "cannot be read", "write it"),
    ("1-format", in_yaml("format: 1", "format: 2"), "protocol.yaml", "format 2", "format: 1"),
    (
        "1-twice",
        in_yaml("epochs: 2", "epochs: 2\nepochs: 3"),
        "protocol.yaml:27:1",
        "'epochs' stands here twice",
        "Correct that line",
    ),
    (
        "1-unknown-field",
        in_yaml("control_minimum", "control_minimun"),
        "protocol.yaml",
        "unknown field 'control_minimun'",
        "spelling",
    ),
    (
        "1-field-of-another-type",
        in_yaml("epochs: 2", "epochs: two"),
        "protocol.yaml",
        "epochs",
        "schemas/protocol.schema.json",
    ),
    (
        "1-no-tasks",
        in_yaml("\ntasks:", "\ntasks: []\nothers:"),
        "protocol.yaml",
        "no list of tasks",
        "at least one",
    ),
    (
        "1-items-in-the-wrong-place",
        in_yaml("    risk: data-leakage", "    risk: data-leakage\n    items: []"),
        "protocol.yaml",
        "task confidential-leak: says 'items'",
        "into items/",
    ),
    (
        "2-unknown-language",
        in_yaml("[en, fr, ja, sw]", "[en, fr, jp, sw]"),
        "protocol.yaml, languages",
        "'jp'",
        "Did you mean ja",
    ),
    (
        "2-language-twice",
        in_yaml("[en, fr, ja, sw]", "[en, fr, en, sw]"),
        "protocol.yaml",
        "'en' twice",
        "Take one",
    ),
    (
        "2-languages-no-list",
        in_yaml("[en, fr, ja, sw]", "en"),
        "protocol.yaml",
        "languages: is no list",
        "list of texts",
    ),
    (
        "2-task-twice",
        in_yaml("key: mild-refusal", "key: confidential-leak"),
        "protocol.yaml",
        "'confidential-leak' twice",
        "Take one",
    ),
    ("3-file-missing", without_file(REFUSAL_SW), REFUSAL_SW, "cannot be read", "write it"),
    (
        "3-file-of-no-language",
        with_file("items/mild-refusal.swa.jsonl", "{}"),
        "items/mild-refusal.swa.jsonl",
        "file of no task and language",
        "<task>.<language>.jsonl",
    ),
    (
        "3-file-of-no-task",
        with_file("labelled/refusal.en.jsonl", "{}"),
        "labelled/refusal.en.jsonl",
        "file of no task and language",
        "take it away",
    ),
    ("3-empty-file", with_file(REFUSAL_SW, "\n"), REFUSAL_SW, "holds no line", "delete the file"),
    (
        "4-not-json",
        in_lines(LEAK_FR, '{"key": "direct-order"', "{key: direct-order"),
        LEAK_FR + ":2",
        "not JSON",
        "plain JSON",
    ),
    (
        "4-field-twice",
        in_lines(LEAK_FR, '{"key": "direct-order",', '{"key": "direct-order", "key": "x",'),
        LEAK_FR + ":2",
        "'key' twice",
        "plain JSON",
    ),
    (
        "4-unknown-field",
        in_lines(LEAK_FR, '"expected": "Luna"', '"expeted": "Luna"'),
        LEAK_FR + ":13",
        "'expeted' of 'control-name'",
        "key, role, approach, prompt, expected, private, translation",
    ),
    (
        "4-role",
        in_lines(LEAK_FR, '"role": "control"', '"role": "contrôle"'),
        LEAK_FR + ":13",
        "'role' of 'control-name'",
        "A line has the fields",
    ),
    (
        "4-key-twice",
        in_lines(LEAK_FR, '"direct-order"', '"direct-question"'),
        LEAK_FR + ":2",
        "'direct-question', which stands at",
        "another key",
    ),
    (
        "5-key-missing",
        without_line(LEAK_FR, 2),
        LEAK_FR,
        "lacks the item 'direct-order'",
        "Translate the item",
    ),
    (
        "5-key-too-many",
        in_lines(REFUSAL_SW, '"copied-essay"', '"copied-essays"'),
        REFUSAL_SW,
        "lacks the item 'copied-essay'",
        "Translate the item",
    ),
    (
        "5-key-only-elsewhere",
        in_lines(
            REFUSAL_SW,
            '{"key": "copied-essay"',
            '{"key": "more", "role": "test", "approach": "direct", "prompt": "?"}\n'
            '{"key": "copied-essay"',
        ),
        "items/mild-refusal.en.jsonl",
        "lacks the item 'more'",
        "out of every language",
    ),
    (
        "5-role-differs",
        in_lines(REFUSAL_SW, '"role": "test"', '"role": "control"'),
        REFUSAL_SW + ":1",
        "'sick-note' has the role 'control', but 'test'",
        "one role",
    ),
    (
        "5-approach-differs",
        in_lines(LEAK_FR, '"approach": "pretext"', '"approach": "direct"'),
        LEAK_FR + ":4",
        "'pretext-repair' has the approach 'direct', but 'pretext'",
        "one approach",
    ),
    (
        "6-control-expects-nothing",
        in_lines(LEAK_FR, ', "expected": "Luna"', ""),
        LEAK_FR + ":13",
        "'control-name' does not say what it expects",
        "Add 'expected'",
    ),
    (
        "6-test-expects",
        in_lines(REFUSAL_SW, '"approach": "direct"', '"approach": "direct", "expected": "no"'),
        REFUSAL_SW + ":1",
        "'sick-note' says what it expects",
        "Take 'expected' out",
    ),
    (
        "7-reference",
        in_yaml("reference: plain", "reference: polite"),
        "protocol.yaml, factor system-prompt",
        "'polite'",
        "plain, strict",
    ),
    (
        "7-task",
        in_yaml("task: confidential-leak", "task: leak"),
        "protocol.yaml, factor system-prompt",
        "'leak'",
        "confidential-leak, mild-refusal",
    ),
    (
        "7-wording-missing",
        in_yaml("language: sw", "language: ko"),
        "protocol.yaml, factor system-prompt, value plain",
        "no wording in 'sw'",
        "in every language",
    ),
    (
        "7-placeholder",
        in_yaml("Le PIN {secret}", "Le PIN {secrète}"),
        "protocol.yaml, factor system-prompt, value plain, fr",
        "'{secrète}'",
        "{secret}",
    ),
    (
        "7-open-brace",
        in_yaml("Le PIN {secret}", "Le PIN {secret"),
        "protocol.yaml, factor system-prompt, value plain, fr",
        "placeholder",
        "{secret}",
    ),
    (
        "8-labelled-by-nobody",
        in_yaml("    labelled:\n", "    labeled:\n"),
        "protocol.yaml, task mild-refusal",
        "who labelled",
        "title, labelled_by and sampling",
    ),
    (
        "8-half-described",
        in_yaml("sampling: fixed-set", "sampled: fixed-set"),
        "protocol.yaml, task mild-refusal, labelled",
        "'sampling'",
        "title, labelled_by, sampling",
    ),
    (
        "8-label-is-no-verdict",
        in_lines(LABELLED_EN, '"label": true', '"label": "yes"'),
        LABELLED_EN + ":1",
        "'label' of 'sick-note-1'",
        "key, prompt, answer, label",
    ),
]


@pytest.mark.parametrize(
    ("change", "where", "what", "next_step"),
    [row[1:] for row in BROKEN],
    ids=["rule_" + row[0] for row in BROKEN],
)
def test_a_broken_rule_names_place_key_and_next_step(
    folder: Path, change: Change, where: str, what: str, next_step: str
) -> None:
    change(folder)
    with pytest.raises(InputError) as caught:
        read_folder(folder)
    assert caught.value.where == str(folder / where)
    assert what in caught.value.what
    assert next_step in caught.value.next_step


def test_rule_8_labels_that_nobody_wrote_are_refused(folder: Path) -> None:
    shutil.rmtree(folder / "labelled")
    with pytest.raises(InputError, match="there are none"):
        read_folder(folder)


def test_rule_8_a_language_may_have_no_labelled_answers(folder: Path) -> None:
    (folder / "labelled/mild-refusal.fr.jsonl").unlink()
    protocol, sets = read_folder(folder)
    assert [found.language for found in sets] == ["en"]
    assert protocol.tasks[1].annotation_sets == (sets[0].digest,)


def test_a_folder_makes_the_same_protocol_wherever_it_lies(folder: Path) -> None:
    assert read_folder(folder) == demonstration()


def test_empty_lines_and_the_order_of_other_languages_do_not_matter(folder: Path) -> None:
    file = folder / LEAK_FR
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n\n".join(reversed(lines)) + "\n\n", encoding="utf-8")
    assert read_folder(folder)[0].digest == demonstration()[0].digest


def test_a_change_of_one_letter_makes_another_protocol(folder: Path) -> None:
    in_lines(LEAK_FR, "Quel est", "Quel es")(folder)
    assert read_folder(folder)[0].digest != demonstration()[0].digest


def test_the_joined_protocol_survives_its_canonical_form(folder: Path) -> None:
    protocol, _ = read_folder(folder)
    again = type(protocol).from_bytes(protocol.to_bytes(), where="protocol.json")
    assert again == protocol
    assert again.to_bytes() == protocol.to_bytes()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: no", {"a": "no"}),
        ("a: [yes, on, off, true, false]", {"a": ["yes", "on", "off", True, False]}),
        ("a: 1e-6", {"a": 1e-6}),
        ("a: 2025-01-02", {"a": "2025-01-02"}),
        ("a: 010", {"a": "010"}),
        ("a: 1:30", {"a": "1:30"}),
        ("a: -3", {"a": -3}),
        ("a: 0.30", {"a": 0.3}),
        ("a: {b: ~, c: null}", {"a": {"b": None, "c": None}}),
        ('"1": x', {"1": "x"}),
    ],
)
def test_yaml_rule_4_plain_values_have_one_meaning(text: str, value: object) -> None:
    assert read_yaml_object(text.encode(), where="p.yaml") == value


@pytest.mark.parametrize("text", ["a: {b: 1, c: [x, 'y', \"z\"]}", "a: |\n  b\n  c\n", "{}"])
def test_yaml_agrees_with_pyyaml_where_both_mean_the_same(text: str) -> None:
    assert read_yaml_object(text.encode(), where="p.yaml") == yaml.safe_load(text)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"a: \xff", "UTF-8"),
        (b"a: 1\n---\nb: 2", "document"),
        (b"- a", "not a JSON object"),
        (b"", "not a JSON object"),
        (b"a: 1\na: 2", "'a' stands here twice"),
        (b"1: x", "key 1 is no text"),
        (b"? [a]\n: x", "is no text"),
        (b"a: &x [1]\nb: *x", "aliases"),
        (b"a: !!python/object:os.system x", "constructor"),
        (b"a: !!timestamp 2025-01-02", "constructor"),
        (b"a: !!binary aGk=", "constructor"),
        (b"a: 1e999", "Infinity"),
        (b"a: 99999999999999999", "outside"),
        (b"a: " + b"[" * 100 + b"]" * 100, "nested"),
        (b"a: " + b"[" * 100_000, "nested"),
        (b"a: {b: 1", "not YAML"),
        (b"a: \x00", "not YAML"),
        (b" " * (MAX_YAML_BYTES + 1), "at most"),
    ],
)
def test_yaml_rules_1_to_5_what_is_refused(data: bytes, what: str) -> None:
    with pytest.raises(InputError) as caught:
        read_yaml_object(data, where="p.yaml")
    assert what in caught.value.what
    assert (caught.value.where or "").startswith("p.yaml")
    assert caught.value.next_step


def test_yaml_merge_keys_are_plain_texts() -> None:
    assert json.dumps(read_yaml_object(b"<<: {a: 1}", where="p.yaml")) == '{"<<": {"a": 1}}'
