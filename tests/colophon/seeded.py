"""Seeded ways to cheat: each class changes one thing at a place that chance chooses.

`tampers.py` has the tampers that were thought of, each with the answer it must get;
these look for what nobody thought of. Where a record or a head was changed, every odd
seed signs it anew with the key of somebody else who is enrolled.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from colophon.checks import Code
from colophon.digest import canonical
from colophon.evidence import ChainProof, Record
from colophon.filematch import CredentialFacts, FileDigests
from colophon.keys import Ed25519Key
from colophon.note import NoteKey, sign_note
from colophon.statement import PAYLOAD_TYPE, Envelope, Signature, pae
from colophon.trust import TrustedKey
from tests.colophon.bundles import ORIGIN, key
from tests.colophon.tampers import Case, change

ENROLLED = ("platform", "ada", "ada-laptop", "mia")
STEPPED = ("step", "seal", "source", "enrollment", "examination", "standing")


@dataclass(frozen=True)
class Cheat:
    """A changed case, what was changed, and the checks of which one must notice."""

    case: Case
    words: str
    checks: tuple[int, ...]


Maker = Callable[[Case, Random, bool], Cheat]


# --------------------------------------------------------------- what chance does


def flipped(data: bytes, rng: Random, first: int = 0) -> bytes:
    """One bit of some bytes turned, at or after a place."""
    at = rng.randrange(first, len(data))
    changed = data[at] ^ (1 << rng.randrange(8))
    return data[:at] + bytes([changed]) + data[at + 1 :]


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every plain value inside."""
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, list):
        pairs = list(enumerate(value))
    else:
        return [path]
    return [leaf for name, inner in pairs for leaf in _leaves(inner, (*path, name))]


