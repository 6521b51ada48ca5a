# SPDX-License-Identifier: Apache-2.0
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mixed_tables import Table, cbpp, dummies, penicillin, simulated, verbagg, wine
from scipy import integrate, special, stats

from countermark.statistics.errors import StatisticsError
from countermark.statistics.estimate import NotComputable
from countermark.statistics.laplace import Laplace, Problem
from countermark.statistics.mixed import MixedFit, RandomFactor, mixed
from countermark.statistics.response import Binomial, Gaussian, Ordinal


def drawn(
    kind: str = "binomial", seed: int = 1, labs: int = 5, items: int = 30, s_lab: float = 0.4
) -> Table:
    """Draw a table of some labs and three languages."""
    rng = np.random.default_rng(seed)
    lab, language = (a.ravel() for a in np.indices((labs, 3)))
    eta = -0.5 + 0.3 * language + s_lab * rng.normal(size=labs)[lab]
    eta = eta[:, None] + 0.9 * rng.normal(size=items)
    count = rng.integers(0, 4, eta.shape)
    count[:, 0] = count[0] = 2
    fixed = np.column_stack([np.ones(len(lab)), dummies(language)])
    random = (RandomFactor("lab", lab), RandomFactor("both", np.arange(len(lab))))
    if kind == "binomial":
        total = rng.binomial(count, special.expit(eta))
        return Table(Binomial(total.astype(float), count.astype(float)), fixed, random, {})
    if kind == "gaussian":
        scores = eta[..., None] + 0.7 * rng.normal(size=(*eta.shape, 3))
        scores = scores * (np.arange(3) < count[..., None])
        return Table(
            Gaussian(scores.sum(2), (scores**2).sum(2), count.astype(float)), fixed, random, {}
        )
    latent = eta[..., None] + rng.logistic(size=(*eta.shape, 3))
    level = np.digitize(latent, [-1.0, 0.0, 1.5])
    seen = np.arange(3) < count[..., None]
    levels = np.stack([((level == m) & seen).sum(axis=2) for m in range(4)], axis=2)
    return Table(Ordinal(levels), fixed, random, {})


def fitted(table: Table, *, restricted: bool = True) -> MixedFit:
    fit = mixed(table.response, table.fixed, table.random, restricted=restricted)
    assert isinstance(fit, MixedFit)
    return fit


def refused(response: Any, fixed: Any, random: Any = ()) -> str:
    fit = mixed(response, fixed, random)
    assert isinstance(fit, NotComputable)
    return fit.reason


BINOMIAL = [("cbpp", cbpp), ("verbagg", verbagg), ("simulated", simulated)]


# The same function is maximised, so tolerances are those of the other's optimiser (see the file).
@pytest.mark.parametrize(("name", "table"), BINOMIAL)
@pytest.mark.parametrize("restricted", [False, True])
def test_rule_1_both_likelihoods_are_those_of_glmmtmb(
    name: str, table: Any, restricted: bool
) -> None:
    here = table()
    theirs = here.golden["tmb_restricted" if restricted else "tmb"]
    ours, se = fitted(here, restricted=restricted), np.array(theirs["se"])
    assert ours.loglik == pytest.approx(theirs["loglik"], rel=1e-8)
    assert ours.loglik >= theirs["loglik"] - 1e-7
    assert np.all(np.abs(ours.beta - theirs["beta"]) < 4e-4 * se)
    assert np.sqrt(np.diag(ours.covariance)) == pytest.approx(se, rel=1e-4)
    assert sorted(d.value for d in ours.deviations) == pytest.approx(
        sorted(theirs["sd"].values()), rel=1e-4
    )


@pytest.mark.parametrize(("name", "table"), BINOMIAL)
def test_glmer_stops_just_below_our_maximum(name: str, table: Any) -> None:
    here = table()
    theirs, ours = here.golden["lme4"], fitted(here, restricted=False)
    assert -1e-6 < ours.loglik - theirs["loglik"] < 1e-3
    assert np.all(np.abs(ours.beta - theirs["beta"]) < 0.01 * np.array(theirs["se"]))


