# SPDX-License-Identifier: Apache-2.0
"""``framework known``, ``show`` and ``add``: what ships, everything it says, and who logs it."""

import hashlib
import json
from pathlib import Path

import pytest
from command_line import countermark, done
from exercise_small import Snapshots
from network_by_hand import Network

from countermark.commitments.demonstration import demonstration_frameworks
from countermark.commitments.frameworks import framework_key, known_framework, load_frameworks
from countermark.node.index import book
from countermark.node.node import Node
from countermark.records.framework import Framework

XAI = "xai-faif-2025-12"


@pytest.fixture
def network(snapshots: Snapshots, tmp_path: Path) -> Network:
    """Return the small network with its developer, before any framework is logged."""
    snapshots.at("signed", tmp_path)
    return Network(tmp_path, tmp_path / "protocol.json")


def shipped(key: str) -> Framework:
    found = known_framework(key)
    assert found is not None
    return found


def test_known_lists_what_ships() -> None:
    rows = done("framework", "known", "--json").value
    assert [row["key"] for row in rows] == [framework_key(one) for one in load_frameworks()]
    (row,) = (row for row in rows if row["key"] == XAI)
    assert row["company"] == "xai"
    assert row["published"] == "2025-12-30"
    assert row["kinds"] == {"metric-bound": 2, "not-quantified": 1}
    assert row["sources"] == ["primary", "secondary"]
    text = done("framework", "known").out
    assert all(f"{row['key']}: " in text for row in rows)
    assert "limit on a rate 2, not quantified 1; source: primary and secondary" in text


def test_known_of_one_company() -> None:
    rows = done("framework", "known", "--company", "xai", "--json").value
    assert [row["key"] for row in rows][-1] == "xai-faif-2026-06"
    assert {row["company"] for row in rows} == {"xai"}


def test_known_of_a_company_without_a_framework_says_that_none_is_known() -> None:
    ran = done("framework", "known", "--company", "minimax", "--json")
    assert ran.value == []
    ran = done("framework", "known", "--company", "minimax")
    assert ran.out == ""
    assert "No published framework of minimax is known" in ran.err


def test_known_gives_the_keys_that_add_takes() -> None:
    rows = done("framework", "known", "--json").value
    keys = [row["key"] for row in rows]
    assert done("framework", "known", "--keys").out.split() == keys
    assert done("framework", "known", "--keys", "--json").value == keys
    some = done("framework", "known", "--keys", "--company", "xai").out.split()
    assert set(some) == {row["key"] for row in rows if row["company"] == "xai"}


def test_known_of_a_company_that_did_not_sign() -> None:
    ran = countermark("framework", "known", "--company", "nobody")
    assert ran.code == 2
    assert "no company of the commitments" in ran.err
    assert "anthropic" in ran.err


def test_show_says_everything_that_a_framework_has() -> None:
    found = shipped(XAI)
    lines = done("framework", "show", XAI).out.splitlines()
    whole = "\n".join(lines)
    for title in (
        *("Domains", "Thresholds", "Mitigations", "Process", "Governance", "Disclosure"),
        *("Not encoded", "Sources"),
    ):
        assert title in lines
    assert found.document is not None
    assert found.document in whole
    for threshold in found.thresholds:
        assert f"{threshold.key} ({threshold.force}, deploy): {threshold.title}" in lines
        assert threshold.read_in is not None
        assert threshold.read_in.section is not None
        assert threshold.read_in.section in whole
        for text in threshold.assumed or ():
            assert f"    assumed: {text}" in lines
    for name in ("mitigations", "process", "governance", "disclosure", "domains"):
        for entry in getattr(found, name) or ():
            assert f"    {entry.key}" in whole
    for text in found.not_encoded or ():
        assert f"    {text}" in lines


def test_show_tells_a_source_from_an_account_and_who_recorded(tmp_path: Path) -> None:
    file = tmp_path / "framework.json"
    recorded = shipped(XAI).model_copy(update={"recorded_by": "GB", "effective": "2025-12-31"})
    file.write_bytes(recorded.to_bytes())
    text = done("framework", "show", file).out
    assert "(primary)" in text
    assert "(secondary)" in text
    assert "recorded by GB, not by the developer" in text
    assert "in force from 2025-12-31" in text


