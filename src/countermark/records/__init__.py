# SPDX-License-Identifier: Apache-2.0
"""What can be said: frozen document kinds, canonical bytes, content addresses, the error root.

``Record`` and ``record_from_value`` are loaded when they are first asked for: a reader of logs
needs the errors alone, and pydantic would be half of the memory that it holds.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from countermark.records.base import Record, record_from_value

__all__ = ["Record", "record_from_value"]


def __getattr__(name: str) -> Any:
    """Return what ``__all__`` names."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from countermark.records import base  # noqa: PLC0415

    return getattr(base, name)
