"""`python -m config.seed.grounds FOLDER`: draw the works' first pictures ahead.

Loads no Django, so that the demo can draw while the rest still starts. A picture
that is there is not drawn again.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

from config.seed import art
from config.seed.works import WORKS, Work


def ground(work: Work, folder: Path) -> Image.Image:
    """The first picture of a work, from the folder or drawn now."""
    path = folder / f"{work.key}.jpg"
    if not path.is_file():
        art.keep(art.draw(work.style, work.seed, work.size), path)
    with Image.open(path) as opened:
        return opened.convert("RGB")


def main() -> int:
    """Draw all of them."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for work in WORKS:
        ground(work, folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
