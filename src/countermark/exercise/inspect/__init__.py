# SPDX-License-Identifier: Apache-2.0
"""The only folder that imports Inspect: the embedded model, the task, and running it."""
