# SPDX-License-Identifier: Apache-2.0
"""How fast the joint analysis is, beside its peers in the same run. Prints Markdown, or JSON.

    make oracles
    python benchmarks/statistics.py --oracles .oracles/bin/python

Figures are CPU seconds, user and system, of one thread, each in a process of its own, the least of
the repetitions; ours and the peers' are taken in turns, so that a busy machine slows both. Making
the simulated rows and imports are not counted; reducing coded rows to cells is, in ours. Peers get
rows or cells, whichever is faster for them, and parse their formula. Bars:

1. The mixed model ``model + language + (1|item) + (1|lab) + (1|lab:language)`` at 100,000 rows is
   at least 100 times as fast as lme4's ``glmer`` and 20 times as fast as the package ``glmm``.
2. At 1,000,000 rows it holds at most a fifth of the memory that ``glmm`` holds for the same rows.
3. All find the same maximum: ``glmm``'s log-likelihood to 1e-6, relatively. (``glmer`` stops short
   of it; its own is printed.)
4. The full analysis with 2,000 replicates takes at most 0.3 s for 10,000 rows, and 10 s and 1 GiB
   for 1,000,000.
5. From 10,000 to 10,000,000 rows the cost grows no faster than the rows.
"""

import argparse
import json
import math
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

JOINT = Path(__file__).parent / "joint"
ONE_THREAD = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "RAYON_NUM_THREADS", "MKL_NUM_THREADS"), "1"
)
SIZES = ("10k", "100k", "1M", "10M")


@dataclass(frozen=True, slots=True)
class Row:
    """One figure; ``nan`` is not measured. At most one of the two bars is there."""

    name: str
    figure: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def measured(self) -> float | None:
        """The figure, or nothing."""
        return None if math.isnan(self.figure) else self.figure

    @property
    def reached(self) -> bool | None:
        """Whether the bar is reached, or nothing where there is no bar or no figure."""
        if math.isnan(self.figure) or (self.at_least is None and self.at_most is None):
            return None
        if self.at_least is not None:
            return self.figure >= self.at_least
        return self.at_most is not None and self.figure <= self.at_most

    @property
    def markdown(self) -> str:
        """The row of the table."""
        figure = "not measured" if math.isnan(self.figure) else f"{self.figure:,.4g} {self.unit}"
        bar = f"≥ {self.at_least:g}" if self.at_least is not None else ""
        bar = f"≤ {self.at_most:g}" if self.at_most is not None else bar
        said = {None: "", True: "reached", False: "**not reached**"}[self.reached]
        return f"| {self.name} | {figure} | {bar} | {said} |"


@dataclass(frozen=True, slots=True)
class Peers:
    """Where the peers are; ``None`` is not here."""

    glmm: str | None
    rscript: str | None


@dataclass(frozen=True, slots=True)
class Measured:
    """What one process said of its work; all ``nan`` if it is not here."""

    seconds: float = math.nan
    peak: float = math.nan
    loglik: float = math.nan
    rows: int = 0


def _asked(*command: str) -> Measured:
    ran = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **ONE_THREAD}
    )
    if ran.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{ran.stderr}")
    said = json.loads(ran.stdout)
    return Measured(**{name: said[name] for name in said if name in Measured.__slots__})


def ours(kind: str, size: str, repeat: int) -> Measured:
    """Run one piece of our own work."""
    return _asked(sys.executable, str(JOINT / "ours.py"), kind, size, str(repeat))


def by_glmm(peers: Peers, size: str, how: str) -> Measured:
    """Fit by glmm, of ``rows`` or ``cells``."""
    if peers.glmm is None:
        return Measured()
    return _asked(peers.glmm, str(JOINT / "by_glmm.py"), size, how)


def by_glmer(peers: Peers, size: str) -> Measured:
    """Fit by glmer, of cells, which is faster for it than rows."""
    if peers.rscript is None:
        return Measured()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "cells.csv"
        subprocess.run([sys.executable, str(JOINT / "cells.py"), size, str(file)], check=True)
        return _asked(peers.rscript, str(JOINT / "by_glmer.R"), str(file))


def mixed_models(peers: Peers, repeat: int) -> list[Row]:
    """Bars 1 and 3, at 100,000 rows."""
    first = ours("mixed", "100k", repeat)
    glmm, glmer = by_glmm(peers, "100k", "cells"), by_glmer(peers, "100k")
    again = ours("mixed", "100k", repeat)
    seconds = min(first.seconds, again.seconds)
    return [
        Row("mixed model of 95,000 rows", seconds, "s"),
        Row("… glmer (lme4, cells)", glmer.seconds, "s"),
        Row("… times as fast as glmer", glmer.seconds / seconds, "×", at_least=100),
        Row("… glmm (cells)", glmm.seconds, "s"),
        Row("… times as fast as glmm", glmm.seconds / seconds, "×", at_least=20),
        Row("… relative distance of glmm's log-likelihood", _apart(first, glmm), "", at_most=1e-6),
        Row("… ours minus glmer's log-likelihood", first.loglik - glmer.loglik, ""),
    ]


