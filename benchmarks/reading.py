# SPDX-License-Identifier: Apache-2.0
"""How fast Inspect logs are read, beside Inspect's own data frames. Prints Markdown, or JSON.

    python benchmarks/reading.py --peer PYTHON [--largest 1000000]

PYTHON is one that has inspect-ai, pandas and pyarrow, which Inspect's data frames need; without it
bar 1 is not measured.
Figures are CPU seconds, user and system, each piece in a process of its own, the least of the
repetitions, imports not counted; memory is the largest that the process held, imports counted. The
logs are written in the layout of a real one: see ``benchmarks/reading_logs/making.py``. Bars:

1. The columns of an analysis (ids, three scores, errors, limits, tokens) of 12 logs of 1,000
   samples take at most a fiftieth of the CPU of ``inspect_ai.analysis.samples_df`` and a tenth of
   its memory.
2. The evidence pass, which hashes and extracts every sample, does 20,000 samples a second. Beside
   it stands what the libraries alone take for it, with none of our code: no pass is faster.
3. A sample of the longest log costs no more than one of 1,000 samples and a fifth, and its pass
   holds no more than half as much memory again.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

PARTS = Path(__file__).parent / "reading_logs"
LOGS, SAMPLES = 12, 1000


@dataclass(frozen=True, slots=True)
class Row:
    """One figure, and at most one bar."""

    name: str
    figure: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def reached(self) -> bool | None:
        """Whether the bar is reached; nothing where there is none."""
        if self.at_least is not None:
            return self.figure >= self.at_least
        return self.figure <= self.at_most if self.at_most is not None else None

    @property
    def markdown(self) -> str:
        """The row of the table."""
        bar = f"≥ {self.at_least:g}" if self.at_least is not None else ""
        bar = f"≤ {self.at_most:g}" if self.at_most is not None else bar
        said = {None: "", True: "reached", False: "**not reached**"}[self.reached]
        return f"| {self.name} | {self.figure:,.4g} {self.unit} | {bar} | {said} |"


@dataclass(frozen=True, slots=True)
class Measured:
    """What one process said of its work."""

    seconds: float
    peak: float
    samples: int


def make(folder: Path, logs: int, samples: int, *packing: str) -> Path:
    """Have logs written."""
    script = [sys.executable, str(PARTS / "making.py"), str(folder), str(logs), str(samples)]
    script += packing
    subprocess.run(script, check=True, stdout=sys.stderr)
    return folder


def measure(work: str, folder: Path, repeat: int, python: str = sys.executable) -> Measured:
    """Return the least CPU and memory of the repetitions of one piece of work."""
    script = [python, str(PARTS / "work.py"), work, str(folder)]
    each = [
        Measured(**json.loads(subprocess.run(script, check=True, capture_output=True).stdout))
        for _ in range(repeat)
    ]
    return Measured(
        min(one.seconds for one in each), min(one.peak for one in each), each[0].samples
    )


def beside_the_peer(folder: Path, repeat: int, python: str | None) -> list[Row]:
    """Bar 1."""
    mine = measure("columns", folder, repeat)
    if python is None:
        return [Row(f"columns of {mine.samples:,} samples", mine.seconds, "s")]
    peer = measure("peer", folder, 1, python)
    again = measure("columns", folder, repeat)
    seconds, peak = min(mine.seconds, again.seconds), min(mine.peak, again.peak)
    if mine.samples != peer.samples:
        raise SystemExit(f"we read {mine.samples} samples, the peer {peer.samples}")
    return [
        Row(f"columns of {mine.samples:,} samples", seconds, "s"),
        Row("… memory held, imports included", peak, "MiB"),
        Row("… samples_df", peer.seconds, "s"),
        Row("… times less CPU", peer.seconds / seconds, "×", at_least=50),
        Row("… memory of samples_df", peer.peak, "MiB"),
        Row("… times less memory", peer.peak / peak, "×", at_least=10),
    ]


def evidence(folder: Path, repeat: int, size: float) -> tuple[list[Row], Measured]:
    """Bar 2."""
    mine, least = measure("evidence", folder, repeat), measure("floor", folder, repeat)
    return [
        Row(
            f"evidence pass of {mine.samples:,} samples", _rate(mine), "samples/s", at_least=20_000
        ),
        Row("… which is, of the packed logs", size / mine.seconds, "MiB/s"),
        Row("… if it only unpacked, checked, hashed and scanned", _rate(least), "samples/s"),
        Row("… memory held, imports included", mine.peak, "MiB"),
    ], mine


def older(folder: Path, repeat: int) -> list[Row]:
    """Return what bar 2 would be with the packing of older logs."""
    mine = measure("evidence", folder, repeat)
    return [Row("evidence pass of the same, deflated", _rate(mine), "samples/s")]


def _rate(measured: Measured) -> float:
    return measured.samples / measured.seconds


def growth(short: Measured, folder: Path) -> list[Row]:
    """Bar 3."""
    long = measure("evidence", folder, 1)
    each = 1e6 * long.seconds / long.samples
    ratio = each / (1e6 * short.seconds / short.samples)
    return [
        Row(f"evidence pass of one log of {long.samples:,} samples", each, "µs a sample"),
        Row("… over a sample of the short logs", ratio, "×", at_most=1.2),
        Row("… memory held over that of the short logs", long.peak / short.peak, "×", at_most=1.5),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--peer", help="a Python that has inspect-ai, pandas and pyarrow")
    parser.add_argument("--samples", type=int, default=SAMPLES, help="of each of the 12 logs")
    parser.add_argument("--largest", type=int, default=100_000, help="samples of the long log")
    parser.add_argument("--repeat", type=int, default=3, help="repetitions; the least counts")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    load = " ".join(f"{load:.1f}" for load in os.getloadavg())
    with tempfile.TemporaryDirectory() as scratch:
        folder = make(Path(scratch) / "short", LOGS, options.samples)
        size = sum(path.stat().st_size for path in folder.iterdir()) / 2**20
        rows = beside_the_peer(folder, options.repeat, options.peer)
        passed, short = evidence(folder, options.repeat, size)
        rows += passed
        rows += older(
            make(Path(scratch) / "older", LOGS, options.samples, "deflate"), options.repeat
        )
        rows += growth(short, make(Path(scratch) / "long", 1, options.largest))
    if options.json:
        told = [{**asdict(row), "reached": row.reached} for row in rows]
        print(json.dumps({"load": load, "options": vars(options), "rows": told}, indent=2))
        return
    print(f"python: {platform.python_version()}; cores: {os.cpu_count()}; load: {load}\n")
    print("| what | figure | bar | |\n|---|---:|---:|---|")
    print("\n".join(row.markdown for row in rows))


if __name__ == "__main__":
    main()
