# SPDX-License-Identifier: Apache-2.0
"""A finding in plain language: what it says, why labs differ, what would change it."""
