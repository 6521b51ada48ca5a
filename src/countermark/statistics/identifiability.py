# SPDX-License-Identifier: Apache-2.0
"""Which differences between labs' settings can be told apart at all.

Labs that run freely differ in several settings at once, and there are few labs. Before anyone asks
which setting made the labs differ, this module says which could have been seen. It needs the
settings only, no scores.

The design matrix has a column of ones and, for every factor, one 0/1 column for each of its values
but the first. A factor is *estimable* if its columns are independent of all the others.

Rules
-----
1. A factor with the same value at every lab is ``constant``: nothing is learned of it.
2. A factor is ``aliased`` if its columns depend on those of the other factors; the alias sets say
   on which, in words.
3. A factor that is estimable with a variance inflation above 5 is ``inflated``: its share cannot
   be trusted with so few labs.
4. Alias sets are the smallest ones: factors that change together; a factor that another settles;
   two or three factors that depend on one another in any other way. A factor in none of these is
   aliased with all others together: there are too few labs for so many settings.
5. Every factor has a value at every lab.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from countermark.statistics.errors import StatisticsError

Array = NDArray[np.float64]
Status = Literal["estimable", "inflated", "aliased", "constant"]

VIF_LIMIT = 5.0
_RANK_TOLERANCE = 1e-9  # columns are 0/1 less their mean: what is smaller than this is rounding


@dataclass(frozen=True, slots=True)
class Factor:
    """One factor.

    Parameters
    ----------
    name, values
        Its values in ascending order; the first is the one that others are compared with.
    status, reason
        Whether its effect can be estimated, and why or why not.
    vif
        Variance inflation: how many times larger the variance of its effect is than if no other
        factor varied with it. For a factor of more than two values, the generalised one of Fox
        and Monette (1992, JASA 87, 178-183, equation 10), ``det(R_own) det(R_others) / det(R)``
        of correlation matrices, to the power of one over its columns. ``None`` if not estimable.
    """

    name: str
    values: tuple[str, ...]
    status: Status
    reason: str
    vif: float | None


@dataclass(frozen=True, slots=True)
class AliasSet:
    """Factors that these labs cannot tell apart, and why in a sentence."""

    factors: tuple[str, ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class Identifiability:
    """What the labs' settings allow to be learned.

    Parameters
    ----------
    labs, factors, aliases
        In ascending order.
    columns, rank
        Of the design matrix, with its column of ones. All factors that vary are estimable if
        they are equal.
    residual_df
        ``labs - rank``. At 0 the factors explain every lab whatever they scored, so no error of
        an effect can be computed.
    """

    labs: tuple[str, ...]
    factors: tuple[Factor, ...]
    columns: int
    rank: int
    residual_df: int
    aliases: tuple[AliasSet, ...]

    @property
    def varying(self) -> tuple[str, ...]:
        """The factors that are not the same at every lab."""
        return tuple(each.name for each in self.factors if each.status != "constant")

    @property
    def identifiable(self) -> bool:
        """Whether every factor that varies is estimable, without inflation, and with an error."""
        troubled = any(each.status in {"aliased", "inflated"} for each in self.factors)
        return bool(self.varying) and not troubled and self.residual_df > 0

    def why_not(self) -> str:
        """Say in words what stands in the way; empty if nothing does."""
        if not self.varying:
            return "No setting differs between the labs."
        said = [each.sentence for each in self.aliases]
        covered = {name for each in self.aliases for name in each.factors}
        said += [
            each.reason
            for each in self.factors
            if each.status == "inflated" or (each.status == "aliased" and each.name not in covered)
        ]
        if self.residual_df == 0 and not said:
            said.append(
                f"The {len(self.varying)} factors that vary need {self.columns} columns and there "
                f"are {len(self.labs)} labs, so nothing is left over to show an error."
            )
        return " ".join(said)


def identifiability(settings: Mapping[str, Mapping[str, str]]) -> Identifiability:
    """Say which factors' effects these labs could show.

    Parameters
    ----------
    settings
        By lab, the value of each factor. Values are names: a temperature of 0.7 is ``"0.7"``.

    Returns
    -------
    Identifiability

    Raises
    ------
    StatisticsError
        If there is no lab or no factor, or a lab has no value for a factor.
    """
    labs, names = _checked(settings)
    codes = {name: _values(settings, labs, name) for name in names}
    blocks = {name: columns(values) for name, values in codes.items()}
    varying = [name for name in names if blocks[name].shape[1]]
    rank = _rank([blocks[name] for name in varying])
    dependent = [
        name
        for name in varying
        if rank - _rank([blocks[other] for other in varying if other != name])
        < blocks[name].shape[1]
    ]
    aliases = _aliases(dependent, blocks, codes)
    factors = tuple(
        _factor(name, codes[name], blocks, varying, dependent, aliases) for name in names
    )
    return Identifiability(
        labs=labs,
        factors=factors,
        columns=1 + sum(blocks[name].shape[1] for name in varying),
        rank=1 + rank,
        residual_df=len(labs) - 1 - rank,
        aliases=aliases,
    )


def columns(values: Sequence[str]) -> Array:
    """Code one value a lab as ``(K, values - 1)`` 0/1 columns, less their means."""
    coded = [[float(value == level) for level in sorted(set(values))[1:]] for value in values]
    block = np.array(coded, dtype=np.float64).reshape(len(values), -1)
    return np.asarray(block - block.mean(axis=0, keepdims=True))


def _checked(
    settings: Mapping[str, Mapping[str, str]],
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    labs = tuple(sorted(settings))
    names = tuple(sorted({name for lab in labs for name in settings[lab]}))
    if not names:
        raise StatisticsError("No lab has any setting. Give each lab its value of every factor.")
    for lab in labs:
        missing = [name for name in names if name not in settings[lab]]
        if missing:
            raise StatisticsError(
                f"Lab {lab!r} has no value for {', '.join(map(repr, missing))}. Give one, such as "
                "'none' or 'default', or leave the factor out for all labs."
            )
    return labs, names


def _values(
    settings: Mapping[str, Mapping[str, str]], labs: Sequence[str], name: str
) -> tuple[str, ...]:
    return tuple(str(settings[lab][name]) for lab in labs)


def _rank(blocks: Sequence[Array]) -> int:
    wide = [block for block in blocks if block.shape[1]]
    return int(np.linalg.matrix_rank(np.hstack(wide), tol=_RANK_TOLERANCE)) if wide else 0


def _aliases(
    dependent: Sequence[str], blocks: Mapping[str, Array], codes: Mapping[str, tuple[str, ...]]
) -> tuple[AliasSet, ...]:
    """Find the smallest sets of factors whose columns depend on one another."""
    together: dict[frozenset[frozenset[int]], list[str]] = {}
    for name in dependent:
        together.setdefault(_partition(codes[name]), []).append(name)
    found = [_same(group) for group in together.values() if len(group) > 1]
    first = [group[0] for group in together.values()]
    known: list[frozenset[str]] = []
    for size in (2, 3):
        for group in combinations(first, size):
            if any(each <= set(group) for each in known):
                continue
            widths = sum(blocks[name].shape[1] for name in group)
            if _rank([blocks[name] for name in group]) < widths:
                known.append(frozenset(group))
                found.append(_depend(group, codes))
    return tuple(sorted(found, key=lambda each: each.factors))


def _partition(values: Sequence[str]) -> frozenset[frozenset[int]]:
    return frozenset(
        frozenset(lab for lab, value in enumerate(values) if value == level)
        for level in set(values)
    )


def _same(group: Sequence[str]) -> AliasSet:
    first, *others = group
    return AliasSet(
        tuple(group),
        f"{first} is aliased with {_and(others)}: wherever one changes, so does the other."
        if len(others) == 1
        else f"{first} is aliased with {_and(others)}: wherever one changes, so do the others.",
    )


def _depend(group: Sequence[str], codes: Mapping[str, tuple[str, ...]]) -> AliasSet:
    if len(group) == 2:
        for coarse, fine in (tuple(group), tuple(reversed(group))):
            pairs = set(zip(codes[coarse], codes[fine], strict=True))
            if len(pairs) == len(codes[fine]) == len(set(codes[fine])):
                why = f"{fine} is another at every lab, so it explains all that labs differ in"
                return AliasSet(tuple(group), f"{coarse} is aliased with {fine}: {why}.")
            if len(pairs) == len(set(codes[fine])):
                why = f"labs with the same {fine} have the same {coarse}"
                return AliasSet(tuple(group), f"{coarse} is aliased with {fine}: {why}.")
    first, *others = group
    return AliasSet(
        tuple(group),
        f"{first} is aliased with {_and(others)} together: the values of {_and(others)} at these "
        f"labs leave no room for {first} to vary by itself.",
    )


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _factor(
    name: str,
    values: tuple[str, ...],
    blocks: Mapping[str, Array],
    varying: Sequence[str],
    dependent: Sequence[str],
    aliases: Sequence[AliasSet],
) -> Factor:
    levels = tuple(sorted(set(values)))
    if name not in varying:
        reason = f"{name} is {levels[0]} at every lab, so nothing is learned of it."
        return Factor(name, levels, "constant", reason, None)
    if name in dependent:
        reason = " ".join(each.sentence for each in aliases if name in each.factors) or (
            f"{name} is aliased with all other factors together: {len(values)} labs are too few "
            f"for {len(varying)} factors that vary."
        )
        return Factor(name, levels, "aliased", reason, None)
    vif = _inflation(blocks[name], [blocks[other] for other in varying if other != name])
    if vif > VIF_LIMIT * (1 + _RANK_TOLERANCE):
        reason = (
            f"{name} varies almost as the other factors do: they inflate the variance of its "
            f"effect {vif:.1f} times (the limit is {VIF_LIMIT:g})."
        )
        return Factor(name, levels, "inflated", reason, vif)
    reason = f"{name} varies by itself; other factors inflate its variance {vif:.1f} times."
    return Factor(name, levels, "estimable", reason, vif)


def _inflation(own: Array, others: Sequence[Array]) -> float:
    """Fox and Monette's factor; others that depend on one another are taken as what they span."""
    if not others:
        return 1.0
    basis, singular, _ = np.linalg.svd(np.hstack(others), full_matrices=False)
    basis = basis[:, singular > _RANK_TOLERANCE]
    left = own - basis @ (basis.T @ own)
    _, whole = np.linalg.slogdet(own.T @ own)
    _, alone = np.linalg.slogdet(left.T @ left)
    return float(np.exp((whole - alone) / own.shape[1]))
