"""Vendored files are those their README names, byte for byte, each with a license."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

FONTS = Path(__file__).resolve().parents[2] / "static" / "fonts"
CSS = FONTS.parent / "css"
LINE = re.compile(r"^([0-9a-f]{64})  (\S+)$", re.MULTILINE)


def listed() -> dict[str, str]:
    """Return file name -> SHA-256 hex as the README states them."""
    text = (FONTS / "README.md").read_text(encoding="utf-8")
    return {name: digest for digest, name in LINE.findall(text)}


def test_every_vendored_file_has_the_digest_its_readme_names() -> None:
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in FONTS.iterdir()
        if path.name != "README.md"
    }
    assert found == listed()


def test_every_font_has_its_license_beside_it() -> None:
    families = {name.split("-latin")[0] for name in listed() if name.endswith("woff2")}
    assert families == {"newsreader", "instrument-sans", "jetbrains-mono"}
    for family in families:
        text = (FONTS / f"{family}-OFL.txt").read_text(encoding="utf-8")
        assert "SIL OPEN FONT LICENSE Version 1.1" in text


def test_every_font_is_used_and_every_used_font_is_there() -> None:
    used = re.findall(r"fonts/([\w-]+\.woff2)", (CSS / "fonts.css").read_text())
    assert sorted(used) == sorted(n for n in listed() if n.endswith("woff2"))
