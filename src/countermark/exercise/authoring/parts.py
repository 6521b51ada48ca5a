# SPDX-License-Identifier: Apache-2.0
"""The text files of a protocol folder that are no items: judges, guidelines, sandbox files.

``judges/`` and ``guidelines/`` are read as text: UTF-8 with or without a byte order mark, line
breaks of any system as line feeds, and no blank lines at the end, so that an editor's habits do not
make another protocol. A sandbox file is taken as it is.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from pydantic import ValidationError

from countermark.exercise.authoring.lines import read_bytes
from countermark.records.canonical import JsonValue, canonical
from countermark.records.errors import InputError
from countermark.records.protocol_parts import ModelJudge

JUDGES, GUIDELINES, FILES = "judges", "guidelines", "files"
_PROMPT_FILE = re.compile(r"judges/[a-z0-9]+(?:[-._][a-z0-9]+)*\.txt")
_SCORERS = ("scorer", "control_scorer")

Entry = dict[str, JsonValue]


def with_judges(folder: Path, task: Entry, where: str) -> tuple[Entry, frozenset[Path]]:
    """Return a task whose model judges have their prompts and digests, and the files they use.

    Raises
    ------
    InputError
        If a judge names no file of ``judges/``, the file cannot be read, or a digest that is given
        is not the judge's.
    """
    used: set[Path] = set()
    scorers = {name: task[name] for name in _SCORERS if isinstance(task.get(name), dict)}
    result = task | {name: _judged(folder, one, where, used) for name, one in scorers.items()}
    further = task.get("further_scorers")
    if isinstance(further, list):
        result["further_scorers"] = [_judged(folder, one, where, used) for one in further]
    return result, frozenset(used)


def guidelines(folder: Path, task: str, languages: tuple[str, ...]) -> list[JsonValue]:
    """Return what annotators of a task are told, in the languages in which there is a file."""
    return [
        {"language": language, "text": read_text(path)}
        for language in languages
        if (path := guidelines_file(folder, task, language)).exists()
    ]


def guidelines_file(folder: Path, task: str, language: str) -> Path:
    """Return where the guidelines of a task lie."""
    return folder / GUIDELINES / f"{task}.{language}.md"


def sandbox_files(folder: Path, task: str, item: str) -> list[JsonValue]:
    """Return the files of one item's sandbox, by path.

    Raises
    ------
    InputError
        If one is a link, or no text.
    """
    root = folder / FILES / task / item
    return [
        {"path": path.relative_to(root).as_posix(), "text": _exact(path)} for path in _walk(root)
    ]


def stray(folder: Path, known: frozenset[Path]) -> Path | None:
    """Return the first thing in a folder that is none of those known, if there is one."""
    return next((path for path in sorted(folder.glob("*")) if path not in known), None)


def read_text(path: Path) -> str:
    """Read a text file; see the module docstring.

    Raises
    ------
    InputError
        If it cannot be read, is not UTF-8, or is empty.
    """
    text = _decoded(path, "utf-8-sig").replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
    if not text.strip():
        _refuse("is empty", str(path), "Write the text, or delete the file.")
    return text


def _judged(folder: Path, scorer: JsonValue, where: str, used: set[Path]) -> JsonValue:
    versions = scorer.get("versions") if isinstance(scorer, dict) else None
    if not isinstance(scorer, dict) or not isinstance(versions, list):
        return scorer  # reading the protocol says what is wrong with it
    place = f"{where}, scorer {scorer.get('key')}"
    return scorer | {"versions": [_version(folder, one, place, used) for one in versions]}


def _version(folder: Path, version: JsonValue, place: str, used: set[Path]) -> JsonValue:
    if not isinstance(version, dict) or not isinstance(judge := version.get("judge"), dict):
        return version
    place = f"{place} {version.get('version')}"
    named = judge.get("prompt_file")
    if "prompt" in judge or not isinstance(named, str) or not _PROMPT_FILE.fullmatch(named):
        _refuse(
            "does not name the file of its judge's prompt",
            place,
            "Write the prompt into judges/<name>.txt, and 'prompt_file: judges/<name>.txt'.",
        )
    path = folder / named
    used.add(path)
    said = {name: value for name, value in judge.items() if name != "prompt_file"}
    said["prompt"] = read_text(path)
    digest = _judge_digest(said, place)
    given = version.get("digest", digest)
    if given != digest:
        _refuse(
            f"has the digest {given}, and what its judge says has {digest}",
            place,
            "Leave the digest out: freezing computes it. If you were given it, the judge differs.",
        )
    return version | {"judge": said, "digest": digest}


def _judge_digest(said: Entry, place: str) -> str:
    try:
        return ModelJudge.model_validate_json(canonical(said)).digest
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(step) for step in first["loc"])
        raise InputError(
            f"the field {field!r} of its judge: {first['msg']}",
            where=place,
            next_step="Compare it with schemas/protocol.schema.json.",
        ) from error


def _walk(root: Path) -> Iterator[Path]:
    for path in sorted(root.rglob("*")):
        if path.is_symlink():
            _refuse("is a link", str(path), "Put the file itself here.")
        if path.is_file():
            yield path


def _exact(path: Path) -> str:
    return _decoded(path, "utf-8")


def _decoded(path: Path, encoding: str) -> str:
    data = read_bytes(path)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        _refuse("is not UTF-8", f"{path}:{line}", "Save the file as UTF-8 text.")


def _refuse(what: str, where: str, next_step: str) -> NoReturn:
    raise InputError(what, where=where, next_step=next_step)
