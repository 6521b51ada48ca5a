# SPDX-License-Identifier: Apache-2.0
"""What determinations, accounts and replies must be before they are logged, beyond their form.

A determination is refused where:

1. It is about another framework than the one given, or about another demonstration or none.
2. The framework has no such threshold, mitigation or duty; a trigger's own key stands for the duty
   to do what it demands.
3. Its level is no step of the threshold's scale.
4. Its quantity lacks a unit or has another than the threshold, or stands beside no quantity.
5. It names a mitigation that the framework does not have.

An account is refused where:

6. It is about other versions than those given, or these are not of its developer.
7. It names a threshold that the older version does not have, or an added one that the newer lacks.

A reply is refused where:

8. It answers neither a statement nor a commitment, or says *not applicable* of no commitment: it
   would stand beside nothing.
9. It names a commitment that there is none of.
"""

from countermark.records.account import Account, Reply
from countermark.records.determination import Determination
from countermark.records.errors import InputError
from countermark.records.framework import Framework
from countermark.records.reference import Declaration
from countermark.records.threshold_rules import (
    CapabilityLevel,
    ScoreTier,
    SecurityLevel,
    ThresholdRule,
    Trigger,
    Uplift,
)


def check_determination(said: Determination, framework: Framework, *, where: str) -> None:
    """Refuse a determination that rules 1 to 5 refuse.

    Raises
    ------
    InputError
        For the first rule that is broken.
    """
    if said.framework != framework.digest:
        raise _refused(
            f"is about {said.framework}, not {framework.digest}, which is version "
            f"{framework.label} of {framework.title}",
            where,
            "the version that it names",
        )
    if said.demonstration != framework.demonstration:
        raise _refused("and its framework differ in being a demonstration", where, "both alike")
    keys = _keys(framework, said.subject)
    if said.key not in keys:
        known = ", ".join(sorted(keys)) or "none"
        raise _refused(
            f"names no {said.subject} of the framework: {said.key}", where, f"one of: {known}"
        )
    named = {one.key for one in framework.mitigations or ()}
    unknown = sorted(set(said.mitigations or ()) - named)
    if unknown:
        raise _refused(f"names no mitigation of the framework: {unknown[0]}", where, "its keys")
    rule = next((one.rule for one in framework.thresholds if one.key == said.key), None)
    if said.subject == "threshold" and rule is not None:
        _check_level(said, rule, where)
        _check_quantity(said, rule, where)


def check_account(said: Account, before: Framework, after: Framework, *, where: str) -> None:
    """Refuse an account that rules 6 and 7 refuse.

    Raises
    ------
    InputError
        For the first rule that is broken.
    """
    for version, named, one in (("older", said.before, before), ("newer", said.after, after)):
        if named != one.digest or one.developer != said.developer:
            raise _refused(
                f"names as the {version} version {named} of {said.developer}; given was "
                f"{one.digest}, version {one.label} of {one.developer}",
                where,
                "--before the older and --after the newer of the two versions that it names",
            )
    for change in said.changes:
        for key, one in ((change.threshold, before), (change.added, after)):
            known = {threshold.key for threshold in one.thresholds}
            if key is not None and key not in known:
                raise _refused(
                    f"names the threshold {key}, which version {one.label} does not have",
                    where,
                    f"one of: {', '.join(sorted(known))}",
                )


def check_reply(said: Reply, commitments: Declaration, *, where: str) -> None:
    """Refuse a reply that rules 8 and 9 refuse.

    Raises
    ------
    InputError
        For the first rule that is broken.
    """
    keys = [one.key for one in commitments.principles]
    known = f"one of: {', '.join(keys)}"
    if said.says is not None and said.commitment is None:
        raise _refused(f"says {said.says} of no commitment", where, f"commitment, {known}")
    if said.of is None and said.commitment is None:
        raise _refused(
            "answers nothing",
            where,
            f"of, the digest of the statement that it answers, or commitment, {known}",
        )
    if said.commitment is not None and said.commitment not in keys:
        raise _refused(f"names no commitment: {said.commitment}", where, known)


def _keys(framework: Framework, subject: str) -> set[str]:
    thresholds = framework.thresholds
    match subject:
        case "threshold":
            return {one.key for one in thresholds}
        case "mitigation":
            return {one.key for one in framework.mitigations or ()}
        case "duty":
            triggers = {one.key for one in thresholds if isinstance(one.rule, Trigger)}
            return triggers | {one.key for one in framework.disclosure or ()}
        case _:
            provisions = (*(framework.process or ()), *(framework.governance or ()))
            return {one.key for one in provisions}


def _check_level(said: Determination, rule: ThresholdRule, where: str) -> None:
    if said.level is None:
        return
    scaled = isinstance(rule, CapabilityLevel | ScoreTier | SecurityLevel)
    scale = rule.scale if scaled else ()  # type: ignore[union-attr]
    if said.level not in scale:
        steps = ", ".join(scale) or "no level: the threshold has no scale"
        raise _refused(f"gives the level {said.level}, which the scale lacks", where, steps)


def _check_quantity(said: Determination, rule: ThresholdRule, where: str) -> None:
    if said.quantity is None and said.unit is None:
        return
    unit = rule.unit if isinstance(rule, Trigger) else "times" if isinstance(rule, Uplift) else None
    if said.quantity is None or said.unit is None or said.unit != unit:
        wanted = f"a quantity in {unit}" if unit else "no quantity: the threshold has none"
        raise _refused(f"gives {said.quantity} {said.unit}", where, wanted)


def _refused(what: str, where: str, wanted: str) -> InputError:
    return InputError(what, where=where, next_step=f"Give {wanted}.")
