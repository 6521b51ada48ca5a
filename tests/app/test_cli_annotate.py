# SPDX-License-Identifier: Apache-2.0
"""People label an exercise's answers by sheets alone, from the draw to the published set."""

import csv
import io
from pathlib import Path

import pytest
from command_line import Ran, countermark
from exercise_small import Snapshots

PEOPLE = ("rater-1", "rater-2")


@pytest.fixture
def node(snapshots: Snapshots, tmp_path: Path) -> Path:
    snapshots.at("revealed", tmp_path)
    (tmp_path / "protocol.json").write_bytes(snapshots.protocol.to_bytes())
    return tmp_path / "nodes" / "JP"


def annotate(node: Path, verb: str, *words: object) -> Ran:
    protocol = node.parents[1] / "protocol.json"
    return countermark("annotate", verb, *words, "--protocol", protocol, "--node", node)


def fill(path: Path, label: str) -> None:
    table = list(csv.reader(io.StringIO(path.read_text("utf-8-sig"), newline="")))
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows([table[0], *([*row[:3], label] for row in table[1:])])
    path.write_text(buffer.getvalue(), "utf-8")


def test_from_the_draw_to_the_set_by_sheets(node: Path, tmp_path: Path) -> None:
    planned = annotate(node, "plan", "--json")
    assert planned.code == 0, planned.err
    assert {one["language"] for one in planned.value} == {"en", "ja"}
    again = annotate(node, "plan")
    assert again.code == 1
    assert "was drawn already" in again.err
    for name in PEOPLE:
        invited = annotate(node, "invite", name, "--address", "https://a.example/", "--json")
        assert invited.value["link"].startswith("https://a.example/annotate/enter/")
    sheets = tmp_path / "sheets"
    for name, label in zip(PEOPLE, ("no", "yes"), strict=True):
        written = annotate(node, "export", "--person", name, "-o", sheets, "--json").value
        filled = [Path(one) for one in written["files"] if one.endswith(".csv")]
        assert len(filled) == 2
        for path in filled:
            assert path.stat().st_mode & 0o077 == 0
            fill(path, label)
        taken = annotate(node, "import", *filled, "--person", name, "--submit", "--json")
        assert taken.code == 0, taken.err
        assert sum(taken.value.values()) == 24
        late = annotate(node, "import", *filled, "--person", name)
        assert (late.code, "you have submitted this part" in late.err) == (1, True)
    (english, _) = annotate(node, "status", "--json").value
    assert (english["disputed"], english["waiting"]) == (12, 12)
    assert english["raters"] == dict.fromkeys(PEOPLE, 12)
    lines = annotate(node, "status").out
    assert "12 of 12 disputed answers wait" in lines
    assert "Cohen’s kappa: " in lines
    refused = annotate(node, "publish")
    assert refused.code == 1
    assert "countermark annotate invite --role adjudicator" in refused.err


def test_a_link_that_was_revoked_and_a_wrong_sheet_are_named(node: Path, tmp_path: Path) -> None:
    annotate(node, "plan")
    assert annotate(node, "invite", "rater-1", "--language", "en").out.startswith("http://127")
    assert annotate(node, "revoke", "rater-1").code == 0
    assert "has no rater called rater-1" in annotate(node, "export", "--person", "rater-1").err
    annotate(node, "invite", "rater-1", "--language", "en")
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("id,question,answer,label\nffff,a,b,yes\n", "utf-8")
    refused = annotate(node, "import", wrong, "--person", "rater-1")
    assert refused.code == 1
    assert f"{wrong}:2: 'ffff' is no answer of this exercise" in refused.err
