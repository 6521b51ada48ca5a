# SPDX-License-Identifier: Apache-2.0
"""What can be said: frozen document kinds, canonical bytes, content addresses, the error root."""

from countermark.records.base import Record, record_from_value

__all__ = ["Record", "record_from_value"]
