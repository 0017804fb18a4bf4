"""The trust file: the only root of every answer (trust.json).

It names the log, its witnesses, the platform's and the verdict keys, the chains,
the certificate roots and the accepted policies. Without it the best answer is
"consistent, signer not known to you".
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from colophon import keys
from colophon.digest import canonical, from_hex, sha256
from colophon.errors import InputError, TrustError
from colophon.fields import Fields, load_json
from colophon.note import COSIGNATURE, ED25519, NoteKey

VERSION = 1
MAX_BYTES = 1024 * 1024
MAX_PEM = 32 * 1024
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)
_URL = re.compile(r"https?://[^\s/]+(?::\d+)?[^\s]*", re.ASCII)


@dataclass(frozen=True)
class TrustedKey:
    """A public key by its id (hex SHA-256 of the DER SubjectPublicKeyInfo)."""

    key_id: str
    spki: bytes

    @classmethod
    def of(cls, spki: bytes) -> TrustedKey:
        """The trusted form of a public key."""
        return cls(keys.key_id_of(spki), spki)


@dataclass(frozen=True)
class Chain:
    """A chain where checkpoints are anchored.

    Attributes:
        chain_id: EIP-155 number.
        ledger: address of ColophonLedger, 0x and 40 hex digits.
        code_hash: Keccak-256 of the ledger's code.
        public: False is shown as a test network.
        name: for people.
    """

    chain_id: int
    ledger: str
    code_hash: bytes
    public: bool
    name: str


@dataclass(frozen=True)
class Trust:
    """Everything that a verifier believes without proof.

    Attributes:
        quorum: how many witnesses must cosign a checkpoint to count.
        independent_witnesses: names of witnesses that somebody other than the log's
            operator runs; whoever pins the file vouches for that.
    """

    origin: str
    log_keys: tuple[NoteKey, ...]
    platform_keys: tuple[TrustedKey, ...]
    verdict_keys: tuple[TrustedKey, ...]
    chains: tuple[Chain, ...] = ()
    c2pa_roots: tuple[str, ...] = ()
    tsa_roots: tuple[str, ...] = ()
    policies: tuple[bytes, ...] = ()
    witness_keys: tuple[NoteKey, ...] = ()
    quorum: int = 0
    site: str = ""
    independent_witnesses: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, data: Any) -> Trust:
        """Read and check a trust file's content.

        Args:
            data: the JSON value, or its text or bytes.

        Raises:
            InputError: a field is missing, unknown or malformed; it is named.
        """
        if isinstance(data, str | bytes):
            data = load_json(data, max_bytes=MAX_BYTES)
        outer = Fields(data)
        outer.integer("v", VERSION, VERSION)
        trust = cls(
            origin=outer.text("origin"),
            site=_site(outer),
            log_keys=_note_keys(outer, "log_keys", required=True),
            witness_keys=_note_keys(outer, "witness_keys"),
            quorum=outer.integer("quorum") if outer.has("quorum") else 0,
            platform_keys=_keys(outer, "platform_keys"),
            verdict_keys=_keys(outer, "verdict_keys"),
            chains=_chains(outer),
            c2pa_roots=_roots(outer, "c2pa_roots"),
            tsa_roots=_roots(outer, "tsa_roots"),
            policies=_policies(outer),
            independent_witnesses=_independent(outer),
        )
        outer.close()
        _check_log_keys(trust)
        _check_witnesses(trust)
        return trust

    def to_json(self) -> dict[str, Any]:
        """The trust file's content."""
        # Left out where nobody set it, so that the digest of such a file stays.
        independent = list(self.independent_witnesses)
        return ({"independent_witnesses": independent} if independent else {}) | {
            "v": VERSION,
            "origin": self.origin,
            "site": self.site,
            "log_keys": [key.vkey for key in self.log_keys],
            "witness_keys": [key.vkey for key in self.witness_keys],
            "quorum": self.quorum,
            "platform_keys": [_key_json(key) for key in self.platform_keys],
            "verdict_keys": [_key_json(key) for key in self.verdict_keys],
            "chains": [_chain_json(chain) for chain in self.chains],
            "c2pa_roots": list(self.c2pa_roots),
            "tsa_roots": list(self.tsa_roots),
            "policies": [digest.hex() for digest in self.policies],
        }

    @property
    def digest(self) -> bytes:
        """SHA-256 of the canonical trust file: names it in reports."""
        return sha256(canonical(self.to_json()))

    def platform_key(self, key_id: str) -> TrustedKey | None:
        """The platform key of an id, when it is trusted."""
        return next((k for k in self.platform_keys if k.key_id == key_id), None)

    def verdict_key(self, key_id: str) -> TrustedKey | None:
        """The verdict key of an id, when it is trusted."""
        return next((k for k in self.verdict_keys if k.key_id == key_id), None)

    def chain(self, chain_id: int, ledger: str) -> Chain | None:
        """The chain with that id and ledger address, when it is trusted."""
        return next(
            (
                c
                for c in self.chains
                if c.chain_id == chain_id and c.ledger.lower() == ledger.lower()
            ),
            None,
        )

    def fingerprints(self) -> list[tuple[str, str]]:
        """What to compare by eye or by phone: (what, short text) pairs."""
        rows = [("trust file", _groups(self.digest)), ("log", self.origin)]
        rows += [("log key", _groups(sha256(k.public_key))) for k in self.log_keys]
        rows += [self._witness_print(key) for key in self.witness_keys]
        rows += [("platform key", _groups_hex(k.key_id)) for k in self.platform_keys]
        rows += [("verdict key", _groups_hex(k.key_id)) for k in self.verdict_keys]
        for chain in self.chains:
            kind = "public" if chain.public else "test network"
            rows.append(("chain", f"{chain.name} {chain.chain_id} ({kind})"))
            rows.append(("ledger", chain.ledger))
        rows += [("C2PA root", _pem_print(pem)) for pem in self.c2pa_roots]
        rows += [("time-stamp root", _pem_print(pem)) for pem in self.tsa_roots]
        rows += [("policy", _groups(digest)) for digest in self.policies]
        return rows

    def _witness_print(self, key: NoteKey) -> tuple[str, str]:
        alone = key.name in self.independent_witnesses
        return "independent" if alone else "witness", _groups(sha256(key.public_key))


