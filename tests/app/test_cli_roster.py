# SPDX-License-Identifier: Apache-2.0
"""Three members make a roster by passing files, and change it as people come and go."""

import hashlib
import io
import json
import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from command_line import countermark, done, tree

from countermark.records.canonical import canonical

CODES = ("GB", "JP", "KE")


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three nodes, and the roster that two of them signed and all accepted."""
    here = tmp_path_factory.mktemp("ceremony")
    for code in CODES:
        made = done(
            "node", "init", here / code, "--code", code, "--name", f"Institute {code}",
            "--origin", f"{code.lower()}.example/log", "--unencrypted",
        )  # fmt: skip
        (here / f"{code}.json").write_text(made.out)
    done(
        "roster", "init", here / "draft", *parties(here, CODES), "--threshold", 2, "--quorum", 1,
        "--role", "GB=coordinator,publisher,witness",
    )  # fmt: skip
    shutil.copytree(here / "draft", here / "copy")
    done("roster", "sign", here / "draft", "--node", here / "GB", "--yes")
    done("roster", "sign", here / "copy", "--node", here / "KE", "--yes")
    done("roster", "sign", here / "draft", "--node", here / "JP", "--also", here / "copy", "--yes")
    for code in CODES:
        done("roster", "accept", here / "draft", "--node", here / code)
    time.sleep(1.05)  # what began in this second cannot end in it
    return here


@pytest.fixture
def here(founded: Path, tmp_path: Path) -> Path:
    shutil.copytree(founded, tmp_path / "members")
    return tmp_path / "members"


def parties(here: Path, codes: tuple[str, ...]) -> list[object]:
    return [word for code in codes for word in ("--party", here / f"{code}.json")]


def next_roster(here: Path, *words: object, signers: tuple[str, ...] = ("GB", "KE")) -> Path:
    folder = here / "next"
    done("roster", "change", folder, "--from", here / "draft", *words)
    for code in signers:
        done("roster", "sign", folder, "--node", here / code, "--yes")
    return folder


def party_in(folder: Path, code: str) -> dict[str, Any]:
    shown = done("roster", "show", folder, "--json").value
    return next(party for party in shown["roster"]["parties"] if party["code"] == code)


def test_all_accept_one_roster_whoever_signed_which_copy(here: Path) -> None:
    shown = done("roster", "show", here / "draft", "--json").value
    assert all(one["complete"] and not one["missing"] for one in shown["signatures"])
    anchors = {
        done("roster", "accept", here / "draft", "--node", here / code, "--json").value["anchor"]
        for code in CODES
    }
    assert len(anchors) == 1
    roles = [grant["role"] for grant in party_in(here / "draft", "GB")["roles"]]
    assert roles == ["coordinator", "publisher", "witness"]


def test_signing_shows_what_is_signed_and_asks(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = tree(here / "draft")
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    ran = countermark("roster", "sign", here / "draft", "--node", here / "GB")
    assert ran.code == 1
    assert "Institute KE" in ran.out
    assert tree(here / "draft") == before


def forged_draft(here: Path) -> Path:
    """A draft in which the key of JP begins earlier than in the roster in force."""
    kept, folder = here / "kept", here / "forged"
    shutil.copytree(here / "draft", kept)
    done("roster", "change", folder, "--from", kept, "--leave", "JP")
    value = json.loads((folder / "roster.json").read_text())
    value["parties"][1]["statement_keys"][0]["valid_from"] = "2020-01-01T00:00:00Z"
    changed = canonical(value) + b"\n"
    targets = json.loads((folder / "targets.json").read_text())
    targets["signed"]["targets"]["roster.json"] = {
        "hashes": {"sha256": hashlib.sha256(changed).hexdigest()},
        "length": len(changed),
    }
    (folder / "roster.json").write_bytes(changed)
    (folder / "targets.json").write_text(json.dumps(targets))
    return folder


def test_a_draft_that_rewrites_the_past_is_not_signed(here: Path) -> None:
    folder = forged_draft(here)
    before = tree(folder)
    ran = countermark("roster", "sign", folder, "--node", here / "KE", "--yes")
    assert (ran.code, tree(folder)) == (5, before)
    assert "begin at another time" in ran.err
    assert "Nothing was signed" in ran.err


def test_a_draft_with_another_first_root_is_not_signed_by_who_has_a_roster(here: Path) -> None:
    done(
        "roster", "init", here / "other", *parties(here, CODES), "--threshold", 1, "--quorum", 1,
    )  # fmt: skip
    ran = countermark("roster", "sign", here / "other", "--node", here / "KE", "--yes")
    assert ran.code == 5
    assert "1.root.json: is not the one accepted before" in ran.err


def test_a_newcomer_names_the_roster_in_force(here: Path) -> None:
    made = done(
        "node", "init", here / "KR", "--code", "KR", "--name", "Institute KR",
        "--origin", "kr.example/log", "--unencrypted",
    )  # fmt: skip
    (here / "KR.json").write_text(made.out)
    words = [word for code in (*CODES, "KR") for word in ("--member", code)]
    folder = next_roster(here, "--join", here / "KR.json", *words, signers=("GB", "JP"))
    sign = ("roster", "sign", folder, "--node", here / "KR", "--yes")
    refused = countermark(*sign)
    assert refused.code == 1
    assert "--from FOLDER" in refused.err
    done(*sign, "--from", here / "GB" / "roster")
    done("roster", "accept", folder, "--node", here / "KR")
    unsigned = countermark(*sign, "--from", forged_draft(here))
    assert unsigned.code == 5, "what is named as the roster in force must be signed by enough"


def test_a_member_that_missed_a_roster_names_it(here: Path) -> None:
    second = next_roster(here, "--leave", "JP")
    time.sleep(1.05)  # what began in this second cannot end in it
    done("roster", "change", here / "third", "--from", second, "--grant", "KE=coordinator")
    sign = ("roster", "sign", here / "third", "--node", here / "KE", "--yes")
    refused = countermark(*sign)
    assert "is version 3, and the roster held here is version 1" in refused.err
    done(*sign, "--from", second)


def test_too_few_signatures_are_not_accepted(here: Path) -> None:
    folder = next_roster(here, "--leave", "JP", signers=("GB",))
    before = tree(here / "KE")
    ran = countermark("roster", "accept", folder, "--node", here / "KE")
    assert (ran.code, tree(here / "KE")) == (5, before)
    assert "enough members" in ran.err


def test_a_member_leaves_and_another_joins(here: Path) -> None:
    made = done(
        "node", "init", here / "KR", "--code", "KR", "--name", "Institute KR",
        "--origin", "kr.example/log", "--unencrypted",
    )  # fmt: skip
    (here / "KR.json").write_text(made.out)
    folder = next_roster(here, "--leave", "JP", "--join", here / "KR.json", "--quorum", 2)
    for code in ("GB", "KE", "KR"):
        done("roster", "accept", folder, "--node", here / code)
    assert {grant["ended"] for grant in party_in(folder, "JP")["roles"]} == {"left"}
    files = {path.name for path in (here / "GB" / "roster").iterdir()}
    assert {"policy-1.txt", "policy.txt", "2.root.json"} <= files
    text = done("roster", "show", folder).out
    assert "policy.txt: quorum witnesses: 2 of 3" in text


def test_new_keys_are_used_once_the_roster_lists_them(here: Path) -> None:
    before = {path.name: path.read_bytes() for path in (here / "KE" / "keys").iterdir()}
    made = done("node", "rotate", "statement", "log", "witness", "--node", here / "KE")
    (here / "KE2.json").write_text(made.out)
    again = countermark("node", "rotate", "log", "--node", here / "KE")
    assert "already" in again.err
    folder = next_roster(here, "--renew", here / "KE2.json", "--leave", "JP")
    assert countermark("roster", "accept", folder, "--node", here / "KE").code == 0
    after = {path.name: path.read_bytes() for path in (here / "KE" / "keys").iterdir()}
    assert set(after) == set(before)
    assert all(after[name] != before[name] for name in before)
    assert [key.get("ended") for key in party_in(folder, "KE")["statement_keys"]] == [
        "rotated",
        None,
    ]


def test_new_keys_for_a_later_time_are_used_by_the_first_command_after_it(here: Path) -> None:
    made = done("node", "rotate", "statement", "log", "witness", "--node", here / "KE")
    (here / "KE2.json").write_text(made.out)
    later = datetime.now(UTC) + timedelta(seconds=3)
    folder = next_roster(here, "--renew", here / "KE2.json", "--at", f"{later:%Y-%m-%dT%H:%M:%SZ}")
    ran = done("roster", "accept", folder, "--node", here / "KE")
    assert "New keys wait for their time" in ran.err
    config = here / "KE" / "node.toml"
    config.write_text(config.read_text().replace("[peers]\n", '[peers]\nGB = "../GB"\n'))
    early = done("sync", "pull", "--node", here / "KE")
    assert ("in use" in early.err) == (datetime.now(UTC) > later)
    time.sleep(max(0.0, (later - datetime.now(UTC)).total_seconds()))
    after = done("sync", "pull", "--node", here / "KE")
    for name in ("statement", "log", "witness"):
        assert f"The new {name} key is in use" in early.err + after.err
    assert not list((here / "KE" / "keys").glob("*-next.pem"))


def test_a_stolen_key_is_revoked(here: Path) -> None:
    key = party_in(here / "draft", "KE")["statement_keys"][0]
    made = done("node", "rotate", "statement", "--node", here / "KE")
    (here / "KE2.json").write_text(made.out)
    folder = next_roster(here, "--revoke", key["keyid"], "--renew", here / "KE2.json")
    assert party_in(folder, "KE")["statement_keys"][0]["ended"] == "revoked"
    done("roster", "accept", folder, "--node", here / "GB")


def test_a_stolen_key_signs_no_later_roster(here: Path) -> None:
    key = party_in(here / "draft", "KE")["statement_keys"][0]["keyid"]
    folder = next_roster(here, "--revoke", key, signers=("GB", "JP"))
    signatures = done("roster", "show", folder, "--json").value["signatures"]
    assert key in {k for one in signatures for k in (*one["signed"], *one["missing"])}
    assert key not in {*signatures[-1]["signed"], *signatures[-1]["missing"]}
    ran = countermark(
        "roster", "change", here / "other", "--from", here / "draft", "--revoke", key,
        "--member", "KE", "--at", "2100-01-01",
    )  # fmt: skip
    assert "has no statement key to sign with: KE" in ran.err


def test_going_back_is_refused(here: Path) -> None:
    folder = next_roster(here, "--leave", "JP")
    done("roster", "accept", folder, "--node", here / "GB")
    before = tree(here / "GB")
    ran = countermark("roster", "accept", here / "draft", "--node", here / "GB")
    assert (ran.code, tree(here / "GB")) == (5, before)
    assert "one never goes back" in ran.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--role", "GB=king"), "is not CODE=ROLE"),
        (("--role", "ZZ=publisher"), "of whom no file was given"),
        (("--member", "ZZ"), "has no statement key to sign with"),
        (("--policy", "nowhere.txt"), "--quorum or --policy"),
        (("--threshold", "4"), "different signers"),
    ],
)
def test_wrong_words(here: Path, words: tuple[str, ...], said: str) -> None:
    base = ["roster", "init", here / "new", *parties(here, CODES), "--threshold", 2, "--quorum", 1]
    ran = countermark(*base, *words)
    assert ran.code != 0
    assert said in ran.err
    assert not (here / "new").exists()


def test_a_file_that_is_no_entry(here: Path) -> None:
    for text in ("{}", "[", json.dumps({"code": "GB"})):
        (here / "bad.json").write_text(text)
        ran = countermark(
            "roster", "init", here / "new", "--party", here / "bad.json",
            "--threshold", 1, "--quorum", 1,
        )  # fmt: skip
        assert ran.code == 1
        assert "bad.json" in ran.err


@pytest.mark.parametrize(
    ("threshold", "quorum", "said"),
    [
        (2, 2, "For GB's log 2 count, so 2 must lie before it can show two histories."),
        (1, 2, "Warning: 1 of 3 is not more than half, so two groups of members can sign two"),
        (2, 1, "Warning: 1 of the 2 witnesses that count for GB's log must cosign."),
    ],
)
def test_how_many_must_lie_is_said_to_those_who_sign(
    here: Path, threshold: int, quorum: int, said: str
) -> None:
    draft = here / "weighed"
    made = done(
        "roster", "init", draft, *parties(here, CODES),
        "--threshold", threshold, "--quorum", quorum,
    )  # fmt: skip
    shutil.rmtree(here / "GB" / "roster")  # as it was before it had one
    signed = done("roster", "sign", draft, "--node", here / "GB", "--yes")
    shown = done("roster", "show", draft)
    for text in (made.err, signed.out, shown.out):
        assert said in text
        assert text.count("Warning") == (threshold, quorum).count(1)


def test_a_log_without_a_witness_of_its_own_is_the_weakest(here: Path) -> None:
    done(
        "roster", "init", here / "weighed", *parties(here, CODES), "--role", "KE=publisher",
        "--threshold", 2, "--quorum", 1,
    )  # fmt: skip
    shown = done("roster", "show", here / "weighed").out
    assert "1 of the 2 witnesses that count for KE's log" in shown


def test_init_says_which_entry_or_role_is_wrong(here: Path) -> None:
    words = ("roster", "init", here / "new", "--threshold", 1, "--quorum", 1)
    twice = countermark(*words, *parties(here, ("GB", "KE", "GB")))
    assert "entry of GB" in twice.err
    unknown = countermark(*words, *parties(here, CODES), "--role", "GB=coordinator,witnes")
    assert "no role is called 'witnes'" in unknown.err
