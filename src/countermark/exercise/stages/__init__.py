# SPDX-License-Identifier: Apache-2.0
"""The stages of an exercise, as a lab or the coordinator takes them, each leaving a statement.

::

    plan ──▶ run or import ──▶ seal ──▶ (coordinator) close ──▶ reveal (see disclosing.py)

Each stage checks that the one before it is logged, and each is taken once.
"""
