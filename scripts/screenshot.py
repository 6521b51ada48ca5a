# SPDX-License-Identifier: Apache-2.0
"""Make ``docs/finding.png``, the README's picture, from the finding page in ``./demo/``."""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
WIDTH, HEIGHT = 1100, 1180


def main(demo: Path) -> None:
    """Photograph the first screen of the demonstration's finding."""
    page_file = next((demo / "record" / "site" / "findings").glob("*/index.html"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"],
        )
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(page_file.resolve().as_uri())
        page.screenshot(path=str(ROOT / "docs" / "finding.png"))
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "demo")
