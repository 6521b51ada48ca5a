# SPDX-License-Identifier: Apache-2.0
"""Freezing what authors wrote: seals in the place of private content, and the file that opens them.

1. A folder with private content is not frozen without a place for what opens its seals.
2. The private part is written before anyone can have the protocol, readable by its owner only.
3. A private part that is there already gives its salts; nothing that it opens is lost: the part of
   another protocol is kept beside it under that protocol's digest.
"""

from pathlib import Path

from countermark.exercise.authoring.folder import Authored
from countermark.exercise.private.files import read_private, write_private
from countermark.exercise.private.sealing import seal_private
from countermark.records.errors import UsageError
from countermark.records.protocol import Protocol


def freeze_authored(authored: Authored, private_file: Path | None) -> Protocol:
    """Return the protocol as it is published, having written what opens its seals.

    Parameters
    ----------
    authored
        What the folder says.
    private_file
        Where the private part is written, and read from if it is there.

    Raises
    ------
    UsageError
        If there is private content and no such file is named (rule 1).
    InputError
        If the file is there and is no private part.
    """
    if private_file is None:
        if authored.private_models or authored.private_items:
            raise UsageError(
                "has private items or pseudonymous models",
                where=authored.protocol.name,
                next_step="Say where what opens their seals is written: --private FILE.",
            )
        return authored.protocol
    earlier = read_private(private_file)
    sealing = seal_private(
        authored.protocol, authored.private_models, authored.private_items, earlier
    )
    if sealing.part is None:
        raise UsageError(
            "has nothing private",
            where=authored.protocol.name,
            next_step="Leave --private out, or mark items with private: true.",
        )
    if earlier is not None and earlier.protocol != sealing.part.protocol:
        short = earlier.protocol.removeprefix("sha256:")[:12]
        kept = private_file.with_name(f"{private_file.stem}-{short}{private_file.suffix}")
        write_private(kept, earlier)
    write_private(private_file, sealing.part)
    return sealing.protocol