def _other(value: Any, rng: Random) -> Any:
    """Another plain value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + rng.choice((-1, 1, 1_000))
    if isinstance(value, str) and value:
        at = rng.randrange(len(value))
        letter = rng.choice([one for one in "0123456789abcdef" if one != value[at]])
        return value[:at] + letter + value[at + 1 :]
    return "something"


def edited(said: dict[str, Any], rng: Random) -> tuple[dict[str, Any], str]:
    """A statement with one value changed or gone, and which."""
    made = json.loads(canonical(said))
    path = rng.choice([leaf for leaf in _leaves(made) if leaf[0] != "_type"])
    holder = made
    for name in path[:-1]:
        holder = holder[name]
    words = "/".join(map(str, path))
    if isinstance(holder, dict) and rng.random() < 0.2:
        del holder[path[-1]]
        return made, f"{words} left out"
    holder[path[-1]] = _other(holder[path[-1]], rng)
    return made, f"{words} changed"


def _somebody_else(record: Record, rng: Random) -> str:
    """The name of an enrolled key that did not sign a record."""
    signers = {one.keyid for one in record.envelope.signatures}
    return rng.choice([name for name in ENROLLED if key(name).key_id not in signers])


def _signed(said: dict[str, Any], signer: Ed25519Key) -> Envelope:
    """What `statement.sign` would refuse to sign is signed here, too."""
    payload = canonical(said)
    mark = signer.sign(pae(PAYLOAD_TYPE, payload))
    return Envelope(PAYLOAD_TYPE, payload, (Signature(signer.key_id, mark),))


def _envelope_of(kinds: tuple[str, ...], checks: tuple[int, ...]) -> Maker:
    """One value of one record of some kinds."""

    def make(case: Case, rng: Random, resign: bool) -> Cheat:
        kind = rng.choice(kinds)
        number = rng.randrange(len(case.bundle.of(kind)))
        record = case.bundle.of(kind)[number]
        said, words = edited(json.loads(record.envelope.payload), rng)
        old = record.envelope
        if resign:
            name = _somebody_else(record, rng)
            new, words = _signed(said, key(name)), f"{words}, signed by {name}"
        else:
            new = Envelope(old.payload_type, canonical(said), old.signatures)
        tamper = change(kind, lambda one: replace(one, envelope=new), number)
        return Cheat(tamper(case), f"{kind} {number}: {words}", checks)

    return make


# -------------------------------------------------------------------------- the classes


def _file(case: Case, rng: Random, resign: bool) -> Cheat:
    other = FileDigests(flipped(case.file.sha256, rng), rng.randbytes(32))
    return Cheat(replace(case, file=other), "other bytes and pixels", (1,))


def _credential(case: Case, rng: Random, resign: bool) -> Cheat:
    seen = case.credential
    alg, bound = seen.binding
    other = flipped(bytes.fromhex(seen.signature), rng).hex()
    found: dict[str, CredentialFacts] = {
        "another claim signature": replace(seen, signature=other),
        "bound to other content": replace(
            seen, binding=(alg, flipped(bytes.fromhex(bound), rng).hex())
        ),
        "other steps named": replace(seen, steps=(rng.randbytes(32).hex(),)),
        "taken out": CredentialFacts("none"),
    }
    if resign:  # by a signer that the trust list does not have
        found = {
            "signed by somebody else": replace(seen, state="valid", signature=other)
        }
    words = rng.choice(sorted(found))
    return Cheat(replace(case, credential=found[words]), words, (2, 3))


def _proof(case: Case, rng: Random, resign: bool) -> Cheat:
    kind = rng.choice(("seal", "step", "ticket", "agreement", "standing"))
    record = case.bundle.of(kind)[0]
    proof = record.proofs[0]
    at = rng.randrange(len(proof.hashes))
    path = list(proof.hashes)
    path[at] = flipped(path[at], rng)
    shorter = proof.hashes[:at] + proof.hashes[at + 1 :]
    salt = flipped(record.salt or bytes(32), rng)
    other_index = proof.index ^ 1
    found: dict[str, Record] = {
        "a hash of the path": replace(
            record, proofs=(replace(proof, hashes=tuple(path)),)
        ),
        "a hash left out": replace(record, proofs=(replace(proof, hashes=shorter),)),
        "another index": replace(record, proofs=(replace(proof, index=other_index),)),
        "another salt": replace(record, salt=salt),
    }
    if kind != "standing":  # that one rests on the platform's word alone
        found["no proof"] = replace(record, proofs=())
    words = rng.choice(sorted(found))
    tamper = change(kind, lambda _: found[words])
    return Cheat(tamper(case), f"{kind}: {words}", (4, 6, 7, 8, 11, 12, 13))


def _checkpoint(case: Case, rng: Random, resign: bool) -> Cheat:
    kind = rng.choice(("seal", "step", "ticket", "agreement"))
    record = case.bundle.of(kind)[0]
    proof = record.proofs[0]
    lines = proof.checkpoint_note.split("\n")
    size, root = int(lines[1]), base64.b64decode(lines[2])
    changes = {
        "another size": (1, str(size + rng.choice((-1, 1, 7)))),
        "another root": (2, base64.b64encode(flipped(root, rng)).decode()),
        "another log": (0, ORIGIN + "x"),
    }
    words = rng.choice(sorted(changes))
    place, text = changes[words]
    lines[place] = text
    note = "\n".join(lines)
    if resign:
        name = rng.choice(ENROLLED)
        body = "\n".join(lines[:3]) + "\n"
        note, words = sign_note(body, ORIGIN, key(name)), f"{words}, signed by {name}"
    tamper = change(
        kind,
        lambda one: replace(one, proofs=(replace(proof, checkpoint_note=note),)),
    )
    return Cheat(tamper(case), f"{kind}: {words}", (4, 6, 7, 8, 11))


def _token(case: Case, rng: Random, resign: bool) -> Cheat:
    times = dict(case.bundle.times)
    sizes = sorted(times)
    whole = rng.choice(sizes)
    found = {
        # the signature stands last; what is before it may be outside of what is signed
        "a bit of the signature": {
            size: flipped(token, rng, len(token) - 48) for size, token in times.items()
        },
        "cut off": {size: token[:-1] for size, token in times.items()},
        "of another head": dict.fromkeys(sizes, times[whole]),
        "swapped": dict(zip(sizes, [times[s] for s in reversed(sizes)], strict=True)),
        "no token at all": {size: rng.randbytes(200) for size in sizes},
    }
    words = rng.choice(sorted(found))
    bundle = replace(case.bundle, times=found[words])
    return Cheat(replace(case, bundle=bundle), words, (9,))


def _receipt(case: Case, rng: Random, resign: bool) -> Cheat:
    (size, proof) = next(iter(case.bundle.anchors.items()))
    at = rng.randrange(len(proof.nodes))
    nodes = list(proof.nodes)
    nodes[at] = flipped(nodes[at], rng)
    wallet = "0x" + flipped(bytes.fromhex(proof.ledger[2:]), rng).hex()
    found: dict[str, ChainProof] = {
        "a node": replace(proof, nodes=tuple(nodes)),
        "the header": replace(proof, header=flipped(proof.header, rng)),
        "a node left out": replace(proof, nodes=tuple(nodes[:at] + nodes[at + 1 :])),
        "another place": replace(
            proof, tx_index=proof.tx_index + rng.choice((-1, 1, 9))
        ),
        "another chain": replace(proof, chain_id=proof.chain_id + rng.choice((-1, 1))),
        "another contract": replace(proof, ledger=wallet),
    }
    words = rng.choice(sorted(found))
    bundle = replace(case.bundle, anchors={size: found[words]})
    return Cheat(replace(case, bundle=bundle), words, (10,))


def _trust(case: Case, rng: Random, resign: bool) -> Cheat:
    somebody = key(f"stranger {rng.random()}")
    stranger = TrustedKey.of(somebody.public_spki)
    logger = NoteKey.of_signer(ORIGIN, somebody)
    found: dict[str, dict[str, Any]] = {
        "another platform": {"platform_keys": (stranger,)},
        "another log": {"log_keys": (logger,)},
        "another judge": {"verdict_keys": (stranger,)},
        "another policy": {"policies": (rng.randbytes(32),)},
        "no time-stamping authority": {"tsa_roots": ()},
        "no chain": {"chains": ()},
    }
    words = rng.choice(sorted(found))
    trust = replace(case.trust, **found[words])
    return Cheat(replace(case, trust=trust), words, (4, 8, 9, 10, 12))


CLASSES: dict[str, Maker] = {
    "file": _file,
    "credential": _credential,
    "envelope": _envelope_of(STEPPED, (4, 5, 7, 11, 12, 13)),
    "ticket": _envelope_of(("ticket",), (6, 7)),
    "proof": _proof,
    "checkpoint": _checkpoint,
    "token": _token,
    "receipt": _receipt,
    "verdict": _envelope_of(("verdict",), (12,)),
    "agreement": _envelope_of(("agreement", "acceptance"), (7, 11)),
    "trust": _trust,
}
# Nothing about the file, but nobody known vouches for it any more.
UNVOUCHED = frozenset({Code.MISSING, Code.UNCONFIRMED, Code.UNKNOWN_SIGNER})
