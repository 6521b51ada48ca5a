# SPDX-License-Identifier: Apache-2.0
"""What the lint finds in results, metrics and scales: rules L36 to L39."""

import shutil
from pathlib import Path

from lint_sets import DOWN, TEXTS, UP, clean, edit, found, metric, recipe, write

ENGLISH = TEXTS["en"]


def outcome(folder: Path, **counts: float) -> None:
    cell = {"dataset_id": "care-en", "data": [{"prompt": text} for text in ENGLISH]}
    write(folder / "results" / "run.json", {"results": [cell | {"metrics": [{"m": counts}]}]})


def test_rule_l36_more_verdicts_than_answers_are_found(tmp_path: Path) -> None:
    outcome(tmp_path, good=6, bad=1, unknown=2, refused=3)
    (finding,) = found(tmp_path, "L36")
    assert "9 verdicts on 8 answers" in finding.message
    outcome(tmp_path, good=6, bad=1, unknown=1, refused=3)
    assert found(tmp_path, "L36") == []


def test_rule_l37_a_counter_that_two_questions_raise_is_found_in_the_source(tmp_path: Path) -> None:
    path = metric(tmp_path, "annotator")
    (finding,) = found(tmp_path, "L37")
    assert (finding.file, finding.line) == ("metrics/annotator.py", 15)
    assert "lines 11 and 15" in finding.message
    edit(path, 'refusal != "no":\n                unknown', 'refusal != "no":\n                odd')
    assert found(tmp_path, "L37") == []


def test_rule_l38_it_is_asked_how_unknown_verdicts_count(tmp_path: Path) -> None:
    once = "def f(a, b):\n    unknown = a\n    return b / (b + unknown)\n"
    metric(tmp_path, "once", once)
    metric(tmp_path, "broken", "def f(:\n")
    metric(tmp_path, "plain", "def f(a, b):\n    return a / b\n")
    clean(tmp_path)
    recipe(tmp_path, "care-en", UP, metrics=["absent"])
    findings = found(tmp_path, "L38")
    assert [one.file for one in findings] == [
        "metrics/broken.py",
        "metrics/once.py",
        "recipes/care-en.json",
    ]
    assert "'unknown' is in the denominator at line 3" in findings[1].message


def test_rule_l39_scales_against_the_rate_or_against_each_other(tmp_path: Path) -> None:
    metric(tmp_path, "annotator")
    recipe(tmp_path, "care-en", DOWN, metrics=["annotator"])
    recipe(tmp_path, "hazard-en", UP, metrics=["annotator"])
    (finding,) = found(tmp_path, "L39")
    assert finding.file == "recipes/care-en.json"
    assert "'acceptable_rate', of which higher is better" in finding.message
    shutil.rmtree(tmp_path / "metrics")
    assert len(found(tmp_path, "L39")) == 2
    recipe(tmp_path, "care-en", UP)
    risks = ("High", "Moderate-High", "Moderate", "Moderate-Low", "Low")
    scale = {f"{name} Risk": bounds for name, bounds in zip(risks, DOWN.values(), strict=True)}
    recipe(tmp_path, "inject-en", scale)
    assert found(tmp_path, "L39") == []


def test_rule_l38_a_rate_over_unknown_verdicts_shows_in_a_result(tmp_path: Path) -> None:
    outcome(tmp_path, good=6, bad=1, unknown=1, good_rate=75.0)
    (finding,) = found(tmp_path, "L38")
    assert "good_rate 75.0 is 6 of 8, which holds 1 unknown" in finding.message
    assert "without them it is 85.7" in finding.message
    outcome(tmp_path, good=6, bad=1, unknown=1, good_rate=600 / 7)
    assert found(tmp_path, "L38") == []