@pytest.mark.parametrize("restricted", [False, True])
def test_lmer_on_penicillin(restricted: bool) -> None:
    here = penicillin()
    theirs = here.golden["restricted" if restricted else "ml"]
    ours = fitted(here, restricted=restricted)
    assert ours.loglik == pytest.approx(theirs["loglik"], rel=1e-10)
    assert ours.beta[0] == pytest.approx(theirs["beta"], rel=1e-8)
    assert ours.residual == pytest.approx(theirs["residual"], rel=1e-6)
    assert ours.sd("item") == pytest.approx(theirs["sd"]["plate"], rel=1e-6)
    assert ours.sd("sample") == pytest.approx(theirs["sd"]["sample"], rel=1e-6)


def test_clmm_on_wine() -> None:
    here = wine()
    theirs, ours = here.golden["ml"], fitted(here, restricted=False)
    assert ours.loglik == pytest.approx(theirs["loglik"], rel=1e-8)
    assert ours.beta[1:] == pytest.approx(theirs["beta"], rel=1e-5)
    assert ours.cuts is not None
    assert ours.cuts - ours.beta[0] == pytest.approx(theirs["cuts"], rel=1e-5)
    assert np.sqrt(np.diag(ours.covariance))[1:] == pytest.approx(theirs["se"][4:6], rel=1e-5)
    assert ours.sd("item") == pytest.approx(theirs["sd"]["judge"], rel=1e-4)
    assert ours.deviations[1].at_zero


@pytest.mark.parametrize("kind", ["binomial", "gaussian", "ordinal"])
@pytest.mark.parametrize("restricted", [False, True])
def test_the_gradient_is_that_of_the_likelihood(kind: str, restricted: bool) -> None:
    table = drawn(kind)
    codes = tuple(factor.codes for factor in table.random)
    laplace = Laplace(Problem(table.response, table.fixed, codes, (5, 15), restricted))
    beta = [] if restricted else [-0.4, 0.2, 0.1]
    at = np.array([*beta, 1.1, 0.3, 0.25, *table.response.start()])
    mode, step = laplace.evaluate(at), 1e-4
    for number, exact in enumerate(mode.gradient):
        one = np.where(np.arange(len(at)) == number, step, 0.0)
        up, down = laplace.evaluate(at + one, mode), laplace.evaluate(at - one, mode)
        assert exact == pytest.approx((up.loglik - down.loglik) / (2 * step), rel=1e-6, abs=1e-5)
        moves = np.concatenate([up.corner - down.corner, up.items - down.items]) / (2 * step)
        assert mode.moves[:, number] == pytest.approx(moves, rel=1e-5, abs=1e-5)


def test_the_likelihood_is_the_integral_where_that_is_known() -> None:
    # With one group and normal scores the table is multivariate normal.
    rng = np.random.default_rng(4)
    scores = 2 + rng.normal(size=(1, 6, 1)) + 0.5 * rng.normal(size=(1, 6, 3))
    table = Gaussian(scores.sum(2), (scores**2).sum(2), np.full((1, 6), 3))
    fit = mixed(table, np.ones((1, 1)), restricted=False)
    assert isinstance(fit, MixedFit)
    assert fit.residual is not None
    covariance = fit.residual**2 * np.eye(3) + fit.sd("item") ** 2
    density = stats.multivariate_normal(np.full(3, fit.beta[0]), covariance)
    assert fit.loglik == pytest.approx(density.logpdf(scores[0]).sum(), rel=1e-12)


def test_an_ordinal_likelihood_is_near_its_integral() -> None:
    # Laplace is an approximation; with many scores an item it is close.
    rng = np.random.default_rng(5)
    levels = rng.multinomial(60, [0.2, 0.3, 0.5], size=(1, 3)).astype(float)
    levels[0, 0] += [30, 0, 0]
    fit = mixed(Ordinal(levels), np.ones((1, 1)), restricted=False)
    assert isinstance(fit, MixedFit)
    assert fit.cuts is not None

    def density(u: float, counts: np.ndarray) -> float:
        above = special.expit(fit.beta[0] + fit.sd("item") * u - np.asarray(fit.cuts))
        chances = -np.diff(np.concatenate([[1.0], above, [0.0]]))
        return float(stats.multinomial.pmf(counts, counts.sum(), chances) * stats.norm.pdf(u))

    exact = [integrate.quad(density, -9, 9, (c,), epsabs=0, limit=200)[0] for c in levels[0]]
    assert fit.loglik == pytest.approx(math.fsum(map(math.log, exact)), abs=0.02)


