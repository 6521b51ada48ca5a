# SPDX-License-Identifier: Apache-2.0
"""How labs ran, setting by setting: told by their logs, asked by the protocol, compared."""
