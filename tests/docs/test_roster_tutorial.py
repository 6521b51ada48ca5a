# SPDX-License-Identifier: Apache-2.0
"""The roster's tutorial is walked from beginning to end, as a newcomer would."""

import json
import re
import shlex
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import countermark, done

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorials" / "roster.md"


def commands() -> Iterator[str]:
    """Yield the commands of all shell blocks, loops unrolled."""
    text = TUTORIAL.read_text("utf-8")
    for block in re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            loop = re.fullmatch(r"for (\w+) in (.+?); do (.+); done", line)
            for value in loop[2].split() if loop else ("",):
                yield loop[3].replace(f"${loop[1]}", value) if loop else line


def newest_key_of_the_first_party(roster: str) -> str:
    shown = done("roster", "show", roster, "--json").value
    return str(shown["roster"]["parties"][0]["statement_keys"][-1]["keyid"])


def test_the_tutorial_works_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    anchors, walked = set(), 0
    for command in commands():
        words = shlex.split(command)
        if words[:2] == ["cp", "-r"]:
            shutil.copytree(words[2], words[3])
            continue
        assert words[0] == "countermark"
        if words[1:3] == ["roster", "change"]:
            time.sleep(1.05)  # what began in this second cannot end in it
        words = [
            newest_key_of_the_first_party("london/roster") if word == "KEYID" else word
            for word in words
        ]
        target = words[words.index(">") + 1] if ">" in words else None
        ran = done(*(words[1 : words.index(">")] if target else words[1:]))
        assert "Warning" not in ran.out
        if target:
            Path(target).write_text(ran.out, "utf-8")
            assert json.loads(ran.out)
        anchors |= set(re.findall("[aA]nchor (sha256:[0-9a-f]{64})", ran.out))
        walked += 1
    assert walked > 40
    assert len(anchors) == 1, "the anchor stays the same however often the roster changes"
    parties = done("roster", "show", "london/roster", "--json").value["roster"]["parties"]
    ended = {key.get("ended") for party in parties for key in party["statement_keys"]}
    assert ended == {None, "left", "rotated", "revoked"}
    assert not list(tmp_path.glob("*/keys/*-next.pem"))
    assert countermark("roster", "accept", "draft", "--node", "london").code == 5
