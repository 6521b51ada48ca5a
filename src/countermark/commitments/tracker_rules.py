# SPDX-License-Identifier: Apache-2.0
"""What the statements about one company say to each commitment.

The numbers of the rules are those of :mod:`countermark.commitments.tracker`.
"""

from collections.abc import Callable, Iterable, Iterator, Sized
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, TypeAlias, TypeVar

from countermark.commitments.case import is_institute
from countermark.commitments.comparing import Keyed
from countermark.commitments.reference import Company
from countermark.commitments.tracker_index import Dossier, Index, Said
from countermark.commitments.versions import History, Pair, certainly_before, history, plain
from countermark.records.decision import Decision
from countermark.records.determination import Determination
from countermark.records.framework import Framework

Stance: TypeAlias = Literal["contradicts", "supports", "declines", "claims"]
J = TypeVar("J", Determination, Decision)

OUTSIDE = {"one-institute", "several-institutes"}
_FOUND = {
    ("threshold", "yes"): "reached",
    ("threshold", "no"): "not reached",
    ("mitigation", "yes"): "in place",
    ("mitigation", "no"): "not in place",
    ("duty", "yes"): "fulfilled",
    ("duty", "no"): "not fulfilled",
    ("provision", "yes"): "followed",
    ("provision", "no"): "not followed",
}
"""What a determination found, in the words of the pages; *kept* is said of thresholds only."""


@dataclass(frozen=True, slots=True)
class Behind:
    """A statement that stands behind a cell.

    Parameters
    ----------
    digest, kind, author, date, file
        Which statement, whose, of which day, and the name of its published file.
    witnessed
        The day on which witnesses had seen it, if they have. Its own day may be an earlier one.
    stance
        What it says to the commitment.
    rule
        Number of the rule by which it does.
    words
        What it says, in a sentence without its full stop.
    """

    digest: str
    kind: str
    author: str
    date: str | None
    file: str
    witnessed: str | None
    stance: Stance
    rule: int
    words: str


Signal: TypeAlias = tuple[str, Behind]
"""The key of a commitment, and a statement that speaks to it."""


def signals(company: Company, known: Index) -> Iterator[Signal]:
    """Yield what each statement about one company says to each commitment."""
    dossier = known.about(company.slug)
    past = history(
        company.slug, [said.entry for said, _ in (*dossier.frameworks, *dossier.accounts)]
    )
    standing = _in_force(dossier)
    determinations = _latest(
        dossier.determinations, lambda said, one: (said.author, one.subject, one.key, one.model)
    )
    decisions = _latest(dossier.decisions, lambda said, one: (said.author, one.model, one.action))
    yield from _determined(dossier, standing, determinations)
    yield from _contradicted(decisions)
    yield from _rewritten(past)
    yield from _decided(standing, decisions, known)
    yield from _partners(company, known)
    yield from _watched(standing, dossier.determinations)
    yield from _declined(dossier)
    yield from _promised(standing)
    yield from _published(company, known, past, dossier)


def behind(said: Said, stance: Stance, rule: int, words: str) -> Behind:
    """Return a statement as it stands behind a cell."""
    entry = said.entry
    return Behind(
        entry.digest,
        entry.record.kind_name(),
        entry.author,
        said.day,
        entry.file,
        entry.witnessed[:10] if entry.witnessed else None,
        stance,
        rule,
        words,
    )


def _in_force(dossier: Dossier) -> dict[str, tuple[Said, Framework]]:
    """Return the frameworks that speak for their developer, by digest (rule 5)."""
    newest: dict[str, str] = {}
    for _, framework in dossier.frameworks:
        title = plain(framework.title)
        newest[title] = max(newest.get(title, ""), framework.published)
    logged = {said.entry.digest for said, _ in dossier.frameworks}
    # A document may be followed by one of another title; the account of that change says so.
    replaced = {account.before for _, account in dossier.accounts if account.after in logged}
    return {
        said.entry.digest: (said, framework)
        for said, framework in dossier.frameworks
        if framework.published == newest[plain(framework.title)]
        and framework.status == "in-force"
        and said.entry.digest not in replaced
    }


def _latest(
    found: Iterable[tuple[Said, J]], about: Callable[[Said, J], tuple[str, ...]]
) -> list[tuple[Said, J]]:
    """Keep, of each author's judgements about one thing, those of the latest day (rule 6)."""
    kept: dict[tuple[str, ...], list[tuple[Said, J]]] = {}
    for said, one in found:
        key = about(said, one)
        others = kept.setdefault(key, [])
        day, best = said.day or "", (others[0][0].day or "") if others else ""
        if not others or day == best:
            others.append((said, one))
        elif day > best:
            kept[key] = [(said, one)]
    return [pair for pairs in kept.values() for pair in pairs]


