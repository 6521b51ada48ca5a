# SPDX-License-Identifier: Apache-2.0
"""Findings and runs in formats of others, for tools that do not know ours."""
