# SPDX-License-Identifier: Apache-2.0
"""What a finding's cell says of two judges, by hand: one validated, one not."""

from typing import Any

from countermark.records.judging import (
    JudgesCompared,
    PairAgreement,
    Repeatability,
    ScorerFigures,
    ScorerRate,
)

REPEATED = Repeatability(
    labs=("GB-a", "JP-b"), answers=40, sessions=3, unread=2, flips=0.1, flips_lower=0.03,
    flips_upper=0.24, differ=0.05, s2_chance=0.025, s2_session=0.0, share=0.1, level=0.95,
)  # fmt: skip
GOOD = ScorerFigures(
    scorer="first-judge", version="v1", nature="judge", model="judge-2026-11-01",
    status="reported", submitted=100, answered=96, scored=90, unparsed=3, judge_refused=2,
    not_attempted=5, rate=ScorerRate(value=0.4, lower=0.3, upper=0.5, level=0.95),
    corrected=ScorerRate(value=0.37, lower=0.25, upper=0.52, level=0.95), least=0.375, most=0.4375,
    repeated=REPEATED, rejudged=(REPEATED.model_copy(update={"labs": ("SG-c",), "sessions": 2}),),
)  # fmt: skip
UNKNOWN = ScorerFigures(
    scorer="second-judge", version="v2", nature="judge", status="judge-not-validated",
    reason="no answers in en were labelled by people", submitted=100, answered=96, scored=96,
    unparsed=0, judge_refused=0, not_attempted=4, rejudged=(),
)  # fmt: skip
PAIR = JudgesCompared(
    first="first-judge", first_version="v1", second="second-judge", second_version="v2",
    answers=90, alike=81,
    agreement=(PairAgreement(measure="cohen", value=0.62, lower=0.4, upper=0.8),),
)  # fmt: skip


def judged_cell() -> dict[str, Any]:
    """Return the fields of a cell that hold them."""
    return {"scorers": (GOOD, UNKNOWN), "judges_compared": (PAIR,)}
