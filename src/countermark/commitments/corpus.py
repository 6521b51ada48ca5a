# SPDX-License-Identifier: Apache-2.0
"""What a copy of the Frontier Safety Framework Corpus says, computed from the copy.

The figures are those of the paper that the corpus was made for (Zhu, *Silent Revision*,
arXiv:2609.08789), by its own definitions:

1. A *material* change is one that the adjudicator coded so.
2. The *strict* rate of silent revision is the share of material changes, in pairs with an account
   by the provider, that the account does not identify or identifies only in part.
3. The *lenient* rate counts only those that it does not identify at all.
4. Pairs without an account have no rate; their changes are counted as *no account*.
5. The strata are the evidentiary categories (EC1 to EC6) and the rest.
6. A file whose version ends in ``-reupload-`` and a day is a re-upload under the label before that.
7. A traced commitment belongs to the pair of its provider and labels, re-upload or not; what
   belongs to no listed pair is named.
8. A framework that was logged *agrees* if the digest of its document is one of the manifest's. It
   *differs* if the manifest has files of its provider and label, and none has that digest.
9. The table of pairs has counts of its own. Where they are not those of the adjudicated codes, both
   are told, and whether the codes of the first pass give the table's. A change that is told in part
   is silent in them, as in the strict rate.

A paper and a corpus may err: what comes of them is a report, and makes no statement about a
company.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from countermark.commitments.corpus_tables import (
    Counted,
    Document,
    Traced,
    TracedPair,
    read_manifest,
    read_pairs,
    read_tracing,
)
from countermark.records.framework import Framework

_PLACES = {
    "manifest.csv": ("corpus", ""),
    "pairs.csv": ("corpus", ""),
    "tracing_FINAL.csv": ("coding", ""),
}
_REUPLOAD = re.compile(r"(?P<label>.+)-reupload-(?P<day>\d{8})")


@dataclass(frozen=True, slots=True)
class Reupload:
    """A file that took the place of another under the same label."""

    provider: str
    document: str
    label: str
    version: str
    sha256: str | None
    first_sha256: str | None


@dataclass(frozen=True, slots=True)
class Rates:
    """Counts of material changes by account status, and the two rates of silent revision."""

    announced: int
    partly: int
    silent: int
    no_account: int

    @property
    def material(self) -> int:
        """All material changes."""
        return self.announced + self.partly + self.silent + self.no_account

    @property
    def accounted(self) -> int:
        """Material changes in pairs with an account: what the rates are shares of."""
        return self.announced + self.partly + self.silent

    @property
    def strict(self) -> float | None:
        """The strict rate, or nothing without an account."""
        return (self.partly + self.silent) / self.accounted if self.accounted else None

    @property
    def lenient(self) -> float | None:
        """The lenient rate, or nothing without an account."""
        return self.silent / self.accounted if self.accounted else None

    def to_value(self) -> dict[str, Any]:
        """Return counts and rates as a JSON object."""
        return {
            **asdict(self),
            "material": self.material,
            "strict": self.strict,
            "lenient": self.lenient,
        }


@dataclass(frozen=True, slots=True)
class PairReport:
    """What was traced between two versions."""

    pair: TracedPair
    ids: tuple[str, ...]
    rates: Rates
    outcomes: Mapping[str, int]
    mixed: int


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A pair whose counts in the table of pairs are not those of the adjudicated codes."""

    provider: str
    before: str
    after: str
    table: Counted
    adjudicated: Counted
    as_first_pass: bool