def _spoken_of(framework: Framework, one: Determination) -> tuple[str, ...]:
    """Return the commitments that a determination speaks to, by what it is about."""
    parts: dict[str, tuple[tuple[str, tuple[Keyed, ...] | None], ...]] = {
        "threshold": (("i", framework.thresholds), ("ii", framework.thresholds)),
        "mitigation": (("iii", framework.mitigations),),
        "duty": (("vii", framework.disclosure),),
        "provision": (("iv", framework.process), ("vi", framework.governance)),
    }
    return tuple(
        commitment
        for commitment, found in parts[one.subject]
        if any(part.key == one.key for part in found or ())
    )


def _determined(
    dossier: Dossier,
    standing: dict[str, tuple[Said, Framework]],
    determinations: list[tuple[Said, Determination]],
) -> Iterator[Signal]:
    """Rules 7 and 11."""
    frameworks = {said.entry.digest: framework for said, framework in dossier.frameworks}
    for said, one in determinations:
        framework = frameworks.get(one.framework)
        if framework is None or not is_institute(said.author):
            continue
        for key in _spoken_of(framework, one):
            what = f"{one.subject} {one.key} of {framework.title}, {framework.label}"
            if one.subject != "threshold" and one.conclusion == "no":
                words = f"{said.author} found {what} {_FOUND[one.subject, one.conclusion]}"
                yield key, behind(said, "contradicts", 7, words)
            elif one.conclusion != "unclear" and one.framework in standing:
                found = _FOUND[one.subject, one.conclusion]
                level = f", at the level {one.level}" if one.level else ""
                words = f"{said.author} examined {what} and found it {found}{level}"
                yield key, behind(said, "supports", 11, words)


def _contradicted(decisions: list[tuple[Said, Decision]]) -> Iterator[Signal]:
    """Rule 8."""
    refused: dict[tuple[str, str], list[tuple[Said, Decision]]] = {}
    for said, one in decisions:
        if is_institute(said.author) and one.verdict == "MUST NOT":
            refused.setdefault((one.model, one.action), []).append((said, one))
    for own, may in decisions:
        if is_institute(own.author) or may.verdict != "MAY":
            continue
        for said, other in refused.get((may.model, may.action), ()):
            if None in (may.identity, other.identity) or may.identity == other.identity:
                words = f"{said.author} decided that it must not {other.action} {other.model}"
                yield "iv", behind(said, "contradicts", 8, words)
                words = f"the developer decided that it may {may.action} {may.model}"
                yield "iv", behind(own, "claims", 8, words)


def _rewritten(past: History) -> Iterator[Signal]:
    """Rules 9 and 10."""
    said = {
        version.digest: Said(version.entry, version.framework.published)
        for version in past.versions
    }
    for alarm in past.alarms:
        for digest in alarm.digests:
            words = f"{alarm.title}, {alarm.label}: {alarm.words}"
            yield "vii", behind(said[digest], "contradicts", 9, words)
    for pair in past.pairs:
        if pair.account is None:
            continue
        weaker = len(pair.diff().silently_weakened)
        if weaker:
            labels = f"from {pair.before.framework.label} to {pair.after.framework.label}"
            parts = "1 part that was" if weaker == 1 else f"{weaker} parts that were"
            words = (
                f"the developer's account of the change {labels} does not tell of {parts} "
                "weakened or removed"
            )
            for version in (pair.before, pair.after):
                yield "vii", behind(said[version.digest], "contradicts", 10, words)


def _decided(
    standing: dict[str, tuple[Said, Framework]],
    decisions: list[tuple[Said, Decision]],
    known: Index,
) -> Iterator[Signal]:
    """Rules 12 and 13."""
    for said, one in decisions:
        if not is_institute(said.author) or one.framework not in standing:
            continue
        cited = {use.statement for use in one.evidence or () if use.left_out is None}
        cited |= {one.finding} if one.finding else set()
        used = [known.evidence[digest] for digest in sorted(cited) if digest in known.evidence]
        if any(outcome.state != "undetermined" for outcome in one.outcomes):
            words = f"{said.author} held the thresholds against evidence: {one.verdict}"
            yield "ii", behind(said, "supports", 12, words)
        if one.verdict == "MAY":
            words = f"{said.author} decided that {one.model} keeps the thresholds"
            yield "iv", behind(said, "supports", 12, words)
        for evidence in used:
            if is_institute(evidence.author):
                kind = evidence.entry.record.kind_name()
                words = f"{evidence.author}'s {kind} on {one.model} was used by {said.author}"
                yield "i", behind(evidence, "supports", 13, words)
                yield "viii", behind(evidence, "supports", 13, words)