def test_show_gives_what_ships_as_json_that_reads_back(tmp_path: Path) -> None:
    ran = done("framework", "show", XAI, "--json")
    assert Framework.from_value(ran.value, where="shown") == shipped(XAI)
    file = tmp_path / "framework.json"
    file.write_text(ran.out, encoding="utf-8")
    assert done("framework", "show", file).out == done("framework", "show", XAI).out


def test_show_says_what_would_be_refused_and_shows_it_all_the_same(tmp_path: Path) -> None:
    value = demonstration_frameworks()[0].to_value()
    (first, second) = json.loads(json.dumps(value["thresholds"]))
    file = tmp_path / "framework.json"
    lost = {**first, "mitigations": ["filter"]}
    wide = {**first, "key": "wide", "rule": {**first["rule"], "limit": 0.5}}
    file.write_text(json.dumps({**value, "thresholds": [lost, second, wide]}), encoding="utf-8")
    ran = done("framework", "show", file)
    assert "Would not be logged: " in ran.err
    assert "threshold keeps-secrets: names the mitigation filter" in ran.err
    assert "Warning: wide is idle where keeps-secrets holds" in ran.err
    assert "keeps-secrets (shall, deploy)" in ran.out
    assert done("framework", "show", XAI).err == ""
    file.write_text(json.dumps({**value, "mitigatons": [], "later": 1}), encoding="utf-8")
    ran = done("framework", "show", file)
    assert "the field mitigatons is not known and changes nothing; is mitigations meant?" in ran.err
    assert "the field later is not known and changes nothing\n" in ran.err


def test_a_word_that_is_neither_a_file_nor_a_key() -> None:
    ran = countermark("framework", "show", "xai-faif-2099")
    assert ran.code == 1
    assert "neither a file nor the key" in ran.err
    assert "countermark framework known" in ran.err


def test_a_file_is_taken_before_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(XAI).write_bytes(demonstration_frameworks()[0].to_bytes())
    assert "example-developer" in done("framework", "show", XAI).out


def test_whoever_is_not_the_developer_logs_it_as_recorded_by_itself(network: Network) -> None:
    (added,) = network.done("GB", "framework", "add", XAI, "--json").value
    assert added["framework"]["recorded_by"] == "GB"
    assert added["framework"]["developer"] == "xai"
    file = network.root / "framework.json"
    file.write_bytes(demonstration_frameworks()[0].to_bytes())
    (own,) = network.done("developer", "framework", "add", file, "--json").value
    assert "recorded_by" not in own["framework"]
    ran = network.done("JP", "framework", "add", file, "--json")
    assert "logged as recorded by JP, not as a promise of its own" in ran.err
    (other,) = ran.value
    assert other["framework"]["recorded_by"] == "JP"


def test_nobody_logs_what_another_recorded_as_it_stands(network: Network) -> None:
    file = network.root / "framework.json"
    recorded = demonstration_frameworks()[0].model_copy(update={"recorded_by": "GB"})
    file.write_bytes(recorded.to_bytes())
    refused = network.run("JP", "framework", "add", file)
    assert refused.code == 1
    assert "may not speak for GB" in refused.err


def test_the_published_file_is_pinned_by_its_digest(network: Network) -> None:
    file, published = network.root / "framework.json", network.root / "published.pdf"
    file.write_bytes(demonstration_frameworks()[0].to_bytes())
    published.write_bytes(b"%PDF the promise")
    words = ("framework", "add", file, "--document", published, "--json")
    digest = hashlib.sha256(b"%PDF the promise").hexdigest()
    (added,) = network.done("developer", *words).value
    assert added["framework"]["document"] == f"sha256:{digest}"
    refused = network.run("developer", "framework", "add", file, XAI, "--document", published)
    assert refused.code == 2
    assert "is one file, and 2 frameworks were named" in refused.err


