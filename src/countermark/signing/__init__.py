# SPDX-License-Identifier: Apache-2.0
"""Who said it: keys, envelopes, the roster and its policy."""
