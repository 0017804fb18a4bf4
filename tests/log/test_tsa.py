"""RFC 3161 answers of the test authority, judged by OpenSSL and the C2PA library."""

from __future__ import annotations

import http.client
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asn1crypto import tsp

from colophon.authority import make_authorities
from log import tsa


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pki")


@pytest.fixture(scope="module")
def stamper(folder: Path) -> tsa.TimeStamper:
    made = make_authorities(folder).tsa
    return tsa.load(made.chain, made.key)


@pytest.fixture
def address(stamper: tsa.TimeStamper) -> Iterator[int]:
    with tsa.server(stamper, 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def query(**changes: object) -> bytes:
    fields: dict[str, object] = {
        "version": 1,
        "message_imprint": {
            "hash_algorithm": {"algorithm": "sha256"},
            "hashed_message": b"\1" * 32,
        },
        "nonce": 4711,
        "cert_req": True,
    }
    kept = {k: v for k, v in {**fields, **changes}.items() if v is not None}
    return tsp.TimeStampReq(kept).dump()


def granted(reply: bytes) -> tsp.TSTInfo:
    response = tsp.TimeStampResp.load(reply)
    assert response["status"]["status"].native == "granted"
    signed = response["time_stamp_token"]["content"]
    return signed["encap_content_info"]["content"].parsed


def refusal(reply: bytes) -> set[str]:
    class Bare(tsp.Sequence):
        _fields = [("status", tsp.PKIStatusInfo)]  # noqa: RUF012

    status = Bare.load(reply, strict=True)["status"]
    assert status["status"].native == "rejection"
    return status["fail_info"].native


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_openssl_accepts_a_token(
    folder: Path, stamper: tsa.TimeStamper, tmp_path: Path, algorithm: str
) -> None:
    verified = openssl_verify(folder, stamper, tmp_path, f"-{algorithm}", b"hello")
    assert verified.returncode == 0, verified.stderr


def test_openssl_refuses_a_token_for_other_data(
    folder: Path, stamper: tsa.TimeStamper, tmp_path: Path
) -> None:
    verified = openssl_verify(
        folder, stamper, tmp_path, "-sha256", b"hello", checked=b"other"
    )
    assert verified.returncode != 0


def test_openssl_refuses_a_token_of_another_authority(
    stamper: tsa.TimeStamper, tmp_path: Path
) -> None:
    make_authorities(tmp_path / "other")
    verified = openssl_verify(
        tmp_path / "other", stamper, tmp_path, "-sha256", b"hello"
    )
    assert verified.returncode != 0


def openssl_verify(
    folder: Path,
    stamper: tsa.TimeStamper,
    place: Path,
    algorithm: str,
    stamped: bytes,
    *,
    checked: bytes | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Stamp data asked for by OpenSSL and let OpenSSL judge the answer."""
    data, asked, reply = place / "data", place / "query", place / "reply"
    data.write_bytes(stamped)
    subprocess.run(
        ["openssl", "ts", "-query", "-data", data, algorithm, "-cert", "-out", asked],
        check=True,
        capture_output=True,
    )
    reply.write_bytes(tsa.answer(asked.read_bytes(), stamper))
    data.write_bytes(stamped if checked is None else checked)
    root = folder / "tsa-root.pem"
    return subprocess.run(
        ["openssl", "ts", "-verify", "-data", data, "-in", reply, "-CAfile", root],
        check=False,
        capture_output=True,
    )


def test_the_token_carries_nonce_policy_accuracy_and_time(
    stamper: tsa.TimeStamper,
) -> None:
    moment = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)
    info = granted(tsa.answer(query(), stamper, now=moment)).native
    assert info["nonce"] == 4711
    assert info["policy"] == tsa.POLICY
    assert info["accuracy"]["seconds"] == tsa.ACCURACY_SECONDS
    assert info["gen_time"] == moment


def test_a_query_without_nonce_gets_none(stamper: tsa.TimeStamper) -> None:
    assert granted(tsa.answer(query(nonce=None), stamper))["nonce"].native is None


def test_certificates_come_only_when_asked_for(stamper: tsa.TimeStamper) -> None:
    def sent(asked: bool) -> object:
        reply = tsp.TimeStampResp.load(tsa.answer(query(cert_req=asked), stamper))
        return reply["time_stamp_token"]["content"]["certificates"].native

    assert len(sent(True)) == 2
    assert sent(False) is None


def test_serial_numbers_grow(stamper: tsa.TimeStamper) -> None:
    serials = [
        granted(tsa.answer(query(), stamper))["serial_number"].native for _ in range(50)
    ]
    assert serials == sorted(set(serials))


@pytest.mark.parametrize(
    ("changes", "failure"),
    [
        ({"version": 2}, "bad_request"),
        (
            {
                "message_imprint": {
                    "hash_algorithm": {"algorithm": "sha1"},
                    "hashed_message": b"\1" * 20,
                }
            },
            "bad_alg",
        ),
        (
            {
                "message_imprint": {
                    "hash_algorithm": {"algorithm": "sha256"},
                    "hashed_message": b"\1" * 31,
                }
            },
            "bad_data_format",
        ),
        ({"req_policy": "1.2.3.4"}, "unaccepted_policy"),
        (
            {
                "extensions": [
                    {"extn_id": "1.2.3", "critical": True, "extn_value": b"x"}
                ]
            },
            "unaccepted_extensions",
        ),
    ],
)
def test_what_may_not_be_stamped_is_refused(
    stamper: tsa.TimeStamper, changes: dict[str, object], failure: str
) -> None:
    assert refusal(tsa.answer(query(**changes), stamper)) == {failure}


def test_our_own_policy_may_be_asked_for(stamper: tsa.TimeStamper) -> None:
    assert granted(tsa.answer(query(req_policy=tsa.POLICY), stamper))


@pytest.mark.parametrize(
    "junk", [b"", b"junk", b"\x30\x80", query() + b"x", b"0" * 9999]
)
def test_junk_is_refused_and_not_an_error(
    stamper: tsa.TimeStamper, junk: bytes
) -> None:
    assert refusal(tsa.answer(junk, stamper)) == {"bad_data_format"}


def post(port: int, body: bytes, kind: str) -> tuple[int, str | None, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("POST", "/", body, {"Content-Type": kind})
    response = connection.getresponse()
    answer = response.status, response.getheader("Content-Type"), response.read()
    connection.close()
    return answer


def test_the_server_answers_queries(address: int) -> None:
    status, kind, body = post(address, query(), tsa.QUERY_TYPE)
    assert (status, kind) == (200, tsa.REPLY_TYPE)
    assert granted(body)["nonce"].native == 4711


def test_the_server_refuses_other_types_and_large_bodies(address: int) -> None:
    assert post(address, query(), "text/plain")[0] == 415
    assert post(address, b"0" * (tsa.MAX_QUERY_BYTES + 1), tsa.QUERY_TYPE)[0] == 413


def test_the_command_makes_its_authority_and_serves(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, "manage.py", "tsa", "--port", "0", "--folder", tmp_path]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as tsa_:
        try:
            assert tsa_.stdout
            port = re.search(r":(\d+)$", tsa_.stdout.readline().strip())
            assert port
            status, _, body = post(int(port[1]), query(), tsa.QUERY_TYPE)
        finally:
            tsa_.terminate()
    assert status == 200
    assert granted(body)["nonce"].native == 4711
    assert (tmp_path / "tsa-root.pem").is_file()
