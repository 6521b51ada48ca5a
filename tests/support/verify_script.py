# SPDX-License-Identifier: Apache-2.0
"""verify.js in headless Chromium, asked in bulk: values in, verdicts out."""

import base64
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from countermark.records.canonical import JsonValue
from countermark.transparency.verify import Verification

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A name that is neither this machine nor https: what a page on the open web by http is.
    "--host-resolver-rules=MAP record.example 127.0.0.1",
)

_JUDGE = """async ([files, rosters, cases]) => {
  const found = [];
  for (const [file, roster, at] of cases) {
    const bytes = Uint8Array.from(atob(files[file]), (character) => character.charCodeAt(0));
    const { valid, witnessed, author, checks } =
      await countermark.verifyStatement(bytes, rosters[roster], at);
    found.push({ valid, witnessed: witnessed ?? null, author: author ?? null, checks });
  }
  return found;
}"""


@dataclass(frozen=True)
class Asked:
    """One file, the roster in the script's form, and the clock."""

    data: bytes
    roster: JsonValue
    at: datetime


@dataclass(frozen=True)
class Judged:
    """What the script says: the verdict, and (rule, ok, reached, title) of each check."""

    valid: bool
    witnessed: str | None
    author: str | None
    checks: tuple[tuple[int, bool, bool, str], ...]
    details: tuple[str, ...] = ()

    @property
    def failed(self) -> list[int]:
        """Rules that were reached and do not hold."""
        return [rule for rule, ok, reached, _ in self.checks if reached and not ok]


def chromium() -> str:
    """Return where the browser is."""
    executable = shutil.which("chromium")
    assert executable, "these tests need Debian's package chromium"
    return executable


@contextmanager
def script_page(folder: Path) -> Iterator[Page]:
    """Open a page that holds the script and nothing else."""
    (folder / "verify.js").write_bytes((files("countermark.app.site") / "verify.js").read_bytes())
    blank = folder / "blank.html"
    blank.write_text("<!doctype html><script src='verify.js'></script>", encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        page = browser.new_page()
        page.goto(blank.as_uri())
        yield page
        browser.close()


def judge(page: Page, cases: Sequence[Asked]) -> list[Judged]:
    """Return what the script says of each case."""
    rosters: dict[int, JsonValue] = {id(case.roster): case.roster for case in cases}
    numbers = {key: number for number, key in enumerate(rosters)}
    rows = [
        [place, numbers[id(case.roster)], int(case.at.timestamp())]
        for place, case in enumerate(cases)
    ]
    found = page.evaluate(_JUDGE, [[text(c.data) for c in cases], list(rosters.values()), rows])
    return [_judged(one) for one in found]


def _judged(value: Any) -> Judged:
    checks = value["checks"]
    return Judged(
        value["valid"],
        value["witnessed"],
        value["author"],
        tuple((c["rule"], c["ok"], c["reached"], c["title"]) for c in checks),
        tuple(c["detail"] for c in checks),
    )


def said_by(verdict: Verification) -> Judged:
    """Return a verdict of Python in the script's form."""
    checks = tuple((check.rule, check.ok, check.reached, check.title) for check in verdict.checks)
    return Judged(verdict.valid, verdict.witnessed, verdict.author, checks)


def text(data: bytes) -> str:
    """Return bytes as base64, in which they travel to the browser."""
    return base64.b64encode(data).decode()
