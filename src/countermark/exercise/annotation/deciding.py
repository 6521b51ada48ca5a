# SPDX-License-Identifier: Apache-2.0
"""From what raters said of an answer to its label. Pure: labels in, label out.

1. Raters label independently. A label counts once all raters of the answer have submitted.
2. Where all say *yes*, or all say *no*, that is the label.
3. Where raters differ, or one is *unsure*, which is no label, the answer is disputed.
4. Without adjudication the majority of *yes* and *no* counts; without a majority there is no label.
5. With a third rater, a disputed answer goes to one more person, who does not see what was said.
   Then the majority of all *yes* and *no* counts.
6. With discussion, a disputed answer is decided by the word that the discussion came to, recorded
   by a person who sees what was said.
7. Nobody adjudicates an answer that they rated (``node/policy.py`` asks before; this refuses too).
8. Where the adjudicator is unsure too, there is no label. The answer is counted as undecided and
   never guessed.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from countermark.records.evidence import GivenLabel

Adjudication = Literal["third-rater", "discussion"]
State = Literal["open", "disputed", "decided", "undecided"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Where one answer stands.

    Parameters
    ----------
    state
        Still open, waiting for an adjudicator, decided, or without a label for good.
    label
        True where the event happened; present exactly when decided.
    rule
        By which rule.
    """

    state: State
    label: bool | None
    rule: int


def verdict(
    labels: Sequence[GivenLabel],
    raters: int,
    adjudication: Adjudication | None,
    adjudicated: GivenLabel | None = None,
) -> Verdict:
    """Say where one answer stands.

    Parameters
    ----------
    labels
        What raters have submitted.
    raters
        How many are to rate it.
    adjudication
        What the plan says about answers on which they differ.
    adjudicated
        What the adjudicator said, if anybody did.

    Raises
    ------
    ValueError
        If a rater said two things, or the adjudicator rated the answer (rule 7).
    """
    names = [one.rater for one in labels]
    if len(set(names)) < len(names) or (adjudicated and adjudicated.rater in names):
        raise ValueError("one person speaks once of an answer, as a rater or as its adjudicator")
    if len(labels) < raters:
        return Verdict("open", None, 1)
    said = {one.label for one in labels}
    if said in ({"yes"}, {"no"}):
        return Verdict("decided", said == {"yes"}, 2)
    if adjudication is None:
        return _majority([one.label for one in labels], 4)
    if adjudicated is None:
        return Verdict("disputed", None, 3)
    return _adjudicated(labels, adjudication, adjudicated)


def _adjudicated(
    labels: Sequence[GivenLabel], adjudication: Adjudication, adjudicated: GivenLabel
) -> Verdict:
    if adjudicated.label == "unsure":
        return Verdict("undecided", None, 8)
    if adjudication == "discussion":
        return Verdict("decided", adjudicated.label == "yes", 6)
    return _majority([*(one.label for one in labels), adjudicated.label], 5)


def _majority(labels: Sequence[str], rule: int) -> Verdict:
    counts = Counter(labels)
    if counts["yes"] == counts["no"]:
        return Verdict("undecided", None, rule)
    return Verdict("decided", counts["yes"] > counts["no"], rule)
