# SPDX-License-Identifier: Apache-2.0
"""What a copy of the corpus says, by the rules of the paper, from rows that are made up."""

import csv
from pathlib import Path

import pytest
from corpora import AGAIN, FIRST, TRACED_ROWS, UNCOUNTED, traced, write_corpus
from frameworks import framework

from countermark.commitments.corpus import Corpus, Rates, compare_with_logged, read_corpus
from countermark.commitments.corpus_tables import COUNTS, FIRST_PASS, Counted

PAIR = ("Example", "v1", "v2", "yes", "itemised")


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    """Return a small copy."""
    return read_corpus(write_corpus(tmp_path))


def test_rule_1_only_material_changes_are_counted(corpus: Corpus) -> None:
    assert corpus.rates().material == 5
    assert corpus.outcomes() == {"weakened": 2, "removed": 1, "added": 1, "strengthened": 1}


def test_rule_2_the_strict_rate_counts_what_is_told_in_part(corpus: Corpus) -> None:
    assert corpus.rates().strict == 3 / 4


def test_rule_3_the_lenient_rate_does_not(corpus: Corpus) -> None:
    assert corpus.rates().lenient == 2 / 4


def test_rule_4_a_pair_without_an_account_has_no_rate(corpus: Corpus) -> None:
    example, other, untraced = corpus.by_pair()
    assert (example.rates.accounted, example.mixed, example.ids) == (4, 1, ("EX-1",))
    assert other.rates == Rates(announced=0, partly=0, silent=0, no_account=1)
    assert (other.rates.strict, other.rates.lenient) == (None, None)
    assert (untraced.rates.material, untraced.pair.traced) == (0, False)


def test_rule_5_the_strata(corpus: Corpus) -> None:
    assert corpus.rates("evidentiary").strict == 2 / 3
    assert corpus.rates("other").strict == 1
    both = corpus.rates("evidentiary").material + corpus.rates("other").material
    assert both == corpus.rates().material


def test_rule_6_files_that_took_the_place_of_others(corpus: Corpus) -> None:
    (found,) = corpus.reuploads()
    assert (found.label, found.sha256, found.first_sha256) == ("v1", AGAIN, FIRST)


def test_rule_8_logged_frameworks_agree_differ_or_are_not_there(corpus: Corpus) -> None:
    logged = [
        framework(label="Version 1", document=f"sha256:{AGAIN}"),
        framework(label="2", document=f"sha256:{'f' * 64}"),
        framework(label="3", document=f"sha256:{'f' * 64}"),
        framework(label="4"),
    ]
    found = compare_with_logged(corpus, logged, {"Example": "example-developer"})
    assert [(one.label, one.standing, one.versions) for one in found] == [
        ("2", "differs", ("v2",)),
        ("3", "not in the corpus", ()),
        ("Version 1", "agrees", ("v1-reupload-20250201",)),
    ]


def test_tables_may_lie_at_the_top(tmp_path: Path) -> None:
    write_corpus(tmp_path)
    flat = tmp_path / "flat"
    flat.mkdir()
    for path in [*tmp_path.glob("co*/*.csv")]:
        path.rename(flat / path.name)
    assert read_corpus(flat).rates().material == 5


def test_rule_7_a_pair_that_is_not_listed_is_named(tmp_path: Path) -> None:
    copy = read_corpus(write_corpus(tmp_path, pairs=[(*PAIR, *UNCOUNTED)]))
    assert copy.unlisted() == ("OT-1",)


def test_rule_7_a_re_upload_is_traced_under_its_label(tmp_path: Path) -> None:
    row = list(traced(1))
    row[2] = "v1-reupload-20250201"
    copy = read_corpus(write_corpus(tmp_path, rows=[tuple(row)]))
    assert (copy.unlisted(), copy.by_pair()[0].rates.silent) == ((), 1)


def test_rule_9_tables_that_agree_are_not_spoken_of(corpus: Corpus) -> None:
    assert corpus.disagreements() == ()


def test_rule_9_a_table_of_pairs_that_counts_the_first_pass(tmp_path: Path) -> None:
    rows = [
        traced(1, told="ANN-P", first="ANN"),
        traced(2, first_material="no", first="NA"),
        traced(3, told="ANN"),
    ]
    copy = write_corpus(tmp_path, pairs=[(*PAIR, "2", "2", "0", "0")], rows=rows)
    (found,) = read_corpus(copy).disagreements()
    assert (found.provider, found.before, found.after) == ("Example", "v1", "v2")
    assert found.table == Counted(material=2, announced=2, silent=0, no_account=0)
    assert found.adjudicated == Counted(material=3, announced=1, silent=2, no_account=0)
    assert found.as_first_pass


def test_rule_9_a_table_of_pairs_that_counts_neither(tmp_path: Path) -> None:
    copy = write_corpus(tmp_path, pairs=[(*PAIR, "9", "9", "0", "0")], rows=[traced(1)])
    (found,) = read_corpus(copy).disagreements()
    assert not found.as_first_pass


def test_rule_9_a_pair_without_counts_disagrees_with_nothing(tmp_path: Path) -> None:
    copy = write_corpus(tmp_path, pairs=[(*PAIR, *UNCOUNTED)], rows=[traced(1)])
    assert read_corpus(copy).disagreements() == ()


def test_a_corpus_without_changes_has_no_rates(tmp_path: Path) -> None:
    rows = [traced(1, outcome="R", material="no", told="NA")]
    rates = read_corpus(write_corpus(tmp_path, rows=rows)).rates()
    assert (rates.strict, rates.lenient) == (None, None)


def test_the_report_repeats_no_text_of_a_provider(corpus: Corpus) -> None:
    value = corpus.to_value()
    assert len(value["traced"]) == len(TRACED_ROWS)
    assert "quoted" not in str(value)


def test_rule_9_a_copy_without_counts_and_first_pass_is_read_all_the_same(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path)
    without = {"coding/tracing_FINAL.csv": FIRST_PASS, "corpus/pairs.csv": COUNTS}
    for name, gone in without.items():
        with (folder / name).open(newline="", encoding="utf-8") as file:
            rows = [
                {key: cell for key, cell in row.items() if key not in gone}
                for row in csv.DictReader(file)
            ]
        with (folder / name).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    found = read_corpus(folder)
    assert found.disagreements() == ()
    assert found.rates() == read_corpus(write_corpus(tmp_path / "whole")).rates()
