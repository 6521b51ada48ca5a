# SPDX-License-Identifier: Apache-2.0
"""``countermark exercise compare``: whether logs were run the same."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from countermark.app.cli.output import data, data_json, json_option, talk
from countermark.app.cli.reading import read_record
from countermark.app.cli.verb import Verb
from countermark.app.compared_words import SHAPES, WORDS, asked_text, said, value_line
from countermark.exercise.comparing.logs import compare_logs, compare_with
from countermark.records.compared import ComparedSetting
from countermark.records.protocol import Protocol

DIFFERENT = 3


@click.command(
    cls=Verb,
    example="countermark exercise compare ours.eval theirs.eval",
    epilog="Exit codes: 0 comparable, 3 something differs that keeps rates from being pooled.",
)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--protocol",
    "protocol_file",
    type=click.Path(path_type=Path),
    help="The frozen protocol that they ran; else they are compared with each other only.",
)
@json_option
def compare(files: tuple[Path, ...], protocol_file: Path | None, *, as_json: bool) -> int:
    """Compare the settings of logs, of any tool, with each other and with a protocol."""
    if protocol_file is None:
        compared = compare_logs(files)
    else:
        compared = compare_with(read_record(Protocol, protocol_file), files)
    table = compared.found.table
    if as_json:
        data_json(
            {
                "comparable": compared.found.comparable,
                "files": {key: list(paths) for key, paths in compared.files.items()},
                "settings": [row.model_dump(mode="json", exclude_none=True) for row in table],
            }
        )
    else:
        for line in lines(table, compared.files):
            data(line)
    if compared.found.comparable:
        talk("Nothing differs that keeps their rates from being pooled.")
        return 0
    names = [row.name for row in table if row.status == "undeclared"]
    talk(f"Not to be pooled as they are: {', '.join(names)}. See docs/comparability.md.")
    return DIFFERENT


def lines(
    table: tuple[ComparedSetting, ...], files: Mapping[str, tuple[str, ...]]
) -> Iterator[str]:
    """Return the table as lines: what is the same in one line each, else one line a log."""
    for row in table:
        heading = f"{SHAPES[row.status]} {WORDS[row.status]:<19} {row.name:<28}"
        if row.status == "same":
            yield f"{heading} {said(row.values[0])}"
            continue
        asked = asked_text(row)
        yield heading.rstrip() if asked == "–" else f"{heading} asked: {asked}"
        for one in row.values:
            where = ", ".join(Path(path).name for path in files.get(one.lab, (one.lab,)))
            yield f"    {value_line(one, where)}"
