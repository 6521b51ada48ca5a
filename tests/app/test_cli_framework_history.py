# SPDX-License-Identifier: Apache-2.0
"""``countermark framework diff``, ``history`` and ``corpus``, as a person runs them."""

from pathlib import Path

import pytest
from command_line import countermark, done
from corpora import AGAIN, UNCOUNTED, Rows, traced, write_corpus
from frameworks import DEVELOPER, bound, framework, threshold
from nodes import Network, make_network

from countermark.network.sync import settle
from countermark.records import Record
from countermark.records.account import Account, Announced
from countermark.records.threshold_rules import NotQuantified

FIRST = framework(
    threshold("leaks"),
    threshold("lies", NotQuantified(needs="a judgement")),
    document=f"sha256:{AGAIN}",
)
SECOND = framework(threshold("leaks", bound(limit=0.6)), label="2", published="2025-06-01")
ACCOUNT = Account(
    developer=DEVELOPER,
    before=FIRST.digest,
    after=SECOND.digest,
    date="2025-06-01",
    changes=(Announced(threshold="lies", words="It was dropped.", effect="removed"),),
    demonstration=False,
)


def written(folder: Path, name: str, record: Record) -> Path:
    path = folder / name
    path.write_bytes(record.to_bytes())
    return path


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, Path]:
    """Return the files of two versions and of the account."""
    named = {"1.json": FIRST, "2.json": SECOND, "account.json": ACCOUNT}
    first, second, account = (written(tmp_path, *item) for item in named.items())
    return first, second, account


def test_a_diff_tells_each_change_and_whether_it_was_announced(
    files: tuple[Path, Path, Path],
) -> None:
    first, second, account = files
    ran = done("framework", "diff", first, second, "--account", account)
    assert ran.out.splitlines() == [
        "example-developer: 1 (2025-01-01) to 2 (2025-06-01), 2 changes",
        "weakened      silent      threshold leaks, limit: 0.5 → 0.6",
        "removed       announced   threshold lies: what lies asks: not quantified: a judgement",
    ]


def test_a_diff_as_json_has_counts_and_rules(files: tuple[Path, Path, Path]) -> None:
    value = done("framework", "diff", *files[:2], "--json").value
    assert value["counts"] == {"removed": 1, "weakened": 1}
    assert value["material_told"] == {"no account": 2}
    assert [change["rule"] for change in value["changes"]] == [10, 3]


def test_a_diff_says_when_two_hands_recorded_the_versions(tmp_path: Path) -> None:
    first = written(tmp_path, "1.json", framework())
    second = written(tmp_path, "2.json", framework(recorded_by="GB"))
    assert "Two hands recorded the versions" in done("framework", "diff", first, second).out


def test_a_diff_says_that_what_is_not_written_down_is_not_compared(
    files: tuple[Path, Path, Path],
) -> None:
    ran = done("framework", "diff", "xai-rmf-2025-08", "xai-faif-2025-12")
    assert "What is not written down of either version is not compared" in ran.err
    before, after, _ = files
    assert done("framework", "diff", before, after).err == ""


def test_a_diff_of_versions_in_the_wrong_order_says_so() -> None:
    ran = done("framework", "diff", "xai-rmf-2025-08", "xai-rmf-draft-2025-02-20")
    assert "The second version is the older one" in ran.err


def test_an_account_of_other_versions_is_refused(files: tuple[Path, Path, Path]) -> None:
    first, second, account = files
    ran = countermark("framework", "diff", second, first, "--account", account)
    assert ran.code == 1
    assert "is an account of other versions" in ran.err
    assert "Next: Give the account whose before is" in ran.err


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Network:
    """Make a network in which nothing has been said."""
    return make_network(tmp_path_factory.mktemp("network") / "nodes")


@pytest.fixture
def network(made: Network, tmp_path: Path) -> Network:
    """Copy it, for a test to say something in."""
    return made.copied(tmp_path / "nodes")


def test_a_history_of_a_node(network: Network) -> None:
    network[DEVELOPER].say(FIRST, SECOND, ACCOUNT)
    ran = done("framework", "history", DEVELOPER, "--node", network.place(DEVELOPER))
    assert "2025-06-01  Example framework, 2: 1 threshold, in-force" in ran.out
    assert (
        "1 to 2: 1 weakened, 1 removed, 0 strengthened, 0 added; account given, silent on 1 of"
        in ran.out
    )


