"""Write the records of a bundle as an in-toto bundle: one DSSE envelope a line.

These are the signed envelopes themselves, not a translation: whoever knows a key can
check its signature with any DSSE library. Source: in-toto attestation framework v1,
"Bundle layer".
"""

from __future__ import annotations

from colophon.evidence import Bundle

MEDIA_TYPE = "application/vnd.in-toto.bundle"
SUFFIX = ".intoto.jsonl"


def to_intoto(bundle: Bundle) -> bytes:
    """JSON Lines by kind, as a bundle's file has them; salts and proofs stay behind."""
    found = sorted(bundle.records, key=lambda one: one.kind)
    return b"".join(one.envelope.to_bytes() + b"\n" for one in found)
