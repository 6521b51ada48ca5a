# SPDX-License-Identifier: Apache-2.0
"""Commands whose help leads with an example."""

from typing import Any

import click


class Verb(click.Command):
    """One verb; ``example`` is a whole command line that a person can type."""

    def __init__(self, *arguments: Any, example: str, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._example = example

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the example, then what click writes."""
        formatter.write(f"Example: {self._example}\n\n")
        super().format_help(ctx, formatter)


class Noun(Verb, click.Group):
    """A noun; its verbs are made with ``@noun.command(example=…)``."""

    command_class = Verb
