# SPDX-License-Identifier: Apache-2.0
"""How people reach it: the command line, the web server, the static site. Holds no rule."""
