# SPDX-License-Identifier: Apache-2.0
"""Joint tests of AI systems: findings anyone can verify, and decisions on thresholds."""

__version__ = "0.1.0"
