# SPDX-License-Identifier: Apache-2.0
"""``countermark framework``: list, show and log developers' safety frameworks."""

from pathlib import Path

import click

from countermark.app.cli.framework_history import attach
from countermark.app.cli.framework_lines import framework_lines, known_lines, known_value
from countermark.app.cli.framework_reading import read_framework
from countermark.app.cli.output import (
    answer,
    data,
    data_json,
    json_option,
    node_option,
    open_node,
    passphrase_option,
    read_input,
    talk,
)
from countermark.app.cli.saying import account
from countermark.app.cli.verb import Noun
from countermark.commitments.checks import check_framework, framework_warnings
from countermark.commitments.frameworks import (
    as_logged_by,
    frameworks_of,
    load_frameworks,
)
from countermark.commitments.reference import companies
from countermark.records.errors import InputError, UsageError

framework_argument = click.argument("framework", metavar="FILE|KEY")


@click.group(cls=Noun, example="countermark framework show framework.json")
def command() -> None:
    """List, show and log developers' safety frameworks."""


@command.command(example="countermark framework known --company xai")
@click.option("--company", metavar="SLUG", help="Only those of one company.")
@json_option
def known(company: str | None, *, as_json: bool) -> None:
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
        data_json([known_value(framework) for framework in found])
        return
    for line in known_lines(found):
        data(line)
    if not found:
        talk(f"No published framework of {company} is known to us.")


@command.command(example="countermark framework add framework.json --node developer")
@framework_argument
@click.option(
    "--document",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file that the developer published; its digest is logged.",
)
@node_option
@passphrase_option
@json_option
def add(
    framework: str,
    document: Path | None,
    node_folder: Path,
    passphrase_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Log one version of a framework: the developer's own, or as recorded by this node."""
    read = read_framework(framework)
    check_framework(read, where=framework)
    for warning in framework_warnings(read):
        talk(f"Warning: {warning}")
    published = None if document is None else read_input(document)
    node = open_node(node_folder, passphrase_file)
    logged = as_logged_by(read, node.code, published)
    node.say(logged)
    answer(logged.digest, logged.to_value(), as_json=as_json)
    talk("Logged. Next: countermark sync pull, at the witnesses")


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
    if as_json:
        data_json(read.to_value())
        return
    for line in framework_lines(read):
        data(line)


attach(command)
command.add_command(account)
