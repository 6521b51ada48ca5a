# SPDX-License-Identifier: Apache-2.0
"""A model without a model: ``recorded/…`` answers by rule, and writes down each request first.

Scripted, so it proves how runs are driven and nothing about any model. The environment variable
``RECORDED_REQUESTS`` names the file of requests; ``RECORDED_SECONDS`` is how long an answer takes,
and a prompt that holds ``RECORDED_FAILS`` is answered by an error.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import anyio
from inspect_ai.model import (
    ChatMessage,
    GenerateConfig,
    ModelAPI,
    ModelOutput,
    ModelUsage,
    modelapi,
)
from inspect_ai.tool import ToolChoice, ToolInfo


@modelapi(name="recorded")
class RecordedModel(ModelAPI):
    """Answers with a digest of what it was asked, so that equal requests get equal answers."""

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig = GenerateConfig(),  # noqa: B008  Inspect's own signature
        **model_args: Any,
    ) -> None:
        super().__init__(model_name, base_url, api_key, [], config)
        self.manner = str(model_args.get("manner", "plain"))

    async def generate(
        self,
        input: list[ChatMessage],  # noqa: A002  Inspect's own signature
        tools: list[ToolInfo],
        tool_choice: ToolChoice,
        config: GenerateConfig,
    ) -> ModelOutput:
        asked = "\n".join(message.text for message in input)
        await anyio.sleep(float(os.environ.get("RECORDED_SECONDS", "0")))
        # Unlike a language model it never gives the same answer twice: an answer that is the same
        # after a stop was kept, not asked for again.
        answer = hashlib.sha256(os.urandom(16)).hexdigest()[:12] + f" {self.manner}"
        fails = os.environ.get("RECORDED_FAILS")
        failed = fails is not None and fails in asked
        line = json.dumps({"asked": asked, "seed": config.seed, "answer": answer, "failed": failed})
        with Path(os.environ["RECORDED_REQUESTS"]).open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        if failed:
            raise RuntimeError("the scripted provider fails")
        output = ModelOutput.from_content(self.model_name, answer)
        output.usage = ModelUsage(input_tokens=10, output_tokens=4, total_tokens=14)
        return output
