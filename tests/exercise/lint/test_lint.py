# SPDX-License-Identifier: Apache-2.0
"""What lies under the rules: tolerant reading, detection, near texts, alignment, fixes, SARIF."""

import csv
import io
import json
import os
import random
import shutil
import stat
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lint_sets import ANNOTATOR, CHAT, TEXTS, clean, dataset, defective, found, recipe, rows, write
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from countermark.exercise.demonstration import demonstration
from countermark.exercise.lint import detection, lint, read, scripts
from countermark.exercise.lint.alignment import align
from countermark.exercise.lint.fixing import fix
from countermark.exercise.lint.moonshot import split_names
from countermark.exercise.lint.neighbours import NEAR, SHINGLE, near_pairs
from countermark.exercise.lint.reporting import report_value, sarif
from countermark.exercise.lint.tolerant import (
    MAX_FILE_BYTES,
    Faults,
    read_document,
    read_json_lines,
    read_table,
)
from countermark.exercise.lint.wording import printable
from countermark.records.errors import InputError

SHIPPED = Path(demonstration.__wrapped__.__code__.co_filename).parent
TEXT = st.text(st.characters(codec="utf-8"), max_size=30)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(TEXT, VALUES, max_size=4)

# The part of the schema of SARIF 2.1.0 (OASIS) that these files use, by its sections 3.13 to 3.28.
SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "$schema": {"type": "string", "format": "uri"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "additionalProperties": False,
                "properties": {
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name"],
                                "properties": {
                                    "rules": {
                                        "type": "array",
                                        "uniqueItems": True,
                                        "items": {
                                            "type": "object",
                                            "required": ["id"],
                                            "properties": {
                                                "shortDescription": {"required": ["text"]},
                                                "defaultConfiguration": {
                                                    "properties": {
                                                        "level": {
                                                            "enum": ["error", "warning", "note"]
                                                        }
                                                    }
                                                },
                                            },
                                        },
                                    }
                                },
                            }
                        },
                    },
                    "results": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["message", "ruleId", "ruleIndex", "level", "locations"],
                            "additionalProperties": False,
                            "properties": {
                                "ruleId": {"type": "string"},
                                "ruleIndex": {"type": "integer", "minimum": 0},
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "message": {
                                    "required": ["text"],
                                    "properties": {"text": {"type": "string"}},
                                },
                                "properties": {"type": "object"},
                                "locations": {
                                    "type": "array",
                                    "items": {
                                        "type": "object",
                                        "additionalProperties": False,
                                        "properties": {
                                            "physicalLocation": {
                                                "required": ["artifactLocation"],
                                                "properties": {
                                                    "artifactLocation": {
                                                        "properties": {
                                                            "uri": {"pattern": "^[!-~]+$"}
                                                        }
                                                    },
                                                    "region": {
                                                        "properties": {
                                                            "startLine": {
                                                                "type": "integer",
                                                                "minimum": 1,
                                                            }
                                                        }
                                                    },
                                                },
                                            },
                                            "logicalLocations": {"type": "array"},
                                        },
                                    },
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}


@given(st.lists(OBJECTS, max_size=4), OBJECTS)
def test_what_strict_json_holds_is_read_as_it_is(listed: list[object], more: dict) -> None:  # type: ignore[type-arg]
    value = more | {"examples": listed}
    text = json.dumps(value, ensure_ascii=False, indent=2)
    faults = Faults("x")
    fields, elements = read_document(text, faults)
    assert fields == value
    assert faults.found == []
    assert [element.value for element in elements["examples"]] == listed
    for element in elements["examples"]:
        assert json.loads(text[element.start : element.end]) == element.value
        assert text[: element.start].count("\n") + 1 == element.line


@given(st.lists(OBJECTS, max_size=4))
def test_lines_are_read_as_they_are(listed: list[object]) -> None:
    text = "".join(json.dumps(value) + "\n" for value in listed)
    faults = Faults("x")
    assert [element.value for element in read_json_lines(text, faults)] == listed
    assert faults.found == []


@given(st.lists(st.tuples(TEXT, TEXT).filter(any), max_size=4))
def test_a_table_is_read_as_it_is(listed: list[tuple[str, str]]) -> None:
    file = io.StringIO()
    csv.writer(file).writerows([("key", "prompt"), *listed])
    faults = Faults("x")
    read_back = [element.value for element in read_table(file.getvalue(), faults)]
    if "\0" not in file.getvalue():
        assert [(v.get("key", ""), v.get("prompt", "")) for v in read_back] == listed


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda b: b.decode("latin-1")))
@settings(max_examples=300)
def test_no_text_makes_a_reader_fail(text: str) -> None:
    read_document(text, Faults("x"))
    list(read_json_lines(text, Faults("x")))
    list(read_table(text, Faults("x")))


