# SPDX-License-Identifier: Apache-2.0
"""``countermark exercise``: a lab's part of a joint exercise, stage by stage."""

from dataclasses import asdict
from pathlib import Path

import click
from pydantic import ValidationError

from countermark.app.cli.exercise_compare import compare
from countermark.app.cli.exercise_export import export
from countermark.app.cli.exercise_import import taken_as, taken_options
from countermark.app.cli.exercise_options import private_option, protocol_option
from countermark.app.cli.exercise_read import read
from countermark.app.cli.exercise_rejudge import rejudge
from countermark.app.cli.exercise_reveal import challenge, reveal
from countermark.app.cli.output import (
    answer,
    data,
    data_json,
    json_option,
    node_option,
    open_node,
    passphrase_option,
    talk,
)
from countermark.app.cli.reading import read_record
from countermark.app.cli.verb import Noun
from countermark.app.progress import RunProgress
from countermark.exercise.comparing.consumption import read_price
from countermark.exercise.private.content import provider_of
from countermark.exercise.stages.closing import close_exercise
from countermark.exercise.stages.importing import Imported, import_log
from countermark.exercise.stages.opening import keep_private, opened_protocol
from countermark.exercise.stages.other_tools import import_other
from countermark.exercise.stages.pending import interrupted_logs, keep_finished, pending_runs
from countermark.exercise.stages.planning import plan_run
from countermark.exercise.stages.running import Part, RunOptions, read_model_args
from countermark.exercise.stages.sealing import seal_samples
from countermark.exercise.stages.status import stages
from countermark.exercise.stages.workspace import open_workspace
from countermark.node.index import book
from countermark.records.errors import UsageError
from countermark.records.protocol import FactorSetting, Protocol

REFUSED = 1


@click.group(cls=Noun, example="countermark exercise seal --protocol protocol.json")
def command() -> None:
    """Run, import, seal, close and reveal a lab's part of an exercise."""


command.add_command(read)
command.add_command(export)
command.add_command(compare)
command.add_command(rejudge)
command.add_command(reveal)
command.add_command(challenge)


@command.command(example="countermark exercise run --protocol protocol.json -s temperature=t03")
@protocol_option
@private_option
@node_option
@passphrase_option
@json_option
@click.option("-s", "--setting", "settings", multiple=True, help="factor=value, as declared.")
@click.option("--model", "models", multiple=True, help="Run this model of the protocol only.")
@click.option("--task", "tasks", multiple=True, help="Run this task only.")
@click.option("--language", "languages", multiple=True, help="Run this language only.")
@click.option(
    "-M", "--model-arg", "model_args", multiple=True, help="name=value, for Inspect's provider."
)
@click.option("--base-url", help="Where the provider is, if not where it usually is.")
@click.option("--max-connections", type=click.IntRange(min=1), help="Most requests at once.")
@click.option("--max-samples", type=click.IntRange(min=1), help="Most samples at once.")
@click.option("--price", help="input=…,output=…: US dollars for a million tokens, on your word.")
def run(
    protocol_file: Path,
    private_file: Path | None,
    node_folder: Path,
    passphrase_file: Path | None,
    settings: tuple[str, ...],
    models: tuple[str, ...],
    tasks: tuple[str, ...],
    languages: tuple[str, ...],
    model_args: tuple[str, ...],
    base_url: str | None,
    max_connections: int | None,
    max_samples: int | None,
    price: str | None,
    *,
    as_json: bool,
) -> None:
    """Log the run plan, then run this lab's cells through Inspect, or go on with them."""
    cost = read_price(price) if price else None
    options = RunOptions(read_model_args(model_args), base_url, max_connections, max_samples)
    node = open_node(node_folder, passphrase_file)
    protocol = opened_protocol(node, read_record(Protocol, protocol_file), private_file)
    declared = tuple(_setting(text) for text in settings)
    workspace = open_workspace(node, protocol)
    if workspace is not None and declared:
        raise UsageError(
            "the run was planned already, and its settings are logged",
            where="--setting",
            next_step="Leave --setting out to go on with the planned run.",
        )
    # Inspect takes seconds to import, and only this verb needs it; a plan needs it to be there.
    from countermark.exercise.inspect.run import run_cells  # noqa: PLC0415

    workspace = workspace or plan_run(node, protocol, declared)
    keep_private(node, protocol, private_file)
    chosen = Part.of(protocol, models, tasks, languages)
    if cost is not None:
        for model in chosen.models:
            workspace.declare_price(model.key, cost)
    pending = {
        provider_of(model): chosen.runs(pending_runs(node, protocol, model))
        for model in chosen.models
    }
    samples = sum(run.samples for runs in pending.values() for run in runs)
    with RunProgress(samples) as progress:
        for provider, runs in pending.items():
            if runs:
                earlier, folder = interrupted_logs(workspace), workspace.run_folder
                run_cells(runs, provider, folder, progress.told, options, earlier)
                keep_finished(workspace)
    logs = str(workspace.log_folder)
    answer(logs, {"logs": logs}, as_json=as_json)
    talk("Next: countermark exercise seal")


