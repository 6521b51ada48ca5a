# SPDX-License-Identifier: Apache-2.0
"""What a protocol keeps private: items and models of which it publishes only a seal."""

from countermark.records.errors import InputError
from countermark.records.protocol import ItemText, ModelUnderTest

_OPEN = "Give the private part that the coordinator sent with the protocol: --private FILE."


def provider_of(model: ModelUnderTest) -> str:
    """Return Inspect's name of a model under test.

    Raises
    ------
    InputError
        If the model is pseudonymous here.
    """
    if model.provider is None:
        raise InputError(
            "is pseudonymous: the protocol has only a seal of what it is",
            where=f"model {model.key}",
            next_step=_OPEN,
        )
    return model.provider


def prompt_of(text: ItemText, where: str) -> str:
    """Return what an item asks.

    Raises
    ------
    InputError
        If the item is private here.
    """
    if text.prompt is None:
        raise InputError(
            "is private: the protocol has only a seal of what it asks",
            where=where,
            next_step=_OPEN,
        )
    return text.prompt
