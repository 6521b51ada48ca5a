# SPDX-License-Identifier: Apache-2.0
"""Did the labs run the same? Setting by setting, against the protocol and each other. Pure.

1. Settings are compared by their names in :mod:`countermark.exercise.vocabulary`, cell by cell,
   over the cells that a lab has answers of. What belongs to a model is compared over all cells of
   that model: a provider that changes it between two cells is seen.
2. Where the protocol asks for a value, a lab that has it is *same*; or *declared factor*, if the
   reference arm asks for another.
3. A lab that has another value than is asked for is *undeclared*.
4. Where the protocol asks for none, labs with the same level of the setting's factor are compared
   with each other. The value that more than half of the lab's cells have is the common one; others
   are *undeclared*. If there is no such value, all are. Between levels it is a *declared factor*.
5. What would be *undeclared* is a *declared deviation* if the lab's deviations name the setting.
   Such a lab does not help to find the common value. Rules 9 and 10 know no such excuse.
6. A setting that may differ (kind *noted*) is *allowed* where it does.
7. What a lab does not tell is *unknown*, never *same*; so is what one lab alone tells. A lab that
   tells no settings at all is *unknown* throughout and is pooled as before. In a cell where no lab
   tells a setting it does not exist: a task has its own scorers.
8. A lab that tells settings and withholds of a cell what every log holds is *undeclared* there.
9. What is unique to a run and the same at two labs is *undeclared* at both: one run, handed in
   twice.
10. A run that ended before it began, or more than an hour after its seal was witnessed, is
    *undeclared*: it cannot be what was sealed.
11. Something that changed during the run, or a model that answered for another, is a value like
    others: none is asked for, with or without a protocol.
12. A cell with an *undeclared* setting is not pooled. Nothing else keeps it out.
13. The order of labs, and hearing a lab twice, change nothing.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import NamedTuple

from countermark.exercise import vocabulary as names
from countermark.records.compared import GRAVITY, ComparedSetting, ComparedValue, SettingStatus

CLOCKS_DIFFER = timedelta(hours=1)
MOST_LISTED = 3
_ALONE = "no other lab tells it"


class Cell(NamedTuple):
    """Model, task and language; another arm than the reference has its key."""

    model: str
    task: str
    language: str
    arm: str | None = None

    @property
    def text(self) -> str:
        """How a finding names it."""
        return "/".join(part for part in self if part)


@dataclass(frozen=True, slots=True)
class CellAccount:
    """How one lab ran one cell.

    Parameters
    ----------
    told
        Its settings, as canonical JSON by name; nothing if it tells none of this cell.
    asked, reference
        What the protocol asks of this lab, and of the reference arm.
    levels
        The level that decides a setting, by the setting's name.
    """

    told: Mapping[str, str] | None
    asked: Mapping[str, str]
    reference: Mapping[str, str]
    levels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LabAccount:
    """How one lab ran what it ran.

    Parameters
    ----------
    lab
        Which lab.
    cells
        The cells that it has answers of.
    deviations
        Names of settings that its declared deviations are about.
    sealed
        When its seal was witnessed, if that is known.
    """

    lab: str
    cells: Mapping[Cell, CellAccount]
    deviations: frozenset[str] = frozenset()
    sealed: datetime | None = None

    @property
    def tells(self) -> bool:
        """Whether it tells settings at all."""
        return any(account.told is not None for account in self.cells.values())


@dataclass(frozen=True, slots=True)
class Comparability:
    """What came of comparing.

    Parameters
    ----------
    table
        Every setting that some lab tells, by name.
    blocked
        Which settings keep which lab's cell out of the pooled rates (rule 12).
    """

    table: tuple[ComparedSetting, ...]
    blocked: Mapping[tuple[str, Cell], tuple[str, ...]]

    @property
    def comparable(self) -> bool:
        """Whether nothing is kept out."""
        return not self.blocked


@dataclass(frozen=True, slots=True)
class _Verdict:
    status: SettingStatus
    reason: str | None = None


class _Place(NamedTuple):
    lab: str
    cell: Cell


def compare_labs(labs: Iterable[LabAccount]) -> Comparability:
    """Compare what labs tell of their runs, by all rules of the module docstring."""
    known = {one.lab: one for one in labs}
    ordered = [known[lab] for lab in sorted(known)]
    told = {
        name for lab in ordered for account in lab.cells.values() for name in account.told or ()
    }
    table = []
    blocked: dict[tuple[str, Cell], list[str]] = {}
    for name in sorted(told):
        verdicts = dict(_verdicts(name, ordered))
        table.append(_row(name, ordered, verdicts))
        for place, verdict in verdicts.items():
            if verdict.status == "undeclared":
                blocked.setdefault((place.lab, place.cell), []).append(name)
    return Comparability(
        tuple(table), {place: tuple(blocked[place]) for place in sorted(blocked, key=str)}
    )


def _verdicts(name: str, labs: Sequence[LabAccount]) -> Iterator[tuple[_Place, _Verdict]]:
    open_places: dict[str, list[_Place]] = {}
    by_lab = {one.lab: one for one in labs}
    told_in = {
        cell for lab in labs for cell, one in lab.cells.items() if one.told and name in one.told
    }
    for lab in labs:
        for cell, account in lab.cells.items():
            if cell not in told_in and name not in names.EVERY_LOG_SAYS:
                continue
            place = _Place(lab.lab, cell)
            verdict = _alone(name, lab, account)
            if verdict is not None:
                yield place, verdict
            else:
                scope = cell.model if names.is_of_model(name) else cell.text
                open_places.setdefault(scope, []).append(place)
    for places in open_places.values():
        yield from _between(name, places, by_lab)


def _alone(name: str, lab: LabAccount, account: CellAccount) -> _Verdict | None:
    """Judge a value without the other labs', where that is possible (rules 2, 3, 7, 8, 10)."""
    if account.told is None:
        return _Verdict("unknown")
    value, asked = account.told.get(name), account.asked.get(name)
    if value is None:
        withheld = name in names.EVERY_LOG_SAYS and asked is not None
        return _differing(name, lab, "not told") if withheld else _Verdict("unknown")
    if asked is None:
        return _dated(name, lab, account.told)
    if value != asked:
        if not names.blocks(name):
            return _Verdict("allowed")
        return _differing(name, lab, None)
    reference = account.reference.get(name)
    return _Verdict("same" if reference in (None, value) else "declared-factor")


