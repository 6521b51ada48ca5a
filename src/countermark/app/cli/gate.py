# SPDX-License-Identifier: Apache-2.0
"""``countermark gate``: MAY, MUST NOT or NOT ENOUGH EVIDENCE."""

from pathlib import Path
from typing import Literal

import click

from countermark.app.cli.exercise import protocol_option
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
from countermark.app.cli.verb import Noun
from countermark.commitments.exporting import as_svr
from countermark.commitments.gate import decide as decide_release
from countermark.records.decision import Decision
from countermark.records.finding import Finding
from countermark.records.framework import Framework
from countermark.records.protocol import Protocol

EXAMPLE = "countermark gate decide --framework framework.json --finding finding.json --model m"
EXIT_CODES = {"MAY": 0, "MUST NOT": 3, "NOT ENOUGH EVIDENCE": 4}


@click.group(cls=Noun, example=EXAMPLE)
def command() -> None:
    """Decide whether a framework's thresholds are kept, and export a decision."""


@command.command(example=EXAMPLE, epilog="Exit codes: 0 MAY, 3 MUST NOT, 4 NOT ENOUGH EVIDENCE.")
@click.option("--framework", "framework_file", type=click.Path(path_type=Path), required=True)
@click.option("--finding", "finding_file", type=click.Path(path_type=Path), required=True)
@click.option("--model", required=True, help="Key of the model under test.")
@click.option(
    "--action", type=click.Choice(["develop", "deploy"]), default="deploy", show_default=True
)
@click.option("--log", "log_it", is_flag=True, help="Sign and log the decision on this node.")
@node_option
@passphrase_option
@json_option
def decide(
    framework_file: Path,
    finding_file: Path,
    model: str,
    action: Literal["develop", "deploy"],
    node_folder: Path,
    passphrase_file: Path | None,
    *,
    log_it: bool,
    as_json: bool,
) -> int:
    """Hold a framework's thresholds against a joint finding."""
    framework = read_record(Framework, framework_file)
    finding = read_record(Finding, finding_file)
    node = open_node(node_folder, passphrase_file) if log_it else None
    decision = decide_release(
        framework,
        finding,
        model=model,
        action=action,
        decided_by=node.code if node else finding.coordinator,
    )
    if node is not None:
        node.say(decision)
    if as_json:
        data_json(decision.to_value())
    else:
        _print(decision)
    return EXIT_CODES[decision.verdict]


@command.command(
    example="countermark gate export decision.json --framework f.json --finding g.json --protocol p"
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--framework", "framework_file", type=click.Path(path_type=Path), required=True)
@click.option("--finding", "finding_file", type=click.Path(path_type=Path), required=True)
@protocol_option
@node_option
@passphrase_option
def export(
    file: Path,
    framework_file: Path,
    finding_file: Path,
    protocol_file: Path,
    node_folder: Path,
    passphrase_file: Path | None,
) -> None:
    """Write a decision as an in-toto svr, after deciding again, signed by this node."""
    decision = read_record(Decision, file)
    framework = read_record(Framework, framework_file)
    finding, protocol = read_record(Finding, finding_file), read_record(Protocol, protocol_file)
    node = open_node(node_folder, passphrase_file)
    result = as_svr(decision, framework, finding, protocol, verifier=node.code, at=node.clock())
    data_json(result.signed(node.signer).to_value())


def _print(decision: Decision) -> None:
    data(f"{decision.verdict}: {decision.model}, {decision.action} (rule {decision.rule})")
    data(f"  {decision.reason}")
    for outcome in decision.outcomes:
        data(f"  {outcome.state:<12} {outcome.threshold} (rule {outcome.rule}): {outcome.reason}")
    for needed in decision.missing:
        talk(f"Evidence that would be needed: {needed}")