def test_two_levels_are_the_binomial_model() -> None:
    table = drawn()
    count, total = table.response.count, table.response.total
    two = mixed(Ordinal(np.stack([count - total, total], axis=2)), table.fixed, table.random)
    ours = fitted(table)
    assert isinstance(two, MixedFit)
    assert two.loglik == pytest.approx(ours.loglik, rel=1e-12)
    assert two.beta == pytest.approx(ours.beta, rel=1e-8)


def test_restricted_deviations_are_less_too_small() -> None:
    # Six labs with a deviation of 0.35: maximum likelihood falls short on average.
    values = np.array(
        [
            [fitted(t, restricted=r).sd("lab") for r in (False, True)]
            for t in (drawn(seed=seed, labs=6, items=60, s_lab=0.35) for seed in range(40))
        ]
    )
    ml, restricted = values.mean(axis=0)
    assert ml < 0.9 * 0.35 * 1.05
    assert ml < restricted < 0.35 * 1.1


def test_rule_2_all_scores_alike_have_no_fit() -> None:
    count = np.full((4, 5), 2)
    ones = np.ones((4, 1))
    assert "bottom of the scale" in refused(Binomial(0 * count, count), ones)
    assert "top of the scale" in refused(Binomial(count, count), ones)
    same = Gaussian(count * 0.5, count * 0.25, count)
    assert "same" in refused(same, ones)


def test_rule_2_a_separated_effect_has_no_fit() -> None:
    table = drawn()
    total = table.response.total.copy()
    total[table.fixed[:, 1] == 1] = 0
    separated = Binomial(total, table.response.count)
    assert "no finite estimate" in refused(separated, table.fixed, table.random)
    # one lab all 0 is no separation: its effect is held back by the other labs
    total = table.response.total.copy()
    total[table.random[0].codes == 2] = 0
    assert isinstance(
        mixed(Binomial(total, table.response.count), table.fixed, table.random), MixedFit
    )


def test_rule_2_what_cannot_be_told_apart_has_no_fit() -> None:
    table = drawn()
    lab = table.random[0]
    twice = np.column_stack([table.fixed, table.fixed[:, 1]])
    assert "3 different things" in refused(table.response, twice)
    assert "one level" in refused(table.response, table.fixed, [RandomFactor("lab", 0 * lab.codes)])
    again = RandomFactor("site", lab.codes + 7)
    assert "same way" in refused(table.response, table.fixed, [lab, again])
    by_lab = np.column_stack([np.ones(15), dummies(lab.codes)])
    assert "already have a value" in refused(table.response, by_lab, [lab])
    assert "One item" in refused(
        Binomial(table.response.total[:, :1], table.response.count[:, :1]), table.fixed
    )
    once = Binomial(np.eye(4)[:1], np.ones((1, 4)))
    assert "scored once" in refused(once, np.ones((1, 1)))


def test_rule_3_a_deviation_at_zero_is_zero() -> None:
    for seed in range(8):
        fit = fitted(drawn(seed=seed, s_lab=0.0))
        for deviation in fit.deviations:
            assert deviation.at_zero == (deviation.value == 0)
        if fit.deviations[1].at_zero:
            assert not fit.effects[0].any()
            break
    else:
        pytest.fail("no table without lab effects has its maximum at 0")
    without = mixed(*_without_lab(drawn(seed=seed, s_lab=0.0)))
    assert isinstance(without, MixedFit)
    assert fit.loglik == pytest.approx(without.loglik, rel=1e-12)


def _without_lab(table: Table) -> tuple[Any, np.ndarray, tuple[RandomFactor, ...]]:
    return table.response, table.fixed, table.random[1:]


def test_rule_4_the_covariance_knows_more_than_the_information() -> None:
    fit = fitted(drawn())
    given_sds = fit.maximum.mode.hessian.inverse[:3, :3]
    assert np.linalg.eigvalsh(fit.covariance - given_sds).min() > -1e-12
    assert np.trace(fit.covariance) > np.trace(given_sds)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10**6), kind=st.sampled_from(["binomial", "gaussian", "ordinal"]))
