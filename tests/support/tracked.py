# SPDX-License-Identifier: Apache-2.0
"""Statements about a developer that does not exist, for the tracker."""

from functools import cache
from typing import Any

from frameworks import DEVELOPER, framework, threshold
from sample_book import sample_book

from countermark.commitments.reference import Company
from countermark.records.account import Account, Announced, Reply
from countermark.records.decision import Decision, EvidenceUsed, State, ThresholdOutcome
from countermark.records.determination import Determination
from countermark.records.finding import Finding
from countermark.records.framework import Domain, Duty, Framework, Mitigation, Provision
from countermark.records.reference import Partnership, Publication, Source

SOURCE = Source(title="A text", publisher="Example", standing="secondary")
COMPANY = Company(
    slug=DEVELOPER,
    name="Example Developer",
    signed="2024-05-21",
    publications=(),
    as_of="2026-11-01",
    publishers=("Example Labs",),
)
WHOLE = framework(
    threshold("leaks", domain="secrets", standing="one-institute"),
    published="2025-01-15",
    domains=(Domain(key="secrets", title="Secrets"),),
    mitigations=(Mitigation(key="filter", title="Inputs are filtered", sort="deployment"),),
    process=(Provision(key="halt", words="deployment stops"),),
    governance=(Provision(key="board", words="the board decides"),),
    disclosure=(Duty(key="report", words="a report", to="public", force="shall"),),
)
"""A framework that has all that the commitments ask for."""


def determination(subject: str, key: str, conclusion: str = "yes", **changed: Any) -> Determination:
    """Return what an institute determined about the framework, with changes."""
    fields = {
        "determined_by": "GB",
        "framework": WHOLE.digest,
        "subject": subject,
        "key": key,
        "model": "model-a",
        "conclusion": conclusion,
        "date": "2025-03-01",
        "persons": ("a reviewer",),
        "reasons": "because of the tests",
        "evidence": (),
        "demonstration": False,
    }
    return Determination(**{**fields, **changed})


def decision(verdict: str, by: str = "GB", **changed: Any) -> Decision:
    """Return a decision about the framework, with changes."""
    states: dict[str, State] = {"MAY": "kept", "MUST NOT": "crossed"}
    state = states.get(verdict, "undetermined")
    outcome = ThresholdOutcome(threshold="leaks", state=state, rule=1, reason="so", bounds=())
    fields = {
        "decided_by": by,
        "framework": WHOLE.digest,
        "model": "model-a",
        "action": "deploy",
        "demonstration": False,
        "verdict": verdict,
        "rule": 1,
        "reason": "so",
        "outcomes": (outcome,),
        "missing": (),
        "at": "2025-04-01",
    }
    return Decision(**{**fields, **changed})


@cache
def finding() -> Finding:
    """Return a joint finding that is no demonstration."""
    (_, found), *_ = sample_book().of_kind(Finding)
    return found.model_copy(update={"demonstration": False})


def using(found: Finding) -> Decision:
    """Return a decision that rests on a finding."""
    use = EvidenceUsed(statement=found.digest, sort="finding", by=("GB",))
    return decision("NOT ENOUGH EVIDENCE", evidence=(use,))


def reply(**changed: Any) -> Reply:
    """Return what the developer replies, with changes."""
    fields = {
        "developer": DEVELOPER,
        "words": "We see it otherwise.",
        "date": "2025-05-01",
        "demonstration": False,
    }
    return Reply(**{**fields, **changed})


def account(before: Framework, after: Framework, *changes: Announced) -> Account:
    """Return the developer's account of a change."""
    return Account(
        developer=DEVELOPER,
        before=before.digest,
        after=after.digest,
        date="2025-06-01",
        changes=changes,
        demonstration=False,
    )


def publication(**changed: Any) -> Publication:
    """Return a published framework of which only the title is known."""
    fields = {
        "key": "example-1",
        "publisher": "Example Labs",
        "title": "Example framework",
        "date": "2025-02-01",
        "genre": "safety-framework",
        "notes": (),
        "sources": (SOURCE,),
        "as_of": "2026-11-01",
    }
    return Publication(**{**fields, **changed})


def partnership() -> Partnership:
    """Return an agreement of an institute with the developer."""
    return Partnership(
        key="example-tests",
        title="Agreement on tests",
        parties=("UK AISI", "Example Developer"),
        members=("GB",),
        date="2025-02-01",
        opens=("access before deployment.",),
        sources=(SOURCE,),
        as_of="2026-11-01",
    )
