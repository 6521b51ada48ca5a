# SPDX-License-Identifier: Apache-2.0
"""Laws, codes and voluntary schemes that bear on a developer: who owes what to whom, and when.

Each file of ``data/law`` is one instrument for one kind of addressee, in our own words, with the
section where each duty was read and the source. It is an aid to find the text, not legal advice.

1. Each duty and each rule of counting cites a source that its instrument lists.
2. What is due by, at or for a period says its length; what has no number says none.
3. An initial report says which kinds of incident start it; intermediate and final reports follow
   those of their instrument and name no kind. All of them run from moments that an incident has.
4. Phases come in the order of their days, and the first says from when the instrument applies.
"""

from datetime import date
from functools import cache
from typing import Literal, TypeAlias

from pydantic import Field

from countermark.records.base import Date, Part, Slug, Text
from countermark.records.errors import InputError
from countermark.records.reference import Source
from countermark.taxonomy.reading import packaged, read_list

Unit: TypeAlias = Literal["hours", "days", "business-days", "weeks", "months", "years"]
Event: TypeAlias = Literal[
    "known",
    "initial-report",
    "resolved",
    "documented",
    "framework-confirmed",
    "framework-changed",
    "model-placed",
    "model-report-confirmed",
    "last-time",
]
Stage: TypeAlias = Literal["initial", "intermediate", "final", "keep", "standing"]
Sort: TypeAlias = Literal["within", "every", "before", "keep", "no-number"]
Kind: TypeAlias = Literal[
    "critical-infrastructure",
    "cybersecurity-breach",
    "weights",
    "death",
    "bodily-injury",
    "serious-harm-to-health",
    "fundamental-rights",
    "property-or-environment",
    "widespread-infringement",
    "loss-of-control",
    "deception",
    "catastrophic-harm",
    "imminent-risk",
    "critical-safety-incident",
]

KINDS: dict[Kind, str] = {
    "critical-infrastructure": "serious and irreversible disruption of critical infrastructure",
    "cybersecurity-breach": "serious breach of cybersecurity, exfiltration of weights included",
    "weights": "unauthorised access to the model's weights, a change of them or their loss",
    "death": "a person died",
    "bodily-injury": "a person's body was injured; if gravely, add serious-harm-to-health",
    "serious-harm-to-health": "a person's health, of body or mind, was seriously harmed",
    "fundamental-rights": "EU law that protects fundamental rights was infringed",
    "property-or-environment": "serious harm to property or to the environment",
    "widespread-infringement": "an infringement across Member States, as the AI Act defines it",
    "loss-of-control": "the developer lost control of the model",
    "deception": "the model deceived its developer to escape controls, outside a test made for it",
    "catastrophic-harm": "harm that state law calls catastrophic; add what it was",
    "imminent-risk": "an imminent risk of death or serious physical injury; add what happened",
    "critical-safety-incident": "you have determined that state law calls it so",
}
"""Every kind of incident that starts a clock, in our words; one incident may be of several."""

EVENTS: dict[Event, str] = {
    "known": "it became known",
    "initial-report": "the initial report",
    "resolved": "it is resolved",
    "documented": "the document was written, or it happened, whichever is later",
    "framework-confirmed": "a framework or its update is confirmed",
    "framework-changed": "a material change of the framework",
    "model-placed": "the model is placed on the market or deployed",
    "model-report-confirmed": "an update of the model report is confirmed",
    "last-time": "the last time",
}
"""What periods run from, in words that follow *after* or *before*."""
CLOCKED: frozenset[Event] = frozenset({"known", "initial-report", "resolved", "documented"})
"""The events that an incident has; those of standing duties are others."""


class Period(Part):
    """A length of time as a legal text states it."""

    amount: int = Field(ge=1, description="How many.")
    unit: Unit = Field(description="Of what.")

    @property
    def words(self) -> str:
        """The period in words."""
        unit = self.unit.replace("-", " ")
        return f"{self.amount} {unit.removesuffix('s') if self.amount == 1 else unit}"


class Timing(Part):
    """When a duty is due."""

    sort: Sort = Field(description="By the end of a period, each period, before an event, …")
    event: Event = Field(description="What it is counted from.")
    period: Period | None = Field(default=None, description="How long, where there is a number.")
    words: Text = Field(description="The same in our words, with what a number cannot say.")


class Obligation(Part):
    """One thing that an instrument asks for."""

    key: Slug = Field(description="Its key in the instrument.")
    stage: Stage = Field(description="Which step of reporting it is, or a standing duty.")
    what: Text = Field(description="What is owed, in our words.")
    wants: tuple[Text, ...] = Field(description="What it has to hold; empty where it is not said.")
    to: Text = Field(description="To whom.")
    timing: Timing = Field(description="When.")
    starts: tuple[tuple[Kind, ...], ...] | None = Field(
        default=None,
        description="Kinds of incident that start it: any of these sets, each as a whole.",
    )
    provision: Text = Field(description="Section in which it was read.")
    source: Slug = Field(description="Key of the source in which it was read.")


class Definition(Part):
    """A kind of incident that an instrument defines by others."""

    kind: Kind = Field(description="The kind that is defined.")
    any_of: tuple[tuple[Kind, ...], ...] = Field(
        min_length=1, description="Sets of kinds, each of which makes an incident one of it."
    )
    provision: Text = Field(description="Section in which it was read.")
    source: Slug = Field(description="Key of the source in which it was read.")


