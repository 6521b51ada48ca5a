# SPDX-License-Identifier: Apache-2.0
"""Content of a protocol that only a private part opens; the protocol holds its seal."""
