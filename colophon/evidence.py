"""The evidence bundle (`.colophon`): everything to check one asset offline.

A bundle carries records in their envelopes, proofs that the log has them, outside
clocks over checkpoints, and the policy. The verdict lies beside this evidence and
is no part of it. Format: docs/evidence-bundle.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from colophon import archive
from colophon.digest import canonical, from_hex, sha256
from colophon.entry import KINDS, PUBLIC_KINDS, entry_leaf, public_entry, sealed_entry
from colophon.errors import EvidenceError, InputError
from colophon.fields import Fields, load_json
from colophon.statement import Envelope, Json
from colophon.timestamp import MAX_TOKEN_BYTES
from colophon.tlogproof import LogProof

KIND = "colophon-evidence"
VERDICT = "verdict"
MAX_RECORDS = 1024
MAX_NODES = 64
_RECORD = re.compile(r"records/([a-z-]+)/(\d{3})\.json")
_PROOF = re.compile(r"proofs/([a-z-]+)/(\d{3})\.(\d{1,19})\.tlog-proof")
_TIME = re.compile(r"times/(\d{1,19})\.tst")
_CHAIN = re.compile(r"chain/(\d{1,19})\.json")


@dataclass(frozen=True)
class Record:
    """One record of the log with what proves its place there.

    Attributes:
        kind: entry kind, like ``step``.
        envelope: the signed statement.
        salt: 32 bytes for a sealed kind, None for a public one.
        proofs: inclusion proofs, each in a checkpoint of its own.
    """

    kind: str
    envelope: Envelope
    salt: bytes | None = None
    proofs: tuple[LogProof, ...] = ()

    @cached_property
    def leaf(self) -> bytes:
        """Leaf hash of the log entry that this record must be.

        Raises:
            InputError: the record cannot be an entry (salt missing or odd).
        """
        if self.kind in PUBLIC_KINDS:
            return entry_leaf(public_entry(self.kind, self.envelope))
        if self.salt is None:
            raise InputError("is missing, the entry is sealed", "salt")
        return entry_leaf(sealed_entry(self.kind, self.salt, self.envelope))


@dataclass(frozen=True)
class ChainProof:
    """The receipt of an anchoring transaction, provable under a block header."""

    chain_id: int
    ledger: str
    header: bytes
    nodes: tuple[bytes, ...]
    tx_index: int
    tx_hash: str = ""

    def to_json(self) -> Json:
        """The member `chain/<size>.json`."""
        return {
            "v": 1,
            "chain_id": self.chain_id,
            "ledger": self.ledger,
            "header": self.header.hex(),
            "proof": [node.hex() for node in self.nodes],
            "tx_index": self.tx_index,
            "tx_hash": self.tx_hash,
        }

    @classmethod
    def from_json(cls, value: Any, where: str = "") -> ChainProof:
        """Read the member.

        Raises:
            InputError: malformed; the field is named.
        """
        one = Fields(value, where)
        one.integer("v", 1, 1)
        nodes = one.items("proof", limit=MAX_NODES)
        found = cls(
            chain_id=one.integer("chain_id", 1),
            ledger=one.text("ledger", limit=42),
            header=from_hex(one.raw("header"), None, one.at("header")),
            nodes=tuple(from_hex(node, None, one.at("proof")) for node in nodes),
            tx_index=one.integer("tx_index"),
            tx_hash=one.text("tx_hash", limit=66) if one.raw("tx_hash") else "",
        )
        one.close()
        return found


@dataclass(frozen=True)
class Bundle:
    """The content of a bundle, unverified.

    Attributes:
        asset: a few facts for people (`id`, `title`, `creator`); never believed.
        records: everything from the log, the verdict included.
        times: RFC 3161 tokens over checkpoints, by checkpoint size.
        anchors: chain receipts of checkpoints, by checkpoint size.
        policy: the policy data by which the verdict was made.
        credential: what the C2PA reader said of the sealed file when it was sealed.
    """

    asset: Json = field(default_factory=dict)
    records: tuple[Record, ...] = ()
    times: Mapping[int, bytes] = field(default_factory=dict)
    anchors: Mapping[int, ChainProof] = field(default_factory=dict)
    policy: Json | None = None
    credential: Json | None = None

    def of(self, kind: str) -> tuple[Record, ...]:
        """The records of one kind, in their order."""
        return tuple(one for one in self.records if one.kind == kind)

    def one(self, kind: str) -> Record | None:
        """The first record of a kind, if there is one."""
        return next(iter(self.of(kind)), None)

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of the manifest: names the whole content."""
        return sha256(archive.manifest_of(KIND, self._members()))

    @cached_property
    def evidence_digest(self) -> bytes:
        """The same without the verdict: names what a verdict is computed from."""
        members = self._members()
        kept = {n: d for n, d in members.items() if f"/{VERDICT}/" not in n}
        return sha256(archive.manifest_of(KIND, kept))

    def to_bytes(self) -> bytes:
        """The `.colophon` file; equal bundles give equal bytes.

        Raises:
            InputError: more or larger content than a bundle may have.
        """
        return archive.pack(KIND, self._members())

    def _members(self) -> dict[str, bytes]:
        members = {"asset.json": canonical(self.asset)}
        counts: dict[str, int] = {}
        for record in self.records:
            at = counts[record.kind] = counts.get(record.kind, -1) + 1
            members |= _record_members(record, at)
        for size, token in self.times.items():
            members[f"times/{size}.tst"] = token
        for size, proof in self.anchors.items():
            members[f"chain/{size}.json"] = canonical(proof.to_json())
        if self.policy is not None:
            members["policy.json"] = canonical(self.policy)
        if self.credential is not None:
            members["credential.json"] = canonical(self.credential)
        return members

    @classmethod
    def from_bytes(cls, data: bytes) -> Bundle:
        """Read a `.colophon` file; nothing in it is believed yet.

        Raises:
            EvidenceError: not a bundle, over a limit, or a malformed member; the
                member and field are named.
        """
        members = archive.unpack(KIND, data)
        try:
            return _parse(members)
        except InputError as error:
            raise EvidenceError(f"bundle: {error}") from error


