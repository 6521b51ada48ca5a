# SPDX-License-Identifier: Apache-2.0
"""What a cell's run consumed, by its log. Pure.

1. Tokens are the log's own, summed over the models that it used; input read from or written to a
   provider's cache counts as input.
2. Cost is the provider's where the log has it for every model; else, by the price that the lab
   declared, and then it is the lab's word. Without a price there is no cost: none is made up.
3. Working time is the sum over samples of the time that they worked, as Inspect measures it: waits
   are left out, and samples that ran side by side each count.
4. Energy is not known from a log.
"""

import math
from collections.abc import Sequence

from countermark.exercise.reading.inspect_log.shapes import LogHeader, LogSample
from countermark.records.base import Part
from countermark.records.errors import UsageError
from countermark.records.evidence import Consumption

_MILLION = 1_000_000


class Price(Part):
    """What a million tokens cost, in US dollars, as a lab declares it."""

    input: float
    output: float


def read_price(text: str) -> Price:
    """Read ``input=…,output=…``.

    Raises
    ------
    UsageError
        If it is not two such numbers, from 0 up.
    """
    pairs = dict(pair.partition("=")[::2] for pair in text.split(","))
    try:
        price = Price(input=float(pairs.pop("input")), output=float(pairs.pop("output")))
    except (KeyError, ValueError) as error:
        raise _no_price(text) from error
    if pairs or not all(0 <= value < math.inf for value in (price.input, price.output)):
        raise _no_price(text)
    return price


def consumption_of(
    header: LogHeader, samples: Sequence[LogSample] = (), price: Price | None = None
) -> Consumption | None:
    """Return what a run consumed; nothing if its log does not say.

    Parameters
    ----------
    header, samples
        The log of one cell.
    price
        What the lab declared for the model under test.
    """
    used = header.stats.model_usage.values()
    worked = [one.working_time for one in samples if isinstance(one.working_time, float)]
    if not used and not worked:
        return None
    given = sum(
        one.input_tokens + (one.input_tokens_cache_read or 0) + (one.input_tokens_cache_write or 0)
        for one in used
    )
    returned = sum(one.output_tokens for one in used)
    return Consumption(
        input_tokens=given if used else None,
        output_tokens=returned if used else None,
        total_tokens=sum(one.total_tokens for one in used) if used else None,
        seconds=round(sum(worked), 3) if worked else None,
        cost_usd=_cost(header, given, returned, price),
    )


def _cost(header: LogHeader, given: int, returned: int, price: Price | None) -> float | None:
    used = header.stats.model_usage.values()
    costs = [one.total_cost for one in used if one.total_cost is not None]
    if costs and len(costs) == len(used):
        return round(sum(costs), 6)
    if price is None or list(header.stats.model_usage) != [header.eval.model]:
        return None  # of what other models cost, the lab's price says nothing
    return round((given * price.input + returned * price.output) / _MILLION, 6)


def _no_price(text: str) -> UsageError:
    return UsageError(
        f"{text!r} is no price",
        where="--price",
        next_step="Write US dollars for a million tokens, such as: --price input=2.5,output=10.",
    )
