# SPDX-License-Identifier: Apache-2.0
"""Which tool wrote a file, told by what is in it, and the reader that goes with it.

1. The first format of the table that recognises a file reads it; a name alone decides nothing
   that the contents contradict.
2. Recognising looks at the first ``HEAD`` bytes; it raises nothing.
3. What nobody recognises is refused, with the names of what is read; what is nearly a log is
   refused with what to give instead.
4. A folder, of one run or of many, is searched with all folders in it, in order of names. Files
   that are read together, as those of one HELM run, are read once. Links and hidden files are not
   followed; what is no log is passed over and named. A folder without any log is refused.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from countermark.exercise.reading import (
    csv_table,
    every_eval_ever,
    garak,
    helm,
    inspect_log,
    lm_eval,
    moonshot,
)
from countermark.exercise.reading.found import FoundRun
from countermark.records.errors import InputError

HEAD = 64 * 1024
MOST_FILES = 100_000
_SQLITE = b"SQLite format 3\0"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Format:
    """One tool's form of log.

    Parameters
    ----------
    name
        As people call it; it stands in the refusal of rule 3.
    recognises
        Tells from the path of a file and its first ``HEAD`` bytes whether it is ours.
    read
        Yields the runs in a file, or in what ``together`` names.
    together
        Names the path under which a file is read with others beside it: their folder, or the
        chief of them.
    """

    name: str
    recognises: Callable[[Path, bytes], bool]
    read: Callable[[Path], Iterator[FoundRun]]
    together: Callable[[Path], Path] = lambda path: path


@dataclass(frozen=True, slots=True)
class Logs:
    """The logs that were found under a path.

    Parameters
    ----------
    paths
        Where each is, and of which tool.
    passed
        The files beside them that are no log.
    """

    paths: tuple[tuple[Format, Path], ...]
    passed: tuple[Path, ...] = ()

    def runs(self) -> Iterator[FoundRun]:
        """Yield the runs of all logs.

        Raises
        ------
        InputError
            If a log is refused by its reader.
        """
        for one, path in self.paths:
            yield from one.read(path)


FORMATS: tuple[Format, ...] = (
    Format("Inspect (.eval, .json)", inspect_log.recognises, inspect_log.read),
    Format(
        "lm-evaluation-harness (results_*.json, samples_*.jsonl)",
        lm_eval.recognises,
        lm_eval.read,
        lm_eval.together,
    ),
    Format("HELM (a run folder)", helm.recognises, helm.read, helm.together),
    Format("Moonshot (results, .json)", moonshot.recognises, moonshot.read),
    Format("garak (.report.jsonl)", garak.recognises, garak.read),
    Format(
        "Every Eval Ever (.json)",
        every_eval_ever.recognises,
        every_eval_ever.read,
        every_eval_ever.together,
    ),
    Format("a table (.csv)", csv_table.recognises, csv_table.read),
)


def read_runs(path: Path) -> Iterator[FoundRun]:
    """Yield the runs in a log of any tool that is known, or in all logs of a folder.

    Raises
    ------
    InputError
        If it cannot be read, nobody recognises it, or its reader refuses it.
    """
    yield from find_logs(path).runs()


def find_logs(path: Path) -> Logs:
    """Find the log that a file is, or all logs in a folder (rule 4).

    Raises
    ------
    InputError
        If it cannot be read, or is no log and holds none.
    """
    if not path.is_dir():
        head = _head(path)
        one = _format(path, head)
        if one is None:
            raise _unknown(path, head)
        return Logs(((one, path),))
    found: dict[Path, Format] = {}
    passed = []
    for file in _files(path):
        one = None if file.is_symlink() else _format(file, _head(file))
        if one is None:
            passed.append(file)
        else:
            found.setdefault(one.together(file), one)
    if not found:
        raise _unknown(path, b"")
    return Logs(tuple((one, where) for where, one in found.items()), tuple(passed))


def _format(path: Path, head: bytes) -> Format | None:
    return next((one for one in FORMATS if one.recognises(path, head)), None)


def _files(folder: Path) -> Iterator[Path]:
    count = 0
    for where, folders, names in os.walk(folder, onerror=_refuse_folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        count += len(folders) + len(names)
        if count > MOST_FILES:
            raise InputError(
                f"holds more than {MOST_FILES:,} files and folders",
                where=str(folder),
                next_step="Give the folders of single runs.",
            )
        for name in sorted(names):
            file = Path(where, name)
            if not name.startswith(".") and (file.is_file() or file.is_symlink()):
                yield file


def _refuse_folder(error: OSError) -> None:
    raise InputError(
        f"cannot be read: {error.strerror}",
        where=str(error.filename),
        next_step="Allow reading the folder, or give the logs themselves.",
    ) from error


def _unknown(path: Path, head: bytes) -> InputError:
    """Rule 3."""
    for recognised, what, next_step in (
        (head.startswith(_GZIP), "is packed with gzip", "Unpack it, and give what is in it."),
        (
            head.startswith(_SQLITE),
            "is a database, such as that of a Moonshot session",
            "Give the results that the tool wrote beside it, or a table (.csv) made from it.",
        ),
        (
            head.startswith(_UTF16),
            "is text in UTF-16",
            "Save it in UTF-8; a spreadsheet calls that CSV UTF-8.",
        ),
        (
            bool(lacking := csv_table.lacking(path, head)),
            f"is a table without a column {', '.join(lacking)}",
            "Name the columns as docs/logs-tools.md lists them.",
        ),
        (
            inspect_log.is_listing(head),
            "is a list of Inspect logs",
            "Give the folder that it lies in, or the logs themselves.",
        ),
        (
            garak.is_hit_log(head),
            "is a hit log of garak, which holds only what hit",
            "Give the report of the same run (.report.jsonl), which holds every attempt.",
        ),
        (
            lm_eval.is_lighteval(head),
            "holds results of lighteval, which are not read",
            "Have lighteval write them for another tool, or give them as a table (.csv).",
        ),
        (
            moonshot.is_input(head),
            "is a dataset, recipe or cookbook of Moonshot: what is asked, and no result",
            "Give the file of the run from its folder of results.",
        ),
    ):
        if recognised:
            return InputError(what, where=str(path), next_step=next_step)
    return InputError(
        "holds no log of a tool that is known"
        if path.is_dir()
        else "is no log of a tool that is known",
        where=str(path),
        next_step=f"These are read: {'; '.join(one.name for one in FORMATS)}.",
    )


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(HEAD)
    except OSError as error:
        raise InputError(
            f"cannot be read: {error.strerror}",
            where=str(path),
            next_step="Give the path of a log, or of a folder that a tool wrote.",
        ) from error
