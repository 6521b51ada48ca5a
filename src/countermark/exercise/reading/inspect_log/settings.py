# SPDX-License-Identifier: Apache-2.0
"""Every effective setting that the header of an Inspect log holds, by dotted name.

1. ``generate.*`` is what a call was made with: the model's own settings, over these the task's,
   over these what was changed during the run. A setting that is nothing is left out.
2. ``eval.*`` is the run's configuration, with changes made during the run; ``changed.*`` lists
   these changes in order, with who made them.
3. Mappings are opened into dotted names; lists are kept whole.
4. What differs in every run by itself (identifiers, times, the list of sample ids) is no setting.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from countermark.exercise.reading.inspect_log.shapes import (
    LogConfigUpdate,
    LogHeader,
    LogSpec,
    LogStep,
)
from countermark.records.canonical import JsonValue

MOST_DEPTH = 6


def generation(header: LogHeader) -> dict[str, JsonValue]:
    """Return the effective settings of generation (rule 1)."""
    launched = {
        name: value
        for config in (header.eval.model_generate_config, header.plan.config)
        for name, value in config.items()
        if value is not None
    }
    return _changed(launched, header.config_updates, "generate")


def settings(header: LogHeader) -> dict[str, JsonValue]:
    """Return all effective settings."""
    spec = header.eval
    groups: dict[str, Any] = {
        "eval": _changed(_configured(spec), header.config_updates, "eval"),
        "generate": generation(header),
        "task": {"version": spec.task_version, "file": spec.task_file, "args": spec.task_args},
        "model": {
            "args": spec.model_args,
            "base_url": spec.model_base_url,
            "roles": spec.model_roles or {},
        },
        "solver": {"name": spec.solver, "args": spec.solver_args or {}},
        "plan": _plan(header.plan.steps, header.plan.finish),
        "scorer": _scorers(spec),
        "dataset": {
            "name": spec.dataset.name,
            "location": spec.dataset.location,
            "samples": spec.dataset.samples,
            "shuffled": spec.dataset.shuffled,
        },
        "sandbox": _sandbox(spec.sandbox),
        "packages": spec.packages,
        "revision": {
            "origin": spec.revision.origin,
            "commit": spec.revision.commit,
            "dirty": spec.revision.dirty,
        }
        if spec.revision
        else {},
        "metadata": metadata(header),
        "changed": _changes(header.config_updates),
    }
    found = dict(_opened("", groups, MOST_DEPTH))
    tags = current_tags(header)
    if tags:
        found["tags"] = list(tags)
    return found


def metadata(header: LogHeader) -> dict[str, Any]:
    """Return the run's metadata after every edit."""
    found = dict(header.eval.metadata or {})
    for edit in _edits(header, "metadata"):
        for key in _list(edit.get("metadata_remove")):
            found.pop(key, None)
        put = edit.get("metadata_set")
        found.update(put if isinstance(put, dict) else {})
    return found


def current_tags(header: LogHeader) -> tuple[str, ...]:
    """Return the run's tags after every edit, sorted."""
    found = set(header.eval.tags or ())
    for edit in _edits(header, "tags"):
        found -= set(_list(edit.get("tags_remove")))
        found |= set(_list(edit.get("tags_add")))
    return tuple(sorted(found))


def _edits(header: LogHeader, kind: str) -> Iterator[dict[str, Any]]:
    for update in header.log_updates or ():
        yield from (edit for edit in update.edits if edit.get("type") == kind)


def _list(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _configured(spec: LogSpec) -> dict[str, Any]:
    config = {name: value for name, value in spec.config.items() if value is not None}
    old = config.pop("max_messages", None)
    return {**config, "message_limit": old} if old else config


def _changed(
    launched: dict[str, Any], updates: list[LogConfigUpdate] | None, config: str
) -> dict[str, Any]:
    found = dict(launched)
    for update in updates or ():
        for change in update.changes:
            if change.config != config:
                continue
            value = launched.get(change.name) if change.cleared else change.value
            if value is None:
                found.pop(change.name, None)
            else:
                found[change.name] = value
    return found


def _changes(updates: list[LogConfigUpdate] | None) -> dict[str, Any]:
    return {
        str(number): {
            f"{change.config}.{change.name}": "cleared" if change.cleared else change.value,
            "by": update.provenance.author or None,
            "reason": update.provenance.reason,
        }
        for number, (update, change) in enumerate(
            ((update, change) for update in updates or () for change in update.changes), start=1
        )
    }


def _plan(steps: list[LogStep], finish: LogStep | None) -> dict[str, Any]:
    named = [(str(number), step) for number, step in enumerate(steps, start=1)]
    if finish is not None:
        named.append(("finish", finish))
    return {name: {"solver": step.solver, "params": step.params} for name, step in named}


def _scorers(spec: LogSpec) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for scorer in spec.scorers or ():
        name = unique_name(str(scorer.get("name", "scorer")), found)
        found[name] = {"options": scorer.get("options") or {}, "metrics": scorer.get("metrics")}
    return found


def unique_name(name: str, taken: Mapping[str, object]) -> str:
    """Return the name under which Inspect keeps the scores of a further scorer of one name."""
    base = name.rpartition("/")[2]
    found, count = base, 0
    while found in taken:
        count += 1
        found = f"{base}{count}"
    return found


def _sandbox(sandbox: object) -> dict[str, Any]:
    if isinstance(sandbox, dict):
        return sandbox
    if isinstance(sandbox, list):
        return dict(zip(("type", "config"), sandbox, strict=False))
    return {"type": sandbox} if sandbox is not None else {}


def _opened(prefix: str, value: Any, depth: int) -> Iterator[tuple[str, JsonValue]]:
    for key, one in value.items():
        name = f"{prefix}.{key}" if prefix else key
        if isinstance(one, dict) and depth > 1:
            yield from _opened(name, one, depth - 1)
        elif one is not None:
            yield name, one
