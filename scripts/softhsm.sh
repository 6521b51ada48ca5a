#!/usr/bin/env bash
# Put Debian's SoftHSM on the machine for the tests of keys in a PKCS #11 token. Without root it says
# how, and those tests skip with that reason; in CI it must succeed.
set -euo pipefail
if command -v softhsm2-util >/dev/null; then exit 0; fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing SoftHSM for the tests of keys in a token ..." >&2
  apt-get update -qq >/dev/null
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends softhsm2 >/dev/null
  exit 0
fi
if [ "${CI:-}" = true ]; then
  echo "CI needs SoftHSM and cannot install it: run as root on Debian, or put softhsm2-util on the PATH." >&2
  exit 1
fi
echo "The tests of keys in a token will be skipped: no SoftHSM. Ask an administrator: apt-get install softhsm2" >&2
