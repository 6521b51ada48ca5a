# SPDX-License-Identifier: Apache-2.0
"""How long the tracker takes to compute all states from logged statements. Prints Markdown.

    python benchmarks/tracker.py [--frameworks 1000] [--thresholds 100] [--findings 10000]

Statements are made up: twenty developers publish versions of one framework each, of which a few
thresholds change; an institute determines, decides and finds. Every second change comes with an
account. The bar is 5 seconds for 1,000 frameworks of 100 thresholds and 10,000 findings, from
statements in memory to a whole grid. For comparison stands what it takes to do nothing but look at
every threshold of every framework for every finding, without an index, on a hundredth of the
findings, times a hundred.
"""

import argparse
import time
from collections.abc import Iterator
from itertools import pairwise

from countermark.commitments.reference import Company, load_commitments
from countermark.commitments.tracker import grid
from countermark.node.book import Entry
from countermark.records import Record
from countermark.records.account import Account
from countermark.records.decision import Decision, EvidenceUsed, ThresholdOutcome
from countermark.records.determination import Determination
from countermark.records.evidence import CellCounts
from countermark.records.finding import Finding, FindingCell, LabSettings
from countermark.records.framework import Framework, Mitigation, Threshold
from countermark.records.threshold_rules import MetricBound

BAR_SECONDS, DEVELOPERS, AT = 5, 20, "2026-11-29"


def framework(developer: str, version: int, thresholds: int) -> Framework:
    """Return one version; each tenth threshold has another limit than in the version before."""
    return Framework(
        developer=developer,
        title="A framework",
        label=str(version),
        published=f"{2000 + version // 12}-{version % 12 + 1:02}-01",
        status="in-force",
        demonstration=False,
        source="Made up for the benchmark.",
        thresholds=tuple(
            Threshold(
                key=f"threshold-{number}",
                title=f"what threshold {number} limits",
                force="shall",
                actions=("deploy",),
                rule=_bound(0.1 + 0.001 * (version if number % 10 == 0 else 0)),
            )
            for number in range(thresholds)
        ),
        mitigations=(Mitigation(key="filter", title="A filter", sort="deployment"),),
    )


def _bound(limit: float) -> MetricBound:
    return MetricBound(
        task="leak",
        languages=("en", "fr"),
        estimands=("benchmark",),
        direction="at-most",
        limit=limit,
        guard=0.0,
        alpha_miss=0.01,
        alpha_false=0.05,
        minimum_labs=1,
    )


def finding(number: int) -> Finding:
    """Return a small finding."""
    counts = CellCounts(
        model="model",
        task="leak",
        language="en",
        submitted=1,
        answered=1,
        refused=0,
        errored=0,
        missing=0,
        scorers=(),
    )
    cell = FindingCell(
        model="model",
        task="leak",
        language="en",
        status="reported",
        counts=counts,
        validity=(),
        figures=(),
        not_computed=(),
        labs=(),
        methods=(),
        new_lab=(),
        next_run=(),
    )
    return Finding(
        protocol=f"sha256:{number:064x}",
        coordinator="GB",
        demonstration=False,
        significant_digits=3,
        relative_tolerance=1e-6,
        absolute_tolerance=1e-9,
        labs=(
            LabSettings(
                institute="GB",
                lab="GB-example",
                evidence=f"sha256:{number:064x}",
                settings=(),
                deviations=(),
                samples=1,
                transcripts_checked=1,
            ),
        ),
        left_out=(),
        differences=(),
        cells=(cell,),
        seed=1,
        replicates=1,
        factors=(),
        languages=(),
        gaps=(),
    )


def judged(framework_digest: str, finding_digest: str, number: int) -> Iterator[Record]:
    """Yield what an institute says of a framework."""
    yield Determination(
        determined_by="FR",
        framework=framework_digest,
        subject="mitigation",
        key="filter",
        model="model",
        conclusion="yes",
        date=f"2026-{number % 11 + 1:02}-01",
        persons=("a reviewer",),
        reasons="made up",
        evidence=(),
        demonstration=False,
    )
    outcome = ThresholdOutcome(
        threshold="threshold-0", state="kept", rule=1, reason="made up", bounds=()
    )
    yield Decision(
        decided_by="GB",
        framework=framework_digest,
        model="model",
        action="deploy",
        demonstration=False,
        verdict="MAY",
        rule=1,
        reason="made up",
        outcomes=(outcome,),
        missing=(),
        at="2026-11-01",
        evidence=(EvidenceUsed(statement=finding_digest, sort="finding", by=("GB",)),),
    )


def statements(frameworks: int, thresholds: int, findings: int) -> list[Entry]:
    """Return everything as logged."""
    entries: list[Entry] = []

    def log(record: Record, author: str, digest: str) -> None:
        entries.append(Entry(record, digest, digest, author, author, len(entries), None, (), ""))

    for number in range(findings):
        log(finding(number), "GB", f"sha256:{number:064x}")
    for developer in range(DEVELOPERS):
        code = f"developer-{developer}"
        versions = [
            framework(code, version, thresholds) for version in range(frameworks // DEVELOPERS)
        ]
        for one in versions:
            log(one, code, one.digest)
        for number, (before, after) in enumerate(pairwise(versions)):
            if number % 2:
                told = Account(
                    developer=code,
                    before=before.digest,
                    after=after.digest,
                    date=after.published,
                    changes=(),
                    demonstration=False,
                )
                log(told, code, told.digest)
        for number in range(10):
            for record in judged(versions[-1].digest, f"sha256:{number:064x}", number):
                log(record, record.speaker or "GB", record.digest)
    return entries


def rescan(entries: list[Entry]) -> float:
    """Return the seconds that a pass over all thresholds takes for one finding in a hundred."""
    frameworks = [entry.record for entry in entries if isinstance(entry.record, Framework)]
    some = [entry for entry in entries if isinstance(entry.record, Finding)][::100]
    began = time.perf_counter()
    for entry in some:
        for record in frameworks:
            any(threshold.key == entry.digest for threshold in record.thresholds)
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--frameworks", type=int, default=1_000)
    parser.add_argument("--thresholds", type=int, default=100)
    parser.add_argument("--findings", type=int, default=10_000)
    options = parser.parse_args()
    entries = statements(options.frameworks, options.thresholds, options.findings)
    companies = tuple(
        Company(f"developer-{number}", f"Developer {number}", "2024-05-21", (), AT, ())
        for number in range(DEVELOPERS)
    )
    began = time.perf_counter()
    found = grid(companies, load_commitments(), entries, AT)
    seconds = time.perf_counter() - began
    counts = ", ".join(f"{count} {state}" for state, count in found.counts().items() if count)
    print("| Statements | Frameworks × thresholds | Findings | Seconds | Bar |")
    print("| --- | --- | --- | --- | --- |")
    print(
        f"| {len(entries):,} | {options.frameworks:,} × {options.thresholds:,} "
        f"| {options.findings:,} | {seconds:.2f} | {BAR_SECONDS} |"
    )
    print(f"\nStates: {counts}.")
    print(f"Without an index, every threshold for every finding: {100 * rescan(entries):.0f} s.")
    raise SystemExit(0 if seconds < BAR_SECONDS else 1)


if __name__ == "__main__":
    main()
