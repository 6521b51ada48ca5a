# SPDX-License-Identifier: Apache-2.0
"""The public record as pages: the same bytes for the live server and for a folder of files."""
