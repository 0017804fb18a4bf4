"""Credentials of real files: intact, changed, stolen, expired, remote, nested."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from unittest import mock

import c2pa
import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from PIL import Image

from colophon import authority, credential_codes
from colophon.authority import Authorities, make_authorities
from colophon.child import Child
from colophon.credential import Inspection, inspect_file
from colophon.credential_read import locked
from colophon.errors import CouldNotCheck, InputError
from colophon.formats import FORMATS
from colophon.manifest import Action, ClaimPlan, Ingredient
from tests.colophon.conftest import AI, HUMAN, IPTC, MakePicture, Studio

OPEN_AND_PUBLISH = (Action("c2pa.opened"), Action("c2pa.published"))


def look(studio: Studio, reader: Child, path: Path) -> Inspection:
    return inspect_file(path, *studio.anchors, reader)


def test_a_signed_file_is_trusted_and_its_time_proven(
    studio: Studio, reader: Child, picture: MakePicture
) -> None:
    seen = look(studio, reader, studio.sign(picture()).path)
    assert seen.state == "Trusted"
    assert seen.failures == ()
    assert seen.intact
    assert seen.common_name == "Colophon test claim signer"
    assert seen.proven_at == seen.claimed_at is not None
    assert seen.source_types == (AI, HUMAN)
    assert seen.origin == "HYBRID"


def test_the_published_keys_are_exactly_these(
    studio: Studio, reader: Child, picture: MakePicture
) -> None:
    told = look(studio, reader, studio.sign(picture()).path).to_json()
    assert list(told) == ["file", "c2pa", "origin", "summary"]
    assert set(told["file"]) == {"name", "bytes", "sha256", "mime"}
    assert set(told["c2pa"]) == {
        "present",
        "state",
        "failures",
        "signer",
        "time",
        "source_types",
        "manifests",
    }
    assert set(told["c2pa"]["failures"]) == {"active", "ingredient_deltas", "recorded"}
    assert json.loads(json.dumps(told)) == told


def test_a_file_without_credential_says_so(
    studio: Studio, reader: Child, picture: MakePicture
) -> None:
    seen = look(studio, reader, picture())
    assert (seen.state, seen.to_json()["c2pa"]["present"]) == ("none", False)
    assert "says nothing about it" in seen.summary


def test_a_missing_file_is_an_input_error(studio: Studio, reader: Child) -> None:
    with pytest.raises(InputError, match="not a file"):
        look(studio, reader, Path("no-such-file.jpg"))


@pytest.mark.parametrize("name", [f"work{one.suffix}" for one in FORMATS.values()])
def test_one_flipped_byte_anywhere_in_the_picture_is_found(
    studio: Studio, reader: Child, picture: MakePicture, name: str
) -> None:
    source = picture(name)
    signed = studio.sign(source).path
    data = signed.read_bytes()
    # The credential lies behind the samples in some formats: look for them.
    samples = data.index(source.read_bytes()[-60:-20])
    for place in range(samples, samples + 40, 13):
        changed = bytearray(data)
        changed[place] ^= 1
        signed.write_bytes(changed)
        seen = look(studio, reader, signed)
        assert seen.state in {"Invalid", "error"}
        assert not seen.intact
        assert seen.state == "error" or seen.origin == "UNKNOWN"


def test_a_changed_picture_reads_as_changed(
    studio: Studio, reader: Child, picture: MakePicture
) -> None:
    signed = studio.sign(picture()).path
    data = bytearray(signed.read_bytes())
    data[-20] ^= 1
    signed.write_bytes(data)
    seen = look(studio, reader, signed)
    assert seen.active_failures == ("assertion.dataHash.mismatch",)
    assert "The file was changed after it was signed." in seen.summary


def test_another_authority_with_the_same_names_is_not_trusted(
    studio: Studio, reader: Child, picture: MakePicture, thief: Authorities
) -> None:
    seen = look(studio, reader, studio.sign(picture(), by=thief).path)
    assert seen.state == "Valid"
    assert seen.active_failures == ("signingCredential.untrusted",)
    assert seen.intact
    assert "have not chosen to trust" in seen.summary


def test_a_time_stamp_of_an_unknown_authority_proves_nothing(
    studio: Studio, reader: Child, picture: MakePicture, thief: Authorities
) -> None:
    path = studio.sign(picture()).path
    seen = inspect_file(
        path, studio.claim_anchors, [thief.tsa.root.read_text()], reader
    )
    assert seen.state == "Trusted"
    assert seen.claimed_at is not None
    assert seen.proven_at is None
    assert "is not proven" in seen.summary


def test_claim_anchors_do_not_make_a_time_proven(
    studio: Studio, reader: Child, picture: MakePicture
) -> None:
    path = studio.sign(picture()).path
    everyone = studio.claim_anchors + studio.tsa_anchors
    assert inspect_file(path, everyone, [], reader).proven_at is None


def test_a_time_stamping_certificate_must_not_sign_claims(
    studio: Studio, reader: Child, picture: MakePicture
) -> None:
    as_signer = replace(studio.pki, claim=studio.pki.tsa)
    path = studio.sign(picture(), by=as_signer).path
    assert look(studio, reader, path).state != "Trusted"
    # Even when its root is on the list of claim signers, as official lists have it.
    seen = inspect_file(path, studio.tsa_anchors, studio.tsa_anchors, reader)
    assert seen.state == "Invalid"
    assert "signingCredential.invalid" in seen.active_failures


def short_lived(folder: Path, seconds: int) -> Authorities:
    """Authorities whose claim leaf ends soon."""
    with (
        mock.patch.object(authority, "LEAF_LIFE", timedelta(seconds=seconds)),
        mock.patch.object(authority, "RENEW_BEFORE", timedelta(0)),
    ):
        return make_authorities(folder)


@pytest.mark.parametrize("stamped", [True, False])
def test_an_expired_signer_is_fine_only_with_a_proven_time(
    studio: Studio, reader: Child, picture: MakePicture, tmp_path: Path, stamped: bool
) -> None:
    brief = short_lived(tmp_path / "brief", seconds=2)
    began = datetime.now(UTC)
    path = studio.sign(
        picture(), by=brief, tsa_url=studio.tsa_url if stamped else None
    ).path
    leaf = x509.load_pem_x509_certificate(brief.claim.chain.read_bytes())
    left = (leaf.not_valid_after_utc - datetime.now(UTC)).total_seconds()
    assert leaf.not_valid_after_utc > began
    threading.Event().wait(max(left, 0) + 1)
    seen = inspect_file(
        path, [brief.claim.root.read_text()], studio.tsa_anchors, reader
    )
    if stamped:
        assert seen.state == "Trusted"
        assert seen.proven_at is not None
    else:
        assert seen.state == "Invalid"
        assert "not a sign of tampering" in seen.summary
        assert "changed after" not in seen.summary


def test_history_is_walked_and_the_beginning_comes_first(
    studio: Studio, reader: Child, picture: MakePicture
) -> None:
    photo = ClaimPlan(
        title="Photo", actions=(Action("c2pa.created", IPTC + "digitalCapture"),)
    )
    first = studio.sign(picture(), photo).path
    edit = ClaimPlan(
        title="Edit", actions=(Action("c2pa.opened"), Action("c2pa.edited", AI))
    )
    second = studio.sign(first, edit).path
    seen = look(studio, reader, second)
    assert seen.state == "Trusted"
    assert seen.failures == ()
    assert seen.source_types == (IPTC + "digitalCapture", AI)
    assert seen.origin == "HYBRID"
    assert [m["title"] for m in seen.manifests] == ["Edit", "Photo"]
    assert seen.detail.ingredients[0]["manifest"] == seen.manifests[1]["label"]


def test_a_tampered_parent_is_kept_and_shown(
    studio: Studio, reader: Child, picture: MakePicture
) -> None:
    parent = studio.sign(picture()).path
    data = bytearray(parent.read_bytes())
    data[-20] ^= 1
    parent.write_bytes(data)
    child = studio.sign(parent, ClaimPlan(title="Copy", actions=OPEN_AND_PUBLISH)).path
    seen = look(studio, reader, child)
    assert seen.state == "Trusted"
    assert "assertion.dataHash.mismatch" in seen.recorded_failures
    assert not seen.intact
    assert "did not hold when it was used" in seen.summary


def test_a_strangers_parent_is_recorded_but_speaks_not_against_the_content(
    studio: Studio, reader: Child, picture: MakePicture, thief: Authorities
) -> None:
    parent = studio.sign(picture(), by=thief).path
    child = studio.sign(parent, ClaimPlan(title="Copy", actions=OPEN_AND_PUBLISH)).path
    seen = look(studio, reader, child)
    assert seen.recorded_failures == ("signingCredential.untrusted",)
    assert seen.intact


def test_a_picture_of_unknown_origin_in_the_history_leaves_the_origin_unknown(
    studio: Studio, reader: Child, picture: MakePicture
) -> None:
    plan = ClaimPlan(
        title="Edit", actions=(Action("c2pa.opened"), Action("c2pa.edited", HUMAN))
    )
    seen = look(studio, reader, studio.sign(picture(), plan).path)
    assert seen.state == "Trusted"
    assert seen.origin == "UNKNOWN"


def test_ai_that_was_only_an_input_still_shows_in_the_origin(
    studio: Studio, reader: Child, picture: MakePicture
) -> None:
    generated = studio.sign(picture("ai.jpg")).path
    plan = ClaimPlan(
        title="Drawing",
        actions=(
            Action("c2pa.created", IPTC + "digitalCreation", ingredients=("ref",)),
        ),
        ingredients=(
            Ingredient("ref", "Reference", format="image/jpeg", path=str(generated)),
        ),
    )
    seen = look(studio, reader, studio.sign(picture("own.jpg"), plan).path)
    assert seen.origin == "HYBRID"


def test_the_detail_names_what_a_seal_needs(
    studio: Studio, reader: Child, picture: MakePicture
) -> None:
    path = studio.sign(picture()).path
    detail = look(studio, reader, path).detail
    assert detail.hard_binding_alg == "sha256"
    for digest in (detail.hard_binding, detail.signature_sha256, detail.store_sha256):
        assert len(bytes.fromhex(digest)) == 32
    assert detail.all_actions_included
    assert detail.active_manifest.startswith("urn:c2pa:")
    again = look(studio, reader, studio.sign(picture(), dst=path).path).detail
    assert again.hard_binding == detail.hard_binding
    assert again.signature_sha256 != detail.signature_sha256


def sign_badly(studio: Studio, src: Path, definition: dict[str, object]) -> Path:
    """Sign with the library itself, without our checks of the plan."""
    context = c2pa.Context.from_dict(locked())
    builder = c2pa.Builder(definition, context)
    for name in ("one", "two"):
        ingredient = {"title": name, "relationship": "parentOf", "label": name}
        builder.add_ingredient(ingredient, "image/jpeg", io.BytesIO(src.read_bytes()))
    claim = studio.pki.claim
    info = c2pa.C2paSignerInfo(
        b"es256", claim.chain.read_bytes(), claim.key.read_bytes(), None
    )
    out = src.with_name("bad.jpg")
    with src.open("rb") as source, out.open("w+b") as target:
        builder.sign(c2pa.Signer.from_info(info), "image/jpeg", source, target)
    return out


def test_two_parents_are_an_error_although_the_library_accepts_them(
    studio: Studio, reader: Child, picture: MakePicture
) -> None:
    opened = {
        "action": "c2pa.opened",
        "parameters": {"ingredientIds": ["one", "two"]},
    }
    definition: dict[str, object] = {
        "claim_generator_info": [{"name": "x", "version": "1"}],
        "title": "two parents",
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [opened]}}],
    }
    seen = look(studio, reader, sign_badly(studio, picture(), definition))
    assert seen.state == "Invalid"
    assert "manifest.multipleParents" in seen.active_failures


@pytest.fixture
def canary() -> Iterator[tuple[str, list[str]]]:
    """A server that counts who comes."""
    hits: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hits.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/manifest.c2pa", hits
        server.shutdown()
        thread.join()


def remote(studio: Studio, src: Path, url: str) -> Path:
    """Sign a file so that its credential lies elsewhere."""
    context = c2pa.Context.from_dict(locked())
    created = {"action": "c2pa.created", "digitalSourceType": AI}
    builder = c2pa.Builder(
        {
            "claim_generator_info": [{"name": "x", "version": "1"}],
            "assertions": [
                {"label": "c2pa.actions.v2", "data": {"actions": [created]}}
            ],
        },
        context,
    )
    builder.set_no_embed()
    builder.set_remote_url(url)
    claim = studio.pki.claim
    info = c2pa.C2paSignerInfo(
        b"es256", claim.chain.read_bytes(), claim.key.read_bytes(), None
    )
    out = src.with_name("remote.jpg")
    with src.open("rb") as source, out.open("w+b") as target:
        builder.sign(c2pa.Signer.from_info(info), "image/jpeg", source, target)
    return out


def test_a_remote_credential_is_named_and_never_fetched(
    studio: Studio,
    reader: Child,
    picture: MakePicture,
    canary: tuple[str, list[str]],
) -> None:
    url, hits = canary
    path = remote(studio, picture(), url)
    assert url.encode() in path.read_bytes()
    seen = look(studio, reader, path)
    assert seen.state == "remote"
    assert seen.detail.remote_url == url
    assert url in seen.summary
    signed = studio.sign(path, ClaimPlan(title="Copy", actions=OPEN_AND_PUBLISH)).path
    assert look(studio, reader, signed).state == "Trusted"
    assert hits == []
    # The canary sings: the library left to itself does fetch.
    with pytest.raises(c2pa.C2paError):
        c2pa.Reader(str(path))
    assert hits != []


def test_a_credential_moved_to_another_picture_does_not_hold(
    studio: Studio, reader: Child, picture: MakePicture
) -> None:
    signed = studio.sign(picture("mine.jpg")).path.read_bytes()
    other = picture("other.jpg").read_bytes()
    start = signed.index(b"\xff\xeb")
    end = start + 2 + int.from_bytes(signed[start + 2 : start + 4])
    stolen = picture("stolen.jpg")
    stolen.write_bytes(other[:20] + signed[start:end] + other[20:])
    seen = look(studio, reader, stolen)
    assert seen.state == "Invalid"
    assert "assertion.dataHash.mismatch" in seen.active_failures


def test_a_resaved_picture_has_lost_its_credential(
    studio: Studio, reader: Child, picture: MakePicture, tmp_path: Path
) -> None:
    signed = studio.sign(picture()).path
    Image.open(signed).save(tmp_path / "again.jpg")
    assert look(studio, reader, tmp_path / "again.jpg").state == "none"


@pytest.mark.parametrize(
    "code",
    [
        "claimSignature.mismatch",
        "assertion.bmffHash.mismatch",
        "cawg.identity.x",
        "new",
    ],
)
def test_every_failure_code_has_words_and_advice(code: str) -> None:
    told = credential_codes.meaning(code)
    assert told.words.endswith(".")
    assert told.advice.endswith(".")
    assert credential_codes.is_failure(code)


@pytest.mark.parametrize(
    "code",
    ["claimSignature.validated", "assertion.dataHash.match", "timeStamp.trusted"],
)
def test_a_success_code_is_no_failure(code: str) -> None:
    assert not credential_codes.is_failure(code)
    assert not credential_codes.is_hard(code)


def test_the_claim_leaf_may_sign_claims_and_nothing_else(studio: Studio) -> None:
    leaf = x509.load_pem_x509_certificate(studio.pki.claim.chain.read_bytes())
    usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.EMAIL_PROTECTION]


@pytest.mark.referee
def test_the_official_lists_load_and_do_not_know_our_test_signer(
    studio: Studio, reader: Child, picture: MakePicture, referees: Path
) -> None:
    official = [(referees / "c2pa" / "C2PA-TRUST-LIST.pem").read_text()]
    official_tsa = [(referees / "c2pa" / "C2PA-TSA-TRUST-LIST.pem").read_text()]
    path = studio.sign(picture()).path
    alone = inspect_file(path, official, official_tsa, reader)
    assert (alone.state, alone.proven_at) == ("Valid", None)
    with_ours = inspect_file(
        path, official + studio.claim_anchors, official_tsa + studio.tsa_anchors, reader
    )
    assert with_ours.state == "Trusted"
    assert with_ours.proven_at is not None


@pytest.mark.parametrize("anchors", [[], ["junk"], ["-----BEGIN CERTIFICATE-----\nAA"]])
def test_without_a_usable_anchor_nobody_is_trusted(
    studio: Studio, reader: Child, picture: MakePicture, anchors: list[str]
) -> None:
    path = studio.sign(picture()).path
    seen = inspect_file(path, anchors, anchors, reader)
    assert seen.state == "Valid"
    assert seen.proven_at is None


def test_a_kind_of_file_without_credentials_is_no_error(
    studio: Studio, reader: Child, tmp_path: Path
) -> None:
    path = tmp_path / "words.txt"
    path.write_text("words")
    seen = look(studio, reader, path)
    assert seen.state == "none"
    assert "files of this kind" in seen.summary


def test_a_child_that_dies_leaves_the_answer_error(
    studio: Studio, picture: MakePicture
) -> None:
    class Dead(Child):
        def call(self, *_: object, **__: object) -> object:
            raise CouldNotCheck("file", "it took more than 30 seconds to read")

    path = picture()
    seen = inspect_file(path, *studio.anchors, Dead())
    assert seen.state == "error"
    assert seen.file.size_bytes == path.stat().st_size
    assert "could not be read" in seen.summary
