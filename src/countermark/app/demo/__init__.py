# SPDX-License-Identifier: Apache-2.0
"""The demonstration: a whole joint exercise of simulated institutes on a real model."""
