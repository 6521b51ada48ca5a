#!/usr/bin/env bash
# Put Debian's Go and its package of golang.org/x/mod on the machine for `make interop`. Without
# root it says how, and the tests skip with that reason; in CI it must succeed.
set -euo pipefail
reference="${INTEROP_GOPATH:-/usr/share/gocode}/src/golang.org/x/mod/sumdb/tlog"
if command -v go >/dev/null && [ -d "$reference" ]; then exit 0; fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing Go and golang.org/x/mod for the comparison ..." >&2
  apt-get update -qq >/dev/null
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    golang-go golang-golang-x-mod-dev >/dev/null
  exit 0
fi
if [ "${CI:-}" = true ]; then
  echo "CI needs Go and golang.org/x/mod and cannot install them: run as root on Debian." >&2
  exit 1
fi
echo "The comparison will be skipped: no Go. Ask an administrator: apt-get install golang-go golang-golang-x-mod-dev" >&2
