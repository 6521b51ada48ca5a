# SPDX-License-Identifier: Apache-2.0
"""What a lab seals and reveals, and the check of the one against the other."""
