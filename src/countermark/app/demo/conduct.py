# SPDX-License-Identifier: Apache-2.0
"""The demonstration's stages, each as real institutes would take it on their own machines."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from countermark.app.demo.cast import Cast, assemble, declared
from countermark.app.demo.measure import Timings, replay
from countermark.commitments.case import Case
from countermark.commitments.demonstration import (
    demonstration_account,
    demonstration_determination,
    demonstration_frameworks,
    demonstration_reply,
)
from countermark.commitments.gate import decide
from countermark.commitments.gathering import gather
from countermark.exercise.cells import planned_keys
from countermark.exercise.demonstration import demonstration
from countermark.exercise.joint.computing import check_finding, compute_finding
from countermark.exercise.private.content import provider_of
from countermark.exercise.stages import disclosing
from countermark.exercise.stages.closing import close_exercise
from countermark.exercise.stages.pending import keep_finished, pending_runs
from countermark.exercise.stages.planning import plan_run, sign_protocol
from countermark.exercise.stages.running import Told
from countermark.exercise.stages.sealing import seal_samples
from countermark.exercise.stages.workspace import own_workspace
from countermark.network.sync import settle
from countermark.node.index import book
from countermark.node.node import Node
from countermark.records.decision import Decision
from countermark.records.finding import Dissent, Finding
from countermark.records.framework import Action, Framework
from countermark.records.protocol import Protocol

# One lab shows all its scores, and keeps its transcripts of these items closed.
CLOSED_ITEMS: Mapping[str, tuple[str, ...]] = {"KE": ("false-review", "copied-essay")}
ACTIONS: tuple[Action, ...] = ("develop", "deploy")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of the demonstration.

    Parameters
    ----------
    coordinator
        The coordinator's node, which holds everything.
    protocol, finding, decisions
        What was run, found and decided.
    dissents
        How many participants dissented.
    """

    coordinator: Node
    protocol: Protocol
    finding: Finding
    decisions: tuple[Decision, ...]
    dissents: int


def conduct(
    root: Path,
    timings: Timings,
    stage: Callable[[str], None],
    run_labs: Callable[[Cast, Protocol], None],
) -> Outcome:
    """Run the whole exercise below ``root``.

    Parameters
    ----------
    root
        A new folder.
    timings
        Where measured times go.
    stage
        Told each stage as it begins.
    run_labs
        Leaves each lab's Inspect logs in its private folder.
    """
    protocol, annotations = demonstration()
    stage("Keys and roster: five simulated institutes and an example developer")
    cast = assemble(root, protocol)
    exchange = functools.partial(settle, cast.nodes, cast.sources)
    coordinator = cast.institutes[protocol.coordinator]

    stage("Framework and protocol are logged, and the five countersign")
    first, framework = demonstration_frameworks()
    cast.developer.say(first)
    coordinator.say(*annotations, protocol)
    exchange()
    for node in cast.institutes.values():
        sign_protocol(node, protocol)
    exchange()

    stage("The developer replaces its framework, and gives an account of the change")
    cast.developer.say(framework, demonstration_account(_day(cast.developer)))
    exchange()

    stage("Each lab logs what it will run")
    for code, node in cast.institutes.items():
        plan_run(node, protocol, declared(code))
    exchange()

    with timings.stage("runs"):
        run_labs(cast, protocol)

    stage("Each lab seals; the coordinator closes; all reveal")
    with timings.stage("sealing and revealing"):
        _seal_and_reveal(cast, protocol, exchange)

    stage("The joint finding, recomputed and countersigned by each participant")
    with timings.stage("finding and decision"):
        finding = compute_finding(coordinator, protocol)
        coordinator.say(finding)
        exchange()
        checks = [check_finding(node, protocol, finding) for node in cast.institutes.values()]
        stage("An institute judges what no figure decides; the gate decides; the developer replies")
        decisions = _decide(coordinator, protocol, framework, finding)
        exchange()
        for one in decisions:
            if one.action == "deploy":
                cast.developer.say(demonstration_reply(one.digest, _day(cast.developer)))
        exchange()
    dissents = sum(isinstance(check.said, Dissent) for check in checks)
    return Outcome(coordinator, protocol, finding, decisions, dissents)


def _seal_and_reveal(cast: Cast, protocol: Protocol, exchange: Callable[[], object]) -> None:
    for node in cast.institutes.values():
        seal_samples(node, protocol)
    exchange()
    close_exercise(cast.institutes[protocol.coordinator], protocol)
    exchange()
    for code, node in cast.institutes.items():
        closed = CLOSED_ITEMS.get(code)
        disclosing.reveal(node, protocol, "some" if closed else "all", closed)
    exchange()


def _decide(
    node: Node, protocol: Protocol, framework: Framework, finding: Finding
) -> tuple[Decision, ...]:
    """Log a determination about each model, and decide on all that the node then knows."""
    day = _day(node)
    node.say(
        *(
            demonstration_determination(node.code, model.key, model.identity, finding.digest, day)
            for model in protocol.models
        )
    )
    known = book(node)
    decisions = tuple(
        decide(
            gather(known, Case(framework, model.key, action, day, model.identity)),
            decided_by=node.code,
        )
        for model in protocol.models
        for action in ACTIONS
    )
    node.say(*decisions)
    return decisions


def _day(node: Node) -> date:
    return node.clock().date()


def run_on_model(
    cast: Cast,
    protocol: Protocol,
    *,
    timings: Timings,
    stage: Callable[[str], None],
    answered: Told,
) -> None:
    """Run every lab's cells on the embedded model, then replay some of them to measure.

    Parameters
    ----------
    cast, protocol
        Who runs what.
    timings, stage
        As for :func:`conduct`.
    answered
        Told of each sample that is done.
    """
    # Inspect and the model take seconds to import; nothing before this needs them.
    from countermark.exercise.inspect.embedded import instances  # noqa: PLC0415
    from countermark.exercise.inspect.run import run_cells  # noqa: PLC0415

    labs = cast.institutes.values()
    stage(f"{len(labs)} labs ask a real model {len(labs) * sum(1 for _ in planned_keys(protocol))}"
          " questions")  # fmt: skip
    model = instances()
    for node in labs:
        workspace = own_workspace(node, protocol)
        with timings.generation(model):
            for under_test in protocol.models:
                runs = pending_runs(node, protocol, under_test)
                run_cells(runs, provider_of(under_test), workspace.run_folder, answered)
                keep_finished(workspace)
    stage("Some questions are asked again, without Inspect, to measure and to compare")
    timings.replay = replay(cast.institutes[protocol.coordinator], protocol, model)
