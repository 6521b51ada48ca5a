# SPDX-License-Identifier: Apache-2.0
"""The demonstration's stages, each as real institutes would take it on their own machines."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from countermark.app.demo.cast import Cast, assemble, declared
from countermark.app.demo.measure import Timings, replay
from countermark.commitments.case import Case, DatedFinding
from countermark.commitments.demonstration import demonstration_framework
from countermark.commitments.gate import decide
from countermark.exercise import disclosing, steps
from countermark.exercise.cells import planned_keys
from countermark.exercise.demonstration import demonstration
from countermark.exercise.findings import check_finding, compute_finding
from countermark.exercise.pending import keep_finished, pending_runs
from countermark.exercise.private import provider_of
from countermark.exercise.running import Told
from countermark.network.sync import settle
from countermark.node.node import Node
from countermark.records.decision import Decision
from countermark.records.finding import Dissent, Finding
from countermark.records.framework import Action
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
    framework = demonstration_framework()
    cast.developer.say(framework)
    coordinator.say(*annotations, protocol)
    exchange()
    for node in cast.institutes.values():
        steps.sign_protocol(node, protocol)
    exchange()

    stage("Each lab logs what it will run")
    for code, node in cast.institutes.items():
        steps.plan_run(node, protocol, declared(code))
    exchange()

    with timings.stage("runs"):
        run_labs(cast, protocol)

    stage("Each lab seals; the coordinator closes; all reveal")
    with timings.stage("sealing and revealing"):
        for node in cast.institutes.values():
            steps.seal(node, protocol)
        exchange()
        steps.close(coordinator, protocol)
        exchange()
        for code, node in cast.institutes.items():
            closed = CLOSED_ITEMS.get(code)
            disclosing.reveal(node, protocol, "some" if closed else "all", closed)
        exchange()

    stage("The joint finding, recomputed and countersigned by each participant")
    with timings.stage("finding and decision"):
        finding = compute_finding(coordinator, protocol)
        coordinator.say(finding)
        exchange()
        checks = [check_finding(node, protocol, finding) for node in cast.institutes.values()]
        stage("The gate decides on the developer's framework")
        decisions = tuple(
            decide(
                Case(framework, model.key, action, tested=(DatedFinding(finding),)),
                decided_by=coordinator.code,
            )
            for model in protocol.models
            for action in ACTIONS
        )
        coordinator.say(*decisions)
        exchange()
    dissents = sum(isinstance(check.said, Dissent) for check in checks)
    return Outcome(coordinator, protocol, finding, decisions, dissents)


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
        workspace = steps.own_workspace(node, protocol)
        with timings.generation(model):
            for under_test in protocol.models:
                runs = pending_runs(node, protocol, under_test)
                run_cells(runs, provider_of(under_test), workspace.run_folder, answered)
                keep_finished(workspace)
    stage("Some questions are asked again, without Inspect, to measure and to compare")
    timings.replay = replay(cast.institutes[protocol.coordinator], protocol, model)
