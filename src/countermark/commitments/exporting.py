# SPDX-License-Identifier: Apache-2.0
"""A decision in in-toto's ``svr`` words (simple verification result), for tools without ours.

Such a result lists what was shown and nothing else, so that a reader who ignores it, or a part of
it, is never led to allow more. Therefore:

1. The subject is the model under test, by the digest that the protocol pins.
2. ``COUNTERMARK_MAY_DEPLOY`` (or ``…_MAY_DEVELOP``) is there only if the verdict is MAY. MUST NOT
   and NOT ENOUGH EVIDENCE have no property of their own: they are the absence of this one.
3. ``COUNTERMARK_KEPT:<threshold>`` is there for each threshold that is kept; not if the framework
   has two of that key and one is not.
4. Nothing is listed under a framework that is not in force.
5. Properties of a demonstration begin with ``COUNTERMARK_DEMONSTRATION_`` and match no others.
6. Whoever exports vouches for it: the gate is asked again, and a decision that does not follow from
   the framework and the finding is refused.

The mapping is in docs/in-toto.md, field by field.
"""

from datetime import datetime

from countermark.commitments.gate import decide
from countermark.records.canonical import JsonValue
from countermark.records.decision import Decision, ThresholdOutcome, Verdict
from countermark.records.errors import InputError, VerificationError
from countermark.records.finding import Finding
from countermark.records.framework import Framework
from countermark.records.protocol import Protocol
from countermark.signing.in_toto import Export, Resource

SVR = "https://in-toto.io/attestation/svr/v0.2"


def as_svr(
    decision: Decision,
    framework: Framework,
    finding: Finding,
    protocol: Protocol,
    *,
    verifier: str,
    at: datetime,
) -> Export:
    """Return a decision as an in-toto ``svr``.

    Parameters
    ----------
    decision, framework, finding, protocol
        The decision, and all that it follows from.
    verifier
        Roster code of whoever exports.
    at
        When (UTC).

    Raises
    ------
    InputError
        If the four do not belong together.
    VerificationError
        If the gate decides otherwise (rule 6).
    """
    subject = _subject(decision, framework, finding, protocol)
    _check(decision, framework, finding)
    return Export(
        subject,
        SVR,
        {
            "verifier": {
                "id": f"urn:countermark:gate:v1:{verifier}",
                "policies": [Resource("framework", framework.digest).to_value()],
            },
            "timeCreated": f"{at:%Y-%m-%dT%H:%M:%SZ}",
            "properties": _properties(decision, framework),
            "countermarkDecision": Resource("decision", decision.digest).to_value(),
            "countermarkFinding": Resource("finding", finding.digest).to_value(),
        },
    )


def _properties(decision: Decision, framework: Framework) -> list[JsonValue]:
    if framework.status != "in-force":
        return []
    prefix = "COUNTERMARK_DEMONSTRATION_" if decision.demonstration else "COUNTERMARK_"
    not_kept = {one.threshold for one in decision.outcomes if one.state != "kept"}
    kept = {one.threshold for one in decision.outcomes} - not_kept
    may = [f"{prefix}MAY_{decision.action.upper()}"] if decision.verdict == "MAY" else []
    return [*may, *(f"{prefix}KEPT:{key}" for key in sorted(kept))]


def _subject(
    decision: Decision, framework: Framework, finding: Finding, protocol: Protocol
) -> Resource:
    for what, named, given in (
        ("framework", decision.framework, framework.digest),
        ("finding", decision.finding, finding.digest),
        ("protocol", finding.protocol, protocol.digest),
    ):
        if named != given:
            raise InputError(
                f"follows from the {what} {named}, not from {given}",
                where="decision",
                next_step=f"Give the {what} that it names.",
            )
    model = protocol.model(decision.model)
    if model is None:
        raise InputError(
            f"is about the model {decision.model}, which the protocol does not have",
            where="decision",
            next_step="Decide about a model of the protocol.",
        )
    return Resource(model.key, model.identity)


def _check(decision: Decision, framework: Framework, finding: Finding) -> None:
    again = decide(
        framework,
        finding,
        model=decision.model,
        action=decision.action,
        decided_by=decision.decided_by,
    )
    if _essence(again) != _essence(decision):
        raise VerificationError(
            f"says {decision.verdict}, or of a threshold, what the gate does not: {again.verdict}",
            where="decision",
            next_step="Decide again: countermark gate decide.",
        )


def _essence(decision: Decision) -> tuple[Verdict, bool, list[tuple[str, str]]]:
    # Bounds may differ in their last digits between machines; what they show may not.
    def state(outcome: ThresholdOutcome) -> tuple[str, str]:
        return outcome.threshold, outcome.state

    return decision.verdict, decision.demonstration, [state(one) for one in decision.outcomes]
