# SPDX-License-Identifier: Apache-2.0
"""``countermark exercise rejudge``: judge revealed or labelled answers again."""

from pathlib import Path

import click

from countermark.app.cli.exercise_options import protocol_option
from countermark.app.cli.output import (
    data,
    data_json,
    json_option,
    node_option,
    open_node,
    passphrase_option,
    talk,
)
from countermark.app.cli.reading import read_record
from countermark.app.cli.verb import Verb
from countermark.exercise.logged import own_lab
from countermark.exercise.logs import read_log
from countermark.exercise.rejudging.saying import batches_to_judge, say_rejudged
from countermark.node.node import Node
from countermark.records.errors import UsageError
from countermark.records.protocol import Protocol
from countermark.records.rejudgement import Rejudgement


@click.command(
    cls=Verb,
    example="countermark exercise rejudge --protocol protocol.json --lab KE-nairobi",
)
@protocol_option
@click.option("--lab", "of_lab", help="Judge what this lab revealed.")
@click.option("--labelled", is_flag=True, help="Judge the labelled answers of the protocol.")
@click.option("--scorer", help="Only this judge.")
@click.option("--judge-version", help="Only this version of it.")
@node_option
@passphrase_option
@json_option
def rejudge(
    protocol_file: Path,
    of_lab: str | None,
    scorer: str | None,
    judge_version: str | None,
    node_folder: Path,
    passphrase_file: Path | None,
    *,
    labelled: bool,
    as_json: bool,
) -> None:
    """Run the protocol's judges on answers that exist, and log what they say."""
    if labelled == (of_lab is not None):
        raise UsageError(
            "needs one of --lab and --labelled",
            where="exercise rejudge",
            next_step="Name the lab whose answers are judged, or judge the labelled ones.",
        )
    protocol, node = read_record(Protocol, protocol_file), open_node(node_folder, passphrase_file)
    said = _judge(node, protocol, of_lab, scorer, judge_version)
    if as_json:
        data_json([one.to_value() for one in said])
    else:
        for one in said:
            counts = one.counts
            data(
                f"{one.scorer} {one.scorer_version}  {one.task}  {one.language}: "
                f"{len(one.judgements)} judged, {counts.scored} scored, {counts.unparsed} "
                f"unparsed, {counts.judge_refused} refused by the judge"
            )
    if not said:
        talk("All of it was judged before.")
    talk("Next: countermark sync pull, at every lab")


def _judge(
    node: Node, protocol: Protocol, of_lab: str | None, scorer: str | None, version: str | None
) -> list[Rejudgement]:
    batches = batches_to_judge(node, protocol, of_lab, scorer, version)
    # Inspect takes seconds to import, and only what asks a model needs it.
    from countermark.exercise.inspect.rejudge import run_judge  # noqa: PLC0415

    folder = node.folder.runs / "rejudged"
    said = []
    for batch in batches:
        path = run_judge(batch, protocol.digest, own_lab(node), folder)
        said.append(say_rejudged(node, protocol, batch, read_log(path)))
    return said
