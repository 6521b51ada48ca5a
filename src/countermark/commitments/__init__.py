# SPDX-License-Identifier: Apache-2.0
"""What developers promised, and the gate."""
