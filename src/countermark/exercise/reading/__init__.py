# SPDX-License-Identifier: Apache-2.0
"""Logs of any supported tool, read into one common form: what was run, and what became of it."""