class Counting(Part):
    """How days are counted, and what may happen to a period that ends on a day of rest."""

    words: Text = Field(description="The rule in our words.")
    carries: bool = Field(
        description="Whether it may carry a period that is not in hours to the next working day."
    )
    provision: Text = Field(description="Section in which it was read, or why we count so.")
    source: Slug | None = Field(default=None, description="Key of the source, if there is one.")


class Phase(Part):
    """A day from which something about an instrument holds."""

    since: Date = Field(description="From this day on.")
    applies: bool = Field(description="Whether the instrument's duties apply from then on.")
    words: Text = Field(description="What holds, in our words.")
    source: Slug = Field(description="Key of the source in which it was read.")


class Cited(Part):
    """A source of an instrument, under a key."""

    key: Slug = Field(description="Its key in the instrument.")
    source: Source = Field(description="What was read.")
    copy_of: Text | None = Field(
        default=None, description="How it was read, where not at the publisher's own address."
    )


class Instrument(Part):
    """One law, code or scheme, for one kind of addressee."""

    key: Slug = Field(description="Its key.")
    title: Text = Field(description="Its title.")
    short: Text = Field(description="What it is called for short.")
    jurisdiction: Text = Field(description="Where it holds.")
    force: Literal["law", "code", "voluntary"] = Field(description="What binds to it.")
    who: Text = Field(description="Whom it addresses, in our words.")
    authority: Text = Field(description="Who receives reports or enforces.")
    zone: Text = Field(description="IANA time zone in which its days are counted.")
    phases: tuple[Phase, ...] = Field(min_length=1, description="Since when what holds.")
    counting: Counting = Field(description="How its periods are counted.")
    definitions: tuple[Definition, ...] = Field(description="Kinds of incident it defines.")
    obligations: tuple[Obligation, ...] = Field(min_length=1, description="What it asks for.")
    notes: tuple[Text, ...] = Field(description="What a reader should know beside.")
    left_out: tuple[Text, ...] = Field(description="What it holds that is not here, and why.")
    sources: tuple[Cited, ...] = Field(min_length=1, description="Where all this was read.")
    as_of: Date = Field(description="When the sources were last read.")

    def cited(self, key: str) -> Source:
        """Return a source by its key."""
        return next(one.source for one in self.sources if one.key == key)

    def phase(self, day: date) -> Phase | None:
        """Return the latest phase that has begun on a day, if one has."""
        begun = [one for one in self.phases if date.fromisoformat(one.since) <= day]
        return begun[-1] if begun else None

    def applies(self, day: date) -> bool:
        """Tell whether its duties apply on a day."""
        phase = self.phase(day)
        return phase is not None and phase.applies

    @property
    def begins(self) -> str | None:
        """The first day on which its duties apply, as far as it is known."""
        return next((one.since for one in self.phases if one.applies), None)

    def standing(self, day: date) -> str:
        """Say what holds on a day, and what comes next."""
        phase = self.phase(day)
        later = [one for one in self.phases if date.fromisoformat(one.since) > day]
        said = phase.words if phase else "not yet in force"
        return f"{said}; from {later[0].since}: {later[0].words}" if later else said

    def obligation(self, key: str) -> Obligation:
        """Return an obligation by its key."""
        return next(one for one in self.obligations if one.key == key)


ORDER = (
    "eu-code-safety",
    "eu-ai-act-55",
    "eu-ai-act-73",
    "california-sb-53",
    "new-york-raise",
    "hiroshima-reporting",
    "korea-ai-basic-act",
)
"""The instruments in the order in which they are shown."""


@cache
def instruments() -> tuple[Instrument, ...]:
    """Return every instrument that is on record, in the order in which they are shown.

    Raises
    ------
    InputError
        If a rule of the module docstring is broken.
    """
    folder = packaged("commitments", "law")
    found = tuple(read_list(Instrument, folder / f"{key}.json") for key in ORDER)
    for one in found:
        _check(one)
    return found


def instrument(key: str) -> Instrument:
    """Return one instrument.

    Raises
    ------
    InputError
        If there is none of that key.
    """
    found = next((one for one in instruments() if one.key == key), None)
    if found is None:
        raise InputError(
            f"{key!r} is no regime on record",
            next_step=f"Give one of {', '.join(ORDER)}.",
        )
    return found


def _check(one: Instrument) -> None:
    known = {cited.key for cited in one.sources}
    used = {each.source for each in one.obligations}
    used |= {each.source for each in one.definitions}
    used |= {each.source for each in one.phases}
    used |= {one.counting.source} if one.counting.source else set()
    since = [phase.since for phase in one.phases]
    faults = [
        *(f"cites {key}, which is no source of it" for key in sorted(used - known)),
        *(f"{duty.key}: {fault}" for duty in one.obligations for fault in _faults(duty)),
        *(["its phases are not in order"] if since != sorted(since) else []),
    ]
    if faults:
        raise InputError(faults[0], where=f"{one.key}.json", next_step="Mend the entry.")


def _faults(duty: Obligation) -> list[str]:
    sort, given = duty.timing.sort, duty.timing.period is not None
    faults = []
    if (sort in ("within", "every", "keep") and not given) or (sort == "no-number" and given):
        faults.append("its period does not fit how it is due")
    if (duty.stage == "initial") != (duty.starts is not None):
        faults.append("only an initial report says which incidents start it")
    if duty.stage != "standing" and duty.timing.event not in CLOCKED:
        faults.append(f"an incident has no moment at which {EVENTS[duty.timing.event]}")
    return faults
