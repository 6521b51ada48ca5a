# SPDX-License-Identifier: Apache-2.0
"""A protocol folder as authors write it, read, checked and frozen into one protocol."""