@given(st.integers(0, 400), st.sampled_from(["", "{", "]", '"', "\\", "\x00", "\ud800", "NaN"]))
def test_a_cut_or_broken_file_keeps_what_came_before(place: int, mark: str) -> None:
    text = json.dumps({"name": "x", "examples": rows(TEXTS["en"])}, indent=1)
    whole = read_document(text, Faults("x"))[1]["examples"]
    faults = Faults("x")
    place = min(place, len(text))
    _, elements = read_document(text[:place] + mark, faults)
    kept = [element for element in elements.get("examples", []) if element.end <= place]
    assert kept == [element for element in whole if element.end <= place]
    assert faults.found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"examples": ' + "[" * 100_000, "nested too deep"),
        ('{"a": ' + "1" * 500 + "}", "too many digits"),
        ('{"a": NaN}', "holds NaN"),
        ('{"a": 1} {"b": 2}', "something stands after the end"),
        ("[1, 2]", "an object should begin here"),
        ("", "an object should begin here"),
    ],
)
def test_hostile_documents_are_faults(text: str, said: str) -> None:
    faults = Faults("x")
    read_document(text, faults)
    assert said in faults.found[0].message


def test_a_file_that_is_too_large_and_one_that_is_none_are_faults(tmp_path: Path) -> None:
    clean(tmp_path)
    large = tmp_path / "datasets" / "large-en.json"
    with large.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    os.mkfifo(tmp_path / "datasets" / "pipe-en.json")
    (tmp_path / "datasets" / "loop-en.json").symlink_to("loop-en.json")
    messages = {one.file: one.message for one in found(tmp_path, "L01")}
    assert "is larger than" in messages["datasets/large-en.json"]
    assert messages["datasets/pipe-en.json"] == "is no file"
    assert messages["datasets/loop-en.json"] == "is a link"


def test_a_folder_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    clean(tmp_path)
    for place in range(5):
        with (tmp_path / "datasets" / f"big{place}-en.json").open("wb") as file:
            file.truncate(MAX_FILE_BYTES - 1)
    with pytest.raises(InputError, match="are looked at together"):
        lint(tmp_path)


@pytest.mark.parametrize(
    "mark", ["a", "A", "1", "!", "?", "@", "{", "<", "\\t ", "é", "Ã", "%", "`"]
)
def test_a_long_run_of_one_character_costs_no_more_than_its_length(
    tmp_path: Path, mark: str
) -> None:
    # Were any of the patterns to look back over a run, these would take hours.
    run = mark * 300_000
    for language in ("en", "fr", "yue"):
        examples = rows([*TEXTS["en"], f"{run} @ {{x}} a"], target=[*"abcdefgh", f"{run}a"])
        examples[8]["id"] = f"x{run}a!"
        more = {"name": run, "description": run, "reference": run}
        dataset(tmp_path, f"care-{language}", examples, **more)
    assert lint(tmp_path).items == 27


def test_metrics_are_read_and_never_run(tmp_path: Path) -> None:
    clean(tmp_path)
    (tmp_path / "metrics").mkdir()
    hostile = f"open({str(tmp_path / 'ran')!r}, 'w')\n{ANNOTATOR}"
    (tmp_path / "metrics" / "hostile.py").write_text(hostile, encoding="utf-8")
    (tmp_path / "metrics" / "deep.py").write_text("(" * 5000, encoding="utf-8")
    (tmp_path / "metrics" / "null.py").write_text("\0", encoding="utf-8")
    assert len(found(tmp_path, "L37")) == 1
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["absent", "empty", "text.txt"])
def test_what_is_nothing_to_lint_is_an_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.txt").write_text("x", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        lint(tmp_path / name)
    assert "protocol folder" in caught.value.next_step


