# SPDX-License-Identifier: Apache-2.0
"""What ``protocol.yaml`` says before its items are read, and which files may lie beside it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from countermark.exercise.authoring.lines import read_bytes
from countermark.exercise.authoring.parts import FILES, GUIDELINES, guidelines_file, stray
from countermark.exercise.authoring.spreadsheets import CSV
from countermark.exercise.authoring.yaml_reading import read_yaml_object
from countermark.records.canonical import JsonValue
from countermark.records.errors import InputError
from countermark.taxonomy.languages import language as known_language

FORMAT = 1
PROTOCOL_FILE = "protocol.yaml"
JSONL = ".jsonl"
_FILE_NAME = re.compile(r"[a-z0-9]+(?:[-._][a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Draft:
    """What ``protocol.yaml`` says, before its tasks have their items."""

    file: Path
    value: dict[str, JsonValue]
    languages: tuple[str, ...]
    tasks: dict[str, dict[str, JsonValue]]

    @property
    def folder(self) -> Path:
        """The protocol's folder."""
        return self.file.parent

    def path(self, folder: str, task: str, language: str) -> Path:
        """Return where lines stand: in CSV if there is such a file, else in JSONL."""
        written = self.folder / folder / f"{task}.{language}{CSV}"
        return written if written.exists() else written.with_suffix(JSONL)


def read_draft(file: Path) -> Draft:
    """Read ``protocol.yaml`` (rules 1 and 2 of :mod:`.folder`).

    Raises
    ------
    InputError
        If it is none, or its languages and tasks cannot name files.
    """
    where = str(file)
    value = read_yaml_object(read_bytes(file), where=where)
    made_for = value.pop("format", None)
    if made_for != FORMAT:
        raise InputError(
            f"is a protocol folder of format {made_for!r}, and this version reads {FORMAT}",
            where=where,
            next_step=f"Write 'format: {FORMAT}' if that is what it is; else use the Countermark "
            "that the folder was written for.",
        )
    languages = _names(value.get("languages"), "languages", where)
    for language in languages:
        known_language(language, where=f"{where}, languages")
    tasks = value.get("tasks")
    if not isinstance(tasks, list) or not tasks:
        refuse("has no list of tasks", where, "List at least one task under 'tasks'.")
    entries = [task if isinstance(task, dict) else {} for task in tasks]
    keys = _names([entry.get("key") for entry in entries], "tasks (their keys)", where)
    for key, entry in zip(keys, entries, strict=True):
        if not _FILE_NAME.fullmatch(key):
            refuse(
                f"task {key!r}: is no key that files can be named after",
                where,
                "Use small letters, digits, and single hyphens or dots between them.",
            )
        for name in ("items", "annotation_sets"):
            if name in entry:
                refuse(
                    f"task {key}: says {name!r}, which come from the files of the folder",
                    where,
                    "Write items into items/ and labelled answers into labelled/.",
                )
    stated: dict[str, JsonValue] = {"kind": "protocol", "version": 1}
    stated |= value
    return Draft(file, stated, languages, dict(zip(keys, entries, strict=True)))


def _names(value: JsonValue, what: str, where: str) -> tuple[str, ...]:
    names = [name for name in value if isinstance(name, str)] if isinstance(value, list) else []
    if not isinstance(value, list) or not names or len(names) != len(value):
        refuse(f"{what}: is no list of texts", where, f"Write {what} as a list of texts.")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        refuse(f"{what}: names {twice!r} twice", where, "Take one of the two out.")
    return tuple(names)


def models_of(draft: Draft) -> tuple[JsonValue, frozenset[str]]:
    """Return the models without their word on being pseudonymous, and those that are."""
    models = draft.value.get("models")
    if not isinstance(models, list):
        return models, frozenset()
    entries = [model if isinstance(model, dict) else {} for model in models]
    hidden = set()
    for entry in entries:
        if "sealed" in entry:
            refuse(
                f"model {entry.get('key')}: has a seal, which freezing makes",
                str(draft.file),
                "Say provider and snapshot, and pseudonym: true.",
            )
        if flag(entry, "pseudonym", f"{draft.file}, model {entry.get('key')}"):
            hidden.add(str(entry.get("key")))
    shown = [
        {name: field for name, field in model.items() if name != "pseudonym"}
        if isinstance(model, dict)
        else model
        for model in models
    ]
    return shown, frozenset(hidden)


def flag(entry: Mapping[str, JsonValue], name: str, where: str) -> bool:
    """Return a yes-or-no field of what an author wrote; absent is no."""
    said = entry.get(name, False)
    if not isinstance(said, bool):
        refuse(f"says {name}: {said!r}", where, f"Write '{name}: true', or leave it out.")
    return said


def check_files(draft: Draft) -> None:
    """Refuse files that the protocol has no use for (rule 3 of :mod:`.folder`)."""
    for folder in ("items", "labelled"):
        expected = {
            draft.folder / folder / f"{task}.{language}{form}"
            for task in draft.tasks
            for language in draft.languages
            for form in (CSV, JSONL)
        }
        found = stray(draft.folder / folder, frozenset(expected))
        if found is not None:
            refuse(
                "is the file of no task and language of this protocol",
                str(found),
                f"Name it <task>.<language>.jsonl after {PROTOCOL_FILE}, or take it away.",
            )
        for path in sorted(expected):
            if path.suffix == CSV and path.exists() and path.with_suffix(JSONL).exists():
                refuse(
                    "stands beside a file of the same lines in the other form",
                    str(path),
                    "Keep one of the two: .csv or .jsonl.",
                )
    check_stray(
        draft,
        GUIDELINES,
        frozenset(
            guidelines_file(draft.folder, task, language)
            for task, entry in draft.tasks.items()
            for language in draft.languages
            if "annotation" in entry
        ),
    )
    check_stray(draft, FILES, frozenset(draft.folder / FILES / task for task in draft.tasks))


def check_stray(draft: Draft, folder: str, known: frozenset[Path]) -> None:
    """Refuse anything in a folder that is none of those known."""
    found = stray(draft.folder / folder, known)
    if found is not None:
        refuse(
            "is nothing that the protocol has a use for",
            str(found),
            f"Correct its name after {PROTOCOL_FILE}, or take it away.",
        )


def refuse(what: str, where: str, next_step: str) -> NoReturn:
    """Refuse what an author wrote."""
    raise InputError(what, where=where, next_step=next_step)
