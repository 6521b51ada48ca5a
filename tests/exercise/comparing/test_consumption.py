# SPDX-License-Identifier: Apache-2.0
import math
from typing import Any

import msgspec
import pytest

from countermark.exercise.comparing.consumption import Price, consumption_of, read_price
from countermark.exercise.reading.inspect_log.shapes import LogHeader, LogSample
from countermark.records.errors import UsageError

USED = {
    "input_tokens": 900,
    "output_tokens": 200,
    "total_tokens": 1200,
    "input_tokens_cache_read": 100,
}
PRICE = Price(input=2.0, output=10.0)


def header(**usage: dict[str, Any]) -> LogHeader:
    value = {
        "status": "success",
        "eval": {"task": "t", "model": "m", "created": ""},
        "stats": {"model_usage": usage},
    }
    return msgspec.convert(value, LogHeader)


def samples(*seconds: float | None) -> list[LogSample]:
    return [LogSample(id="a", epoch=1, working_time=one) for one in seconds]


def test_rule_1_tokens_are_the_logs_summed_over_models() -> None:
    found = consumption_of(header(m=USED, judge={**USED, "input_tokens_cache_read": None}))
    assert found is not None
    assert (found.input_tokens, found.output_tokens, found.total_tokens) == (1900, 400, 2400)


def test_rule_2_cost_is_the_providers_or_by_the_labs_price_or_none() -> None:
    def cost(price: Price | None, **usage: dict[str, Any]) -> float | None:
        found = consumption_of(header(**usage), price=price)
        assert found is not None
        return found.cost_usd

    assert cost(None, m=USED) is None
    assert cost(PRICE, m=USED) == pytest.approx((1000 * 2 + 200 * 10) / 1e6)
    assert cost(PRICE, m={**USED, "total_cost": 0.5}) == 0.5
    assert cost(PRICE, m=USED, judge=USED) is None, "the price is not the judge's"
    assert cost(PRICE, m={**USED, "total_cost": 0.5}, judge=USED) is None


def test_rule_3_working_time_is_summed_over_samples() -> None:
    found = consumption_of(header(), samples(1.5, None, 2.25))
    assert found is not None
    assert (found.seconds, found.input_tokens) == (3.75, None)
    assert consumption_of(header(), samples(None)) is None


def test_rule_4_a_log_does_not_know_energy() -> None:
    found = consumption_of(header(m=USED), samples(1.0))
    assert found is not None
    assert found.energy_kwh is None


def test_a_price_is_two_numbers() -> None:
    assert read_price("input=2,output=1e1") == PRICE
    for odd in ("", "2", "input=2", "input=a,output=1", "input=-1,output=1", "input=1,output=nan",
                f"input={math.inf},output=1", "input=1,output=1,cache=1"):  # fmt: skip
        with pytest.raises(UsageError, match="is no price"):
            read_price(odd)
