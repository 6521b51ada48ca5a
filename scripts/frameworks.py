# SPDX-License-Identifier: Apache-2.0
"""Write the table of encoded frameworks into docs/frameworks.md; --check says where it differs."""

import sys
from pathlib import Path

from countermark.commitments.frameworks import framework_key, frameworks_of, standings
from countermark.commitments.reference import companies
from countermark.commitments.wording import SORTS

PAGE = Path(__file__).parents[1] / "docs" / "frameworks.md"
BEGIN, END = "<!-- table: scripts/frameworks.py -->\n", "<!-- end of table -->\n"


def table() -> str:
    """Return the table: one row for each framework, or for a company without one."""
    rows = [
        "| company | key | published | status | thresholds | sources |\n|---|---|---|---|---|---|"
    ]
    for company in companies():
        found = frameworks_of(company.slug)
        if not found:
            rows.append(f"| {company.name} | none known to us as of {company.as_of} | | | | |")
        for framework in found:
            kinds = [threshold.rule.kind for threshold in framework.thresholds]
            counted = ", ".join(
                f"{SORTS[kind]} {kinds.count(kind)}" for kind in SORTS if kind in kinds
            )
            rows.append(
                f"| {company.name} | `{framework_key(framework)}` | {framework.published} | "
                f"{framework.status} | {counted} | {', '.join(standings(framework))} |"
            )
    return "\n".join(rows) + "\n"


def page(text: str) -> str:
    """Return the page with its table written anew."""
    head, rest = text.split(BEGIN)
    return head + BEGIN + table() + END + rest.split(END)[1]


def main() -> int:
    """Write the page, or with --check tell whether it is up to date."""
    text = PAGE.read_text(encoding="utf-8")
    if "--check" in sys.argv:
        if page(text) != text:
            sys.stderr.write("docs/frameworks.md differs: run python scripts/frameworks.py\n")
            return 1
        return 0
    PAGE.write_text(page(text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
