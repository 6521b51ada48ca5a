# SPDX-License-Identifier: Apache-2.0
"""Base64 that has one text for each value.

The standard library accepts several texts for the same bytes (stray bits in the last character,
padding in the middle). Here a text is accepted only if encoding its value gives the same text.
"""

import base64
import binascii

from countermark.records.errors import InputError


def to_base64(data: bytes) -> str:
    """Return standard base64 (RFC 4648, section 4) with padding."""
    return base64.b64encode(data).decode("ascii")


def from_base64(text: str, *, where: str) -> bytes:
    """Return the bytes that a base64 text stands for.

    Raises
    ------
    InputError
        If the text is not exactly what :func:`to_base64` writes for its value.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = None
    if data is None or to_base64(data) != text:
        raise InputError(
            f"is not strict base64: {text[:40]!r}",
            where=where,
            next_step="Get the file again from whoever published it; do not edit it.",
        )
    return data
