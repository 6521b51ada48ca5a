# SPDX-License-Identifier: Apache-2.0
"""How long one decision takes. Prints Markdown.

    python benchmarks/gate.py

Findings are simulated: every figure is what its own parts give, and none means anything. They come
from five labs, so a rate has six figures: of all labs, and without each. With *full* figures there
are two estimands, without and with correction of the judge: 24. Bar: a decision takes at most 50 ms
of CPU, over 100 thresholds too. The finding's digest is known, as it is to a node; computing it
from the finding's bytes stands beside.

A second table has thresholds that persons determined, each by so many institutes. There the digests
of the determinations are part of the time.
"""

import argparse
import os
import platform
import sys
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

from hand_made_case import LEVEL, determined
from hand_made_finding import CORRECTIONS, cell, figures, finding, framework, limit, threshold

from countermark.commitments.case import Case, DatedFinding
from countermark.commitments.gate import decide
from countermark.records.decision import Decision
from countermark.records.finding_figures import Estimand

INSTITUTES = ("AU", "CA", "EU", "FR", "GB", "JP", "KE", "KR", "SG", "US")
LABS = ("AU-a", "CA-a", "FR-a", "GB-a", "JP-a")
LANGUAGES = ("en", "fr", "fa", "ja", "ko", "ms", "sw", "te", "yue", "zh-Hans")
BAR = 0.05


def question(thresholds: int, languages: int, value: float, *, full: bool) -> Case:
    """Return a question over some thresholds in some languages."""
    tags = LANGUAGES[:languages]
    estimands: tuple[Estimand, ...] = ("benchmark", "generalised") if full else ("benchmark",)
    rules = [
        threshold(
            limit(task=f"t-{place}", languages=tags, estimands=estimands),
            key=f"k-{place}",
        )
        for place in range(thresholds)
    ]
    cells = [
        cell(
            *(
                figure
                for estimand in estimands
                for correction in (CORRECTIONS if full else CORRECTIONS[:1])
                for figure in figures(value, labs=LABS, estimand=estimand, correction=correction)
            ),
            language=tag,
            task=f"t-{place}",
        )
        for place in range(thresholds)
        for tag in tags
    ]
    tested = (DatedFinding(finding(*cells), "2026-11-01"),)
    return Case(framework(*rules), "m", "deploy", date(2026, 11, 29), tested=tested)


def measure(asked: Case, repeat: int) -> tuple[float, Decision]:
    """Return the least CPU seconds of one decision, and the decision."""
    seconds = []
    for _ in range(repeat):
        fresh = replace(asked)
        before = time.process_time()
        decision = decide(fresh, decided_by="GB")
        seconds.append(time.process_time() - before)
    return min(seconds), decision


def determined_question(thresholds: int, institutes: int) -> Case:
    """Return a question over thresholds of which each was determined by some institutes."""
    promised = framework(*(threshold(LEVEL, key=f"k-{place}") for place in range(thresholds)))
    judged = determined(promised, "no")
    said = tuple(
        judged.model_copy(update={"key": one.key, "determined_by": code})
        for one in promised.thresholds
        for code in INSTITUTES[:institutes]
    )
    return Case(promised, "m", "deploy", date(2026, 11, 29), determinations=said)


def digest_seconds(asked: Case) -> float:
    """Return the CPU seconds that the finding's digest takes, which is then known."""
    before = time.process_time()
    for one in asked.tested:
        one.digest  # noqa: B018  computed once
    return time.process_time() - before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeat", type=int, default=5, help="repetitions; the least counts")
    options = parser.parse_args()
    print(f"python: {platform.python_version()}; load: {os.getloadavg()[0]:.1f}\n")
    print("| thresholds | languages | bounds | verdict | ms | bar 50 ms | digest, ms |")
    print("|---:|---:|---:|---|---:|---|---:|")
    for thresholds, languages, full in ((2, 2, True), (100, 1, False), (10, 10, True)):
        for value in (0.02, 0.095, 0.5):
            asked = question(thresholds, languages, value, full=full)
            known = digest_seconds(asked)
            seconds, decision = measure(asked, options.repeat)
            bounds = sum(len(one.bounds) for one in decision.outcomes)
            print(
                f"| {thresholds} | {languages} | {bounds:,} | {decision.verdict} "
                f"| {1000 * seconds:.1f} | {_kept(seconds)} | {1000 * known:.1f} |"
            )
    print("\n| determined thresholds | determinations | verdict | ms | bar 50 ms |")
    print("|---:|---:|---|---:|---|")
    for institutes in (1, 3, 10):
        asked = determined_question(100, institutes)
        seconds, decision = measure(asked, options.repeat)
        print(
            f"| 100 | {len(asked.determinations):,} | {decision.verdict} | {1000 * seconds:.1f} "
            f"| {_kept(seconds)} |"
        )


def _kept(seconds: float) -> str:
    return "reached" if seconds <= BAR else "**not reached**"


if __name__ == "__main__":
    main()
