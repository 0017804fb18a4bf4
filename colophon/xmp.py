"""Say who made a picture and how it may be used, in the words of IPTC and PLUS.

The same statement is written twice: as XMP inside the file, where photo software
and search engines look, and as `cawg.metadata` inside the credential. XMP is
inserted by bytes: no pixel and no other segment changes. Properties of ours that
are already there are replaced, everything else in the packet is kept.

Source: XMP part 3 (embedding); IPTC Photo Metadata 2023.1; PLUS LDF 2.0.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET  # a packet with a DOCTYPE never reaches it
from dataclasses import dataclass
from typing import Any

from colophon import avif, gif, tiff, webp
from colophon.containers import parts_of, png_chunk
from colophon.errors import InputError
from colophon.findings import APP1, XMP_HEAD, carried, png_text
from colophon.formats import AVIF, GIF, JPEG, PNG, TIFF, WEBP
from colophon.parts import Part, splice

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
META = "adobe:ns:meta/"
XML = "http://www.w3.org/XML/1998/namespace"
PLUS_TERMS = "http://ns.useplus.org/ldf/vocab/"
SPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "plus": "http://ns.useplus.org/ldf/xmp/1.0/",
}
# What CAWG 1.1 lets a maker permit or forbid.
TRAINING_KINDS = (
    "data_mining",
    "ai_inference",
    "ai_training",
    "ai_generative_training",
)
PNG_KEYWORD = b"XML:com.adobe.xmp"
# A JPEG segment holds 65,533 bytes of content.
MAX_PACKET_BYTES = 65_533 - len(XMP_HEAD)
_BEGIN = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
_END = '\n<?xpacket end="w"?>'

for _prefix, _uri in {**SPACES, "rdf": RDF, "x": META}.items():
    ET.register_namespace(_prefix, _uri)


@dataclass(frozen=True)
class Rights:
    """Who made a picture and how it may be used; None leaves a property out."""

    creators: tuple[str, ...] = ()
    copyright: str | None = None
    credit: str | None = None
    usage_terms: str | None = None
    web_statement: str | None = None  # page that states the license
    licensor_name: str | None = None
    licensor_url: str | None = None  # page where a license can be had
    source_type: str | None = None  # IPTC digital source type, full address
    data_mining: str | None = None  # PLUS term, like DMI-PROHIBITED
    constraints: str | None = None  # words beside DMI-PROHIBITED-SEECONSTRAINT
    alt_text: str | None = None


def json_ld(rights: Rights) -> dict[str, Any]:
    """Return the rights as the data of a `cawg.metadata` assertion."""
    found = {name: value for name, _, value in _properties(rights)}
    licensor = _licensor(rights)
    if licensor:
        found["plus:Licensor"] = [licensor]
    used = {name.partition(":")[0] for name in found}
    return {"@context": {p: SPACES[p] for p in sorted(used)}, **found}


def write_rights(data: bytes, mime: str, rights: Rights) -> bytes:
    """Return the picture with the rights in its XMP; pixels stay untouched.

    Args:
        data: a whole picture.
        mime: of a format in `formats.FORMATS`.
        rights: what to state.

    Raises:
        InputError: the picture is damaged, or the packet would not fit.
    """
    parts = parts_of(data, mime)
    packets = [found for p in parts if (found := _packet(data, p)) is not None]
    old = packets[0] if packets else carried(data, mime, parts).xmp
    return _WRITERS[mime](data, parts, _merge(old, rights))


def _into_jpeg(data: bytes, parts: list[Part], packet: bytes) -> bytes:
    if len(packet) > MAX_PACKET_BYTES:
        raise InputError("the picture's own XMP is too large to add to", "file")
    body = XMP_HEAD + packet
    new = b"\xff\xe1" + (len(body) + 2).to_bytes(2) + body
    return _replaced(data, parts, _jpeg_place(parts), new)


def _into_png(data: bytes, parts: list[Part], packet: bytes) -> bytes:
    new = png_chunk(b"iTXt", PNG_KEYWORD + bytes(5) + packet)
    return _replaced(data, parts, parts[0].end, new)


def _replaced(data: bytes, parts: list[Part], place: int, new: bytes) -> bytes:
    """Return the picture without its packets, and a new part at a place."""
    old = [part for part in parts if _packet(data, part) is not None]
    cuts = [(part.start, part.end, b"") for part in old]
    return splice(data, [*cuts, (place, place, new)])


_WRITERS = {
    JPEG: _into_jpeg,
    PNG: _into_png,
    WEBP: webp.with_xmp,
    AVIF: avif.with_xmp,
    GIF: gif.with_xmp,
    TIFF: tiff.with_xmp,
}


def _jpeg_place(parts: list[Part]) -> int:
    """Return where XMP goes: behind the JFIF and Exif segments that open the file."""
    place = parts[0].end
    for part in parts[1:]:
        if part.kind not in (0xE0, APP1):
            break
        place = part.end
    return place


def _packet(data: bytes, part: Part) -> bytes | None:
    body = data[part.body : part.end]
    if part.kind == APP1 and body.startswith(XMP_HEAD):
        return body[len(XMP_HEAD) :]
    if part.kind == b"iTXt" and body.startswith(PNG_KEYWORD + b"\0"):
        return png_text(b"iTXt", body[:-4])[1]
    return None


def _merge(old: bytes, rights: Rights) -> bytes:
    root = _parse(old)
    rdf = root.find(f"{{{RDF}}}RDF")
    if rdf is None:
        rdf = ET.SubElement(root, f"{{{RDF}}}RDF")
    description = ET.Element(f"{{{RDF}}}Description", {f"{{{RDF}}}about": ""})
    for name, kind, value in _properties(rights):
        _add(description, name, kind, value)
    if licensor := _licensor(rights):
        bag = ET.SubElement(_child(description, "plus:Licensor"), f"{{{RDF}}}Seq")
        item = ET.SubElement(bag, f"{{{RDF}}}li", {f"{{{RDF}}}parseType": "Resource"})
        for name, value in licensor.items():
            _child(item, name).text = value
    ours = {child.tag for child in description}
    for other in rdf:
        for child in [c for c in other if c.tag in ours]:
            other.remove(child)
        for name in [n for n in other.attrib if n in ours]:
            del other.attrib[name]
    rdf.append(description)
    text = ET.tostring(root, encoding="unicode")
    return (_BEGIN + text + _END).encode()


def _parse(old: bytes) -> ET.Element:
    """Parse a packet; a broken or trick one is replaced by an empty one."""
    empty = ET.Element(f"{{{META}}}xmpmeta")
    if not old or b"<!" in old:
        return empty
    try:
        root = ET.fromstring(old.decode("utf-8").strip().strip("\0\ufeff"))  # noqa: S314
    except (ET.ParseError, UnicodeDecodeError):
        return empty
    if root.tag == f"{{{RDF}}}RDF":
        empty.append(root)
        return empty
    return root if root.tag == f"{{{META}}}xmpmeta" else empty


def _properties(rights: Rights) -> list[tuple[str, str, Any]]:
    """Return name, XMP form (seq, alt or plain) and value of what is stated."""
    mining = rights.data_mining
    table = [
        ("dc:creator", "seq", list(rights.creators) or None),
        ("dc:rights", "alt", rights.copyright),
        ("photoshop:Credit", "plain", rights.credit),
        ("xmpRights:Marked", "plain", "True" if rights.copyright else None),
        ("xmpRights:UsageTerms", "alt", rights.usage_terms),
        ("xmpRights:WebStatement", "plain", rights.web_statement),
        ("Iptc4xmpExt:DigitalSourceType", "plain", rights.source_type),
        ("Iptc4xmpCore:AltTextAccessibility", "alt", rights.alt_text),
        ("plus:DataMining", "plain", PLUS_TERMS + mining if mining else None),
        ("plus:OtherConstraints", "alt", rights.constraints),
    ]
    return [row for row in table if row[2] is not None]


def _licensor(rights: Rights) -> dict[str, str]:
    found = {
        "plus:LicensorName": rights.licensor_name,
        "plus:LicensorURL": rights.licensor_url,
    }
    return {name: value for name, value in found.items() if value}


def _add(parent: ET.Element, name: str, kind: str, value: Any) -> None:
    element = _child(parent, name)
    if kind == "plain":
        element.text = value
        return
    bag = ET.SubElement(element, f"{{{RDF}}}{'Seq' if kind == 'seq' else 'Alt'}")
    for text in value if kind == "seq" else [value]:
        item = ET.SubElement(bag, f"{{{RDF}}}li")
        if kind == "alt":
            item.set(f"{{{XML}}}lang", "x-default")
        item.text = text


def _child(parent: ET.Element, name: str) -> ET.Element:
    prefix, _, local = name.partition(":")
    return ET.SubElement(parent, f"{{{SPACES[prefix]}}}{local}")


def mining_term(training: dict[str, str]) -> str:
    """Return the PLUS term for a training permission; the strictest wins.

    Args:
        training: allowed, notAllowed or constrained for data_mining, ai_inference,
            ai_training and ai_generative_training, as in `ClaimPlan.training`.
    """
    uses = set(training.values())
    if not training:
        return "DMI-UNSPECIFIED"
    if len(training) == len(TRAINING_KINDS) and uses == {"notAllowed"}:
        return "DMI-PROHIBITED"
    if "constrained" in uses or {
        training.get("ai_inference"),
        training.get("data_mining"),
    } & {"notAllowed"}:
        return "DMI-PROHIBITED-SEECONSTRAINT"
    if training.get("ai_training") == "notAllowed":
        return "DMI-PROHIBITED-AIMLTRAINING"
    if training.get("ai_generative_training") == "notAllowed":
        return "DMI-PROHIBITED-GENAIMLTRAINING"
    return "DMI-ALLOWED" if len(training) == len(TRAINING_KINDS) else "DMI-UNSPECIFIED"
