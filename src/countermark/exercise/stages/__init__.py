# SPDX-License-Identifier: Apache-2.0
"""The stages of an exercise, as a lab or the coordinator takes them on its own node."""
