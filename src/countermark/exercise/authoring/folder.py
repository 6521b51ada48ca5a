# SPDX-License-Identifier: Apache-2.0
"""A protocol as its authors write it: a folder, checked and joined into one frozen protocol.

::

    protocol.yaml                       everything but the items
    items/<task>.<language>.jsonl       one item a line: key, role, approach, prompt, expected …
    labelled/<task>.<language>.jsonl    one labelled answer a line: key, prompt, answer, label
    judges/<name>.txt                   the prompt of a judge that is a language model
    guidelines/<task>.<language>.md     what annotators of a task are told
    files/<task>/<item>/…               files that lie in an item's sandbox when it begins

The rules; a broken one is an error that names the file, the line and the key:

1. ``protocol.yaml`` is strict YAML (see :mod:`countermark.exercise.authoring.yaml_reading`) of
   format 1, and has no field that a protocol does not have.
2. Every language is a known language tag; no language and no task is named twice.
3. Every task has an item file in every language, in one of the two forms of rule 9, and the folders
   hold nothing that the protocol has no use for.
4. A line is one strict JSON object with known fields; no key stands in two lines of a file.
5. A task's items have the same keys in every language, each with the same role and approach, and
   private in all languages or in none.
6. A control item says what it expects; a test item does not.
7. The reference of a factor is one of its levels, the task it names exists, and a wording exists in
   every language, with no placeholder but ``{secret}``.
8. Labelled answers belong to a task whose ``labelled`` entry says who labelled them and how they
   were chosen. A language may have none.
9. Items and labelled answers may stand in ``.csv`` instead (see :mod:`.spreadsheets`), and are
   then the same items.
10. A judge that is a language model has its prompt in ``judges/``. Its version's digest is
    computed; one that is given is the same.
11. A task with an annotation plan has guidelines in at least one language of the protocol.
12. Sandbox files are UTF-8 text, and no links.
13. A task's ``translation`` says for a language how its wording came to be; an item's own word
    goes before it.
14. ``private: true`` at a task or an item and ``pseudonym: true`` at a model say what is published
    as a seal only.

What the joined protocol says must go together: see :mod:`countermark.exercise.protocol.checks`.
Whether a risk code is known, and whether this software has the scorers, is for the caller to ask.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from countermark.exercise.authoring.draft import (
    PROTOCOL_FILE,
    check_files,
    check_stray,
    models_of,
    read_draft,
    refuse,
)
from countermark.exercise.authoring.items import annotation_plan, annotation_sets, items_of
from countermark.exercise.authoring.parts import JUDGES, with_judges
from countermark.exercise.prompting import SECRET
from countermark.exercise.protocol.checks import check_protocol
from countermark.records.canonical import JsonValue
from countermark.records.evidence import AnnotationSet
from countermark.records.protocol import Factor, Protocol
from countermark.taxonomy.reading import refuse_unknown

# What a task says about its files, and a protocol does not.
_OF_THE_FOLDER = ("labelled", "private", "translation")
_PLACEHOLDER = re.compile(r"\{[^{}]*\}?|\}")


@dataclass(frozen=True, slots=True)
class Authored:
    """What a protocol folder says, before anything in it is sealed.

    Parameters
    ----------
    protocol
        The protocol with all its content.
    annotation_sets
        The labelled answers whose digests it names: by task, then by language, in its order.
    private_models
        Keys of the models that are published under a pseudonym.
    private_items
        Task and key of the items that are published as a seal.
    """

    protocol: Protocol
    annotation_sets: tuple[AnnotationSet, ...]
    private_models: frozenset[str]
    private_items: frozenset[tuple[str, str]]


def read_folder(folder: Path) -> tuple[Protocol, tuple[AnnotationSet, ...]]:
    """Read a protocol folder that keeps nothing private; see :func:`read_authored`."""
    authored = read_authored(folder)
    if authored.private_models or authored.private_items:
        refuse(
            "has private items or pseudonymous models",
            str(folder),
            "Freeze it first, with their seals: countermark protocol freeze --private FILE.",
        )
    return authored.protocol, authored.annotation_sets


def read_authored(folder: Path) -> Authored:
    """Read a protocol folder.

    Parameters
    ----------
    folder
        The folder that holds ``protocol.yaml``.

    Raises
    ------
    InputError
        If a rule of the module docstring is broken.
    """
    draft = read_draft(folder / PROTOCOL_FILE)
    where = str(draft.file)
    models, private_models = models_of(draft)
    check_files(draft)
    sets: list[AnnotationSet] = []
    tasks: list[JsonValue] = []
    private_items: set[tuple[str, str]] = set()
    prompt_files: frozenset[Path] = frozenset()
    for key, task in draft.tasks.items():
        labelled = annotation_sets(draft, key)
        sets.extend(labelled)
        judged, used = with_judges(folder, task, f"{where}, task {key}")
        prompt_files |= used
        items, private = items_of(draft, key)
        private_items |= {(key, item) for item in private}
        tasks.append(
            {name: field for name, field in judged.items() if name not in _OF_THE_FOLDER}
            | annotation_plan(draft, key)
            | {"annotation_sets": [found.digest for found in labelled], "items": items}
        )
    check_stray(draft, JUDGES, prompt_files)
    stated = draft.value | {"tasks": tasks} | ({} if models is None else {"models": models})
    protocol = Protocol.from_value(stated, where=where)
    refuse_unknown(protocol, where=where)
    for factor in protocol.factors:
        _check_factor(factor, protocol, where)
    check_protocol(protocol, where=where)
    return Authored(protocol, tuple(sets), private_models, frozenset(private_items))


def _check_factor(factor: Factor, protocol: Protocol, where: str) -> None:
    place = f"{where}, factor {factor.key}"
    values = [level.value for level in factor.levels]
    if factor.reference not in values:
        refuse(
            f"has the reference {factor.reference!r}, which is none of its levels",
            place,
            "Use one of: " + ", ".join(values) + ".",
        )
    if factor.task is not None and protocol.task(factor.task) is None:
        refuse(
            f"is for the task {factor.task!r}, which the protocol does not have",
            place,
            "Use one of: " + ", ".join(task.key for task in protocol.tasks) + ".",
        )
    for level in factor.levels:
        if level.texts is None:
            continue
        for language in protocol.languages:
            wording = level.text(language)
            if wording is None:
                refuse(
                    f"has no wording in {language!r}",
                    f"{place}, value {level.value}",
                    "Write it: a factor that is a text needs one in every language.",
                )
            _check_placeholders(wording, f"{place}, value {level.value}, {language}")


def _check_placeholders(wording: str, where: str) -> None:
    other = next((found for found in _PLACEHOLDER.findall(wording) if found != SECRET), None)
    if other is not None:
        refuse(
            f"has the placeholder {other!r}, which nothing fills",
            where,
            f"The only placeholder is {SECRET}.",
        )
