# SPDX-License-Identifier: Apache-2.0
"""Coverage-guided fuzzing of one parser, with atheris; run by ``scripts/fuzz.sh`` each night.

::

    python tests/fuzz/atheris_fuzz.py PARSER [libFuzzer options] [folder of found inputs]

The inputs that keep the promise of ``tests/support/fuzzing.py`` teach the fuzzer; the first that
breaks it ends the run with a traceback and is written as ``crash-…``. Put such a file into
``tests/fuzz/corpus/PARSER/`` under a name that says what it is, and mend the parser.
"""

import sys
import tempfile
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
with atheris.instrument_imports(include=["countermark", "json"]):
    import fuzzing

FOLDER = Path(tempfile.mkdtemp(prefix="countermark-fuzz-"))


def main() -> None:
    """Fuzz the parser that the command line names, from its corpus on."""
    name = sys.argv.pop(1)
    corpus = [str(fuzzing.CORPUS / name)]
    # libFuzzer writes what it finds into the first folder, so the kept corpus comes last.
    atheris.Setup([*sys.argv, *corpus], lambda data: _one(name, data))
    atheris.Fuzz()


def _one(name: str, data: bytes) -> None:
    if name in fuzzing.LOGS:
        fuzzing.check_log(name, FOLDER, bytes(data))
    else:
        fuzzing.check(name, bytes(data))


if __name__ == "__main__":
    main()
