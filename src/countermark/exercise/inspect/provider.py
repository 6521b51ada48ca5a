# SPDX-License-Identifier: Apache-2.0
"""The embedded model as an Inspect model provider: ``--model countermark/smollm2``."""

from typing import Any

import anyio.to_thread
from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessage,
    ChatMessageAssistant,
    GenerateConfig,
    ModelAPI,
    ModelOutput,
    ModelUsage,
)
from inspect_ai.tool import ToolChoice, ToolInfo

from countermark.exercise.inspect import embedded
from countermark.records.errors import InputError

DEFAULT_MAX_TOKENS = 24


class EmbeddedModel(ModelAPI):
    """SmolLM2-135M-Instruct, offline, on the machine's own cores."""

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig = GenerateConfig(),  # noqa: B008  Inspect's own signature
        **model_args: Any,
    ) -> None:
        super().__init__(model_name, base_url, api_key, [], config)
        if model_name != "smollm2" or model_args:
            raise InputError(
                f"knows only smollm2 without arguments, not {model_name} {model_args or ''}",
                where="--model countermark/…",
                next_step="Use --model countermark/smollm2.",
            )

    def max_connections(self) -> int:
        """One request per instance: more would only wait."""
        return embedded.instances().count

    async def generate(
        self,
        input: list[ChatMessage],  # noqa: A002  Inspect's own signature
        tools: list[ToolInfo],
        tool_choice: ToolChoice,  # noqa: ARG002
        config: GenerateConfig,
    ) -> ModelOutput:
        """Answer one conversation; the seed decides the text."""
        if tools:
            raise InputError(
                "cannot call tools",
                where="countermark/smollm2",
                next_step="Run tasks with tools on another model.",
            )
        request = embedded.Request(
            messages=[{"role": message.role, "content": message.text} for message in input],
            seed=config.seed if config.seed is not None else 0,
            max_tokens=config.max_tokens or DEFAULT_MAX_TOKENS,
            temperature=config.temperature if config.temperature is not None else 0.0,
            top_p=config.top_p if config.top_p is not None else 1.0,
        )
        completion = await anyio.to_thread.run_sync(embedded.instances().complete, request)
        return _output(completion)


def _output(completion: embedded.Completion) -> ModelOutput:
    return ModelOutput(
        model="smollm2",
        choices=[
            ChatCompletionChoice(
                message=ChatMessageAssistant(content=completion.text, source="generate"),
                stop_reason="stop" if completion.finished else "max_tokens",
            )
        ],
        usage=ModelUsage(
            input_tokens=completion.prompt_tokens,
            output_tokens=completion.completion_tokens,
            total_tokens=completion.prompt_tokens + completion.completion_tokens,
        ),
    )