def test_a_file_that_is_not_the_one_encoded_is_refused(network: Network) -> None:
    published = network.root / "published.pdf"
    published.write_bytes(b"%PDF something else")
    refused = network.run("GB", "framework", "add", XAI, "--document", published)
    assert refused.code == 1
    assert "but the framework names sha256:aa01669c" in refused.err
    assert network.run("GB", "framework", "add", XAI, "--document", "nowhere.pdf").code == 1


def test_what_the_checks_refuse_is_not_logged_and_a_warning_is_said(network: Network) -> None:
    value = demonstration_frameworks()[0].to_value()
    first, second = json.loads(json.dumps(value["thresholds"]))
    file = network.root / "framework.json"
    twice = {**second, "key": first["key"]}
    file.write_text(json.dumps({**value, "thresholds": [first, twice]}), encoding="utf-8")
    refused = network.run("developer", "framework", "add", file)
    assert refused.code == 1
    assert "has the key keeps-secrets twice among its thresholds" in refused.err
    wide = {**first, "key": "wide", "rule": {**first["rule"], "limit": 0.5}}
    file.write_text(json.dumps({**value, "thresholds": [first, wide]}), encoding="utf-8")
    ran = network.done("developer", "framework", "add", file)
    assert "Warning: wide is idle where keeps-secrets holds" in ran.err


def logged(network: Network, code: str) -> list[tuple[str, str]]:
    """Return kind and digest of everything in one party's own log."""
    return [
        (entry.record.kind_name(), entry.digest)
        for entry in book(Node.open(network.node(code))).entries
        if entry.author == code
    ]


def test_several_are_logged_in_one_call_oldest_first_under_one_checkpoint(
    network: Network,
) -> None:
    before = logged(network, "GB")
    file = network.root / "framework.json"
    file.write_bytes(demonstration_frameworks()[0].to_bytes())
    ran = network.done("GB", "framework", "add", XAI, "google-fsf-1.0", file, XAI)
    digests = ran.out.split()
    assert len(digests) == 3  # one that is named twice is logged once
    assert "Logged 3." in ran.err
    new = logged(network, "GB")[len(before) :]
    assert [digest for _, digest in new] == [digests[1], digests[0], digests[2]]
    size = len(before) + 3
    assert f"\n{size}\n" in (network.node("GB") / "log" / "checkpoint").read_text("utf-8")


def test_nothing_is_logged_where_one_of_several_is_refused(network: Network) -> None:
    before = logged(network, "GB")
    value = demonstration_frameworks()[0].to_value()
    file = network.root / "framework.json"
    recorded = demonstration_frameworks()[0].model_copy(update={"recorded_by": "JP"})
    for wrong, message in (
        ({**value, "thresholds": [value["thresholds"][0]] * 2}, "keeps-secrets twice"),  # type: ignore[index]
        (recorded.to_value(), "may not speak for JP"),
        ({"kind": "framework"}, "framework.json"),
    ):
        file.write_text(json.dumps(wrong), encoding="utf-8")
        refused = network.run("GB", "framework", "add", XAI, file)
        assert refused.code == 1
        assert message in refused.err
        assert logged(network, "GB") == before
    assert network.run("GB", "framework", "add", XAI, "xai-faif-2099").code == 1
    assert network.run("GB", "framework", "add").code == 2
    assert logged(network, "GB") == before


def test_what_this_node_logged_before_is_told_and_skipped(network: Network) -> None:
    first = network.done("GB", "framework", "add", XAI).out
    before = logged(network, "GB")
    again = network.done("GB", "framework", "add", XAI)
    assert (again.out, logged(network, "GB")) == (first, before)
    assert "Logged before, and skipped: xai, xAI Frontier Artificial Intelligence" in again.err
    assert "Nothing was logged" in again.err
    more = network.done("GB", "framework", "add", "xai-faif-2026-06", XAI, "--json")
    assert [one["new"] for one in more.value] == [True, False]
    assert len(logged(network, "GB")) == len(before) + 1
    # What another institute records is that one's own statement.
    assert network.done("JP", "framework", "add", XAI, "--json").value[0]["new"]