def test_single_files_and_tables_can_be_linted(tmp_path: Path) -> None:
    path = dataset(tmp_path, "care-kw", rows(TEXTS["sw"]))
    assert [one.rule.number for one in lint(path).findings] == ["L21"]
    table = tmp_path / "care.fr.csv"
    header = "key,role,approach,prompt\n"
    table.write_text(header + 'a,test,direct,"Bonjour, ça va ?"\na,test,direct,Oui\n', "utf-8")
    report = lint(table)
    assert [(one.rule.number, one.line) for one in report.findings] == [("L09", 3)]
    assert report.languages == ("fr",)


def test_several_files_of_one_folder_are_held_against_each_other(tmp_path: Path) -> None:
    clean(tmp_path)
    paths = [tmp_path / "datasets" / f"care-{language}.json" for language in ("en", "fr")]
    dataset(tmp_path, "care-fr", rows(TEXTS["fr"], "row-{}"))
    assert [one.rule.number for one in lint(*paths).findings] == ["L11"]
    assert lint(*paths).items == 16
    with pytest.raises(InputError, match="another folder"):
        lint(paths[0], recipe(tmp_path, "care-en", {}))
    with pytest.raises(InputError, match="nothing that a lint can read"):
        lint(paths[0], tmp_path)


def test_findings_that_say_the_same_are_one_cause(tmp_path: Path) -> None:
    for task in ("care", "hazard"):
        dataset(tmp_path, f"{task}-en", rows(TEXTS["en"]))
        dataset(tmp_path, f"{task}-kw", rows(TEXTS["sw"]))
    ((rule, causes),) = lint(tmp_path).causes.items()
    assert rule.number == "L21"
    assert [[one.file for one in cause] for cause in causes] == [
        ["datasets/care-kw.json", "datasets/hazard-kw.json"]
    ]


def test_results_are_found_where_moonshot_writes_them(tmp_path: Path) -> None:
    clean(tmp_path)
    cell = {"data": [{}], "metrics": [{"good": 1, "unknown": 1}]}
    write(tmp_path / "generated-outputs" / "results" / "run.json", {"results": [cell]})
    (finding,) = lint(tmp_path).findings
    assert (finding.rule.number, finding.file) == ("L36", "generated-outputs/results/run.json")


def test_a_folder_that_freezing_refuses_can_be_linted(tmp_path: Path) -> None:
    shutil.copytree(SHIPPED / "items", tmp_path / "items")
    (tmp_path / "protocol.yaml").write_text("tasks: [\n", encoding="utf-8")
    report = lint(tmp_path)
    assert [one.file for one in report.findings] == ["protocol.yaml"]
    assert report.items == lint(SHIPPED).items


def test_task_and_language_are_taken_from_names() -> None:
    stems = ["mlc-ipv-fr", "mlc-ipv_en", "mlc-ipv", "mlc-ailuminate-src", "facts-tf", "advglue-all"]
    stems += ["care-yue", "care-en", "care-zh-Hans", "x-jp", "y-fr-CA", "y-zh_TW", "y-zh-Hant-HK"]
    assert split_names(stems) == {
        "mlc-ipv-fr": ("mlc-ipv", "fr"),
        "mlc-ipv_en": ("mlc-ipv", "en"),
        "mlc-ipv": ("mlc-ipv", None),
        "mlc-ailuminate-src": ("mlc-ailuminate-src", None),
        "facts-tf": ("facts-tf", None),
        "advglue-all": ("advglue-all", None),
        "care-yue": ("care", "yue"),
        "y-fr-CA": ("y", "fr-CA"),
        "y-zh_TW": ("y", "zh-TW"),
        "y-zh-Hant-HK": ("y", "zh-Hant-HK"),
        "care-en": ("care", "en"),
        "care-zh-Hans": ("care", "zh-Hans"),
        "x-jp": ("x", "jp"),
    }


def test_the_detector_agrees_with_py3langid() -> None:
    labels = ["en", "fr", "sw", "ja", "ko", "sr"]
    own = LanguageIdentifier.from_model_file(MODEL_FILE)
    own.set_languages(labels)
    texts = [text for group in (*TEXTS.values(), *CHAT.values()) for text in group]
    texts += ["", "ABC", "x" * 3000, "?", "Ово је текст"]
    for text, guess in zip(texts, detection.guesses(texts, "en", labels), strict=True):
        scores = dict(own.rank(text[:600]))
        lead = max(scores.values()) - scores["en"]
        length = len(text[:600].encode()) or 1
        assert guess.lead == pytest.approx(lead / length**0.5, abs=1e-3)
        if guess.lead > 0.01:
            assert guess.language == max(scores, key=lambda name: scores[name])


