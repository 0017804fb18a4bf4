"""A smaller copy of a picture, from which the origin map can be computed.

At most 512 pixels wide or high, JPEG of quality 95 with full color, made of pixels
alone (DESIGN section 8; docs/evidence-format.md, section 4). Loads Pillow when asked.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from colophon import pictures
from colophon.drafts import Content
from colophon.errors import InputError

MAX_BYTES = 512 * 1024  # of a copy; 512 x 512 pixels of noise have 340,000


def proxy_of(content: Content) -> bytes | None:
    """The smaller copy of a file; None for what is no picture that a site takes.

    Args:
        content: path of a file, or its bytes.

    Raises:
        OSError: the file cannot be read.
    """
    if isinstance(content, bytes):
        with tempfile.NamedTemporaryFile(prefix="colophon-") as file:
            file.write(content)
            file.flush()
            return proxy_of(file.name)
    try:
        small = pictures.reduction(pictures.decode(pictures.check(Path(content))))
    except InputError:
        return None
    return pictures.jpeg(small, quality=pictures.PROXY_QUALITY, full_color=True)
