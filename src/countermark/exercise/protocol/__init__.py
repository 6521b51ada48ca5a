# SPDX-License-Identifier: Apache-2.0
"""What holds of a protocol: its checks, its changes, and how its wordings came to be."""
