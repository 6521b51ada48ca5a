# SPDX-License-Identifier: Apache-2.0
"""Judging again what another lab revealed, without asking the model under test."""
