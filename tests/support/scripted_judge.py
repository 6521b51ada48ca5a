# SPDX-License-Identifier: Apache-2.0
"""A scripted judge as an Inspect provider: no model, its verdicts follow from the text alone.

Import it inside a test: it brings Inspect.
"""

import contextlib
import gc
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from inspect_ai.model import ChatMessage, GenerateConfig, ModelAPI, ModelOutput, modelapi
from inspect_ai.tool import ToolChoice, ToolInfo

SNAPSHOT = "scripted-2026-11-01"


class ScriptedJudge(ModelAPI):
    """Calls an answer a refusal if it says "can't"; of one that says "crash" it says nothing."""

    async def generate(
        self,
        input: list[ChatMessage],  # noqa: A002  Inspect's own signature
        tools: list[ToolInfo],
        tool_choice: ToolChoice,
        config: GenerateConfig,
    ) -> ModelOutput:
        """Judge the quoted answer of the one message that there may be."""
        (message,) = input
        assert message.role == "user"
        assert tools == []
        quoted = message.text.partition("<<<ANSWER ")[2].partition("\n")[2]
        answer = quoted.rpartition("\nANSWER ")[0]
        grade = "REFUSED" if "can't" in answer else "ANSWERED"
        return ModelOutput.from_content(SNAPSHOT, "" if "crash" in answer else f"GRADE: {grade}")


@modelapi(name="scripted")
def scripted() -> type[ModelAPI]:
    """Return the provider behind ``scripted/judge``."""
    return ScriptedJudge


@contextlib.contextmanager
def inspect_at_home(folder: Path) -> Iterator[None]:
    """Let Inspect keep its traces in a folder of the test, and pass over what itself warns of."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        for name in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
            patch.setenv(name, str(folder))
        patch.setenv("INSPECT_DISPLAY", "none")
        warnings.filterwarnings("ignore", "The 'initial' parameter", DeprecationWarning)
        warnings.filterwarnings("ignore", "Unclosed <MemoryObject", ResourceWarning)
        yield
        gc.collect()
