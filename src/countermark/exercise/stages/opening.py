# SPDX-License-Identifier: Apache-2.0
"""A protocol as one lab reads it: opened by the private part that it was given or has kept."""

from pathlib import Path

from countermark.exercise.private.content import PrivatePart, check_open, open_private
from countermark.exercise.private.files import given_part
from countermark.exercise.stages.workspace import open_workspace
from countermark.node.node import Node
from countermark.records.protocol import Protocol


def opened_as_kept(node: Node, protocol: Protocol) -> Protocol:
    """Return a protocol opened by the private part that this node has kept of it, if it has one."""
    workspace = open_workspace(node, protocol)
    data = None if workspace is None else workspace.private_part()
    if data is None:
        return protocol
    return open_private(protocol, PrivatePart.from_bytes(data, where="the kept private part"))


def opened_protocol(node: Node, protocol: Protocol, private_file: Path | None) -> Protocol:
    """Return a protocol with all its content, for a lab that runs, imports or seals.

    Parameters
    ----------
    node, protocol
        The lab's node and the frozen protocol.
    private_file
        The private part, if it is given now; else the one that was kept.

    Raises
    ------
    InputError
        If something is private and the part is neither given nor kept, or is another's.
    VerificationError
        If a content is not what was sealed.
    """
    if private_file is None:
        opened = opened_as_kept(node, protocol)
        check_open(opened)
        return opened
    return open_private(protocol, given_part(private_file))


def keep_private(node: Node, protocol: Protocol, private_file: Path | None) -> None:
    """Keep a private part that was given in the folder of the run, once there is one."""
    workspace = open_workspace(node, protocol)
    if private_file is not None and workspace is not None:
        workspace.keep_private_part(given_part(private_file).to_bytes())
