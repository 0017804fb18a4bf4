"""A region of the map in the form that C2PA assertions hold.

Source: C2PA 2.4 section 18.2.1 (regions of interest). Loads nothing of the map itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

PPM_IN_PERCENT = 10_000


def region_of_interest(box: Sequence[int], name: str) -> dict[str, Any]:
    """A rectangle of the picture as a region of interest.

    Args:
        box: left, top, width, height in ppm of the picture.
        name: what to call it, such as what the step did.
    """
    left, top, width, height = (round(one / PPM_IN_PERCENT, 2) for one in box)
    return {
        "name": name,
        "region": [
            {
                "type": "spatial",
                "shape": {
                    "type": "rectangle",
                    "unit": "percent",
                    "origin": {"x": left, "y": top},
                    "width": width,
                    "height": height,
                },
            }
        ],
    }
