# SPDX-License-Identifier: Apache-2.0
"""What the gate would decide by encodings that ship, where the texts say it plainly.

The determinations are made up, and about no real model.
"""

import pytest
from hand_made_case import determined

from countermark.commitments.case import Case
from countermark.commitments.frameworks import known_framework, load_frameworks
from countermark.commitments.gate import decide
from countermark.records.decision import Decision
from countermark.records.determination import Determination
from countermark.records.framework import Action, Framework

ACTIONS: tuple[Action, ...] = ("develop", "deploy")


def by(key: str) -> Framework:
    found = known_framework(key)
    assert found is not None
    # What a text says is asked of it as if it were still in force.
    return found.model_copy(update={"status": "in-force"})


def ask(promised: Framework, action: Action, *said: Determination) -> Decision:
    return decide(Case(promised, "m", action, determinations=said), decided_by="GB")


def reached(promised: Framework, **levels: str) -> tuple[Determination, ...]:
    """Return a determination for each threshold that a person can decide; *no* if not named."""
    judged = ("capability-level", "outcome", "score-tier", "uplift")
    return tuple(
        determined(promised, levels.get(one.key.replace("-", "_"), "no"), key=one.key)
        for one in promised.thresholds
        if one.rule.kind in judged
    )


def secured(promised: Framework, key: str, level: str) -> Determination:
    return determined(promised, "yes", key=key, level=level)


@pytest.mark.parametrize(
    ("level", "verdict"), [("SML 2", "MAY"), ("SML 1", "MUST NOT"), (None, "NOT ENOUGH EVIDENCE")]
)
def test_g42_goes_on_developing_at_a_threshold_if_its_security_level_is_there(
    level: str | None, verdict: str
) -> None:
    promised = by("g42-framework-2025-02")
    said = reached(promised, bio="yes")
    if level is not None:
        said += (secured(promised, "security-sml-2", level),)
    assert ask(promised, "develop", *said).verdict == verdict


def test_g42_asks_for_no_security_level_below_its_thresholds() -> None:
    promised = by("g42-framework-2025-02")
    assert [ask(promised, action, *reached(promised)).verdict for action in ACTIONS] == ["MAY"] * 2


@pytest.mark.parametrize(
    ("critical", "high", "develop", "deploy"),
    [("no", "no", "MAY", "NOT ENOUGH EVIDENCE"), ("no", "yes", "MAY", "MUST NOT"),
     ("yes", "yes", "MUST NOT", "MUST NOT")],
)  # fmt: skip
def test_meta_develops_what_is_high_and_not_what_is_critical(
    critical: str, high: str, develop: str, deploy: str
) -> None:
    promised = by("meta-aasf-2")
    said = reached(promised, critical=critical, high=high, cyber_1=high)
    assert ask(promised, "develop", *said).verdict == develop
    # Of cyber nobody knows before the simple challenges are solved or not.
    assert ask(promised, "deploy", *said).verdict == deploy


def test_metas_first_version_stops_development_at_critical_and_release_at_high() -> None:
    promised = by("meta-faf-1.1")
    high, critical = (reached(promised, **{level: "yes"}) for level in ("high", "critical"))
    assert [ask(promised, action, *high).verdict for action in ACTIONS] == ["MAY", "MUST NOT"]
    assert [ask(promised, action, *critical).verdict for action in ACTIONS] == ["MUST NOT"] * 2


def mitigated(promised: Framework, mitigation: str, *keys: str) -> tuple[Determination, ...]:
    return (
        determined(promised, "yes", subject="mitigation", key=mitigation),
        *(determined(promised, "no", key=key, mitigations=(mitigation,)) for key in keys),
    )


def test_nvidia_releases_the_highest_tier_once_its_assessment_is_approved() -> None:
    promised = by("nvidia-risk-assessment-2025-02")
    assert ask(promised, "deploy", *reached(promised)).verdict == "MAY"
    said = reached(promised, mr5="yes", mr4="yes", mr3="yes")
    assert ask(promised, "deploy", *said).verdict == "MUST NOT"
    said += mitigated(promised, "detailed-assessment", "mr5", "mr4")
    said += mitigated(promised, "documented-measures", "mr3")
    assert ask(promised, "deploy", *said).verdict == "MAY"


@pytest.mark.parametrize("mitigation", ["asset-protection", "deployment-measures"])
def test_openai_asks_for_its_security_controls_once_high_is_reached(mitigation: str) -> None:
    promised = by("openai-preparedness-2")
    said = reached(promised, bio_chem_high="yes")
    said += mitigated(promised, mitigation, "bio-chem-high")
    there, missing = (secured(promised, "security", at) for at in ("in place", "not in place"))
    for action in ACTIONS:
        assert ask(promised, action, *said).verdict == "NOT ENOUGH EVIDENCE"
        assert ask(promised, action, *said, there).verdict == "MAY"
        assert ask(promised, action, *said, missing).verdict == "MUST NOT"


def test_no_pause_passes_for_a_mitigation_by_which_development_goes_on() -> None:
    for one in load_frameworks():
        for measure in one.mitigations or ():
            assert "pause" not in measure.title.casefold(), one.title
            assert "halt" not in measure.title.casefold(), one.title


def test_cohere_is_not_told_may_by_one_rate_alone() -> None:
    found = ask(by("cohere-framework-1.0"), "deploy")
    states = {one.threshold: (one.state, one.rule) for one in found.outcomes}
    assert states["no-significant-regression"] == ("undetermined", 1)
