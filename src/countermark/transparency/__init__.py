# SPDX-License-Identifier: Apache-2.0
"""Said once, for good: tree, tiles, checkpoints, witnesses, proofs. No disk, clock or network."""
