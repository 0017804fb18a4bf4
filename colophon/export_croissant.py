"""Write a registered data set as Croissant 1.1, the JSON-LD of data set descriptions.

The registry knows a data set by its digest and stores no data, so its one file is
addressed by that digest (RFC 6920) and not by a place. Source: Croissant format
specification 1.1, mlcommons.org; use terms in ODRL 2.2.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime

from colophon.errors import InputError
from colophon.fields import format_time
from colophon.records import Source
from colophon.statement import NAMESPACE, Json

CONFORMS_TO = "http://mlcommons.org/croissant/1.1"
MEDIA_TYPE = f'application/ld+json; profile="{CONFORMS_TO}"'
# The context that the specification prints, with ODRL beside it.
CONTEXT: Json = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "odrl": "http://www.w3.org/ns/odrl/2/",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_RULES = {
    "allowed": "odrl:permission",
    "notAllowed": "odrl:prohibition",
    "constrained": "odrl:permission",
}


@dataclass(frozen=True)
class Shown:
    """What the registry's page shows of a data set beside its signed record.

    Attributes:
        page: its address.
        owner: name of the owner who registered it; None when it is only claimed.
    """

    page: str
    registered_at: datetime
    description: str = ""
    owner: str | None = None


def to_croissant(source: Source, shown: Shown) -> Json:
    """The Croissant description of a registered data set.

    Raises:
        InputError: the source is a model or a picture.
    """
    if source.kind != "dataset":
        raise InputError("is not a data set", "kind")
    day = format_time(shown.registered_at)[:10]
    words = shown.description or f"{source.name}, a data set registered by its digest."
    made: Json = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "@id": shown.page,
        "conformsTo": CONFORMS_TO,
        "name": source.name,
        "description": words,
        "identifier": source.source,
        "url": shown.page,
        "datePublished": day,
        "isLiveDataset": False,
        "citeAs": f"{source.name}. {shown.page}",
        "distribution": [_content(source.digest)],
    }
    optional = {
        "version": source.version,
        "license": source.license,
        "copyrightHolder": {"name": shown.owner} if shown.owner else None,
        "usageInfo": _offer(source, shown.page) if source.training else None,
    }
    return made | {key: value for key, value in optional.items() if value}


def _content(digest: bytes) -> Json:
    """The data as one file, named by its digest."""
    name = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    return {
        "@type": "cr:FileObject",
        "@id": "content",
        "name": "content",
        "description": "The registered bytes, by digest; ask the owner where they are.",
        "contentUrl": f"ni:///sha-256;{name}",
        "encodingFormat": "application/octet-stream",
        "sha256": digest.hex(),
    }


def _offer(source: Source, page: str) -> Json:
    """What its owner lets others do with it: CAWG's uses as ODRL rules."""
    made: Json = {"@type": "odrl:Offer", "@id": f"{page}#use"}
    for use, said in sorted(source.training.items()):
        name = use.removeprefix("cawg.")
        rule: Json = {"odrl:action": {"@id": f"{NAMESPACE}/terms#{name}"}}
        if said == "constrained":
            rule["odrl:duty"] = {"odrl:action": {"@id": "odrl:obtainConsent"}}
        made.setdefault(_RULES[said], []).append(rule)
    return made
