# SPDX-License-Identifier: Apache-2.0
"""Write ``schemas/`` and docs/predicates.md from the models, or check that they are current."""

import json
import sys
from pathlib import Path

import predicates

from countermark.records import Record

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "schemas"
PAGE = ROOT / "docs" / "predicates.md"


def schemas() -> dict[str, str]:
    """Return the text of each schema file by its name."""
    texts = {}
    for name, kind in sorted(Record.KINDS.items()):
        schema = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": kind.predicate_type(),
            **kind.model_json_schema(),
        }
        texts[f"{name}.schema.json"] = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
    return texts


def main() -> int:
    """Write the files; with ``--check``, say which are out of date and return 1."""
    wanted = schemas()
    present = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.schema.json")}
    if "--check" in sys.argv[1:]:
        stale = sorted(
            name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name)
        )
        stale = [f"schemas/{name}" for name in stale]
        if not PAGE.is_file() or PAGE.read_text("utf-8") != predicates.page():
            stale.append("docs/predicates.md")
        for name in stale:
            print(f"{name} is out of date: run python scripts/schemas.py", file=sys.stderr)  # noqa: T201
        return 1 if stale else 0
    FOLDER.mkdir(exist_ok=True)
    for name in present.keys() - wanted.keys():
        (FOLDER / name).unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text, "utf-8")
    PAGE.write_text(predicates.page(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