def load(path: Path | str) -> Trust:
    """Read a trust file.

    Raises:
        TrustError: there is no such file, or it cannot be read.
        InputError: its content is malformed; the field is named.
    """
    try:
        with Path(path).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        why = error.strerror or "unreadable"
        raise TrustError(f"trust file {Path(path).name}: {why}") from error
    return Trust.from_json(data)


def save(trust: Trust, path: Path | str) -> None:
    """Write a trust file, indented for people."""
    text = json.dumps(trust.to_json(), indent=2, ensure_ascii=False)
    Path(path).write_text(text + "\n", encoding="utf-8")


def _site(outer: Fields) -> str:
    if not outer.has("site") or outer.raw("site") == "":
        return ""
    site = outer.text("site")
    if _URL.fullmatch(site) is None:
        raise InputError("is not an http or https address", "site")
    return site.rstrip("/")


def _note_keys(
    outer: Fields, key: str, *, required: bool = False
) -> tuple[NoteKey, ...]:
    items = outer.items(key) if required or outer.has(key) else []
    if required and not items:
        raise InputError("is empty, expected at least one", key)
    found = []
    for at, item in enumerate(items):
        if not isinstance(item, str):
            raise InputError("is not a verifier key name+id+key", f"{key}/{at}")
        try:
            found.append(NoteKey.from_vkey(item))
        except InputError as error:
            raise InputError(error.message, f"{key}/{at}") from error
    return tuple(found)


def _independent(outer: Fields) -> tuple[str, ...]:
    key = "independent_witnesses"
    items = outer.items(key) if outer.has(key) else []
    for at, item in enumerate(items):
        if not isinstance(item, str) or not item:
            raise InputError("is not the name of a witness", f"{key}/{at}")
    return tuple(items)


