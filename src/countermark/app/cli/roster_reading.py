# SPDX-License-Identifier: Apache-2.0
"""What people say of a roster's members: the files of their entries, and their roles."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast, get_args

from pydantic import ValidationError

from countermark.app.cli.output import read_input
from countermark.records.canonical import read_object
from countermark.records.errors import InputError, UsageError
from countermark.signing.changes import with_roles
from countermark.signing.party import Party, Role

ROLES: tuple[Role, ...] = get_args(Role)


def read_parties(files: Sequence[Path], roles: Sequence[str]) -> list[Party]:
    """Read the entries of parties, with the roles that were said where they differ.

    Raises
    ------
    UsageError
        If a party has two files, or roles are said of one that has none.
    """
    found = [read_party(path) for path in files]
    codes = [party.code for party in found]
    for path, code in zip(files, codes, strict=True):
        if codes.count(code) > 1:
            raise UsageError(
                f"is the entry of {code}, of whom another file was given too",
                where=str(path),
                next_step="Give each party's file once.",
            )
    wanted = dict(read_roles(text) for text in roles)
    unknown = set(wanted) - {party.code for party in found}
    if unknown:
        raise UsageError(
            f"names {', '.join(sorted(unknown))}, of whom no file was given",
            where="--role",
            next_step="Give the party's file too.",
        )
    return [
        with_roles(party, wanted[party.code]) if party.code in wanted else party for party in found
    ]


def read_party(path: Path) -> Party:
    """Read a party's entry.

    Raises
    ------
    InputError
        If the file holds none.
    """
    contents = read_input(path)
    read_object(contents, where=str(path))
    try:
        return Party.model_validate_json(contents)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise InputError(
            f"is no entry of a member: {'.'.join(map(str, first['loc']))}: {first['msg']}",
            where=str(path),
            next_step="Give what `countermark node init` or `node rotate` printed.",
        ) from error


def read_roles(text: str) -> tuple[str, list[Role]]:
    """Read ``CODE=ROLE,…``.

    Raises
    ------
    UsageError
        If it is not that.
    """
    code, _, names = text.partition("=")
    roles = names.split(",")
    unknown = [role for role in roles if role not in ROLES]
    if not code or unknown:
        why = f", no role is called {unknown[0]!r}" if code and names else ""
        raise UsageError(
            f"is not CODE=ROLE: {text!r}{why}", next_step=f"Roles are {', '.join(sorted(ROLES))}."
        )
    return code, [cast("Role", role) for role in roles]


def read_role(text: str) -> tuple[str, Role]:
    """Read ``CODE=ROLE``, as :func:`read_roles` does, and return the first role."""
    code, roles = read_roles(text)
    return code, roles[0]
