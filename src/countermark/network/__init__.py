# SPDX-License-Identifier: Apache-2.0
"""Who the institutes are, and how nodes exchange."""