@dataclass(frozen=True, slots=True)
class Corpus:
    """A copy of the corpus.

    Parameters
    ----------
    documents, pairs, traced
        The rows of its tables.
    folder
        Where it lies.
    """

    documents: tuple[Document, ...]
    pairs: tuple[TracedPair, ...]
    traced: tuple[Traced, ...]
    folder: str

    def rates(self, stratum: Literal["all", "evidentiary", "other"] = "all") -> Rates:
        """Return counts and rates of all pairs, of one stratum (rules 1 to 5)."""
        return _rates(
            one
            for one in self.traced
            if stratum == "all" or (stratum == "evidentiary") == one.category.startswith("EC")
        )

    def outcomes(self) -> Mapping[str, int]:
        """Return how many material changes had each outcome."""
        return Counter(one.outcome for one in self.traced if one.material)

    def by_pair(self) -> tuple[PairReport, ...]:
        """Return what was traced between each two versions that follow each other."""
        return tuple(
            PairReport(
                pair,
                tuple(sorted({one.pair for one in found})),
                _rates(found),
                Counter(one.outcome for one in found if one.material),
                sum(one.mixed for one in found if one.material),
            )
            for pair, found in self._pairs_and_rows()
        )

    def disagreements(self) -> tuple[Disagreement, ...]:
        """Return the pairs whose counts are not those of the adjudicated codes (rule 9)."""
        return tuple(
            Disagreement(
                *(pair.provider, pair.before, pair.after, pair.counted, adjudicated),
                _counted(one.first for one in found) == pair.counted,
            )
            for pair, found in self._pairs_and_rows()
            for adjudicated in [_counted(one.told for one in found)]
            if pair.counted and pair.counted != adjudicated
        )

    def unlisted(self) -> tuple[str, ...]:
        """Return the traced pairs that are no rows of the table of pairs (rule 7)."""
        listed = {_ends(pair) for pair in self.pairs}
        return tuple(sorted({one.pair for one in self.traced if _ends(one) not in listed}))

    def reuploads(self) -> tuple[Reupload, ...]:
        """Return the files that took the place of others under their labels (rule 6)."""
        known = {(one.provider, one.version): one for one in self.documents if not one.companion}
        found = []
        for one in self.documents:
            label = _label(one.version)
            first = known.get((one.provider, label))
            if label != one.version and first and (first.sha256 != one.sha256 or not one.sha256):
                found.append(
                    Reupload(
                        *(one.provider, one.document, label, one.version),
                        *(one.sha256, first.sha256),
                    )
                )
        return tuple(found)

    def _pairs_and_rows(self) -> Iterator[tuple[TracedPair, list[Traced]]]:
        rows: dict[tuple[str, str, str], list[Traced]] = defaultdict(list)
        for one in self.traced:
            rows[_ends(one)].append(one)
        for pair in self.pairs:
            yield pair, rows.get(_ends(pair), [])

    def to_value(self) -> dict[str, Any]:
        """Return the report as a JSON object."""
        return {
            "documents": [asdict(one) for one in self.documents],
            "reuploads": [asdict(one) for one in self.reuploads()],
            "pairs": [
                {
                    **asdict(one.pair),
                    "ids": list(one.ids),
                    "rates": one.rates.to_value(),
                    "outcomes": dict(sorted(one.outcomes.items())),
                    "mixed": one.mixed,
                }
                for one in self.by_pair()
            ],
            "unlisted": list(self.unlisted()),
            "disagreements": [asdict(one) for one in self.disagreements()],
            "traced": [asdict(one) for one in self.traced],
            "all": self.rates().to_value(),
            "evidentiary": self.rates("evidentiary").to_value(),
            "other": self.rates("other").to_value(),
            "outcomes": dict(sorted(self.outcomes().items())),
        }


@dataclass(frozen=True, slots=True)
class Agreement:
    """Whether the document of a logged framework is one that the corpus has."""

    framework: str
    developer: str
    label: str
    document: str
    standing: Literal["agrees", "differs", "not in the corpus"]
    versions: tuple[str, ...]


def read_corpus(folder: Path) -> Corpus:
    """Read a copy of the corpus.

    Raises
    ------
    InputError
        If a table is missing or malformed.
    """
    return Corpus(
        read_manifest(_table(folder, "manifest.csv")),
        read_pairs(_table(folder, "pairs.csv")),
        read_tracing(_table(folder, "tracing_FINAL.csv")),
        str(folder),
    )


def compare_with_logged(
    corpus: Corpus, frameworks: Iterable[Framework], developers: Mapping[str, str]
) -> tuple[Agreement, ...]:
    """Compare the documents of logged frameworks with the manifest (rule 8).

    Parameters
    ----------
    corpus
        The copy.
    frameworks
        The frameworks; those that tell no digest of their document are passed over.
    developers
        The developer's code by the provider's name.
    """
    by_digest: dict[str, list[Document]] = defaultdict(list)
    by_label: dict[tuple[str, str], list[Document]] = defaultdict(list)
    for one in corpus.documents:
        if one.digest:
            by_digest[one.digest].append(one)
            developer = developers.get(one.provider, one.provider)
            by_label[developer, _plain_label(_label(one.version))].append(one)
    found = []
    for framework in frameworks:
        if framework.document is None:
            continue
        same = by_digest.get(framework.document, [])
        named = by_label.get((framework.developer, _plain_label(framework.label)), [])
        standing: Literal["agrees", "differs", "not in the corpus"]
        standing = "agrees" if same else "differs" if named else "not in the corpus"
        found.append(
            Agreement(
                framework.digest,
                framework.developer,
                framework.label,
                framework.document,
                standing,
                tuple(one.version for one in same or named),
            )
        )
    return tuple(sorted(found, key=lambda one: (one.developer, one.label, one.framework)))


def _label(version: str) -> str:
    match = _REUPLOAD.fullmatch(version)
    return match["label"] if match else version


def _ends(one: Traced | TracedPair) -> tuple[str, str, str]:
    return one.provider, _label(one.before), _label(one.after)


def _table(folder: Path, name: str) -> Path:
    """Return where a table lies, which may not be there."""
    places = [folder / below / name for below in _PLACES[name]]
    return next((path for path in places if path.is_file()), places[0])


def _rates(rows: Iterable[Traced]) -> Rates:
    told = Counter(one.told for one in rows if one.material)
    return Rates(told["announced"], told["partly"], told["silent"], told["no account"])


def _counted(statuses: Iterable[str | None]) -> Counted:
    told = Counter(status for status in statuses if status)
    return Counted(
        *(told.total(), told["announced"], told["partly"] + told["silent"], told["no account"])
    )


def _plain_label(label: str) -> str:
    return re.sub(r"^(?:version|v)[ .]*", "", label.casefold().strip())
