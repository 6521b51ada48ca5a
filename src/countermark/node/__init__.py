# SPDX-License-Identifier: Apache-2.0
"""One institute's own store: blobs by digest, its log, a rebuildable index."""
