# SPDX-License-Identifier: Apache-2.0
"""The samples of a run as rows of Every Eval Ever: the lines of the file beside its record.

Rule 2 of :mod:`.every_eval_ever` says which samples have a row.
"""

import hashlib
import json
from typing import Any

from countermark.exercise.reading.found import FoundMessage, FoundRun, FoundSample, FoundScore

VERSION = "0.3.0"


def row_of(run: FoundRun, identity: str, sample: FoundSample, score: FoundScore) -> dict[str, Any]:
    """Return the row of one score.

    Parameters
    ----------
    run, sample, score
        Whose it is, and which.
    identity
        The name of the run's record.
    """
    turns = sample.messages
    asked = next((turn.text for turn in turns if turn.role == "user"), "")
    reference = [sample.target] if sample.target is not None else []
    kind = _interaction(sample)
    single = kind == "single_turn"
    answers = [turn.text for turn in turns if turn.role == "assistant"]
    attribution = {
        "turn_idx": 0 if single else max(len(turns) - 1, 0),
        "source": "output.raw" if single else "messages",
        "extracted_value": score.answer,
        "extraction_method": score.scorer,
        "is_terminal": True,
    }
    return {
        "schema_version": VERSION,
        "evaluation_id": identity,
        "model_id": run.model,
        "evaluation_name": run.task,
        "evaluation_result_id": result_id(run, score.scorer),
        "sample_id": sample.item,
        **({"sample_hash": _digest(asked, *reference)} if asked else {}),
        "interaction_type": kind,
        "input": {"raw": asked, "reference": reference},
        "output": {"raw": answers} if single else None,
        "messages": None if single else [_turn(place, turn) for place, turn in enumerate(turns)],
        "answer_attribution": [attribution] if score.answer is not None else [],
        "evaluation": _evaluation(sample, score, kind),
        **_consumed(sample),
        "metadata": _metadata(sample),
    }


def _digest(*texts: str) -> str:
    return hashlib.sha256("".join(texts).encode()).hexdigest()


def _interaction(sample: FoundSample) -> str:
    called = sample.trajectory is not None and sample.trajectory.tool_calls > 0
    if called or any(turn.calls for turn in sample.messages):
        return "agentic"
    roles = [turn.role for turn in sample.messages if turn.role != "system"]
    single = roles in ([], ["user"], ["assistant"], ["user", "assistant"])
    return "single_turn" if single else "multi_turn"


def _turn(place: int, turn: FoundMessage) -> dict[str, Any]:
    return {"turn_idx": place, "role": turn.role, "content": turn.text}


def _evaluation(sample: FoundSample, score: FoundScore, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = {"score": score.value, "is_correct": score.value == 1.0}
    if kind != "single_turn":
        found["num_turns"] = max(1, len(sample.messages))
    if sample.trajectory is not None:
        found["tool_calls_count"] = sample.trajectory.tool_calls
    return found


def _consumed(sample: FoundSample) -> dict[str, Any]:
    usage = sample.usage
    found: dict[str, Any] = {}
    if usage is None:
        return {}
    if usage.input_tokens is not None and usage.output_tokens is not None:
        total = usage.total_tokens
        found["token_usage"] = {
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "total_tokens": usage.input_tokens + usage.output_tokens if total is None else total,
        }
    if usage.seconds is not None:
        found["performance"] = {"latency_ms": usage.seconds * 1000}
    return found


def _metadata(sample: FoundSample) -> dict[str, str]:
    own = {
        key: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for key, value in (sample.metadata or {}).items()
    }
    return own | {"epoch": str(sample.epoch), "outcome": sample.outcome}


def result_id(run: FoundRun, scorer: str) -> str:
    """Return the name of a scorer's result in the record."""
    return f"{run.task}/{scorer}"


def line_of(value: Any) -> bytes:
    """Return a value as one line of JSON."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode() + b"\n"