def test_letters_are_counted_by_script() -> None:
    counts = scripts.letters(["Aé1 日本語かな カナ", "", "한국 12"])
    assert counts[:, -1].tolist() == [9, 0, 2]
    assert scripts.share(counts, "Jpan").tolist() == [pytest.approx(7 / 9), 1.0, 0.0]
    assert scripts.share(counts, "Latn")[0] == pytest.approx(2 / 9)


def jaccard(one: str, other: str) -> float:
    first, second = (
        {text[i : i + SHINGLE] for i in range(len(text) - SHINGLE + 1)} for text in (one, other)
    )
    return len(first & second) / len(first | second)


@given(st.lists(st.text("abc é", min_size=10, max_size=40), max_size=8, unique=True))
def test_near_pairs_are_near_and_different(texts: list[str]) -> None:
    for one, other, score in near_pairs(texts):
        assert one < other
        assert score == pytest.approx(jaccard(texts[one], texts[other]))
        assert score >= NEAR


def test_near_pairs_are_found_among_many() -> None:
    draw = random.Random(1)  # noqa: S311
    base = [
        " ".join("".join(draw.choices("abcdefghij", k=5)) for _ in range(draw.randint(8, 40)))
        for _ in range(300)
    ]
    texts = base + [text[:-1] + "z" for text in base]
    wanted = {
        (place, place + len(base))
        for place in range(len(base))
        if jaccard(texts[place], texts[place + len(base)]) >= NEAR
    }
    got = {(one, other) for one, other, _ in near_pairs(texts)}
    assert len(wanted) > 250
    assert len(wanted - got) <= len(wanted) // 50


@pytest.mark.parametrize("language", ["fr", "sw", "ja"])
def test_translations_are_aligned_and_shifted_ones_are_not(language: str) -> None:
    ours, theirs = TEXTS["en"], TEXTS[language]
    straight = align(ours, theirs)
    shifted = align(ours, (*theirs[1:], theirs[0]))
    assert straight is not None
    assert shifted is not None
    assert straight.aligned
    assert not straight.unrelated
    assert not shifted.aligned
    assert align(ours[:7], theirs[:7]) is None
    assert align(ours, theirs[:7]) is None


@given(st.lists(st.text(max_size=20), min_size=8, max_size=12))
def test_alignment_is_never_both(texts: list[str]) -> None:
    result = align(texts, texts[::-1])
    assert result is not None
    assert not (result.aligned and result.unrelated)


def test_fixes_change_what_they_say_and_nothing_else(tmp_path: Path) -> None:
    defective(tmp_path)
    swahili = tmp_path / "datasets" / "hazard-kw.json"
    japanese = tmp_path / "datasets" / "hazard-jp.json"
    recipe(tmp_path, "hazard-kw", {}, datasets=["hazard-kw", "hazard-jp"])
    swahili.chmod(0o600)
    before = swahili.read_text(encoding="utf-8"), japanese.read_text(encoding="utf-8")
    told = fix(tmp_path, lint(tmp_path))
    renamed = tmp_path / "datasets" / "hazard-sw.json"
    assert renamed.read_text("utf-8") == before[0].replace("row_5_a\\\\|", "row_5_a")
    assert stat.S_IMODE(renamed.stat().st_mode) == 0o600
    assert (tmp_path / "datasets" / "hazard-ja.json").read_text("utf-8") == before[1].replace(
        '"target": "ハザード"', '"target": "hzd"'
    )
    named = json.loads((tmp_path / "recipes" / "hazard-sw.json").read_text("utf-8"))["datasets"]
    assert named == ["hazard-sw", "hazard-ja"]
    assert "datasets/hazard-jp.json: target 'ハザード' becomes 'hzd' (8 times)" in told
    assert "datasets/hazard-kw.json: renamed to hazard-sw.json" in told
    again = lint(tmp_path)
    assert not any(one.fixes for one in again.findings)
    assert {"L10", "L18", "L21"}.isdisjoint({one.rule.number for one in again.findings})
    assert fix(tmp_path, again) == ()


