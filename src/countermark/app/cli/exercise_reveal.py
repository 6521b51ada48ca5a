# SPDX-License-Identifier: Apache-2.0
"""``countermark exercise reveal`` and ``challenge``: what a lab shows, and is asked to show."""

from dataclasses import asdict
from pathlib import Path

import click

from countermark.app.cli.disclosed import out_option, read_keys, write_disclosed
from countermark.app.cli.exercise_options import protocol_option
from countermark.app.cli.output import (
    answer,
    data,
    data_json,
    json_option,
    node_option,
    open_node,
    passphrase_option,
    read_input,
    talk,
)
from countermark.app.cli.reading import read_record
from countermark.app.cli.verb import Verb
from countermark.exercise.stages.challenges import check_answers, make_challenge
from countermark.exercise.stages.disclosing import disclosed_samples
from countermark.exercise.stages.disclosing import reveal as reveal_lab
from countermark.exercise.stages.opening import opened_as_kept
from countermark.exercise.stages.status import shows
from countermark.records.errors import UsageError
from countermark.records.evidence import Disclosure
from countermark.records.protocol import Protocol

FAILED = 5


@click.command(
    cls=Verb,
    example="countermark exercise reveal --protocol protocol.json --disclose some "
    "--closed-items hazardous.txt",
)
@protocol_option
@click.option(
    "--disclose",
    type=click.Choice(("all", "some", "counts")),
    help="all; some: all scores, not all transcripts; counts: neither. Without it all, but for the "
    "transcripts of private items.",
)
@click.option(
    "--closed-items",
    type=click.Path(path_type=Path),
    help="With some: file of the items whose transcripts stay closed, a key a line; else all.",
)
@click.option(
    "--sample",
    "names",
    multiple=True,
    help="Write this sample as a file: model/task/language/item/epoch.",
)
@click.option("--lab", help="With --sample: of this lab, as it revealed; else of this node's.")
@click.option("--scores-only", is_flag=True, help="With --sample: leave the transcript closed.")
@out_option
@node_option
@passphrase_option
@json_option
def reveal(
    protocol_file: Path,
    disclose: Disclosure | None,
    closed_items: Path | None,
    names: tuple[str, ...],
    lab: str | None,
    out: Path,
    node_folder: Path,
    passphrase_file: Path | None,
    *,
    scores_only: bool,
    as_json: bool,
) -> None:
    """Open this lab's seal: publish all its samples, some or only counts; or write one."""
    if names and (closed_items or disclose):
        raise _clash("--sample writes single samples and reveals nothing else", "--disclose")
    if closed_items and disclose != "some":
        raise _clash("goes with --disclose some", "--closed-items")
    if not names and (lab or scores_only):
        raise _clash("go with --sample", "--lab and --scores-only")
    protocol, node = read_record(Protocol, protocol_file), open_node(node_folder, passphrase_file)
    if names:
        shown = disclosed_samples(node, protocol, names, lab, scores_only=scores_only)
        paths = [write_disclosed(one, out) for one in shown]
        lines = "\n".join(str(path) for path in paths)
        answer(lines, {"files": [str(path) for path in paths]}, as_json=as_json)
        talk("Next: countermark verify, with the folder `statements` beside them")
        return
    evidence = reveal_lab(node, protocol, disclose, read_keys(closed_items))
    answer(evidence.samples.digest, evidence.to_value(), as_json=as_json)
    talk(f"Revealed: {shows(evidence)}. Next: countermark sync pull")


@click.command(
    cls=Verb,
    example="countermark exercise challenge --protocol protocol.json --lab KE-nairobi --count 20",
)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@protocol_option
@click.option("--lab", required=True, help="The lab that is challenged.")
@click.option("--count", type=click.IntRange(min=1), required=True, help="How many samples.")
@node_option
@json_option
def challenge(
    files: tuple[Path, ...],
    protocol_file: Path,
    lab: str,
    count: int,
    node_folder: Path,
    *,
    as_json: bool,
) -> int:
    """Name the samples that a lab is asked to open; with FILES, check its answers."""
    protocol, node = read_record(Protocol, protocol_file), open_node(node_folder, None, ask=False)
    made = make_challenge(node, protocol, lab, count)
    if not files:
        if as_json:
            data_json(
                {
                    "lab": lab,
                    "seal": made.seal,
                    "because_of": made.because_of,
                    "root": made.root.hex(),
                    "samples": [
                        {"index": index, "sample": key.text}
                        for index, key in zip(made.indices, made.keys, strict=True)
                    ],
                }
            )
        else:
            for key in made.keys:
                data(key.text)
        talk(f"Chosen by the root after {made.because_of}: {made.root.hex()}")
        talk("The lab answers: countermark exercise reveal --sample NAME, once for each")
        return 0
    protocol = opened_as_kept(node, protocol)
    checks = check_answers(node, protocol, made, [read_input(path) for path in files])
    if as_json:
        data_json([asdict(check) for check in checks])
    else:
        for check in checks:
            data(f"{'✓' if check.ok else '✗'} {check.rule}. {check.title}: {check.detail}")
    return 0 if all(check.ok for check in checks) else FAILED


def _clash(what: str, where: str) -> UsageError:
    return UsageError(what, where=where, next_step="See countermark exercise reveal --help.")
