"""Answer RFC 3161 time-stamp queries with our own test authority.

It serves the demo and the tests on the loopback; production names a public
time-stamping authority instead. A token says "this digest existed at this
time", signed by a certificate that may do nothing else.

Source: RFC 3161 (formats, refusals), RFC 5816 (signingCertificateV2).
"""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from asn1crypto import (  # type: ignore[import-untyped]
    algos,
    cms,
    core,
    tsp,
)
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

# Policy of a test authority: an arc under 2.25 (UUID), so it collides with nobody.
POLICY = "2.25.209154763891273398201473625481902837465"
ACCURACY_SECONDS = 1
DIGEST_BYTES = {"sha256": 32, "sha384": 48, "sha512": 64}
# Real queries are about 70 bytes; a query with an own policy stays well under.
MAX_QUERY_BYTES = 4096
QUERY_TYPE = "application/timestamp-query"
REPLY_TYPE = "application/timestamp-reply"


class _Refusal(Exception):  # noqa: N818
    """A query that RFC 3161 says to refuse, with its failure bit."""

    def __init__(self, failure: str, words: str) -> None:
        super().__init__(words)
        self.failure = failure


class _RefusalResponse(core.Sequence):  # type: ignore[misc]
    """TimeStampResp without a token, which asn1crypto's own type demands."""

    _fields = [("status", tsp.PKIStatusInfo)]  # noqa: RUF012


@dataclass(frozen=True)
class TimeStamper:
    """The signing certificate, its key and the chain sent along."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    chain: tuple[x509.Certificate, ...]


class _Serials:
    """Serial numbers that never repeat and only grow, across restarts too."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def next(self) -> int:
        with self._lock:
            self._last = max(self._last + 1, time.time_ns())
            return self._last


_serials = _Serials()


def load(chain: Path, key: Path) -> TimeStamper:
    """Load a time-stamper from its PEM chain (leaf first) and PKCS#8 key."""
    certificates = x509.load_pem_x509_certificates(chain.read_bytes())
    private = serialization.load_pem_private_key(key.read_bytes(), None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    return TimeStamper(certificates[0], private, tuple(certificates[1:]))


def answer(query: bytes, stamper: TimeStamper, *, now: datetime | None = None) -> bytes:
    """Answer one DER TimeStampReq with a DER TimeStampResp.

    A query we may not stamp gets a refusal that names why; nothing raises.

    Args:
        query: at most 4 KiB; SHA-256, SHA-384 or SHA-512 imprint.
        stamper: who signs.
        now: aware time to stamp; the clock when absent.
    """
    try:
        request = _parse(query)
    except _Refusal as refusal:
        return _refuse(refusal)
    moment = (now or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)
    return _grant(request, stamper, moment)


def server(stamper: TimeStamper, port: int) -> ThreadingHTTPServer:
    """Return an HTTP server on 127.0.0.1; port 0 takes a free one."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_POST(self) -> None:
            if self.headers.get("Content-Type") != QUERY_TYPE:
                self.send_error(415, f"Content-Type must be {QUERY_TYPE}")
                return
            length = self.headers.get("Content-Length", "")
            if not length.isdecimal() or int(length) > MAX_QUERY_BYTES:
                self.send_error(413, f"A query has at most {MAX_QUERY_BYTES} bytes")
                return
            reply = answer(self.rfile.read(int(length)), stamper)
            self.send_response(200)
            self.send_header("Content-Type", REPLY_TYPE)
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *_: object) -> None:
            """Say nothing: one line per stamp would drown the other logs."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def _parse(query: bytes) -> tsp.TimeStampReq:
    try:
        if len(query) > MAX_QUERY_BYTES:
            raise ValueError(f"more than {MAX_QUERY_BYTES} bytes")  # noqa: TRY301
        request = tsp.TimeStampReq.load(query, strict=True)
        # asn1crypto parses lazily: .native walks everything, so it fails here.
        native = request.native
    except (ValueError, TypeError, OverflowError) as error:
        raise _Refusal("bad_data_format", f"not a TimeStampReq: {error}") from error
    if native["version"] != "v1":
        raise _Refusal("bad_request", "version must be 1")
    imprint = native["message_imprint"]
    algorithm = imprint["hash_algorithm"]["algorithm"]
    if algorithm not in DIGEST_BYTES:
        raise _Refusal("bad_alg", f"use SHA-256, SHA-384 or SHA-512, not {algorithm}")
    if len(imprint["hashed_message"]) != DIGEST_BYTES[algorithm]:
        raise _Refusal("bad_data_format", f"the digest is not a {algorithm} digest")
    if native["req_policy"] not in (None, POLICY):
        raise _Refusal("unaccepted_policy", f"the only policy is {POLICY}")
    if native["extensions"]:
        raise _Refusal("unaccepted_extensions", "no extension is supported")
    return request


def _refuse(refusal: _Refusal) -> bytes:
    status = {
        "status": "rejection",
        "status_string": [str(refusal)],
        "fail_info": {refusal.failure},
    }
    encoded: bytes = _RefusalResponse({"status": status}).dump()
    return encoded


def _grant(request: tsp.TimeStampReq, stamper: TimeStamper, moment: datetime) -> bytes:
    fields = {
        "version": "v1",
        "policy": POLICY,
        "message_imprint": request["message_imprint"],
        "serial_number": _serials.next(),
        "gen_time": moment,
        "accuracy": {"seconds": ACCURACY_SECONDS},
    }
    if request["nonce"].native is not None:
        fields["nonce"] = request["nonce"]
    info = tsp.TSTInfo(fields).dump()
    signed = {
        "version": "v3",
        "digest_algorithms": [{"algorithm": "sha256"}],
        "encap_content_info": {
            "content_type": "tst_info",
            "content": core.ParsableOctetString(info),
        },
        "signer_infos": [_signer_info(info, stamper, moment)],
    }
    if request["cert_req"].native:
        signed["certificates"] = [
            asn1_x509.Certificate.load(_der(certificate))
            for certificate in (stamper.certificate, *stamper.chain)
        ]
    token = {"content_type": "signed_data", "content": cms.SignedData(signed)}
    response = {"status": {"status": "granted"}, "time_stamp_token": token}
    encoded: bytes = tsp.TimeStampResp(response).dump()
    return encoded


def _signer_info(
    info: bytes, stamper: TimeStamper, moment: datetime
) -> dict[str, object]:
    leaf = asn1_x509.Certificate.load(_der(stamper.certificate))
    identity = {
        "hash_algorithm": algos.DigestAlgorithm({"algorithm": "sha256"}),
        "cert_hash": hashlib.sha256(_der(stamper.certificate)).digest(),
    }
    attributes = cms.CMSAttributes(
        [
            {"type": "content_type", "values": ["tst_info"]},
            {"type": "signing_time", "values": [cms.Time({"utc_time": moment})]},
            {"type": "message_digest", "values": [hashlib.sha256(info).digest()]},
            {"type": "signing_certificate_v2", "values": [{"certs": [identity]}]},
        ]
    )
    signature = stamper.key.sign(attributes.dump(), ec.ECDSA(hashes.SHA256()))
    return {
        "version": "v1",
        "sid": {
            "issuer_and_serial_number": {
                "issuer": leaf.issuer,
                "serial_number": leaf.serial_number,
            }
        },
        "digest_algorithm": {"algorithm": "sha256"},
        "signed_attrs": attributes,
        "signature_algorithm": {"algorithm": "sha256_ecdsa"},
        "signature": signature,
    }


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)