def _differing(name: str, lab: LabAccount, reason: str | None) -> _Verdict:
    declared = name in lab.deviations
    return _Verdict("declared-deviation" if declared else "undeclared", reason)


def _dated(name: str, lab: LabAccount, told: Mapping[str, str]) -> _Verdict | None:
    """Judge dates (rule 10)."""
    if name == names.STARTED:
        return _Verdict("allowed")
    if name != names.FINISHED:
        return None
    ended, began = _moment(told.get(names.FINISHED)), _moment(told.get(names.STARTED))
    if ended is not None and began is not None and ended < began:
        return _Verdict("undeclared", "it ended before it began")
    if ended is not None and lab.sealed is not None and ended > lab.sealed + CLOCKS_DIFFER:
        return _Verdict("undeclared", "it ended after its seal was witnessed")
    return _Verdict("allowed")


def _moment(value: str | None) -> datetime | None:
    text = names.read(value) if value is not None else None
    try:
        when = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return when if when is None or when.tzinfo else when.replace(tzinfo=UTC)


def _between(
    name: str, places: Sequence[_Place], labs: Mapping[str, LabAccount]
) -> Iterator[tuple[_Place, _Verdict]]:
    """Judge values that the protocol does not ask for, against each other (rules 4 to 7, 9)."""
    values = {place: _value(name, place, labs) for place in places}
    if names.kind_of(name) == "unique":
        yield from _unique(values)
        return
    if len({place.lab for place in places}) == 1 and len(set(values.values())) == 1:
        yield from ((place, _Verdict("unknown", _ALONE)) for place in places)
        return
    if not names.blocks(name):
        status: SettingStatus = "same" if len(set(values.values())) == 1 else "allowed"
        yield from ((place, _Verdict(status)) for place in places)
        return
    levels: dict[str | None, list[_Place]] = {}
    for place in places:
        level = labs[place.lab].cells[place.cell].levels.get(name)
        levels.setdefault(level, []).append(place)
    common = {level: _common(name, own, values, labs) for level, own in levels.items()}
    varied = len(levels) > 1 and len(set(values.values())) > 1
    for level, own in levels.items():
        for place in own:
            if values[place] == common[level]:
                yield place, _Verdict("declared-factor" if varied else "same")
            else:
                none = None if common[level] else "no value is common to most"
                yield place, _differing(name, labs[place.lab], none)


