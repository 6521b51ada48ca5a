# SPDX-License-Identifier: Apache-2.0
"""The names under which labs' settings are compared, whatever tool they used; see comparability.md.

Each name is of one kind, which says what a difference that nobody declared means:

1. *told*, *sampled*, *answered*, *scored*: it changes what the model is told, how its answer is
   drawn, who answers, or what the answer counts for. It keeps the lab's cell out of pooled rates.
2. *unique*: it cannot be the same at two labs; if it is, one run was handed in twice.
3. *noted*: it may differ, and is shown.
"""

import json
from typing import Literal

from countermark.records.canonical import JsonValue, canonical

Kind = Literal["told", "sampled", "answered", "scored", "unique", "noted"]

MODEL_NAME = "model.name"
MODEL_ANSWERED = "model.answered"
MODEL_FALLBACK = "model.fallback"
MODEL_ROUTE = "model.route"
CHAT_TEMPLATE = "chat-template"
SYSTEM_PROMPT = "system-prompt"
ITEMS = "dataset.items"
TEMPERATURE = "generation.temperature"
TOP_P = "generation.top_p"
MAX_TOKENS = "generation.max_tokens"
SEED_POLICY = "generation.seed-policy"
SEEDS = "generation.seeds"
EPOCHS = "epochs"
CHANGED = "changed-during-run"
RUN_ID = "run.id"
STARTED = "run.started"
FINISHED = "run.finished"

EVERY_LOG_SAYS = frozenset(
    {MODEL_NAME, SYSTEM_PROMPT, ITEMS, TEMPERATURE, TOP_P, MAX_TOKENS, EPOCHS, CHANGED}
)
"""What a lab that describes a cell cannot fail to know: to withhold it is to differ in it."""

ALWAYS: dict[str, JsonValue] = {CHANGED: [], MODEL_FALLBACK: []}
"""What is asked of every run, with and without a protocol."""

_BLOCKS = frozenset({"told", "sampled", "answered", "scored", "unique"})
_KINDS: tuple[tuple[str, Kind], ...] = (
    (RUN_ID, "unique"),
    (SEEDS, "unique"),
    ("run.", "noted"),
    ("tool.", "noted"),
    ("package.", "noted"),
    ("operation.", "noted"),
    ("task.revision", "noted"),
    ("task.name", "noted"),
    ("task.", "told"),
    (SYSTEM_PROMPT, "told"),
    (CHAT_TEMPLATE, "told"),
    ("prompt.", "told"),
    ("dataset.items", "told"),
    ("dataset.revision", "told"),
    ("dataset.", "noted"),
    ("agent.", "told"),
    ("sandbox", "told"),
    ("model.device.", "noted"),
    ("model.host", "noted"),
    ("model.", "answered"),
    (CHANGED, "sampled"),
    ("generation.", "sampled"),
    (EPOCHS, "sampled"),
    ("limits.", "sampled"),
    ("error-policy.retries", "sampled"),
    ("error-policy.", "noted"),
    ("scorer.", "scored"),
)
WHY: dict[Kind, str] = {
    "told": "it changes what the model is told",
    "sampled": "it changes how answers are drawn",
    "answered": "it changes which system answers",
    "scored": "it changes what an answer counts for",
    "unique": "no two labs' runs can have it in common",
    "noted": "it may differ",
}


def kind_of(name: str) -> Kind:
    """Return the kind of a name; what nobody foresaw is only noted."""
    return next(
        (kind for known, kind in _KINDS if name == known or _under(name, known)),
        "noted",
    )


def blocks(name: str) -> bool:
    """Tell whether an undeclared difference in it keeps a cell out of pooled rates."""
    return kind_of(name) in _BLOCKS


def is_of_model(name: str) -> bool:
    """Tell whether it should be the same in all cells of a model, not only in each."""
    return name == CHAT_TEMPLATE or (name.startswith("model.") and name != MODEL_FALLBACK)


def written(value: JsonValue) -> str:
    """Return a value as it is compared: canonical JSON."""
    return canonical(value).decode()


def read(text: str) -> JsonValue:
    """Return what :func:`written` wrote."""
    value: JsonValue = json.loads(text)
    return value


def _under(name: str, known: str) -> bool:
    return known.endswith(".") and name.startswith(known)
