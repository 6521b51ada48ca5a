# SPDX-License-Identifier: Apache-2.0
"""Countersigning a protocol, and planning what this lab will run of it.

A plan is logged before the run: it says every setting, and commits to the seed of the secrets.
"""

from countermark.exercise.cells import CellRun, arms_of, check_arm, full_settings, planned_keys
from countermark.exercise.logged import not_countersigned, own_lab, own_plan
from countermark.exercise.protocol.checks import check_protocol
from countermark.exercise.revealing.seal import secret_commitment
from countermark.exercise.scoring.rulebook import check_scorers
from countermark.exercise.stages.workspace import (
    Workspace,
    make_workspace,
    own_workspace,
    planned_workspace,
)
from countermark.node.index import book as read_book
from countermark.node.node import Node
from countermark.records.errors import StateError
from countermark.records.protocol import Countersignature, FactorSetting, Protocol, RunPlan


def sign_protocol(node: Node, protocol: Protocol) -> None:
    """Countersign a protocol as a participant.

    Raises
    ------
    StateError
        If the node is no participant.
    """
    _check_participant(node, protocol)
    check_protocol(protocol, where=protocol.name)
    check_scorers(protocol)
    node.say(Countersignature(institute=node.code, of=protocol.digest, of_kind="protocol"))


def plan_run(
    node: Node,
    protocol: Protocol,
    settings: tuple[FactorSetting, ...],
    seed: bytes | None = None,
) -> Workspace:
    """Log what this lab will run, and make its private folder.

    Parameters
    ----------
    node
        The lab's node.
    protocol
        A protocol that all participants have countersigned.
    settings
        Values of the declared factors; the others have the reference value.
    seed
        The secret seed of an imported log; fresh if nothing.

    Raises
    ------
    StateError
        If it is planned already, not all have countersigned, or this node is no participant or has
        no lab.
    InputError
        If the protocol has no such factor or value.
    """
    _check_participant(node, protocol)
    waiting = not_countersigned(read_book(node), protocol)
    if waiting:
        raise StateError(
            f"is not countersigned by {', '.join(waiting)}",
            where=protocol.name,
            next_step="Pull from the peers, or ask them to sign: countermark protocol sign.",
        )
    if planned_workspace(node, protocol) is not None:
        raise StateError(
            "was planned already",
            where=f"{node.code} {protocol.name}",
            next_step="Go on with countermark exercise run, import or seal.",
        )
    check_scorers(protocol)
    check_arm(protocol, settings)
    lab, declared = own_lab(node), full_settings(protocol, settings)
    # Before the plan: what it commits to must be on the disk. A folder without a plan is made anew.
    workspace = make_workspace(node, protocol, seed)
    node.say(
        RunPlan(
            protocol=protocol.digest,
            institute=node.code,
            lab=lab,
            settings=declared,
            samples=sum(1 for _ in planned_keys(protocol, lab)),
            secret_commitment=secret_commitment(workspace.seed),
        )
    )
    return workspace


def cell_runs(node: Node, protocol: Protocol) -> tuple[CellRun, ...]:
    """Return the cells that this lab planned to run, one a task and language, its swaps last."""
    plan, workspace = own_plan(node, protocol), own_workspace(node, protocol)
    return tuple(
        CellRun(
            protocol=protocol,
            task=task.key,
            language=language,
            lab=plan.lab,
            settings=plan.settings,
            seed=workspace.seed,
            arm=arm,
        )
        for arm, task in arms_of(protocol, plan.lab)
        for language in protocol.languages
    )


def _check_participant(node: Node, protocol: Protocol) -> None:
    if node.code not in protocol.participants:
        raise StateError(
            f"{node.code} is not among the participants: {', '.join(protocol.participants)}",
            where=protocol.name,
            next_step="Ask the coordinator for a protocol that lists you.",
        )
