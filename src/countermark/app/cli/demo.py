# SPDX-License-Identifier: Apache-2.0
"""``countermark demo``: the whole main job on a real model."""

import functools
import json
import shutil
import tempfile
import time
from pathlib import Path

import click

from countermark.app.cli.output import data, data_json, json_option, talk
from countermark.app.cli.verb import Verb
from countermark.app.demo.conduct import Outcome, conduct, run_on_model
from countermark.app.demo.measure import Timings
from countermark.app.progress import RunProgress
from countermark.app.record import put_in_place, write_record
from countermark.exercise.cells import planned_keys
from countermark.exercise.demonstration import demonstration
from countermark.node.files import storage_errors, write_atomic
from countermark.node.node import Node
from countermark.records.errors import StateError

PORT = 8400
MARKER = "README.txt"
BUILDING = ".building-"
ABOUT = """This folder was written by `countermark demo`: a joint exercise of five simulated
institutes and an example developer on a real, small language model. The real institutes took no
part.

nodes/<code>/        one node folder per institute: its keys, log, blobs, mirrors of its peers
developer/           the example developer's node
record/statements/   every published statement; to check them:
                     countermark verify record/statements/*.json
record/roster/       the roster that the five signed
record/blobs/        revealed samples, by their content
record/site/         the public record; open site/index.html
timings.json         where the time went
"""


@click.command(
    cls=Verb,
    example="countermark demo",
    epilog="Writes ./demo/, then serves it at http://127.0.0.1:8400.",
)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("demo"))
@click.option("--no-serve", is_flag=True, help="Stop after writing.")
@click.option("--port", type=click.IntRange(1, 65535), default=PORT, show_default=True)
@json_option
def command(out: Path, port: int, *, no_serve: bool, as_json: bool) -> None:
    """Run a whole joint exercise on a real model, from keys to public record."""
    began = time.perf_counter()
    if out.exists() and any(out.iterdir()) and not (out / MARKER).is_file():
        raise StateError(
            "holds something that no demonstration wrote",
            where=str(out),
            next_step="Give another folder: countermark demo --out DIR.",
        )
    if not no_serve:
        # Heavy, and a port in use should be known before minutes of work, not after.
        from countermark.app.web.server import listener, serve  # noqa: PLC0415

        listener(port).close()
    timings, outcome = _build(out, began)
    if as_json:
        data_json([decision.to_value() for decision in outcome.decisions])
    else:
        _summary(out, outcome, timings)
    if not no_serve:
        talk(f"Serving http://127.0.0.1:{port}; Ctrl-C stops it.")
        serve(Node.open(out / "nodes" / outcome.coordinator.code), port=port)


def _build(out: Path, began: float) -> tuple[Timings, Outcome]:
    """Write the demonstration beside ``out`` and put it in its place when whole."""
    out = out.resolve()
    building = f".{out.name}{BUILDING}"
    with storage_errors(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        for stale in out.parent.iterdir():
            if stale.name.startswith(building):
                shutil.rmtree(stale)  # an earlier run was killed
        root = Path(tempfile.mkdtemp(prefix=building, dir=out.parent))
    timings = Timings()
    try:
        protocol, _ = demonstration()
        samples = len(protocol.participants) * sum(1 for _ in planned_keys(protocol))
        with RunProgress(samples) as progress:
            run = functools.partial(
                run_on_model, timings=timings, stage=talk, answered=progress.told
            )
            outcome = conduct(root, timings, talk, run)
        talk("The public record is written")
        with timings.stage("record"):
            write_record(outcome.coordinator, root / "record")
        timings.stages["whole"] = time.perf_counter() - began
        write_atomic(root / "timings.json", json.dumps(timings.value(), indent=2).encode() + b"\n")
        write_atomic(root / MARKER, ABOUT.encode())
        with storage_errors(out):
            put_in_place(root, out)
    except BaseException:
        shutil.rmtree(root, ignore_errors=True)
        raise
    return timings, outcome


def _summary(out: Path, outcome: Outcome, timings: Timings) -> None:
    for decision in outcome.decisions:
        data(f"{decision.verdict}: {decision.model}, {decision.action} (rule {decision.rule})")
        data(f"    {decision.reason}")
    agreed = len(outcome.protocol.participants) - outcome.dissents
    data(f"{agreed} of {len(outcome.protocol.participants)} countersigned the finding.")
    data(f"{timings.answers} answers; {timings.stages['whole']:.0f} seconds in all.")
    data(f"Everything lies in {out}/ ({MARKER} says what is where).")
    data(f"Check it: countermark verify {out}/record/statements/*.json")
    data(f"Read it:  {out}/record/site/index.html")
