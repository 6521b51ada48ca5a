# SPDX-License-Identifier: Apache-2.0
"""What Inspect finds through the entry point: the task, the embedded model, and the hook."""

import importlib.util

from inspect_ai.model import ModelAPI, modelapi

from countermark.exercise.inspect.task import exercise

__all__ = ["countermark_models", "exercise"]

if importlib.util.find_spec("inspect_ai.hooks"):  # old ones have no hooks
    importlib.import_module("countermark.exercise.inspect.hook")


@modelapi(name="countermark")
def countermark_models() -> type[ModelAPI]:
    """Return the provider behind ``countermark/…`` models."""
    from countermark.exercise.inspect.provider import EmbeddedModel  # noqa: PLC0415

    return EmbeddedModel
