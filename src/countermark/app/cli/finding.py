# SPDX-License-Identifier: Apache-2.0
"""``countermark finding``: compute, check, show, explain, export."""

import textwrap
from pathlib import Path

import click

from countermark.app.cli.exercise_options import protocol_option
from countermark.app.cli.finding_lines import shown
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
from countermark.exercise.explaining.finding import explain as explained
from countermark.exercise.explaining.finding import quality_section
from countermark.exercise.exporting.in_toto import as_test_result
from countermark.exercise.joint.computing import Checked, check_finding, compute_finding
from countermark.exercise.stages.opening import opened_as_kept
from countermark.node.files import write_atomic
from countermark.node.index import book
from countermark.records.errors import UsageError
from countermark.records.finding import Dissent, Finding
from countermark.records.protocol import Protocol

DISSENT = 5
WIDTH = 92


@click.group(cls=Noun, example="countermark finding show finding.json")
def command() -> None:
    """Compute, check, show, explain and export a joint finding."""


@command.command(
    example="countermark finding compute --protocol protocol.json --check finding.json"
)
@protocol_option
@click.option(
    "-o", "--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it there."
)
@click.option(
    "--check",
    "check_file",
    type=click.Path(path_type=Path),
    help="Recompute this finding, then countersign it or log a dissent.",
)
@click.option(
    "--without", multiple=True, metavar="LAB=REASON", help="Leave a lab out, and say why."
)
@click.option("--log", "log_it", is_flag=True, help="As the coordinator, log the finding.")
@node_option
@passphrase_option
@json_option
def compute(
    protocol_file: Path,
    out: Path | None,
    check_file: Path | None,
    without: tuple[str, ...],
    node_folder: Path,
    passphrase_file: Path | None,
    *,
    log_it: bool,
    as_json: bool,
) -> int:
    """Compute the joint finding from the revealed evidence."""
    node = open_node(node_folder, passphrase_file)
    protocol = opened_as_kept(node, read_record(Protocol, protocol_file))
    left_out = dict(_left_out(text) for text in without)
    if check_file is not None:
        if left_out:
            raise UsageError(
                "is for computing; a check leaves out whom the finding leaves out",
                where="--without",
                next_step="Use --without or --check, not both.",
            )
        checked = check_finding(node, protocol, read_record(Finding, check_file))
        if as_json:
            data_json(checked.said.to_value())
        else:
            _print_check(checked)
        dissents = isinstance(checked.said, Dissent)
        talk("Dissent logged." if dissents else "Countersigned and logged.")
        return DISSENT if dissents else 0
    finding = compute_finding(node, protocol, left_out)
    if out is not None:
        write_atomic(out, finding.to_bytes())
    if log_it:
        node.say(finding)
    answer(finding.digest, finding.to_value(), as_json=as_json)
    return 0


@command.command(
    example="countermark finding export finding.json --protocol protocol.json --model m"
)
@click.argument("file", type=click.Path(path_type=Path))
@protocol_option
@click.option("--model", required=True, help="Key of the model under test.")
@node_option
@passphrase_option
def export(
    file: Path, protocol_file: Path, model: str, node_folder: Path, passphrase_file: Path | None
) -> None:
    """Write what a finding says of a model as an in-toto test-result, signed by this node."""
    finding, protocol = read_record(Finding, file), read_record(Protocol, protocol_file)
    signer = open_node(node_folder, passphrase_file).signer
    data_json(as_test_result(finding, protocol, model).signed(signer).to_value())


@command.command(example="countermark finding show record/statements/finding-gb-0008.json")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def show(file: Path, *, as_json: bool) -> None:
    """Show every figure of a finding over all labs, with its interval."""
    finding = read_record(Finding, file)
    if as_json:
        data_json(finding.to_value())
        return
    for line in shown(finding):
        data(line)


@command.command(example="countermark finding explain record/statements/finding-gb-0008.json")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--node",
    "node_folder",
    type=click.Path(path_type=Path),
    help="Also check the six qualities of an assessment, by what this node holds beside it.",
)
@json_option
def explain(file: Path, node_folder: Path | None, *, as_json: bool) -> None:
    """Say in plain language what a finding found, and what it could not."""
    finding = read_record(Finding, file)
    sections = explained(finding)
    if node_folder is not None:
        known = book(open_node(node_folder, None, ask=False))
        sections += (quality_section(finding, known),)
    if as_json:
        data_json([{"title": one.title, "sentences": list(one.sentences)} for one in sections])
        return
    for number, section in enumerate(sections):
        data(f"{'' if number == 0 else chr(10)}{section.title}")
        for sentence in section.sentences:
            data(textwrap.fill(sentence, WIDTH, initial_indent="  ", subsequent_indent="  "))


def _left_out(text: str) -> tuple[str, str]:
    lab, _, reason = text.partition("=")
    if not lab or not reason.strip():
        raise UsageError(
            f"{text!r} gives no reason",
            where="--without",
            next_step="Write, for example: --without 'KE-nairobi=its samples are not its seal'.",
        )
    return lab, reason.strip()


def _print_check(checked: Checked) -> None:
    for other in checked.comparison.disagreements:
        data(f"✗ {other.where}: published {other.published}, own {other.own}")
    figures, gap = checked.comparison.figures, checked.comparison.largest_difference
    data(f"{figures} figures compared; largest relative difference {gap:.2g}")
