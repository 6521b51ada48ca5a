# SPDX-License-Identifier: Apache-2.0
"""``countermark``: finds the noun, and turns errors into words and exit codes.

Exit codes: 0 yes or valid, 1 error, 2 usage, 3 MUST NOT or lint errors, 4 not enough evidence, 5
verification failed. Data goes to stdout, talk to stderr.
"""

import importlib
import os
import sys
from collections.abc import Sequence

import click

import countermark
from countermark.app.cli.output import talk
from countermark.app.cli.verb import Noun
from countermark.records.errors import CountermarkError

NOUNS = {
    "annotate": "let people label answers, in the browser or in files",
    "commitments": "show what is evidenced, claimed, contested or overdue of companies' promises",
    "demo": "run a whole joint exercise on a real model, from keys to public record",
    "exercise": "run, import, seal, close and reveal a lab's part of an exercise",
    "finding": "compute, check and show a joint finding",
    "framework": "list, show and log developers' safety frameworks",
    "gate": "decide whether a framework's thresholds are kept",
    "incident": "find the deadlines that an incident starts",
    "log": "audit a log, prove what is in it, witness others by hand",
    "node": "make, serve and look at a node's folder",
    "protocol": "lint, freeze, sign and show the definition of an exercise",
    "roster": "draft, sign, accept and show who the members are",
    "site": "write the public record as files",
    "sync": "pull from peers, verifying before keeping",
    "verify": "check published statements offline",
}

# Module to the extra that brings it.
EXTRAS = {"inspect_ai": "inspect", "xllamacpp": "demo"}


class _Nouns(Noun):
    """Imports a noun's module only when it is used, so that `verify` stays light."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return sorted(NOUNS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in NOUNS:
            return None
        module = importlib.import_module(f"countermark.app.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(sorted(NOUNS.items()))


@click.command(
    cls=_Nouns,
    example="countermark demo",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(countermark.__version__, prog_name="countermark")
def cli() -> None:
    """Joint tests of AI systems: findings anyone can verify, decisions on thresholds."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    # What a record is must not depend on what else is installed; and looking for plugins of
    # pydantic reads the metadata of every package there is.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    try:
        code = cli.main(args=arguments, prog_name="countermark", standalone_mode=False)
    except CountermarkError as error:
        talk(f"Error: {error}\nNext: {error.next_step}")
        code = error.exit_code
    except ModuleNotFoundError as error:
        if error.name not in EXTRAS:
            raise
        extra = EXTRAS[error.name]
        talk(f"Error: {error.name} is not installed\nNext: pip install 'countermark[{extra}]'")
        code = 1
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        talk("Stopped. Nothing was left half written; running it again works.")
        code = 1
    sys.exit(code if isinstance(code, int) else 0)
