# SPDX-License-Identifier: Apache-2.0
"""``countermark gate``: MAY, MUST NOT or NOT ENOUGH EVIDENCE."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import click

from countermark.app.cli.exercise_options import protocol_option
from countermark.app.cli.framework_reading import read_framework
from countermark.app.cli.gate_case import asked_case, evidence_options
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
from countermark.app.cli.saying import determine, is_to_come
from countermark.app.cli.verb import Noun
from countermark.commitments.case import first_day
from countermark.commitments.exporting import as_svr
from countermark.commitments.gate import decide as decide_release
from countermark.commitments.reporting import as_junit, as_sarif
from countermark.commitments.safety_case import Element, check_framework_of, safety_case
from countermark.commitments.wording import stands_off
from countermark.node.files import write_atomic
from countermark.records.decision import Decision
from countermark.records.framework import Action, Framework
from countermark.records.protocol import Protocol

EXAMPLE = "countermark gate decide --framework framework.json --finding finding.json --model m"
EXIT_CODES = {"MAY": 0, "MUST NOT": 3, "NOT ENOUGH EVIDENCE": 4}
framework_option = click.option(
    "--framework",
    "framework_file",
    metavar="FILE|KEY",
    required=True,
    help="The framework: a record, a published statement, or the key of one that ships.",
)


@click.group(cls=Noun, example=EXAMPLE)
def command() -> None:
    """Decide whether a framework's thresholds are kept, and export a decision."""


@command.command(example=EXAMPLE, epilog="Exit codes: 0 MAY, 3 MUST NOT, 4 NOT ENOUGH EVIDENCE.")
@framework_option
@evidence_options
@click.option("--model", required=True, help="Key of the model under test.")
@click.option(
    "--action", type=click.Choice(["develop", "deploy"]), default="deploy", show_default=True
)
@click.option(
    "--at",
    type=click.DateTime(formats=["%Y-%m-%d"]),
    help="The day for which it is decided; today if nothing.",
)
@click.option(
    "--junit",
    "junit_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a JUnit report: a test for each threshold, and one for the verdict.",
)
@click.option(
    "--sarif",
    "sarif_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write SARIF 2.1.0 for code hosts.",
)
@click.option("--log", "log_it", is_flag=True, help="Sign and log the decision on this node.")
@node_option
@passphrase_option
@json_option
def decide(
    framework_file: str,
    model: str,
    action: Action,
    at: datetime | None,
    junit_file: Path | None,
    sarif_file: Path | None,
    node_folder: Path,
    passphrase_file: Path | None,
    *,
    log_it: bool,
    as_json: bool,
    **evidence: object,
) -> int:
    """Hold a framework's thresholds against all the evidence that is given."""
    framework = read_framework(framework_file)
    day = at.date() if at else datetime.now(UTC).date()
    case = asked_case(framework, model, action, day, evidence)
    node = open_node(node_folder, passphrase_file) if log_it else None
    coordinators = [one.finding.coordinator for one in case.tested]
    decider = node.code if node else min(coordinators, default=framework.developer)
    decision = decide_release(case, decided_by=decider)
    if is_to_come(day):
        talk(f"Warning: {day} is yet to come; what is known today was weighed for it")
    if node is not None:
        node.say(decision)
    if as_json:
        data_json(decision.to_value())
    else:
        _print(decision, framework)
    if junit_file is not None:
        write_atomic(junit_file, as_junit(decision, framework))
        talk(f"Wrote {junit_file}")
    if sarif_file is not None:
        value = as_sarif(decision, framework, Path(framework_file).as_posix())
        write_atomic(sarif_file, (json.dumps(value, indent=1) + "\n").encode())
        talk(f"Wrote {sarif_file}")
    return EXIT_CODES[decision.verdict]


@command.command(
    example="countermark gate export decision.json --framework f.json --finding g.json --protocol p"
)
@click.argument("file", type=click.Path(path_type=Path))
@framework_option
@evidence_options
@protocol_option
@node_option
@passphrase_option
def export(
    file: Path,
    framework_file: str,
    protocol_file: Path,
    node_folder: Path,
    passphrase_file: Path | None,
    **evidence: object,
) -> None:
    """Write a decision as an in-toto svr, after deciding again, signed by this node."""
    decision, framework = read_record(Decision, file), read_framework(framework_file)
    day: date | None = first_day(decision.at) if decision.at else None
    case = asked_case(
        framework, decision.model, decision.action, day, evidence, identity=decision.identity
    )
    protocol = read_record(Protocol, protocol_file)
    node = open_node(node_folder, passphrase_file)
    result = as_svr(decision, case, protocol, verifier=node.code, at=node.clock())
    data_json(result.signed(node.signer).to_value())


@command.command(
    name="case", example="countermark gate case decision.json --framework framework.json"
)
@click.argument("file", type=click.Path(path_type=Path))
@framework_option
@json_option
def case_(file: Path, framework_file: str, *, as_json: bool) -> None:
    """Show a decision as a safety case: goals, strategies and solutions (GSN)."""
    decision, framework = read_record(Decision, file), read_framework(framework_file)
    check_framework_of(decision, framework, where=str(file))
    first = safety_case(decision, framework)
    if as_json:
        data_json(first.to_value())
    else:
        _print_element(first, 0)


def _print(decision: Decision, framework: Framework) -> None:
    kinds = {one.key: one.rule.kind for one in framework.thresholds}
    data(f"{decision.verdict}: {decision.model}, {decision.action} (rule {decision.rule})")
    data(f"  {_line(decision.reason)}")
    for outcome in decision.outcomes:
        data(
            f"  {outcome.state:<12} {outcome.threshold} (rule {outcome.rule}): "
            f"{_line(outcome.reason)}"
        )
        if outcome.residual:
            data(f"  {'':<12} residual risk: {_line(outcome.residual)}")
        if outcome.distance is not None:
            data(f"  {'':<12} {stands_off(outcome.distance, kinds[outcome.threshold])}")
        if outcome.standing:
            data(f"  {'':<12} evidence of: {outcome.standing.replace('-', ' ')}")
        if outcome.next_test:
            data(f"  {'':<12} next: {outcome.next_test.words}")
    for one in decision.evidence or ():
        if one.left_out:
            talk(_line(f"Left out: the {one.sort} {one.statement}: {one.left_out}"))
    for warning in decision.warnings or ():
        talk(_line(f"Warning: {warning}"))
    for needed in decision.missing:
        talk(_line(f"Evidence that would be needed: {needed}"))


def _line(text: str) -> str:
    """Return a text on one line: what it quotes must not look like lines of ours."""
    return " ".join(text.split())


def _print_element(element: Element, depth: int) -> None:
    standing = f" [{element.standing}]" if element.standing else ""
    data(f"{'  ' * depth}{element.name} {element.sort}{standing}: {_line(element.words)}")
    if element.statement:
        data(f"{'  ' * depth}  {element.statement}")
    for one in (*element.in_context_of, *element.supported_by):
        _print_element(one, depth + 1)


command.add_command(determine)
