# SPDX-License-Identifier: Apache-2.0
"""People beside judges: drawing answers, who may label them, and what the labels say together."""
