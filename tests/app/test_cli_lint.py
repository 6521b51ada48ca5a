# SPDX-License-Identifier: Apache-2.0
"""``countermark protocol lint`` from end to end, over a set with all defects that were seen."""

import base64
import hashlib
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
from command_line import countermark, done
from lint_sets import TEXTS, clean, dataset, defective, rows

from countermark.exercise.lint.rules import RULES

ROOT = Path(__file__).resolve().parents[2]
DEMONSTRATION = ROOT / "src" / "countermark" / "exercise" / "demonstration"

# The twelve defects of published files: number, rule, file, item key, language.
DEFECTS = [
    (1, "L11", "datasets/hazard-fr.json", "row_0_a", "fr"),
    (2, "L12", "datasets/care-jp.json", "chat-0", "jp"),
    (3, "L16", "datasets/inject-en.json", None, "sw"),
    (4, "L18", "datasets/hazard-jp.json", "row_0_a", "jp"),
    (5, "L19", "datasets/care-fr.json", "0", "fr"),
    (5, "L19", "datasets/care-jp.json", "chat-0", "jp"),
    (6, "L21", "datasets/care-kr.json", None, "kr"),
    (6, "L21", "datasets/hazard-kw.json", None, "kw"),
    (7, "L33", "datasets/hazard-fr.json", None, "fr"),
    (7, "L34", "datasets/hazard-en.json", None, "en"),
    (7, "L35", "datasets/hazard-kw.json", None, "kw"),
    (8, "L10", "datasets/hazard-kw.json", "row_5_a\\|", "kw"),
    (9, "L26", "datasets/care-kw.json", "3", "kw"),
    (10, "L30", "datasets/inject-fr.json", "item-7", "fr"),
    (11, "L36", "results/run.json", None, None),
    (11, "L37", "metrics/annotator.py", None, None),
    (12, "L39", "recipes/care-en.json", None, "en"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return defective(tmp_path_factory.mktemp("published"))


@pytest.fixture(scope="module")
def report(folder: Path) -> dict[str, list[dict[str, object]]]:
    ran = countermark("protocol", "lint", folder, "--json")
    assert ran.code == 3
    value: dict[str, list[dict[str, object]]] = ran.value
    return value


@pytest.mark.parametrize(("number", "rule", "file", "key", "language"), DEFECTS)
def test_each_of_the_twelve_defects_is_found_where_it_is(
    report: dict[str, list[dict[str, object]]],
    number: int,
    rule: str,
    file: str,
    key: str | None,
    language: str | None,
) -> None:
    found = [
        one
        for one in report["findings"]
        if (one["rule"], one["file"], one["key"], one["language"]) == (rule, file, key, language)
    ]
    assert len(found) == 1, f"defect {number}"
    assert len(str(found[0]["suggestion"])) > 5


def test_all_twelve_are_there() -> None:
    assert {number for number, *_ in DEFECTS} == set(range(1, 13))


def test_people_get_a_table_on_stdout_and_talk_on_stderr(folder: Path) -> None:
    ran = countermark("protocol", "lint", folder)
    assert ran.code == 3
    assert "L12" in ran.out
    assert "→" in ran.out
    assert re.search(r"\d+ errors, \d+ warnings, \d+ notes", ran.err)
    assert "Traceback" not in ran.err


def test_without_errors_the_exit_code_is_0_even_with_warnings(tmp_path: Path) -> None:
    assert "No rule found anything." in done("protocol", "lint", DEMONSTRATION).out
    clean(tmp_path)
    dataset(tmp_path, "care-en", [*rows(TEXTS["en"]), {"input": "Name a lake.", "target": "hzd"}])
    assert done("protocol", "lint", tmp_path, "--json").value["counts"] == {
        "error": 0,
        "warning": 1,
        "note": 0,
    }


def test_what_cannot_be_linted_is_an_error_with_a_next_step(tmp_path: Path) -> None:
    ran = countermark("protocol", "lint", tmp_path / "absent")
    assert (ran.code, ran.out) == (1, "")
    assert "Next: Give a protocol folder" in ran.err
    assert countermark("protocol", "lint").code == 2


def test_fix_says_what_it_changed_and_reports_what_is_left(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    ran = countermark("protocol", "lint", copy, "--fix", "--json")
    assert ran.code == 3
    assert "Fixed datasets/hazard-kw.json: id 'row_5_a\\\\|' becomes 'row_5_a'" in ran.err
    assert "Fixed datasets/hazard-kw.json: renamed to hazard-sw.json" in ran.err
    rules = {one["rule"] for one in ran.value["findings"]}
    assert rules.isdisjoint({"L10", "L18", "L21"})
    assert {"L11", "L12", "L16", "L26", "L30", "L37"} <= rules
    assert "Nothing that is safe to fix." in countermark("protocol", "lint", copy, "--fix").err


class Loads(HTMLParser):
    """Collects what a page would load or run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name for name, _ in attrs}
        if tag in {"script", "link", "img", "iframe", "object"} or names & {"src", "onload"}:
            self.found.append(tag)


def test_the_page_is_one_file_and_escapes_what_it_shows(tmp_path: Path) -> None:
    clean(tmp_path / "set")
    hostile = '<script>alert("x")</script> Where is the library?'
    texts = [hostile, *TEXTS["sw"][1:]]
    dataset(tmp_path / "set", "care-sw", rows(texts, "<b>{}</b>"))
    page, log = tmp_path / "lint.html", tmp_path / "lint.sarif"
    ran = countermark("protocol", "lint", tmp_path / "set", "--html", page, "--sarif", log)
    assert ran.code == 3
    text = page.read_text(encoding="utf-8")
    loads = Loads()
    loads.feed(text)
    assert loads.found == []
    assert "&lt;script&gt;" in text
    assert 'id="L28"' in text
    assert json.loads(log.read_text(encoding="utf-8"))["version"] == "2.1.0"


def test_the_style_of_the_page_is_the_one_that_its_policy_allows(tmp_path: Path) -> None:
    page = tmp_path / "lint.html"
    done("protocol", "lint", DEMONSTRATION, "--html", page)
    text = page.read_text(encoding="utf-8")
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in text


def test_every_rule_is_in_the_table_of_the_documentation_and_no_other() -> None:
    text = (ROOT / "docs" / "lint.md").read_text(encoding="utf-8")
    told = re.findall(
        r"^\| (L\d\d) \| `([a-z-]+)` \| (\w+) \| ([^|]+) \| [^|]+ \| [^|]+ \|$", text, re.M
    )
    assert [(number, name, severity, says) for number, name, severity, says in told] == [
        (rule.number, rule.name, rule.severity, rule.says) for rule in RULES
    ]
    assert set(re.findall(r"\bL\d\d\b", text)) == {rule.number for rule in RULES}
