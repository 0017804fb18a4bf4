"""The evidence bundle: equal bytes, strict reading, and nothing that blows up."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colophon import archive
from colophon.errors import EvidenceError, InputError
from colophon.evidence import KIND, Bundle, ChainProof
from tests.colophon.bundles import Story, authorities

Members = dict[str, bytes]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return Story(authorities(tmp_path_factory.mktemp("pki"))).tell()


def zipped(members: Members, *, method: int = zipfile.ZIP_STORED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return target.getvalue()


def opened(data: bytes) -> Members:
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return {name: file.read(name) for name in file.namelist()}


def with_manifest(members: Members) -> Members:
    rest = {n: d for n, d in members.items() if n != archive.MANIFEST}
    return {**rest, archive.MANIFEST: archive.manifest_of(KIND, rest)}


def test_a_bundle_comes_back_as_it_was_written(bundle: Bundle) -> None:
    again = Bundle.from_bytes(bundle.to_bytes())
    assert again == bundle
    assert again.digest == bundle.digest


def test_equal_bundles_are_equal_bytes(bundle: Bundle) -> None:
    data = bundle.to_bytes()
    assert Bundle.from_bytes(data).to_bytes() == data
    shuffled = replace(bundle, times=dict(reversed(list(bundle.times.items()))))
    assert shuffled.to_bytes() == data


def test_packing_by_another_program_reads_the_same(bundle: Bundle) -> None:
    members = opened(bundle.to_bytes())
    other = zipped(dict(reversed(members.items())), method=zipfile.ZIP_DEFLATED)
    assert Bundle.from_bytes(other) == bundle


def test_the_verdict_is_no_part_of_the_evidence(bundle: Bundle) -> None:
    rest = tuple(one for one in bundle.records if one.kind != "verdict")
    without = replace(bundle, records=rest)
    assert without.evidence_digest == bundle.evidence_digest
    assert without.digest != bundle.digest


def test_a_member_that_differs_from_the_manifest_is_found(bundle: Bundle) -> None:
    members = opened(bundle.to_bytes())
    members["asset.json"] = b'{"title":"Mine"}'
    with pytest.raises(EvidenceError, match=r"asset\.json is not what manifest"):
        Bundle.from_bytes(zipped(members))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: m.pop(archive.MANIFEST), r"no manifest\.json"),
        (lambda m: m.pop("policy.json"), r"disagree about policy\.json"),
        (lambda m: m.update({"more.json": b"{}"}), r"disagree about more\.json"),
        (lambda m: m.update({"../up.json": b"{}"}), "plain lowercase name"),
        (lambda m: m.update({"/etc/passwd": b"{}"}), "plain lowercase name"),
        (lambda m: m.update({"a\\b.json": b"{}"}), "plain lowercase name"),
        (lambda m: m.update({"big.bin": bytes(2**20 + 1)}), "too large"),
    ],
)
def test_a_zip_that_is_no_bundle_is_refused(
    bundle: Bundle, change: Callable[[Members], object], words: str
) -> None:
    members = opened(bundle.to_bytes())
    change(members)
    with pytest.raises(EvidenceError, match=words):
        Bundle.from_bytes(zipped(members))


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("records/seal/000.json", b"{}", "records/seal/000.json/envelope: is missing"),
        ("records/seal/000.json", b"[", "records/seal/000.json: is not JSON"),
        ("records/poem/000.json", b"{}", "of no known kind"),
        ("records/seal/000.txt", b"{}", "not a member of a bundle"),
        ("proofs/seal/009.15.tlog-proof", b"", "does not start with"),
        ("asset.json", b"[]", "asset.json: is not an object"),
        ("asset.json", b'{"a":1.5}', "not an integer"),
        ("chain/15.json", b'{"v":2}', "chain/15.json/v"),
        ("times/1.tst", bytes(70_000), r"times/1.tst: is over"),
    ],
)
def test_a_malformed_member_is_named(
    bundle: Bundle, name: str, data: bytes, words: str
) -> None:
    members = with_manifest({**opened(bundle.to_bytes()), name: data})
    with pytest.raises(EvidenceError, match=words):
        Bundle.from_bytes(zipped(members))


def test_a_proof_for_another_size_or_record_is_named(bundle: Bundle) -> None:
    members = opened(bundle.to_bytes())
    name = next(n for n in members if n.startswith("proofs/seal/"))
    proof = members.pop(name)
    odd = {**members, "proofs/seal/000.3.tlog-proof": proof}
    with pytest.raises(EvidenceError, match="is for size"):
        Bundle.from_bytes(zipped(with_manifest(odd)))
    odd = {**members, name.replace("000", "007"): proof}
    with pytest.raises(EvidenceError, match="has no record"):
        Bundle.from_bytes(zipped(with_manifest(odd)))


def test_a_zip_bomb_is_refused_without_unpacking_it() -> None:
    bomb = zipped({"a.json": bytes(2**28)}, method=zipfile.ZIP_DEFLATED)
    assert len(bomb) < 2**19
    with pytest.raises(EvidenceError, match="too large"):
        Bundle.from_bytes(bomb)


def test_many_members_are_refused() -> None:
    crowd = {f"m{at}.json": b"" for at in range(archive.MAX_MEMBERS + 1)}
    with pytest.raises(EvidenceError, match="more than 4096"):
        Bundle.from_bytes(zipped(crowd))


def test_a_repeated_or_encrypted_member_is_refused(bundle: Bundle) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as file:
        file.writestr("asset.json", b"{}")
        with pytest.warns(UserWarning, match="Duplicate"):
            file.writestr("asset.json", b"{}")
    with pytest.raises(EvidenceError, match="twice"):
        Bundle.from_bytes(target.getvalue())
    secret = bytearray(zipped({"asset.json": b"{}"}))
    secret[6] |= 1
    secret[secret.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(EvidenceError, match="encrypted"):
        Bundle.from_bytes(bytes(secret))


@pytest.mark.parametrize("data", [b"", b"PK", b"not a zip", bytes(100)])
def test_what_is_no_zip_is_refused(data: bytes) -> None:
    with pytest.raises(EvidenceError, match="not a readable zip"):
        Bundle.from_bytes(data)


def test_what_is_too_large_is_never_written_either() -> None:
    with pytest.raises(InputError, match="is over"):
        archive.pack("x", {"a.json": bytes(archive.MAX_MEMBER_BYTES + 1)})
    with pytest.raises(InputError, match="plain lowercase"):
        archive.pack("x", {"../a.json": b""})


def test_a_chain_proof_names_its_wrong_field(bundle: Bundle) -> None:
    good = next(iter(bundle.anchors.values())).to_json()
    assert ChainProof.from_json(good).to_json() == good
    with pytest.raises(InputError) as caught:
        ChainProof.from_json({**good, "header": "xx"}, "chain/1.json")
    assert caught.value.field == "chain/1.json/header"


@pytest.fixture(scope="module")
def raw(bundle: Bundle) -> bytes:
    return bundle.to_bytes()


@given(data=st.data())
def test_no_flipped_bit_slips_through(data: st.DataObject, raw: bytes) -> None:
    place = data.draw(st.integers(0, len(raw) - 1))
    bit = data.draw(st.integers(0, 7))
    changed = bytearray(raw)
    changed[place] ^= 1 << bit
    try:
        found = Bundle.from_bytes(bytes(changed))
    except EvidenceError:
        return
    # What is read nevertheless (a date in a zip header) is the same content.
    assert found.to_bytes() == raw


def test_the_manifest_lists_every_member(raw: bytes, tmp_path: Path) -> None:
    members = opened(raw)
    listed = json.loads(members.pop(archive.MANIFEST))["members"]
    assert [one["name"] for one in listed] == sorted(members)
    assert {one["name"]: one["size"] for one in listed} == {
        name: len(data) for name, data in members.items()
    }