def _apart(mine: Measured, theirs: Measured) -> float:
    return abs(theirs.loglik / mine.loglik - 1)


def large_models(peers: Peers, repeat: int) -> list[Row]:
    """Bar 2, at 1,000,000 rows."""
    first = ours("mixed", "1M", repeat)
    cells, rows = by_glmm(peers, "1M", "cells"), by_glmm(peers, "1M", "rows")
    again = ours("mixed", "1M", repeat)
    seconds, peak = min(first.seconds, again.seconds), max(first.peak, again.peak)
    return [
        Row("mixed model of 950,000 rows", seconds, "s"),
        Row("… times as fast as glmm (cells)", cells.seconds / seconds, "×"),
        Row("… times as fast as glmm (rows)", rows.seconds / seconds, "×"),
        Row("… memory held, rows and imports included", peak, "MiB"),
        Row("… glmm's memory over it (rows)", rows.peak / peak, "×", at_least=5),
        Row("… glmm's memory over it (cells)", cells.peak / peak, "×"),
        Row("… relative distance of glmm's log-likelihood", _apart(first, cells), "", at_most=1e-6),
    ]


def analyses(repeat: int) -> list[Row]:
    """Bar 4."""
    small, large = ours("analysis", "10k", 3 * repeat), ours("analysis", "1M", 1)
    return [
        Row("full analysis of 10,000 rows", small.seconds, "s", at_most=0.3),
        Row("full analysis of 1,000,000 rows", large.seconds, "s", at_most=10),
        Row("… memory held, rows and imports included", large.peak, "MiB", at_most=1024),
    ]


def growth(sizes: list[str], repeat: int) -> list[Row]:
    """Bar 5: microseconds a row, and how the largest compares with the smallest."""
    found = []
    for kind, title in (("grid", "rows to a grid"), ("mixed", "mixed model")):
        each = []
        for size in sizes:
            one = ours(kind, size, 1 if size == "10M" else repeat)
            each.append(1e6 * one.seconds / one.rows)
            found.append(Row(f"{title}, {one.rows:,} rows", each[-1], "µs a row"))
        ratio = each[-1] / each[0]
        found.append(Row("… a row of the most over one of the least", ratio, "×", at_most=1))
    return found


def redrawing(repeat: int) -> list[Row]:
    """Set the bootstrap beside a loop over replicates."""
    rows = []
    for size in ("10k", "1M"):
        products, loop = ours("bootstrap", size, repeat), ours("loop", size, 1)
        ratio = loop.seconds / products.seconds
        rows.append(Row(f"bootstrap of one cell ({size}), times as fast as a loop", ratio, "×"))
    return rows


def machine() -> dict[str, str]:
    """Return what the figures depend on."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": models[0] if models else platform.machine(),
        "cores": str(os.cpu_count()),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "load": " ".join(f"{load:.1f}" for load in os.getloadavg()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--oracles", help="Python of the environment of `make oracles`")
    parser.add_argument("--repeat", type=int, default=3, help="repetitions; the least counts")
    parser.add_argument("--largest", choices=["100k", "1M", "10M"], default="10M")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--without-peers", action="store_true", help="ours only")
    options = parser.parse_args()
    without = options.without_peers
    oracles = options.oracles or os.environ.get("COUNTERMARK_ORACLES")
    peers = Peers(
        glmm=None if without else oracles, rscript=None if without else shutil.which("Rscript")
    )
    facts = machine()
    sizes = list(SIZES)[: SIZES.index(options.largest) + 1]
    rows = mixed_models(peers, options.repeat)
    if options.largest != "100k":
        rows += large_models(peers, options.repeat) + analyses(options.repeat)
    rows += growth(sizes, options.repeat)
    if options.largest != "100k":
        rows += redrawing(options.repeat)
    if options.json:
        told = [{**asdict(row), "figure": row.measured, "reached": row.reached} for row in rows]
        print(json.dumps({"machine": facts, "options": vars(options), "rows": told}, indent=2))
        return
    print("; ".join(f"{name}: {fact}" for name, fact in facts.items()))
    print("\nCPU seconds of one thread, least of the repetitions\n")
    print("| what | figure | bar | |\n|---|---:|---:|---|")
    print("\n".join(row.markdown for row in rows))


if __name__ == "__main__":
    main()