def _unique(values: Mapping[_Place, str]) -> Iterator[tuple[_Place, _Verdict]]:
    """Judge what no two labs have in common (rule 9)."""
    for place, value in values.items():
        others = {one.lab for one, other in values.items() if other == value} - {place.lab}
        if others:
            reason = f"{', '.join(sorted(others))} handed in the same run"
            yield place, _Verdict("undeclared", reason)
        else:
            yield place, _Verdict("allowed")


def _common(
    name: str,
    places: Sequence[_Place],
    values: Mapping[_Place, str],
    labs: Mapping[str, LabAccount],
) -> str | None:
    """Return the value of more than half of those who declare no deviation (rules 4 and 5)."""
    voting = [values[place] for place in places if name not in labs[place.lab].deviations]
    if not voting:
        voting = [values[place] for place in places]
    (value, count), *_ = Counter(voting).most_common(1)
    return value if 2 * count > len(voting) else None


def _value(name: str, place: _Place, labs: Mapping[str, LabAccount]) -> str:
    return (labs[place.lab].cells[place.cell].told or {})[name]


def _row(
    name: str, labs: Sequence[LabAccount], verdicts: Mapping[_Place, _Verdict]
) -> ComparedSetting:
    values = tuple(value for lab in labs for value in _lab_values(name, lab, verdicts))
    return ComparedSetting(
        name=name, status=min((one.status for one in values), key=GRAVITY.index), values=values
    )


def _lab_values(
    name: str, lab: LabAccount, verdicts: Mapping[_Place, _Verdict]
) -> Iterator[ComparedValue]:
    """Yield a lab's values, those of cells that compare alike together."""
    rows = sorted(
        (
            GRAVITY.index(verdict.status),
            verdict.reason or "",
            (account.told or {}).get(name) or "",
            account.asked.get(name) or "",
            cell.text,
        )
        for cell, account in lab.cells.items()
        if (verdict := verdicts.get(_Place(lab.lab, cell))) is not None
    )
    alike = [list(group) for _, group in groupby(rows, key=lambda row: row[:2])]
    for group in alike:
        pairs = sorted({row[2:4] for row in group})
        if len(pairs) > MOST_LISTED:
            yield _shown(lab.lab, group, (None, None), len(pairs), len(rows))
            continue
        for value, asked in pairs:
            own = [row for row in group if row[2:4] == (value, asked)]
            yield _shown(lab.lab, own, (value or None, asked or None), None, len(rows))


def _shown(
    lab: str,
    rows: Sequence[tuple[int, str, str, str, str]],
    pair: tuple[str | None, str | None],
    values: int | None,
    cells: int,
) -> ComparedValue:
    return ComparedValue(
        lab=lab,
        status=GRAVITY[rows[0][0]],
        value=pair[0],
        asked=pair[1],
        values=values,
        cells=None if len(rows) == cells else tuple(row[4] for row in rows),
        reason=rows[0][1] or None,
    )
