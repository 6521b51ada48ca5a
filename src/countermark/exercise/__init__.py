# SPDX-License-Identifier: Apache-2.0
"""What institutes test together: protocols, runs, scores, findings."""
