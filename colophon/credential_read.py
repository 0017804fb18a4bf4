"""Read one file's C2PA credential. Runs inside a child process, never outside.

The library's own verdict is not enough. The signer is judged with the claim
anchors alone and the time with the time-stamp anchors alone, because the library
accepts any anchor for either; a certificate for time-stamps may not sign claims;
two parents are an error. Nothing is ever fetched.

Source: C2PA 2.4 section 15; behavior of c2pa-python 0.38.1 as measured.
"""

from __future__ import annotations

import hashlib
import io
import json
import mimetypes
from pathlib import Path
from typing import Any

from colophon import jumbf

# Names of the trust lists as they appear in explanations.
CLAIM_LIST = "colophon:claim"
TSA_LIST = "colophon:tsa"
# RFC 5280 usages that must not sign claims, whatever else the certificate may do.
FORBIDDEN_USAGES = ("1.3.6.1.5.5.7.3.8", "1.3.6.1.5.5.7.3.9")
REMOTE_PREFIX = "Remote:"
UNSUPPORTED_PREFIX = "NotSupported:"
# Content sniffing does not find these; the library needs to be told.
TOLD_BY_NAME = frozenset({"image/svg+xml", "application/zip", "application/epub+zip"})


def locked(*anchors: tuple[str, str, list[str]], **verify: bool) -> dict[str, Any]:
    """Return library settings that never touch the network.

    Args:
        anchors: (kind, list name, PEM texts) for each trust list.
        verify: more keys of the `verify` section.
    """
    return {
        "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, **verify},
        "core": {"allowed_network_hosts": [], "decode_identity_assertions": False},
        "trust": {
            "anchors": [
                {"trust_kind": kind, "trust_uri": name, "trust_anchors": "\n".join(pem)}
                for kind, name, pem in anchors
                if pem
            ]
        },
    }


def read(path: str, trust_anchors: list[str], tsa_anchors: list[str]) -> dict[str, Any]:
    """Read a file's credential into plain data.

    Returns:
        `outcome`: "none", "unsupported" (a kind of file that cannot have one),
        "remote" (with `url`), "error" (with `words`) or "read".
        When read: `report` and `detail` (the library's two JSON views), `time`
        {claimed, proven}, `signature_sha256`, `store_sha256`, `bad_usage`.
    """
    import c2pa

    try:
        return _read(Path(path), trust_anchors, tsa_anchors)
    except c2pa.C2paError as error:
        words = str(error)
        if words.startswith(REMOTE_PREFIX):
            return {"outcome": "remote", "url": words.rpartition(" ")[2]}
        if words.startswith(UNSUPPORTED_PREFIX):
            return {"outcome": "unsupported"}
        return {"outcome": "error", "words": words[:500]}


def read_crjson(path: str, trust_anchors: list[str], tsa_anchors: list[str]) -> Any:
    """Return the crJSON view, as the official rubrics take it."""
    lists = (("manifest", CLAIM_LIST, trust_anchors), ("tsa", TSA_LIST, tsa_anchors))
    with _open(Path(path), locked(*lists)) as reader:
        return json.loads(reader.crjson())


def _read(path: Path, claim: list[str], tsa: list[str]) -> dict[str, Any]:
    signers = ("manifest", CLAIM_LIST, claim)
    reader = _open(path, locked(signers))
    if reader is None:
        return {"outcome": "none"}
    with reader:
        report = json.loads(reader.json())
        detail = json.loads(reader.detailed_json())
        signature, store = _raw(reader, str(report.get("active_manifest")))
    claimed = _active(report).get("signature_info", {}).get("time")
    proven = claimed if claimed and tsa and _time_holds(path, tsa) else None
    if proven and "signingCredential.expired" in _failures(report):
        # The time is proven apart, so the signer may be judged as of that time.
        late = locked(signers, verify_timestamp_trust=False)
        with _open(path, late) as again:
            report = json.loads(again.json())
    return {
        "outcome": "read",
        "report": report,
        "detail": detail,
        "time": {"claimed": claimed, "proven": proven},
        "signature_sha256": hashlib.sha256(signature).hexdigest()
        if signature
        else None,
        "store_sha256": hashlib.sha256(store).hexdigest(),
        "bad_usage": _bad_usage(signature),
    }


def _open(path: Path, settings: dict[str, Any]) -> Any:
    """Open a reader through a locked context; None when there is no credential."""
    import c2pa

    context = c2pa.Context.from_dict(settings)
    told = mimetypes.guess_type(path.name)[0]
    kind = told if told in TOLD_BY_NAME else None
    return c2pa.Reader.try_create(kind, path.open("rb"), None, context)


def _raw(reader: Any, label: str) -> tuple[bytes | None, bytes]:
    """Return the claim signature and the whole manifest store, as embedded."""
    store = io.BytesIO()
    # Any address inside the store yields the whole of it.
    reader.resource_to_stream(f"self#jumbf=/c2pa/{label}", store)
    return jumbf.claim_signature(store.getvalue(), label), store.getvalue()


def _time_holds(path: Path, tsa: list[str]) -> bool:
    with _open(path, locked(("tsa", TSA_LIST, tsa))) as reader:
        report = json.loads(reader.json())
    # Version 1 claims are called trusted without any list: never proof.
    if _active(report).get("claim_version", 1) == 1:
        return False
    label = report.get("active_manifest")
    return any(
        item.get("code") == "timeStamp.trusted" and f"/{label}/" in item.get("url", "")
        for item in _results(report).get("success", [])
    )


def _active(report: dict[str, Any]) -> dict[str, Any]:
    found = report.get("manifests", {}).get(report.get("active_manifest"), {})
    return found if isinstance(found, dict) else {}


def _results(report: dict[str, Any]) -> dict[str, Any]:
    found = report.get("validation_results", {}).get("activeManifest", {})
    return found if isinstance(found, dict) else {}


def _failures(report: dict[str, Any]) -> list[str]:
    return [str(item.get("code")) for item in _results(report).get("failure", [])]


def _bad_usage(signature: bytes | None) -> bool:
    """Tell whether the signer's certificate is one for time-stamps or OCSP."""
    from cryptography import x509

    chain = jumbf.certificates(signature) if signature else []
    if not chain:
        return False
    try:
        leaf = x509.load_der_x509_certificate(chain[0])
        usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (ValueError, x509.ExtensionNotFound):
        return False
    return any(oid.dotted_string in FORBIDDEN_USAGES for oid in usage)