def _record_members(record: Record, at: int) -> dict[str, bytes]:
    body: Json = {"envelope": record.envelope.to_json()}
    if record.salt is not None:
        body["salt"] = record.salt.hex()
    name = f"{record.kind}/{at:03}"
    members = {f"records/{name}.json": canonical(body)}
    for proof in record.proofs:
        member = f"proofs/{name}.{proof.checkpoint.size}.tlog-proof"
        if member in members:
            raise InputError("has two proofs in checkpoints of one size", member)
        members[member] = proof.to_text().encode()
    return members


def _parse(members: Mapping[str, bytes]) -> Bundle:
    """Sort the members by name and read each one."""
    records: dict[tuple[str, str], Record] = {}
    proofs: dict[tuple[str, str], list[tuple[int, LogProof]]] = {}
    times: dict[int, bytes] = {}
    anchors: dict[int, ChainProof] = {}
    single: dict[str, Json] = {}
    for name, data in sorted(members.items()):
        if match := _RECORD.fullmatch(name):
            records[match[1], match[2]] = _parse_record(match[1], data, name)
        elif match := _PROOF.fullmatch(name):
            proof = _parse_proof(data, int(match[3]), name)
            proofs.setdefault((match[1], match[2]), []).append((int(match[3]), proof))
        elif match := _TIME.fullmatch(name):
            times[int(match[1])] = _parse_token(data, name)
        elif match := _CHAIN.fullmatch(name):
            anchors[int(match[1])] = ChainProof.from_json(_json(data, name), name)
        elif name in {"asset.json", "policy.json", "credential.json"}:
            single[name] = _object(data, name)
        else:
            raise InputError("is not a member of a bundle", name)
    _check_records(records, proofs)
    whole = tuple(
        Record(one.kind, one.envelope, one.salt, _sorted(proofs.get(key, [])))
        for key, one in sorted(records.items())
    )
    return Bundle(
        asset=single.get("asset.json", {}),
        records=whole,
        times=times,
        anchors=anchors,
        policy=single.get("policy.json"),
        credential=single.get("credential.json"),
    )


def _check_records(
    records: Mapping[tuple[str, str], Record], proofs: Mapping[tuple[str, str], Any]
) -> None:
    if len(records) > MAX_RECORDS:
        raise InputError(f"has more than {MAX_RECORDS} records", "records")
    for kind, number in proofs:
        if (kind, number) not in records:
            raise InputError("has no record", f"proofs/{kind}/{number}")


def _parse_record(kind: str, data: bytes, name: str) -> Record:
    if kind not in KINDS:
        raise InputError("is of no known kind", name)
    outer = Fields(_json(data, name), name)
    salt = outer.hexadecimal("salt") if outer.has("salt") else None
    try:
        envelope = Envelope.from_json(outer.raw("envelope"))
    except InputError as error:
        where = f"{outer.at('envelope')}/{error.field}"
        raise InputError(error.message, where) from error
    outer.close()
    return Record(kind, envelope, salt)


def _parse_proof(data: bytes, size: int, name: str) -> LogProof:
    try:
        proof = LogProof.from_text(data.decode())
        found = proof.checkpoint.size
    except (InputError, UnicodeDecodeError) as error:
        raise InputError(str(error), name) from error
    if found != size:
        raise InputError(f"is for size {found}", name)
    return proof


def _parse_token(data: bytes, name: str) -> bytes:
    if len(data) > MAX_TOKEN_BYTES:
        raise InputError(f"is over {MAX_TOKEN_BYTES} bytes", name)
    return data


def _sorted(found: list[tuple[int, LogProof]]) -> tuple[LogProof, ...]:
    return tuple(proof for _, proof in sorted(found, key=lambda pair: pair[0]))


def _json(data: bytes, name: str) -> Any:
    try:
        return load_json(data, max_bytes=archive.MAX_MEMBER_BYTES)
    except InputError as error:
        raise InputError(error.message, name) from error


def _object(data: bytes, name: str) -> Json:
    value = _json(data, name)
    if not isinstance(value, dict):
        raise InputError("is not an object", name)
    return value
