# SPDX-License-Identifier: Apache-2.0
"""Logs of Inspect, read without Inspect."""

from countermark.exercise.reading.inspect_log.columns import Columns, columns
from countermark.exercise.reading.inspect_log.runs import is_listing, read, recognises

__all__ = ["Columns", "columns", "is_listing", "read", "recognises"]
