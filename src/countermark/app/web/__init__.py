# SPDX-License-Identifier: Apache-2.0
"""The public record over HTTP."""
