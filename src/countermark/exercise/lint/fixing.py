# SPDX-License-Identifier: Apache-2.0
"""What ``--fix`` does: only what the findings say is safe, each file whole or not at all.

1. A value is replaced only where it still stands as the finding saw it; all else in the file keeps
   its bytes.
2. A file is renamed only if no file has the new name. Then its name is changed where Moonshot's
   recipes and cookbooks name it.
3. In a protocol folder a code changes in all its files and in ``protocol.yaml``, or nowhere. The
   new ``protocol.yaml`` must read as the old one with that code replaced, and with no other change.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from countermark.exercise.authoring.draft import PROTOCOL_FILE
from countermark.exercise.authoring.yaml_reading import read_yaml_object
from countermark.exercise.lint.finding import Rename, Replace, Report
from countermark.exercise.lint.tolerant import Faults, read_text
from countermark.exercise.lint.wording import task_name
from countermark.node.files import write_atomic
from countermark.records.canonical import JsonValue
from countermark.records.errors import InputError

_NAMED_IN = {"datasets": ("recipes", "datasets"), "recipes": ("cookbooks", "recipes")}


def fix(path: Path, found: Report) -> tuple[str, ...]:
    """Put right what is safe, and say what was changed.

    Parameters
    ----------
    path
        What was linted.
    found
        What the lint said of it; nothing may have changed since.

    Returns
    -------
    tuple of str
        One line for each change.

    Raises
    ------
    StorageError
        If a file cannot be written.
    """
    folder = path if path.is_dir() else path.parent
    fixes = [one for finding in found.findings for one in finding.fixes]
    told: list[str] = []
    replaced: dict[str, list[Replace]] = defaultdict(list)
    for one in fixes:
        if isinstance(one, Replace):
            replaced[one.file].append(one)
    for file, those in sorted(replaced.items()):
        told += _replace(folder / file, those)
    renames = [one for one in fixes if isinstance(one, Rename)]
    if found.format == "protocol":
        for code, tag in sorted({(one.before, one.after) for one in renames}):
            told += _recode(folder, code, tag, {one.file for one in renames})
    else:
        for one in renames:
            told += _rename(folder, one)
    return tuple(told)


def _replace(path: Path, those: Sequence[Replace]) -> Iterator[str]:
    text = _text(path)
    if text is None:
        return
    count: dict[str, int] = defaultdict(int)
    for one in sorted(those, key=lambda one: -one.start):
        value = re.compile(rf'"{re.escape(one.field)}"\s*:\s*("(?:[^"\\]|\\.)*")')
        places = [
            match
            for match in value.finditer(text, one.start, one.end)
            if json.loads(match[1], strict=False) == one.before
        ]
        if len(places) != 1:
            continue
        start, end = places[0].span(1)
        text = text[:start] + json.dumps(one.after, ensure_ascii=False) + text[end:]
        count[str(one)] += 1
    if count:
        _write(path, text)
    for what, times in count.items():
        yield f"{those[0].file}: {what}" + (f" ({times} times)" if times > 1 else "")


def _rename(folder: Path, one: Rename) -> Iterator[str]:
    """Rename a file of Moonshot, and change its name where others name it (rule 2)."""
    path = folder / one.file
    if not path.stem.endswith(one.before):
        return
    stem = path.stem[: -len(one.before)] + one.after
    target = path.with_name(stem + path.suffix)
    if target.exists() or not path.is_file():
        return
    path.rename(target)
    yield f"{one.file}: renamed to {target.name}"
    where, field = _NAMED_IN.get(path.parent.name, ("", ""))
    naming = sorted((folder / where).glob("*.json")) if where else []
    for other in naming:
        text = _text(other)
        if text is None:
            continue
        changed = re.sub(
            rf'("{field}"\s*:\s*\[)([^\]]*)',
            _renamer(path, stem),
            text,
        )
        if changed != text:
            _write(other, changed)
            yield f"{where}/{other.name}: names {stem} in place of {path.stem}"


def _renamer(path: Path, after: str) -> Callable[[re.Match[str]], str]:
    """Return what writes a new name into a list, also for one that was named nearly right (L06)."""

    def renamed(found: re.Match[str]) -> str:
        name = found[1].removesuffix(".json")
        meant = task_name(name) == task_name(path.stem)
        return json.dumps(after) if meant and not _of_another(path, name) else found[0]

    return lambda found: found[1] + re.sub(r'"([^"\\]*)"', renamed, found[2])


def _of_another(path: Path, name: str) -> bool:
    return any(one.stem == name != path.stem for one in path.parent.glob("*.json"))


def _recode(folder: Path, code: str, tag: str, confirmed: set[str]) -> Iterator[str]:
    """Change a language code everywhere in a protocol folder (rule 3)."""
    files = [
        path
        for name in ("items", "labelled")
        for path in sorted((folder / name).glob(f"*.{code}.*"))
        if path.name.count(".") >= 2
    ]
    sure = all(f"items/{path.name}" in confirmed for path in files if path.parent.name == "items")
    targets = {path: path.with_name(_recoded(path.name, code, tag)) for path in files}
    described = folder / PROTOCOL_FILE
    text = _text(described) if described.exists() else ""
    after = _recoded_yaml(text, code, tag) if text else text
    if not sure or after is None or any(target.exists() for target in targets.values()):
        return
    if after != text:
        _write(described, after)
        yield f"{PROTOCOL_FILE}: language code {code} becomes {tag}"
    for path, target in targets.items():
        path.rename(target)
        yield f"{path.parent.name}/{path.name}: renamed to {target.name}"


def _recoded(name: str, code: str, tag: str) -> str:
    task, _, suffix = name.rsplit(".", 2)
    return f"{task}.{tag}.{suffix}" if name.split(".")[-2] == code else name


def _recoded_yaml(text: str, code: str, tag: str) -> str | None:
    """Return the text with the code replaced; nothing if that would change anything else."""
    word = rf"(?<![\w-]){re.escape(code)}(?![\w-])"
    listed = re.sub(
        r"(?m)^languages:(?:[^\n]*\n)(?:[ \t]*-[^\n]*\n)*",
        lambda found: re.sub(word, tag, found[0]),
        text,
    )
    changed = re.sub(
        rf"(\b(?:language|reference):[ \t]*){word}", lambda found: found[1] + tag, listed
    )
    try:
        before = read_yaml_object(text.encode(), where=PROTOCOL_FILE)
        after = read_yaml_object(changed.encode(), where=PROTOCOL_FILE)
    except InputError:
        return None
    return changed if _replaced(before, code, tag) == after else None


def _replaced(value: JsonValue, code: str, tag: str, field: str = "") -> JsonValue:
    if isinstance(value, dict):
        return {name: _replaced(one, code, tag, name) for name, one in value.items()}
    if isinstance(value, list):
        return [_replaced(one, code, tag, field) for one in value]
    named = field in {"languages", "language", "reference"}
    return tag if named and value == code else value


def _text(path: Path) -> str | None:
    faults = Faults(path.name)
    text = read_text(path, faults)
    return None if faults.found else text


def _write(path: Path, text: str) -> None:
    write_atomic(path, text.encode(), mode=path.stat().st_mode & 0o777)
