#!/usr/bin/env bash
# Put the oldest Inspect that we run under, and this checkout, into an environment of their own, for
# the test in tests/interop that runs our task there. The newest is what requirements.lock has.
set -euo pipefail
cd "$(dirname "$0")/.."
environment="${1:?folder of the environment}"
uv="${2:?path of uv}"
oldest="$(sed -nE 's/^inspect = \["inspect-ai>=(.*)"\]$/\1/p' pyproject.toml)"
stamp="$environment/.installed-$oldest"
if [ ! -f "$stamp" ] || [ pyproject.toml -nt "$stamp" ]; then
  "$uv" venv --quiet --clear "$environment"
  "$uv" pip install --quiet --python "$environment/bin/python" "inspect-ai==$oldest" --editable .
  touch "$stamp"
fi
