#!/usr/bin/env bash
# Put the other implementations that our statistics are compared with on the machine, for
# `make oracles`: R's lme4, glmmTMB and metafor from Debian, and Python packages in an environment of
# their own. Some are GPL or LGPL: they are asked, never imported by the product.
# Without root it says how to get R, and the tests of R skip with that reason; in CI it must succeed.
set -euo pipefail
cd "$(dirname "$0")/.."
environment="${1:?folder of the environment}"
uv="${2:?path of uv}"
if ! command -v Rscript >/dev/null || ! Rscript -e 'library(lme4); library(glmmTMB); library(metafor)' >/dev/null 2>&1; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing R with lme4, glmmTMB and metafor for the comparison ..." >&2
    apt-get update -qq >/dev/null
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
      r-base-core r-cran-lme4 r-cran-glmmtmb r-cran-metafor r-cran-ordinal >/dev/null
  elif [ "${CI:-}" = true ]; then
    echo "CI needs R and cannot install it: run as root on Debian." >&2
    exit 1
  else
    echo "R will be skipped. Ask an administrator: apt-get install r-cran-lme4 r-cran-glmmtmb r-cran-metafor r-cran-ordinal" >&2
  fi
fi
if [ ! -f "$environment/.installed" ] || [ tests/oracles/requirements.txt -nt "$environment/.installed" ]; then
  "$uv" venv --quiet --clear "$environment"
  "$uv" pip install --quiet --python "$environment/bin/python" --requirement tests/oracles/requirements.txt
  touch "$environment/.installed"
fi
