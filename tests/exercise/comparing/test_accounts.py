# SPDX-License-Identifier: Apache-2.0
"""A lab cannot seal a difference that it does not declare, and reveals what it sealed."""

import pytest
from exercise_small import Snapshots
from exercise_steps import At
from scripted import log_value, write_log

from countermark.exercise.comparing.accounts import lab_account
from countermark.exercise.logged import own_plan
from countermark.exercise.private.content import provider_of
from countermark.exercise.stages import disclosing
from countermark.exercise.stages.planning import cell_runs
from countermark.exercise.stages.sealing import seal_samples
from countermark.exercise.stages.workspace import CONFIGURATIONS, own_workspace
from countermark.node.files import write_atomic
from countermark.node.node import Node
from countermark.records.errors import StateError
from countermark.records.evidence import configurations_digest
from countermark.records.protocol import Protocol


def warmer(node: Node, protocol: Protocol) -> None:
    """Write the first cell's log anew, as if it was run warmer than planned."""
    run = cell_runs(node, protocol)[0]
    header, samples = log_value(run, provider_of(protocol.models[0]))
    header["plan"]["config"]["temperature"] = 1.9
    folder = own_workspace(node, protocol).log_folder
    write_log(folder / f"{run.task}_{run.language}.eval", header, samples)


def test_what_differs_is_sealed_only_with_its_reason(at: At, snapshots: Snapshots) -> None:
    node, protocol = at("run").institutes["JP"], snapshots.protocol
    warmer(node, protocol)
    with pytest.raises(StateError, match=r"another generation\.temperature than") as caught:
        seal_samples(node, protocol)
    assert "--differs 'generation.temperature=why'" in caught.value.next_step
    sealed = seal_samples(node, protocol, differing={"generation.temperature": "a slip"})
    workspace = own_workspace(node, protocol)
    (declared,) = workspace.deviations()
    assert (declared.reason, declared.settings) == ("a slip", ("generation.temperature",))
    told = workspace.configurations()
    assert told is not None
    assert sealed.configurations == configurations_digest(told)
    assert len(told) == 4


def test_what_was_sealed_is_revealed_and_nothing_else(at: At, snapshots: Snapshots) -> None:
    cast, protocol = at("closed"), snapshots.protocol
    honest, other = cast.institutes["JP"], cast.institutes["SG"]
    evidence = disclosing.reveal(honest, protocol)
    assert evidence.configurations == own_workspace(honest, protocol).configurations()
    account = lab_account(
        protocol,
        evidence.lab,
        own_plan(honest, protocol).settings,
        evidence.configurations or (),
        evidence.deviations,
        evidence.counts,
    )
    assert account.tells
    assert len(account.cells) == 4
    theirs = own_workspace(other, protocol)
    write_atomic(theirs.folder / CONFIGURATIONS, b'{"configurations":[]}')
    with pytest.raises(StateError, match="is no longer what was sealed"):
        disclosing.reveal(other, protocol)
