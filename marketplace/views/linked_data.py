"""The work as schema.org ImageObject, equal to the rights inside the file.

Source: Google's image license metadata (contentUrl with license or acquireLicensePage)
and schema.org 29 (digitalSourceType).
"""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.utils.safestring import SafeString, mark_safe

from provenance.claims import rights_of
from provenance.models import Asset, Rendition, Step
from provenance.shown.pictures import picture_of

_UNSAFE = {ord(">"): "\\u003E", ord("<"): "\\u003C", ord("&"): "\\u0026"}


def image_object(asset: Asset, steps: list[Step]) -> dict[str, Any]:
    """The JSON-LD of a published work.

    Args:
        steps: of the asset's run, in order.
    """
    rights = rights_of(asset, steps)
    picture = picture_of(asset, Rendition.Kind.PREVIEW)
    found: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "ImageObject",
        "name": asset.title,
        "description": asset.description,
        "caption": rights.alt_text,
        "creator": [{"@type": "Person", "name": name} for name in rights.creators],
        "creditText": rights.credit,
        "copyrightNotice": rights.copyright,
        "license": rights.web_statement,
        "acquireLicensePage": rights.licensor_url,
        "usageInfo": rights.web_statement,
        "digitalSourceType": rights.source_type,
        "datePublished": asset.published_at and asset.published_at.isoformat(),
        "url": f"{settings.SITE_URL}/a/{asset.code}",
    }
    if picture:
        found["contentUrl"] = settings.SITE_URL + picture["url"]
        found["width"], found["height"] = picture["width"], picture["height"]
        found["encodingFormat"] = "image/jpeg"
    return {key: value for key, value in found.items() if value}


def as_script(value: dict[str, Any]) -> SafeString:
    """JSON that cannot end the script element that it stands in."""
    text = json.dumps(value, ensure_ascii=False).translate(_UNSAFE)
    return mark_safe(text)  # noqa: S308 - escaped above
