# SPDX-License-Identifier: Apache-2.0
"""The joint finding: answers of all labs become figures, cell by cell; and its recomputation."""
