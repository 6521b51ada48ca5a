# SPDX-License-Identifier: Apache-2.0
"""What words mean: languages, risk categories, and how reference files are read."""
