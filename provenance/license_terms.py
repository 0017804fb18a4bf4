"""The standard license terms that every agreement attaches by digest.

Human words and machine terms in one place: an offer copies one use of them and adds
its price (marketplace/terms.py).
"""

from __future__ import annotations

from typing import Any

from colophon.digest import canonical, sha256

REFUND_DAYS = 14
REFUND = (
    f"Refund within {REFUND_DAYS} days if the copy was never downloaded, "
    "then only by dispute."
)
STANDARD: dict[str, Any] = {
    "id": "colophon-standard-2026-11",
    "territory": "worldwide",
    "refund": REFUND,
    "uses": {
        "editorial": {
            "name": "Editorial",
            "summary": "News and comment, no advertising",
            "rights": {"commercial": False, "advertising": False, "derivatives": False},
        },
        "commercial": {
            "name": "Commercial",
            "summary": "Any medium, one fixed price",
            "rights": {"commercial": True, "advertising": True, "derivatives": True},
        },
        "pay-per-use": {
            "name": "Pay per use",
            "summary": "Ads and apps; metered, settled by use",
            "rights": {"commercial": True, "advertising": True, "derivatives": False},
        },
    },
}
DIGEST = sha256(canonical(STANDARD))