@command.command(
    name="import",
    example="countermark exercise import a.eval --protocol protocol.json --lab KE-nairobi",
)
@click.argument("logs", nargs=-1, required=True, type=click.Path(path_type=Path))
@protocol_option
@private_option
@click.option("--lab", required=True, help="The lab that ran it.")
@click.option("--deviation", help="Take a log that differs, for this reason, and show it as such.")
@taken_options
@node_option
@passphrase_option
@json_option
def import_(
    logs: tuple[Path, ...],
    protocol_file: Path,
    private_file: Path | None,
    lab: str,
    deviation: str | None,
    node_folder: Path,
    passphrase_file: Path | None,
    *,
    as_json: bool,
    **words: str | None,
) -> int:
    """Take logs that were made elsewhere: Inspect's, or one of another tool for one cell."""
    taken = taken_as(words, len(logs))
    node = open_node(node_folder, passphrase_file)
    protocol = opened_protocol(node, read_record(Protocol, protocol_file), private_file)
    results = []
    for path in logs:
        imported = (
            import_log(node, protocol, path, lab, deviation)
            if taken is None
            else import_other(node, protocol, path, lab, taken, deviation)
        )
        results.append((path, imported))
        if not as_json:
            _print_import(path, imported)
    keep_private(node, protocol, private_file)
    if as_json:
        data_json(
            [
                {
                    "file": str(path),
                    "kept": str(one.kept) if one.kept else None,
                    "differences": [
                        {"rule": d.rule, "text": d.text, "waivable": d.waivable}
                        for d in one.differences
                    ],
                }
                for path, one in results
            ]
        )
    return 0 if all(one.kept for _, one in results) else REFUSED


@command.command(example="countermark exercise seal --protocol protocol.json")
@protocol_option
@private_option
@click.option("--missing", help="Seal although cells were not run, for this reason.")
@click.option(
    "--differs",
    multiple=True,
    metavar="SETTING=REASON",
    help="Declare that a setting is not as the protocol or the other labs have it, and why.",
)
@node_option
@passphrase_option
@json_option
def seal(
    protocol_file: Path,
    private_file: Path | None,
    missing: str | None,
    differs: tuple[str, ...],
    node_folder: Path,
    passphrase_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Commit to all samples of this lab, before anyone reveals."""
    node = open_node(node_folder, passphrase_file)
    protocol = opened_protocol(node, read_record(Protocol, protocol_file), private_file)
    keep_private(node, protocol, private_file)
    result = seal_samples(node, protocol, missing, dict(_differing(text) for text in differs))
    answer(result.root, result.to_value(), as_json=as_json)
    talk(f"Sealed {result.samples} samples. Next: countermark sync pull")


@command.command(example="countermark exercise close --protocol protocol.json")
@protocol_option
@node_option
@passphrase_option
@json_option
def close(
    protocol_file: Path, node_folder: Path, passphrase_file: Path | None, *, as_json: bool
) -> None:
    """As the coordinator, end the sealing; revealing may begin."""
    protocol, node = read_record(Protocol, protocol_file), open_node(node_folder, passphrase_file)
    closing = close_exercise(node, protocol)
    labs = "\n".join(reference.lab for reference in closing.seals)
    answer(labs, closing.to_value(), as_json=as_json)
    if closing.not_sealed:
        talk(f"Not sealed: {', '.join(closing.not_sealed)}")
    talk("Closed. Next, at every lab: countermark sync pull, then countermark exercise reveal")


@command.command(example="countermark exercise status --protocol protocol.json")
@protocol_option
@node_option
@json_option
def status(protocol_file: Path, node_folder: Path, *, as_json: bool) -> None:
    """Show which stage each participant has reached, as far as this node knows."""
    protocol, node = read_record(Protocol, protocol_file), open_node(node_folder, None, ask=False)
    rows = stages(protocol, book(node))
    if as_json:
        data_json([asdict(row) for row in rows])
        return
    for row in rows:
        data(f"{row.institute}  {row.stage}" + (f" ({row.shows})" if row.shows else ""))


def _setting(text: str) -> FactorSetting:
    factor, _, value = text.partition("=")
    try:
        return FactorSetting(factor=factor, value=value)
    except ValidationError as error:
        raise UsageError(
            f"{text!r} is no factor=value",
            where="--setting",
            next_step="Write, for example: --setting temperature=t03.",
        ) from error


def _differing(text: str) -> tuple[str, str]:
    name, _, reason = text.partition("=")
    if not name.strip() or not reason.strip():
        raise UsageError(
            f"{text!r} gives no reason",
            where="--differs",
            next_step="Write, for example: --differs 'model.route=our contract is with another'.",
        )
    return name.strip(), reason.strip()


def _print_import(path: Path, imported: Imported) -> None:
    data(f"{'✓ kept' if imported.kept else '✗ refused'}  {path}")
    for difference in imported.differences:
        data(f"    rule {difference.rule}: {difference.text}")
    if imported.kept is None and all(d.waivable for d in imported.differences):
        talk("To take it as a declared deviation, say why: --deviation 'reason'.")
