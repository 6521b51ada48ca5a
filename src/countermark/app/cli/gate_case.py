# SPDX-License-Identifier: Apache-2.0
"""The evidence that a person names for the gate."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import click

from countermark.app.cli.framework_reading import read_framework
from countermark.app.cli.output import talk
from countermark.app.cli.reading import read_dated, read_public_record, read_record
from countermark.commitments.case import Case, DatedFinding
from countermark.commitments.gathering import gather, identities
from countermark.records.determination import Determination
from countermark.records.errors import UsageError
from countermark.records.finding import Finding
from countermark.records.framework import Action, Framework
from countermark.records.protocol import Protocol

F = TypeVar("F", bound=Callable[..., Any])
_FILE = click.Path(path_type=Path)
_OPTIONS = (
    click.option(
        "--finding",
        "finding_files",
        type=_FILE,
        multiple=True,
        help="A joint finding; several may be given.",
    ),
    click.option(
        "--determination",
        "determination_files",
        type=_FILE,
        multiple=True,
        help="A signed human judgement; several may be given.",
    ),
    click.option(
        "--record",
        "record_folder",
        type=click.Path(path_type=Path, file_okay=False),
        help="A public record: all that it holds about the model is weighed.",
    ),
    click.option(
        "--mitigated",
        multiple=True,
        metavar="MODEL",
        help="Key under which the system was tested with mitigations in place.",
    ),
    click.option(
        "--pinned-by",
        "pinning_files",
        type=_FILE,
        multiple=True,
        help="The protocol of a finding: with it, evidence of another snapshot is left out.",
    ),
    click.option(
        "--earlier",
        metavar="FILE|KEY",
        multiple=True,
        help="An earlier version of the framework, to be warned of what it asked.",
    ),
    click.option("--identity", help="Digest of the model's snapshot (sha256:…)."),
)


def evidence_options(function: F) -> F:
    """Give a command the options that name evidence."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def asked_case(
    framework: Framework,
    model: str,
    action: Action,
    at: date | None,
    named: Mapping[str, Any],
    *,
    identity: str | None = None,
) -> Case:
    """Return the question to the gate, with all evidence that was named.

    Raises
    ------
    UsageError
        If no evidence was named at all.
    InputError
        If a file cannot be read or holds something else.
    VerificationError
        If a published statement does not check out.
    """
    record: Path | None = named["record_folder"]
    if not (record or named["finding_files"] or named["determination_files"]):
        raise UsageError(
            "got no evidence",
            where="gate",
            next_step="Give --finding, --determination or --record.",
        )
    known = Case(
        framework,
        model,
        action,
        at=at,
        identity=named["identity"] or identity,
        mitigated=tuple(named["mitigated"]),
    )
    findings: list[Finding] = []
    if record:
        book = read_public_record(record)
        findings += [one for _, one in book.of_kind(Finding)]
        known = gather(book, known)
    pinning = [read_record(Protocol, path) for path in named["pinning_files"]]
    protocols = {one.digest: one for one in pinning}
    tested = list(known.tested)
    for path in named["finding_files"]:
        finding, day = read_dated(Finding, path)
        _doubt_bare(path, day, finding.coordinator)
        findings.append(finding)
        tested.append(DatedFinding(finding, day, identities(protocols.get(finding.protocol))))
    _doubt(findings, model, *known.mitigated)
    judged = list(known.determinations)
    for path in named["determination_files"]:
        determination, day = read_dated(Determination, path)
        _doubt_bare(path, day, determination.determined_by)
        judged.append(determination)
    return replace(
        known,
        tested=tuple(tested),
        determinations=tuple(judged),
        earlier=(
            *known.earlier,
            *(read_framework(word) for word in named["earlier"]),
        ),
    )


def _doubt(findings: list[Finding], *models: str) -> None:
    """Tell which models were tested, where one that was named is not among them."""
    tested = sorted({cell.model for one in findings for cell in one.cells})
    for model in models:
        if tested and model not in tested:
            talk(f"Warning: no finding here is about {model}, only about: {', '.join(tested)}")


def _doubt_bare(path: Path, day: str | None, author: str) -> None:
    if day is None:
        talk(
            f"Warning: {path} is no signed statement: only its own words say that it is {author}'s"
        )
