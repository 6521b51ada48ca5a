#!/usr/bin/env bash
# Fuzz each parser with atheris, FUZZ_SECONDS each (60 unless told). Atheris lives in an environment
# of its own under .venv-fuzz; where no wheel of it fits this machine, it says so and does nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=.venv-fuzz
seconds="${FUZZ_SECONDS:-60}"
if ! [ -x "$venv/bin/python" ]; then .venv/bin/uv venv --quiet --python .venv/bin/python "$venv"; fi
if ! .venv/bin/uv pip install --quiet --python "$venv/bin/python" --only-binary atheris atheris; then
  echo "No fuzzing: no wheel of atheris for this machine." >&2
  exit 0
fi
installed="$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')"
for parser in ${*:-$(ls tests/fuzz/corpus)}; do
  found="$venv/found/$parser"
  mkdir -p "$found"
  echo "Fuzzing $parser for $seconds s ..." >&2
  PYTHONPATH="src:$installed" "$venv/bin/python" tests/fuzz/atheris_fuzz.py "$parser" \
    -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=8192 -verbosity=0 \
    -artifact_prefix="$found/" "$found"
done
