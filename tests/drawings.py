"""Pictures for tests, drawn by seed: small ones, and ones with a look of their own."""

from __future__ import annotations

import io


def jpeg(seed: int = 1, width: int = 480, height: int = 320) -> bytes:
    """A small drawn picture; another seed gives another picture."""
    from PIL import Image

    ramp = Image.linear_gradient("L").resize((width, height))
    turned = ramp.rotate(37 * seed % 360)
    hue = Image.new("L", (width, height), 40 * seed % 256)
    picture = Image.merge("HSV", (hue, turned, ramp)).convert("RGB")
    made = io.BytesIO()
    picture.save(made, "JPEG", quality=88)
    return made.getvalue()


def photograph(seed: int = 1, quality: int = 90) -> bytes:
    """A picture with enough in it to be told from others by its look."""
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (9, 12, 3), dtype=np.uint8)
    picture = Image.fromarray(coarse).resize((960, 720), Image.Resampling.BICUBIC)
    made = io.BytesIO()
    picture.save(made, "JPEG", quality=quality)
    return made.getvalue()
