#!/usr/bin/env bash
# Put Debian's Chromium on the machine for the page tests. Without root it says how, and the page
# tests skip with that reason; in CI it must succeed.
set -euo pipefail
if command -v chromium >/dev/null; then exit 0; fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing Chromium for the page tests ..." >&2
  apt-get update -qq >/dev/null
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    chromium fonts-noto-core fonts-noto-cjk >/dev/null
  exit 0
fi
if [ "${CI:-}" = true ]; then
  echo "CI needs Chromium and cannot install it: run as root on Debian, or put chromium on the PATH." >&2
  exit 1
fi
echo "The page tests will be skipped: no Chromium. Ask an administrator: apt-get install chromium fonts-noto-core fonts-noto-cjk" >&2
