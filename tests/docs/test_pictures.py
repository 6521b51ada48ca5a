# SPDX-License-Identifier: Apache-2.0
"""The pictures of docs/statistics.md are those that the script draws of the rows it writes."""

import importlib.util
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "docs" / "pictures"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        spec = importlib.util.spec_from_file_location("pictures", ROOT / "scripts" / "pictures.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["pictures"] = module
        spec.loader.exec_module(module)
        return module
    finally:
        sys.path.pop(0)


def test_what_is_shown_is_what_the_script_makes(script: ModuleType) -> None:
    made = script.made()
    assert sorted(made) == sorted(path.name for path in PICTURES.iterdir())
    for name, text in made.items():
        assert script.alike(text, (PICTURES / name).read_text("utf-8")), name


def test_pictures_are_told_apart_by_more_than_rounding(script: ModuleType) -> None:
    assert script.alike('<svg x="1.1"/>', '<svg x="1.2"/>')
    assert not script.alike('<svg x="1.1"/>', '<svg x="1.5"/>')
    assert not script.alike("<svg>a</svg>", "<svg>b</svg>")
    assert not script.alike("1,2\n", "1,3\n")


@pytest.mark.parametrize("picture", sorted(PICTURES.glob("*.svg")), ids=lambda path: path.stem)
def test_each_picture_says_that_its_data_are_simulated(picture: Path) -> None:
    assert picture.stat().st_size < 30_000
    root = ET.parse(picture).getroot()  # noqa: S314  ours
    texts = [text.text or "" for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert any("Simulated data" in text for text in texts)
    (title,) = root.iter("{http://www.w3.org/2000/svg}title")
    assert len(title.text or "") > 60, "words for those who cannot see it"
    page = (ROOT / "docs" / "statistics.md").read_text("utf-8")
    assert f"pictures/{picture.name}" in page