def _partners(company: Company, known: Index) -> Iterator[Signal]:
    """Rule 13."""
    for name in dict.fromkeys((company.name, *company.publishers)):
        for said, one in known.partnerships.get(name, ()):
            yield "viii", behind(said, "supports", 13, f"{one.title}: {one.opens[0]}".rstrip("."))


def _watched(
    standing: dict[str, tuple[Said, Framework]], found: list[tuple[Said, Determination]]
) -> Iterator[Signal]:
    """Rule 14."""

    def about(pair: tuple[Said, Determination]) -> tuple[str, str]:
        return pair[1].framework, pair[1].key

    looked = [
        (said, one)
        for said, one in found
        if is_institute(said.author)
        and one.framework in standing
        and one.subject == "mitigation"
        and one.conclusion != "unclear"
        and _spoken_of(standing[one.framework][1], one)
    ]
    for (_, key), group in groupby(sorted(looked, key=about), key=about):
        several = list(group)
        days = {one.date for _, one in several}
        if any(certainly_before(one, other) for one in days for other in days):
            for said, _ in several:
                words = (
                    f"{said.author} examined mitigation {key}, which was examined on other days too"
                )
                yield "v", behind(said, "supports", 14, words)


def _declined(dossier: Dossier) -> Iterator[Signal]:
    """Rule 15."""
    latest = {
        reply.commitment: (said, reply)
        for said, reply in sorted(dossier.replies, key=lambda one: (one[1].date, one[1].digest))
        if reply.commitment
    }
    for said, reply in latest.values():
        if (
            reply.says == "not-applicable"
            and reply.commitment
            and any(map(str.isalnum, reply.words))
        ):
            words = f"the developer says that it does not apply: {reply.words}".rstrip(".")
            yield reply.commitment, behind(said, "declines", 15, words)


def _promised(standing: dict[str, tuple[Said, Framework]]) -> Iterator[Signal]:
    """Rule 16."""
    for said, framework in standing.values():
        duties = framework.disclosure or ()
        kinds = {threshold.rule.kind for threshold in framework.thresholds}
        outside = any(threshold.standing in OUTSIDE for threshold in framework.thresholds)
        told = any(duty.to == "trusted-actors" for duty in duties)
        promises = {
            "i": _many(framework.domains, "domain of risk", "domains of risk"),
            "ii": _many(framework.thresholds, "threshold", "thresholds"),
            "iii": "mitigations" if framework.mitigations or "security-level" in kinds else "",
            "iv": "a process" if framework.process else "",
            "vi": "governance" if framework.governance else "",
            "vii": _many(duties, "duty to disclose", "duties to disclose") or "its own publication",
            "viii": "evidence by others" if outside else "duties to trusted actors" if told else "",
        }
        for key, what in promises.items():
            if what:
                words = f"{framework.title}, {framework.label}, has {what}"
                yield key, behind(said, "claims", 16, words)


def _untold(pair: Pair) -> str:
    """Return what weakened without any account of it; a silent account is rule 10's."""
    if pair.account is not None:
        return ""
    found = pair.diff()
    weaker = found.count("weakened") + found.count("removed")
    parts = "1 part was" if weaker == 1 else f"{weaker} parts were"
    return f"; {parts} weakened or removed, and no account of it was logged" if weaker else ""


def _many(things: Sized | None, one: str, several: str) -> str:
    """Return how many there are, in words, or nothing where there are none."""
    count = len(things or ())
    return f"{count} {one if count == 1 else several}" if count else ""


def _published(company: Company, known: Index, past: History, dossier: Dossier) -> Iterator[Signal]:
    """Rule 17."""
    for name in dict.fromkeys((company.name, *company.publishers)):
        for said, one in known.publications.get(name, ()):
            if said.author == company.slug or is_institute(said.author):
                label = f", {one.label}" if one.label else ""
                yield "vii", behind(said, "claims", 17, f"{one.title}{label} is published")
    for pair in past.pairs:
        before, after = pair.before.framework, pair.after.framework
        if before.label != after.label:
            said = Said(pair.after.entry, after.published)
            words = f"{after.title}, {after.label}, took the place of {before.label}"
            yield "v", behind(said, "claims", 17, f"{words}{_untold(pair)}")
    for said, account in dossier.accounts:
        changes = _many(account.changes, "change", "changes") or "no change"
        words = f"the developer gave an account of {changes}"
        yield "v", behind(said, "claims", 17, words)
        yield "vii", behind(said, "claims", 17, words)
