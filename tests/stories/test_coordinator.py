# SPDX-License-Identifier: Apache-2.0
"""A coordinator: from a folder of questions to a joint finding that the others have checked.

Keys and roster are made beforehand; everything after is typed.
"""

import json
import re
import shutil
from pathlib import Path

import pytest
from command_line import done, statement
from exercise_small import ITEMS, LANGUAGES, PARTICIPANTS, small_protocol
from network_by_hand import WITNESSED, Network, answer_by_script

from countermark.app.demo.cast import assemble
from countermark.exercise import demonstration

SOURCE = Path(demonstration.__file__).parent


def write_folder(folder: Path) -> Path:
    """Write a small protocol as its authors would: a few lines of each file, two languages."""
    (folder / "items").mkdir(parents=True)
    text = (SOURCE / "protocol.yaml").read_text(encoding="utf-8")
    text = re.sub(
        r"^participants: .*$", f"participants: [{', '.join(PARTICIPANTS)}]", text, flags=re.M
    )
    text = re.sub(r"^languages: .*$", f"languages: [{', '.join(LANGUAGES)}]", text, flags=re.M)
    (folder / "protocol.yaml").write_text(text, encoding="utf-8")
    for task, keys in ITEMS.items():
        for language in LANGUAGES:
            name = f"items/{task}.{language}.jsonl"
            lines = (SOURCE / name).read_text(encoding="utf-8").splitlines(keepends=True)
            kept = [line for line in lines if json.loads(line)["key"] in keys]
            (folder / name).write_text("".join(kept), encoding="utf-8")
    (folder / "labelled").mkdir()
    shutil.copy(SOURCE / "labelled" / "mild-refusal.en.jsonl", folder / "labelled")
    return folder


def test_from_a_folder_of_questions_to_a_checked_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assemble(tmp_path, small_protocol())
    network = Network(tmp_path, tmp_path / "protocol.json")
    answer_by_script(monkeypatch)

    # A protocol, frozen and countersigned by all.
    folder = write_folder(tmp_path / "questions")
    digest = network.done("GB", "protocol", "freeze", folder, "-o", network.protocol, "--log").out
    assert digest.startswith("sha256:")
    network.everyone_pulls()
    too_early = network.run("GB", "exercise", "run", "--protocol", network.protocol)
    assert too_early.code == 1
    assert "is not countersigned by GB, JP, SG, FR" in too_early.err
    for code in PARTICIPANTS:
        assert network.done(code, "protocol", "sign", network.protocol).out == digest
    network.everyone_pulls()

    # Each lab runs and seals; nobody reads another's answers before.
    for code in PARTICIPANTS:
        network.exercise(code, "run")
        network.exercise(code, "seal")
    network.everyone_pulls(WITNESSED)
    stages = network.exercise("GB", "status", "--json").value
    assert {row["stage"] for row in stages} == {"sealed"}
    labs = network.exercise("GB", "close").out.split()
    assert labs == sorted(f"{code}-simulated" for code in PARTICIPANTS)
    network.everyone_pulls(WITNESSED)
    for code in PARTICIPANTS:
        network.exercise(code, "reveal")
    network.everyone_pulls()

    # The finding, computed by the coordinator and checked by the others; one dissents.
    file = tmp_path / "finding.json"
    compute = ("finding", "compute", "--protocol", network.protocol)
    network.done("GB", *compute, "--log", "-o", file)
    network.everyone_pulls()
    for code in ("JP", "SG"):
        ran = network.done(code, *compute, "--check", file)
        assert "largest relative difference" in ran.out
        assert "Countersigned and logged." in ran.err
    altered = json.loads(file.read_bytes())
    figure = next(cell["figures"][0] for cell in altered["cells"] if cell["figures"])
    figure["value"] = figure["value"] * 0.9
    other = tmp_path / "altered.json"
    other.write_text(json.dumps(altered), encoding="utf-8")
    dissent = network.run("FR", *compute, "--check", other)
    assert dissent.code == 5
    assert "✗ cells[" in dissent.out
    assert "Dissent logged." in dissent.err
    network.everyone_pulls(WITNESSED)

    # The record holds all of it, and all of it checks out.
    network.done("GB", "site", "build", "--out", tmp_path / "record")
    files = sorted((tmp_path / "record" / "statements").iterdir())
    done("verify", *files)
    kinds = [path.name.rsplit("-", 2)[0] for path in files]
    assert kinds.count("countersignature") == len(PARTICIPANTS) + 2
    assert kinds.count("dissent") == kinds.count("finding") == kinds.count("protocol") == 1
    shown = done("finding", "show", statement(tmp_path / "record", "finding")).out
    assert "confidential-leak  English: " in shown
    assert "mild-refusal  Japanese: judge-not-validated" in shown