def _check_log_keys(trust: Trust) -> None:
    """Log keys sign notes (type 1), each once, under the log's own name."""
    for at, key in enumerate(trust.log_keys):
        if key.name != trust.origin:
            raise InputError(f"is not named {trust.origin}", f"log_keys/{at}")
        if key.kind != ED25519:
            raise InputError("is not a log's key (type 1)", f"log_keys/{at}")
        if key in trust.log_keys[:at]:
            raise InputError("is there twice", f"log_keys/{at}")


def _check_witnesses(trust: Trust) -> None:
    """Witnesses are different keys than the log's and than each other's.

    A cosignature does not say its signer's name, so one key under two names would
    count twice.
    """
    logs = {key.public_key for key in trust.log_keys}
    seen: set[bytes | str] = set()
    for at, key in enumerate(trust.witness_keys):
        place = f"witness_keys/{at}"
        if key.kind != COSIGNATURE:
            raise InputError("is not a key of cosignature/v1 (type 4)", place)
        if key.public_key in logs:
            raise InputError("is the log's own key", place)
        if key.public_key in seen or key.name in seen:
            raise InputError("is there twice, or its name is", place)
        seen |= {key.public_key, key.name}
    if trust.quorum > len(trust.witness_keys):
        raise InputError("is more than there are witness keys", "quorum")
    names = trust.independent_witnesses
    for at, name in enumerate(names):
        if name not in seen or name in names[:at]:
            place = f"independent_witnesses/{at}"
            raise InputError("names no witness, or is there twice", place)


def _keys(outer: Fields, key: str) -> tuple[TrustedKey, ...]:
    found = []
    for one in outer.objects(key):
        try:
            spki = base64.b64decode(one.text("spki", limit=2048), validate=True)
            keys.raw_public(spki)
        except (binascii.Error, ValueError, InputError) as error:
            raise InputError("is not a public key in base64", one.at("spki")) from error
        if one.hexadecimal("key_id").hex() != keys.key_id_of(spki):
            raise InputError("is not the id of the key", one.at("key_id"))
        one.close()
        found.append(TrustedKey.of(spki))
    return tuple(found)


def _chains(outer: Fields) -> tuple[Chain, ...]:
    found = []
    for one in outer.objects("chains"):
        ledger = one.text("ledger")
        if _ADDRESS.fullmatch(ledger) is None:
            raise InputError("is not an address 0x…", one.at("ledger"))
        public = one.raw("public")
        if not isinstance(public, bool):
            raise InputError("is not true or false", one.at("public"))
        name = one.text("name")
        code_hash = one.hexadecimal("code_hash")
        chain_id = one.integer("chain_id", 1)
        one.close()
        found.append(Chain(chain_id, ledger, code_hash, public, name))
    return tuple(found)


def _roots(outer: Fields, key: str) -> tuple[str, ...]:
    items = outer.items(key) if outer.has(key) else []
    for at, item in enumerate(items):
        if not isinstance(item, str) or len(item) > MAX_PEM:
            raise InputError("is not a PEM certificate", f"{key}/{at}")
        try:
            x509.load_pem_x509_certificates(item.encode())
        except ValueError as error:
            raise InputError("is not a PEM certificate", f"{key}/{at}") from error
    return tuple(items)


def _policies(outer: Fields) -> tuple[bytes, ...]:
    items = outer.items("policies") if outer.has("policies") else []
    return tuple(from_hex(item, 32, f"policies/{i}") for i, item in enumerate(items))


def _key_json(key: TrustedKey) -> dict[str, str]:
    return {"key_id": key.key_id, "spki": base64.b64encode(key.spki).decode()}


def _chain_json(chain: Chain) -> dict[str, Any]:
    return {
        "chain_id": chain.chain_id,
        "ledger": chain.ledger,
        "code_hash": chain.code_hash.hex(),
        "public": chain.public,
        "name": chain.name,
    }


def _groups(digest: bytes) -> str:
    return _groups_hex(digest.hex())


def _groups_hex(text: str) -> str:
    """The first 128 bits in groups of four digits, to be read aloud."""
    return " ".join(text[at : at + 4] for at in range(0, 32, 4))


def _pem_print(pem: str) -> str:
    certificate = x509.load_pem_x509_certificates(pem.encode())[0]
    name = certificate.subject.rfc4514_string()
    return f"{_groups(certificate.fingerprint(hashes.SHA256()))}  {name}"
