# SPDX-License-Identifier: Apache-2.0
import re

from sample_finding import sample_finding
from sample_judges import judged_cell

from countermark.app.cli.finding_lines import shown
from countermark.records.judging import RejudgementUse

DIGEST = f"sha256:{'1' * 64}"
USED = RejudgementUse(
    rejudgement=DIGEST, lab="SG-c", of_lab="JP-b", task="leak", language="en",
    scorer="first-judge", scorer_version="v1", answers=40,
)  # fmt: skip


def test_finding_show_gives_each_scorer_and_rejudgement() -> None:
    finding = sample_finding(
        DIGEST, dict.fromkeys(("GB", "JP", "KE", "SG", "FR"), DIGEST), {"en": DIGEST, "fr": DIGEST}
    )
    cell = finding.cells[0].model_copy(update=judged_cell())
    lost = USED.model_copy(update={"left_out": "other served it (rule 5)", "of_lab": None})
    changed = finding.model_copy(
        update={"cells": (cell, *finding.cells[1:]), "rejudgements": (USED, lost)}
    )
    text = "\n".join(shown(changed))
    assert "SG-c judged 40 answers of JP-b again by first-judge v1  leak  en\n" in text
    assert "of the labelled ones again by first-judge v1  leak  en: not taken, other" in text
    assert "3 unparsed, 2 refused by the judge, 5 not attempted" in text
    assert "as it counts 0.4000  (0.3000 to 0.5000 at 0.95), bounds 0.3750 and 0.4375" in text
    assert "run again at SG-c: 40 answers 2 times, 2 unread, flips 0.1000" in text
    assert "alike on 81 of 90  (cohen 0.62)" in text
    (line,) = re.findall(r"^ +second-judge v2: .*", text, re.MULTILINE)
    assert "judge-not-validated" in line
