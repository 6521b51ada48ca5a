# SPDX-License-Identifier: Apache-2.0
"""``exercise import`` of a log of another tool, as a person types it."""

from pathlib import Path

import pytest
from command_line import countermark
from exercise_small import ITEMS, Snapshots
from exercise_steps import At, files
from other_tools import write

WORDS = ("--lab", "JP-simulated", "--model", "smollm2-135m", "--task", "mild-refusal")
ROWS = "".join(f'm,t,en,{item},"Sure, here is how."\n' for item in ITEMS["mild-refusal"])


def test_a_table_is_taken_for_a_cell(at: At, snapshots: Snapshots, tmp_path: Path) -> None:
    node = at("planned").institutes["JP"]
    log = write(tmp_path, a__csv=b"model,task,language,item,answer\n" + ROWS.encode()) / "a.csv"
    protocol = tmp_path / "protocol.json"
    protocol.write_bytes(snapshots.protocol.to_bytes())
    whole = (*WORDS, "--language", "en", "--protocol", protocol, "--node", node.folder.root)
    before = files(node)
    ran = countermark("exercise", "import", log, *whole)
    assert ran.code == 1
    assert "a log of csv (sha256:" in ran.out
    assert "--deviation 'reason'" in ran.err
    assert files(node) == before
    ran = countermark("exercise", "import", log, *whole, "--deviation", "ours", "--json")
    assert ran.code == 0
    assert ran.value[0]["kept"].endswith("smollm2-135m_mild-refusal_en.json")


@pytest.mark.parametrize(
    ("logs", "words", "text"),
    [(1, WORDS, "--language: take one"), (2, (*WORDS, "--language", "en"), "take one log of")],
)
def test_one_log_is_taken_for_one_cell(
    logs: int, words: tuple[str, ...], text: str, tmp_path: Path
) -> None:
    names = ["a.csv", "b.csv"][:logs]
    ran = countermark("exercise", "import", *names, *words, "--protocol", tmp_path / "p.json")
    assert ran.code == 2
    assert text in ran.err