def test_a_file_that_changed_under_its_label_is_an_alarm(network: Network) -> None:
    other = framework(threshold(force="may"), document=f"sha256:{'f' * 64}")
    network[DEVELOPER].say(FIRST, other)
    place = network.place(DEVELOPER)
    ran = countermark("framework", "history", DEVELOPER, "--node", place, "--json")
    assert ran.code == 3
    assert [alarm["sort"] for alarm in ran.value["alarms"]] == ["changed-file"]
    assert "Alarm: Example framework, 1: the published file changed" in ran.err


def test_a_history_of_nothing_is_an_error(network: Network) -> None:
    ran = countermark("framework", "history", "another", "--node", network.place(DEVELOPER))
    assert ran.code == 1
    assert "has no framework of another" in ran.err


def test_a_corpus_is_reported_on(tmp_path: Path) -> None:
    ran = done("framework", "corpus", write_corpus(tmp_path))
    lines = ran.out.splitlines()
    assert lines[0] == "6 documents, 6 traced commitments"
    assert "Another file under one label: Example v1, v1-reupload-20250201" in lines
    assert (
        "Example v1 to v2 (itemised): 1 added, 1 removed, 2 weakened; 4 material, silent 0.750 "
        "strict (3/4), 0.500 lenient (2/4)"
    ) in lines
    assert "Other 2024 to 2025 (none): 1 strengthened; 1 material, no account" in lines
    assert "Other 2025 to 2026 (none): not traced" in lines
    assert not [line for line in lines if line.startswith("The tables disagree")]


def test_a_pair_that_was_not_traced_is_not_one_without_change(tmp_path: Path) -> None:
    pairs: Rows = [
        ("Example", "v1", "v2", "yes", "itemised", "0", "0", "0", "0"),
        ("Other", "2024", "2025", "yes", "none", *UNCOUNTED),
        ("Other", "2025", "2026", "no", "none", *UNCOUNTED),
    ]
    rows = [traced(1, outcome="R", material="no", told="NA")]
    lines = done("framework", "corpus", write_corpus(tmp_path, pairs=pairs, rows=rows)).out
    assert "Example v1 to v2 (itemised): no material change" in lines
    assert "Other 2024 to 2025 (none): traced, and no row of it is here" in lines
    assert "Other 2025 to 2026 (none): not traced" in lines


def test_where_the_tables_of_a_corpus_disagree(tmp_path: Path) -> None:
    pairs: Rows = [("Example", "v1", "v2", "yes", "itemised", "1", "1", "0", "0")]
    folder = write_corpus(tmp_path, pairs=pairs, rows=[traced(1, told="SIL", first="ANN")])
    assert (
        "The tables disagree on Example v1 to v2: the table of pairs and the first pass, "
        "1 material (1 announced, 0 silent, 0 without an account); the adjudicated codes, "
        "1 material (0 announced, 1 silent, 0 without an account)"
    ) in done("framework", "corpus", folder).out.splitlines()
    (found,) = done("framework", "corpus", folder, "--json").value["disagreements"]
    assert (found["table"]["announced"], found["adjudicated"]["announced"]) == (1, 0)
    assert found["as_first_pass"] is True


def test_a_corpus_as_json(tmp_path: Path) -> None:
    value = done("framework", "corpus", write_corpus(tmp_path), "--json").value
    assert (value["all"]["strict"], value["all"]["lenient"]) == (0.75, 0.5)
    assert value["logged"] == []


def test_a_corpus_is_compared_with_what_was_logged(network: Network, tmp_path: Path) -> None:
    network[DEVELOPER].say(FIRST)
    some = network.some((DEVELOPER, "GB", "FR", "KE"))
    settle(some, {code: network.source(code) for code in some})
    record = tmp_path / "record"
    done("site", "build", "--node", network.place("GB"), "--out", record)
    ran = done("framework", "corpus", write_corpus(tmp_path / "corpus"), "--record", record)
    assert ran.out.splitlines()[-1] == ("Logged example-developer 1: agrees (v1-reupload-20250201)")


def test_a_table_that_is_not_one_is_named_with_its_line(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path)
    (folder / "corpus" / "pairs.csv").write_text("provider\nx\n")
    ran = countermark("framework", "corpus", folder)
    assert ran.code == 1
    assert "pairs.csv:1: has no column v_i, v_next" in ran.err