def test_rule_5_order_changes_nothing(seed: int, kind: str) -> None:
    rng, table = np.random.default_rng(seed), drawn(kind, seed=3)
    rows, columns = rng.permutation(15), rng.permutation(30)
    cut = np.ix_(rows, columns)
    r = table.response
    turned: Binomial | Gaussian | Ordinal
    if isinstance(r, Binomial):
        turned = Binomial(r.total[cut], r.count[cut])
    elif isinstance(r, Gaussian):
        turned = Gaussian(r.total[cut], r.square[cut], r.count[cut])
    else:
        turned = Ordinal(r.levels[cut])
    factors = [RandomFactor(f.name, 99 - 2 * f.codes[rows]) for f in table.random]
    other, first = mixed(turned, table.fixed[rows], factors), fitted(table)
    assert isinstance(other, MixedFit)
    assert other.loglik == pytest.approx(first.loglik, rel=1e-11)
    assert other.beta == pytest.approx(first.beta, rel=1e-7)
    assert other.covariance == pytest.approx(first.covariance, rel=1e-6, abs=1e-9)
    assert other.items == pytest.approx(first.items[columns], rel=1e-6, abs=1e-8)


def test_one_row_an_epoch_or_one_cell_an_item_is_the_same_fit() -> None:
    table = drawn()
    count, total = table.response.count, table.response.total
    apart_count = np.concatenate([count > e for e in range(3)]).astype(float)
    apart_total = np.concatenate([total > e for e in range(3)]).astype(float)
    scored = apart_count.any(axis=1)
    fixed, codes = np.tile(table.fixed, (3, 1)), [np.tile(f.codes, 3) for f in table.random]
    factors = [RandomFactor(f.name, c[scored]) for f, c in zip(table.random, codes, strict=True)]
    apart = mixed(Binomial(apart_total[scored], apart_count[scored]), fixed[scored], factors)
    cells = fitted(table)
    assert isinstance(apart, MixedFit)
    assert apart.constant == 0 < cells.constant
    assert apart.loglik == pytest.approx(cells.loglik - cells.constant, rel=1e-11)
    assert apart.beta == pytest.approx(cells.beta, rel=1e-8)


def test_equal_input_gives_equal_bits() -> None:
    one, two = fitted(drawn()), fitted(drawn())
    assert one.loglik == two.loglik
    assert (one.covariance == two.covariance).all()


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = fitted(drawn("ordinal"))
    monkeypatch.setattr("countermark.statistics.laplace._BLOCK", 64)
    parts = fitted(drawn("ordinal"))
    assert parts.loglik == pytest.approx(whole.loglik, rel=1e-12)
    assert parts.beta == pytest.approx(whole.beta, rel=1e-8)


def test_bad_input_says_what_to_do() -> None:
    table = drawn()
    count, total = table.response.count, table.response.total
    with pytest.raises(StatisticsError, match="Add them up again"):
        Binomial(count + 1, count)
    with pytest.raises(StatisticsError, match="no number"):
        Binomial(np.where(total > 0, math.nan, total), count)
    with pytest.raises(StatisticsError, match="negative"):
        Binomial(total, -count)
    with pytest.raises(StatisticsError, match="same groups and items"):
        Binomial(total[:3], count)
    with pytest.raises(StatisticsError, match="groups x items"):
        Binomial(total[0], count[0])
    with pytest.raises(StatisticsError, match="no scores can have"):
        Gaussian(total + 5, total, count)
    with pytest.raises(StatisticsError, match="two that occur"):
        Ordinal(np.dstack([count, 0 * count]))
    with pytest.raises(StatisticsError, match="never scored"):
        mixed(Binomial(total * (count > 5), count * (count > 5)), table.fixed)
    with pytest.raises(StatisticsError, match="one row a group"):
        mixed(table.response, table.fixed[:4])
    with pytest.raises(StatisticsError, match="no number"):
        mixed(table.response, table.fixed + math.nan)
    with pytest.raises(StatisticsError, match="whole number"):
        mixed(table.response, table.fixed, [RandomFactor("lab", np.zeros(3, dtype=int))])
    with pytest.raises(StatisticsError, match="same name"):
        mixed(table.response, table.fixed, [RandomFactor("item", table.random[0].codes)])
    with pytest.raises(StatisticsError, match="Ask for one of"):
        fitted(table).sd("country")


def test_too_many_levels_are_refused() -> None:
    groups = 5001
    response = Binomial(np.ones((groups, 2)), np.full((groups, 2), 2.0))
    with pytest.raises(StatisticsError, match="5002 effects"):
        mixed(response, np.ones((groups, 1)), (RandomFactor("lab", np.arange(groups)),))
