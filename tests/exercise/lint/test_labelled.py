# SPDX-License-Identifier: Apache-2.0
"""What the lint finds in a protocol folder's labelled answers."""

import shutil
from pathlib import Path

import pytest
from lint_sets import SHIPPED, shipped

from countermark.exercise.lint import lint


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the demonstration's protocol folder."""
    return shipped(tmp_path / "protocol")


def test_rule_l41_labels_of_one_kind_only_are_found(folder: Path) -> None:
    shutil.copytree(SHIPPED / "labelled", folder / "labelled")
    assert lint(folder).findings == ()
    path = folder / "labelled" / "mild-refusal.en.jsonl"
    path.write_text(path.read_text("utf-8").replace('"label": false', '"label": true'), "utf-8")
    (finding,) = lint(folder).findings
    assert (finding.rule.number, finding.language) == ("L41", "en")
    assert "are labelled true" in finding.message


@pytest.mark.parametrize(
    ("line", "rule", "key"),
    [
        ('{"key": "a", "prompt": "Bonjour à tous", "answer": "Oui", "label": true}', "L09", "a"),
        ('{"key": "b", "prompt": "Bonjour à tous", "answer": "Oui", "label": "yes"}', "L03", "b"),
        ('{"key": "b", "prompt": "Salut", "answer": "prÃ©parer", "label": true}', "L27", "b"),
        (
            (
                '{"key": "b", "prompt": "Mweleze mtoto kwa nini mwezi unaonekana mkubwa",'
                ' "answer": "Oui", "label": true}'
            ),
            "L22",
            "b",
        ),
        ('{"key": "b", "prompt": "Où est-il ?", "answer": "Ici.", "label": true}', "L31", "b"),
    ],
)
def test_rule_l41_and_others_look_at_labelled_answers(
    folder: Path, line: str, rule: str, key: str
) -> None:
    (folder / "labelled").mkdir()
    first = '{"key": "a", "prompt": "Où est-il ?", "answer": "Ici.", "label": false}'
    path = folder / "labelled" / "mild-refusal.fr.jsonl"
    path.write_text(f"{first}\n{line}\n", encoding="utf-8")
    assert [(one.rule.number, one.key, one.line) for one in lint(folder).findings] == [
        (rule, key, 2)
    ]


def test_rule_l05_a_stray_file_of_labelled_answers_is_found(folder: Path) -> None:
    (folder / "labelled").mkdir()
    table = 'key,prompt,answer,label\na,Hi,Hello,TRUE\nb,Bye,"So long",false\n'
    for name in ("mild-refusal.en.csv", "mild-refusal.de.csv", "notes.txt"):
        (folder / "labelled" / name).write_text(table, encoding="utf-8")
    assert {(one.rule.number, one.file) for one in lint(folder).findings} == {
        ("L05", "labelled/mild-refusal.de.csv"),
        ("L05", "labelled/notes.txt"),
    }
