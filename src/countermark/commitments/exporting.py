# SPDX-License-Identifier: Apache-2.0
"""A decision in in-toto's ``svr`` words (simple verification result), for tools without ours.

Such a result lists what was shown and nothing else, so that a reader who ignores it, or a part of
it, is never led to allow more. Therefore:

1. The subject is the model under test, by the digest that the protocol pins.
2. ``COUNTERMARK_MAY_DEPLOY`` (or ``…_MAY_DEVELOP``) is there only if the verdict is MAY. MUST NOT
   and NOT ENOUGH EVIDENCE have no property of their own: they are the absence of this one.
3. ``COUNTERMARK_KEPT:<threshold>`` is there for each threshold that is kept; what is mitigated is
   not kept, and shows in rule 2 alone.
4. Nothing is listed under a framework that is not in force.
5. Properties of a demonstration begin with ``COUNTERMARK_DEMONSTRATION_`` and match no others.
6. Whoever exports vouches for it: the gate is asked again, for the day of the export, and a
   decision that does not follow from the framework and the evidence, or no longer, is refused.
7. So is one about another snapshot than the one that the protocol pins.

The mapping is in docs/in-toto.md, field by field.
"""

from dataclasses import replace
from datetime import datetime

from countermark.commitments.case import Case
from countermark.commitments.gate import decide
from countermark.records.canonical import JsonValue
from countermark.records.decision import Decision, ThresholdOutcome, Verdict
from countermark.records.errors import InputError, VerificationError
from countermark.records.protocol import Protocol
from countermark.signing.in_toto import Export, Resource

SVR = "https://in-toto.io/attestation/svr/v0.2"


def as_svr(
    decision: Decision,
    case: Case,
    protocol: Protocol,
    *,
    verifier: str,
    at: datetime,
) -> Export:
    """Return a decision as an in-toto ``svr``.

    Parameters
    ----------
    decision
        The decision.
    case
        The framework and all evidence that it follows from.
    protocol
        That of its finding; it pins the model.
    verifier
        Roster code of whoever exports.
    at
        When (UTC).

    Raises
    ------
    InputError
        If these do not belong together, or the decision rests on no finding.
    VerificationError
        If the gate decides otherwise (rule 6).
    """
    framework = case.framework
    subject = _subject(decision, case, protocol)
    _check(decision, replace(case, at=at.date()))
    return Export(
        subject,
        SVR,
        {
            "verifier": {
                "id": f"urn:countermark:gate:v1:{verifier}",
                "policies": [Resource("framework", framework.digest).to_value()],
            },
            "timeCreated": f"{at:%Y-%m-%dT%H:%M:%SZ}",
            "properties": _properties(decision, replace(case, at=at.date())),
            "countermarkDecision": Resource("decision", decision.digest).to_value(),
            "countermarkFinding": Resource("finding", str(decision.finding)).to_value(),
        },
    )


def _properties(decision: Decision, case: Case) -> list[JsonValue]:
    if case.not_in_force is not None:
        return []
    prefix = "COUNTERMARK_DEMONSTRATION_" if decision.demonstration else "COUNTERMARK_"
    kept = {one.threshold for one in decision.outcomes if one.state == "kept"}
    may = [f"{prefix}MAY_{decision.action.upper()}"] if decision.verdict == "MAY" else []
    return [*may, *(f"{prefix}KEPT:{key}" for key in sorted(kept))]


def _subject(decision: Decision, case: Case, protocol: Protocol) -> Resource:
    if decision.finding is None:
        raise InputError(
            "rests on no finding, so nothing pins the model that it is about",
            where="decision",
            next_step="Export the decision itself: its statement is an in-toto statement.",
        )
    given = {one.digest: one.finding for one in case.tested}
    found = given.get(decision.finding)
    if found is None:
        raise _apart("finding", decision.finding, " or ".join(given) or "none")
    for what, named, of in (
        ("framework", decision.framework, case.framework.digest),
        ("protocol", found.protocol, protocol.digest),
    ):
        if named != of:
            raise _apart(what, named, of)
    model = protocol.model(decision.model)
    if model is None:
        raise InputError(
            f"is about the model {decision.model}, which the protocol does not have",
            where="decision",
            next_step="Decide about a model of the protocol.",
        )
    if decision.identity not in (None, model.identity):
        raise _apart("snapshot", str(decision.identity), model.identity)
    return Resource(model.key, model.identity)


def _apart(what: str, named: str, given: str) -> InputError:
    return InputError(
        f"follows from the {what} {named}, not from {given}",
        where="decision",
        next_step=f"Give the {what} that it names.",
    )


def _check(decision: Decision, case: Case) -> None:
    named = {one.statement for one in decision.evidence or ()} | {str(decision.finding)}
    given = {one.statement for one in case.account()}
    lacking = sorted(str(digest) for digest in named - given)
    if lacking:
        raise _apart("evidence", lacking[0], "what was given")
    again = decide(case, decided_by=decision.decided_by)
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