def test_a_name_that_was_nearly_right_follows_the_file_that_it_meant(tmp_path: Path) -> None:
    dataset(tmp_path, "care-en", rows(TEXTS["en"]))
    dataset(tmp_path, "care-kw", rows(TEXTS["sw"]))
    recipe(tmp_path, "care-kw", {}, datasets=["Care-kw", "care-en"])
    write(tmp_path / "cookbooks" / "all.json", {"name": "All", "recipes": ["care-kw.json"]})
    fix(tmp_path, lint(tmp_path))
    assert found(tmp_path, "L06") == []
    named = json.loads((tmp_path / "recipes" / "care-sw.json").read_text(encoding="utf-8"))
    assert named["datasets"] == ["care-sw", "care-en"]


def test_a_file_is_never_renamed_over_another(tmp_path: Path) -> None:
    dataset(tmp_path, "care-kw", rows(TEXTS["sw"]))
    other = dataset(tmp_path, "care-sw", rows(TEXTS["sw"]))
    before = other.read_bytes()
    assert fix(tmp_path, lint(tmp_path)) == ()
    assert other.read_bytes() == before


def protocol_with_codes(folder: Path) -> Path:
    """Write the demonstration's protocol with ``kw`` in the place of ``sw``."""
    shutil.copytree(SHIPPED / "items", folder / "items")
    for path in list((folder / "items").glob("*.sw.jsonl")):
        path.rename(path.with_name(path.name.replace(".sw.", ".kw.")))
    text = (SHIPPED / "protocol.yaml").read_text(encoding="utf-8")
    text = text.replace("ja, sw]", "ja, kw]").replace("language: sw", "language: kw")
    (folder / "protocol.yaml").write_text(text, encoding="utf-8")
    return folder


def test_a_code_in_a_protocol_folder_changes_everywhere_or_nowhere(tmp_path: Path) -> None:
    folder = protocol_with_codes(tmp_path / "one")
    told = fix(folder, lint(folder))
    assert told[0] == "protocol.yaml: language code kw becomes sw"
    assert (folder / "protocol.yaml").read_bytes() == (SHIPPED / "protocol.yaml").read_bytes()
    assert lint(folder).findings == ()
    folder = protocol_with_codes(tmp_path / "other")
    french = (SHIPPED / "items" / "mild-refusal.fr.jsonl").read_bytes()
    (folder / "items" / "mild-refusal.kw.jsonl").write_bytes(french)
    before = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert fix(folder, lint(folder)) == ()
    assert before == {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_sarif_has_the_form_of_2_1_0_and_names_each_rule_by_its_index(tmp_path: Path) -> None:
    defective(tmp_path)
    (tmp_path / "datasets" / "a b é-en.json").write_text("{", encoding="utf-8")
    report = lint(tmp_path)
    log = json.loads(json.dumps(sarif(report)))
    jsonschema.validate(log, SARIF)
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len(run["results"]) == len(report.findings)
    assert all(rules[one["ruleIndex"]]["id"] == one["ruleId"] for one in run["results"])
    assert any("a%20b%20%C3%A9-en.json" in json.dumps(one) for one in run["results"])


def test_reports_hold_no_control_characters_of_the_files(tmp_path: Path) -> None:
    examples = rows(TEXTS["en"])
    examples[3]["id"] = "item\x1b[31m\ud800"
    examples[4]["input"] = "\x1b]0;title\x07 Name three rivers and two \ud800 lakes"
    path = tmp_path / "datasets" / "care-en.json"
    write(path, {})
    path.write_text(json.dumps({"examples": examples}), encoding="utf-8")
    report = lint(tmp_path)
    assert len(report.findings) >= 2
    text = json.dumps([report_value(report), sarif(report)], ensure_ascii=False)
    text.encode("utf-8")
    assert "\\u001b" not in text.replace("\\\\u001b", "")


def test_what_is_printed_cannot_move_the_cursor() -> None:
    assert printable("a\x1b[2J\u202eb\udcff") == "a\\u001b[2J\\u202eb\\udcff"


def test_results_are_read_however_they_nest(tmp_path: Path) -> None:
    cell = {"dataset_id": "d", "data": [1, 2], "metrics": [{"unknown": 3, "good": True}]}
    write(tmp_path / "run.json", {"results": {"cookbooks": [{"recipes": [{"details": [cell]}]}]}})
    (outcome,) = read(tmp_path / "run.json").outcomes
    assert (outcome.counts, outcome.answers) == ((("unknown", 3.0),), 2)
