# SPDX-License-Identifier: Apache-2.0
"""``countermark framework``: list, show and log developers' safety frameworks."""

from pathlib import Path

import click

from countermark.app.cli.framework_history import attach
from countermark.app.cli.framework_lines import framework_lines, known_lines, known_value
from countermark.app.cli.framework_reading import read_framework
from countermark.app.cli.output import (
    data,
    data_json,
    json_option,
    node_option,
    open_node,
    passphrase_option,
    read_input,
    talk,
)
from countermark.app.cli.saying import account, doubt
from countermark.app.cli.verb import Noun
from countermark.commitments.checks import check_framework, framework_warnings
from countermark.commitments.frameworks import (
    as_logged_by,
    framework_key,
    frameworks_of,
    load_frameworks,
    not_logged_by,
)
from countermark.commitments.reference import companies
from countermark.records.errors import InputError, UsageError
from countermark.records.framework import Framework

framework_argument = click.argument("framework", metavar="FILE|KEY")


@click.group(cls=Noun, example="countermark framework show framework.json")
def command() -> None:
    """List, show and log developers' safety frameworks."""


@command.command(example="countermark framework known --company xai")
@click.option("--company", metavar="SLUG", help="Only those of one company.")
@click.option("--keys", is_flag=True, help="Only the keys, as `framework add` takes them.")
@json_option
def known(company: str | None, *, keys: bool, as_json: bool) -> None:
    """List the published frameworks whose encodings ship."""
    slugs = [one.slug for one in companies()]
    if company is not None and company not in slugs:
        raise UsageError(
            f"{company!r} is no company of the commitments",
            where="--company",
            next_step=f"Give one of: {', '.join(slugs)}.",
        )
    found = load_frameworks() if company is None else frameworks_of(company)
    if as_json:
        data_json([framework_key(one) if keys else known_value(one) for one in found])
        return
    for line in map(framework_key, found) if keys else known_lines(found):
        data(line)
    if not found:
        talk(f"No published framework of {company} is known to us.")


@command.command(example="countermark framework add framework.json --node developer")
@click.argument("frameworks", metavar="FILE|KEY...", nargs=-1, required=True)
@click.option(
    "--document",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file that the developer published; its digest is logged. For one framework only.",
)
@node_option
@passphrase_option
@json_option
def add(
    frameworks: tuple[str, ...],
    document: Path | None,
    node_folder: Path,
    passphrase_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Log versions of frameworks: the developer's own, or as recorded by this node.

    All are checked first; either all are logged, under one checkpoint, or none. What this node
    logged before is told and skipped.
    """
    read = _checked(frameworks)
    published = _document(document, len(frameworks))
    # It brings the database library.
    from countermark.node.index import book  # noqa: PLC0415

    node = open_node(node_folder, passphrase_file)
    given = tuple(as_logged_by(one, node.code, published) for one in read)
    fresh = not_logged_by(node.code, given, book(node).entries)
    for one in fresh:
        if one.recorded_by == node.code:
            talk(
                f"{one.developer}, {one.label}: logged as recorded by {node.code}, "
                "not as a promise of its own"
            )
    if fresh:
        node.say(*fresh)
    _tell(given, fresh, as_json=as_json)


def _checked(words: tuple[str, ...]) -> list[Framework]:
    """Return the frameworks that a person named, if each may be logged; warnings are said."""
    read = [(word, read_framework(word)) for word in words]
    for word, framework in read:
        check_framework(framework, where=word)
    for word, framework in read:
        for warning in framework_warnings(framework):
            talk(f"Warning: {warning} ({word})")
        doubt(framework, framework.published, word)
    return [framework for _, framework in read]


def _document(path: Path | None, frameworks: int) -> bytes | None:
    if path is not None and frameworks > 1:
        raise UsageError(
            f"is one file, and {frameworks} frameworks were named",
            where="--document",
            next_step="Log the framework of that file by a call of its own.",
        )
    return None if path is None else read_input(path)


def _tell(given: tuple[Framework, ...], fresh: tuple[Framework, ...], *, as_json: bool) -> None:
    new = {one.digest for one in fresh}
    by_digest = {one.digest: one for one in given}
    for digest, one in by_digest.items():
        if digest not in new:
            talk(f"Logged before, and skipped: {one.developer}, {one.title}, {one.label}")
    if as_json:
        data_json(
            [
                {"digest": digest, "new": digest in new, "framework": one.to_value()}
                for digest, one in by_digest.items()
            ]
        )
    else:
        for digest in by_digest:
            data(digest)
    if new:
        talk(f"Logged {len(new)}. Next: countermark sync pull, at the witnesses")
    else:
        talk("Nothing was logged: this node has said all of it.")


@command.command(example="countermark framework show framework.json")
@framework_argument
@json_option
def show(framework: str, *, as_json: bool) -> None:
    """Show everything that a framework says, from a file or one that ships."""
    read = read_framework(framework)
    try:
        check_framework(read, where=framework)
    except InputError as error:
        talk(f"Would not be logged: {error}. {error.next_step}")
    for warning in framework_warnings(read):
        talk(f"Warning: {warning}")
    doubt(read, read.published, framework)
    if as_json:
        data_json(read.to_value())
        return
    for line in framework_lines(read):
        data(line)


attach(command)
command.add_command(account)
