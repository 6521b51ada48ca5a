# SPDX-License-Identifier: Apache-2.0
"""The protocol folder that ``docs/protocol-folder.md`` shows, as files."""

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "protocol-folder.md"


def documented_files() -> dict[str, str]:
    """Return the files of the page's example, by path."""
    text = PAGE.read_text("utf-8")
    found = re.findall(r"^`([^`\n]+)`:\n\n```\w*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return dict(found)


def documented_folder(folder: Path) -> Path:
    """Write the page's example into ``folder``."""
    for name, text in documented_files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder
