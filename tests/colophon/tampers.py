"""Ways to cheat: each changes one thing of a good case and names what must notice.

A tamper gets a `Case` and gives a changed one; beside it stand the number of the
check that must not pass, its code and the answer about the file.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from colophon import records
from colophon.checks import Code
from colophon.digest import canonical, sha256
from colophon.evidence import Bundle, Record
from colophon.fields import format_time
from colophon.filematch import CredentialFacts, FileDigests
from colophon.note import NoteKey, sign_note
from colophon.policy import POLICY
from colophon.report import Outcome
from colophon.statement import Envelope, read_statement, sign
from colophon.tlogproof import LogProof
from colophon.trust import Trust, TrustedKey
from tests.colophon.bundles import (
    ASSET,
    FILE,
    ORIGIN,
    an_id,
    at,
    chain_proof,
    digest,
    key,
    sort_records,
)


@dataclass(frozen=True)
class Case:
    """Everything that a verification reads."""

    bundle: Bundle
    file: FileDigests
    credential: CredentialFacts
    trust: Trust


Tamper = Callable[[Case], Case]
Line = tuple[str, Tamper, int, Code, Outcome]


def _records(case: Case, found: tuple[Record, ...]) -> Case:
    return replace(case, bundle=replace(case.bundle, records=sort_records(found)))


def change(kind: str, edit: Callable[[Record], Record], number: int = 0) -> Tamper:
    """Change one record of a kind."""

    def tamper(case: Case) -> Case:
        mine = case.bundle.of(kind)
        target = mine[number]
        return _records(
            case,
            tuple(edit(r) if r is target else r for r in case.bundle.records),
        )

    return tamper


def drop(kind: str, number: int | None = None) -> Tamper:
    """Leave one record of a kind out, or all of them."""

    def tamper(case: Case) -> Case:
        gone = case.bundle.of(kind)
        gone = gone if number is None else (gone[number],)
        kept = tuple(r for r in case.bundle.records if not any(r is g for g in gone))
        return _records(case, kept)

    return tamper


def rewritten(**changes: Any) -> Callable[[Record], Record]:
    """The predicate changed, the signature kept."""

    def edit(record: Record) -> Record:
        said = json.loads(record.envelope.payload)
        said["predicate"].update(changes)
        old = record.envelope
        new = Envelope(old.payload_type, canonical(said), old.signatures)
        return replace(record, envelope=new)

    return edit


def resigned(name: str, **changes: Any) -> Callable[[Record], Record]:
    """The predicate changed, and signed anew with another key."""

    def edit(record: Record) -> Record:
        said = json.loads(record.envelope.payload)
        said["predicate"].update(changes)
        return replace(record, envelope=sign(said, key(name)))

    return edit


def proof(**changes: Any) -> Callable[[Record], Record]:
    """One inclusion proof changed."""

    def edit(record: Record) -> Record:
        return replace(record, proofs=(replace(record.proofs[0], **changes),))

    return edit


def _flipped_path(record: Record) -> Record:
    path = list(record.proofs[0].hashes)
    path[0] = bytes(32)
    return proof(hashes=tuple(path))(record)


def _foreign_note(record: Record) -> Record:
    text = record.proofs[0].checkpoint.to_body()
    return proof(checkpoint_note=sign_note(text, ORIGIN, key("thief")))(record)


def _forged_note(record: Record) -> Record:
    """The log's signature line kept under another root."""
    note = record.proofs[0].checkpoint_note
    lines = note.split("\n")
    lines[2] = base64.b64encode(bytes(32)).decode()
    return proof(checkpoint_note="\n".join(lines))(record)


def _split_view(case: Case) -> Case:
    """A second head of the same size that the log signed as well."""
    record = case.bundle.of("standing")[0]
    size = record.proofs[0].checkpoint.size
    leaf = record.leaf
    from colophon.merkle import Tree

    tree = Tree([sha256(b"other")] * (size - 1) + [leaf])
    head = replace(record.proofs[0].checkpoint, root=tree.root())
    note = sign_note(head.to_body(), ORIGIN, key("log"))
    path = tuple(tree.inclusion_proof(size - 1, size))
    forked = replace(record, proofs=(LogProof(size - 1, path, note),))
    return _records(
        case, tuple(forked if r is record else r for r in case.bundle.records)
    )


def _swapped_salts(case: Case) -> Case:
    return change("seal", lambda r: replace(r, salt=bytes(32)))(case)


def _times(edit: Callable[[dict[int, bytes]], dict[int, bytes]]) -> Tamper:
    def tamper(case: Case) -> Case:
        times = edit(dict(case.bundle.times))
        return replace(case, bundle=replace(case.bundle, times=times))

    return tamper


def _swap_tokens(times: dict[int, bytes]) -> dict[int, bytes]:
    return dict(zip(times, reversed(times.values()), strict=True))


def _break_tokens(times: dict[int, bytes]) -> dict[int, bytes]:
    return {size: token[:-1] + bytes([token[-1] ^ 1]) for size, token in times.items()}


def _anchor(**changes: Any) -> Tamper:
    def tamper(case: Case) -> Case:
        anchors = {s: replace(p, **changes) for s, p in case.bundle.anchors.items()}
        return replace(case, bundle=replace(case.bundle, anchors=anchors))

    return tamper


def _anchor_of_other_root(case: Case) -> Case:
    size = next(iter(case.bundle.anchors))
    other = {size: chain_proof(size, bytes(32), at(13))}
    return replace(case, bundle=replace(case.bundle, anchors=other))


def _older_block(case: Case) -> Case:
    """A made-up block of years ago that anchors the right root."""
    size = next(iter(case.bundle.anchors))
    record = next(r for r in case.bundle.of("seal"))
    root = record.proofs[0].checkpoint.root
    other = {size: chain_proof(size, root, at(-1_000_000))}
    return replace(case, bundle=replace(case.bundle, anchors=other))


def _broken_node(case: Case) -> Case:
    nodes = next(iter(case.bundle.anchors.values())).nodes
    bad = (nodes[0][:-1] + bytes([nodes[0][-1] ^ 1]), *nodes[1:])
    return _anchor(nodes=bad)(case)


def _second_seal(case: Case) -> Case:
    seal = case.bundle.of("seal")[0]
    return _records(case, (*case.bundle.records, seal))


def _added_step(case: Case) -> Case:
    extra = resigned("ada-laptop", note="one more")(case.bundle.of("step")[2])
    return _records(case, (*case.bundle.records, extra))


def _other_policy(case: Case) -> Case:
    data = json.loads(canonical(POLICY.data))
    data["thresholds"]["bracket_seconds"] = 2**40
    return replace(case, bundle=replace(case.bundle, policy=data))


def _verdict(**changes: Any) -> Tamper:
    return change("verdict", resigned("verdict", **changes))


def _verdict_of_other_file(case: Case) -> Case:
    record = case.bundle.of("verdict")[0]
    said = read_statement(record.envelope.payload)
    said["subject"] = [{"name": ASSET, "digest": {"sha256": digest("x").hex()}}]
    other = replace(record, envelope=sign(said, key("verdict")))
    return _records(
        case, tuple(other if r is record else r for r in case.bundle.records)
    )


def _verdict_levels(record: Record) -> Record:
    said = json.loads(record.envelope.payload)
    said["predicate"]["verifiedLevels"][0] = "COLOPHON_E4"
    old = record.envelope
    new = Envelope(old.payload_type, canonical(said), old.signatures)
    return replace(record, envelope=new)


def _suspend(name: str) -> Tamper:
    def tamper(case: Case) -> Case:
        said = records.standing(
            asset=ASSET,
            file=FILE.sha256,
            before="active",
            after="suspended",
            reason="upheld",
            at=at(30),
        )
        one = Record("standing", sign(said, key(name)), bytes(32))
        return _records(case, (*case.bundle.records, one))

    return tamper


def _trust(**changes: Any) -> Tamper:
    return lambda case: replace(case, trust=replace(case.trust, **changes))


def _credential(**changes: Any) -> Tamper:
    return lambda case: replace(case, credential=replace(case.credential, **changes))


def _parts(*ppm: int) -> list[dict[str, Any]]:
    roles = ("platform", "creator")
    return [
        {"holder": an_id("hld", at_), "role": role, "ppm": share}
        for at_, (role, share) in enumerate(zip(roles, ppm, strict=True))
    ]


THIEF = TrustedKey.of(key("thief").public_spki)
OTHER_LOG = NoteKey.of_signer(ORIGIN, key("thief"))
OK, BAD, WHO = Outcome.GENUINE, Outcome.ALTERED, Outcome.OTHER_SIGNER
_MIX, _STRANGER, _GONE = Code.MISMATCH, Code.UNKNOWN_SIGNER, Code.MISSING
_HASH = "assertion.dataHash.mismatch"

# (name, tamper, check that must not pass, code, answer about the file)
TAMPERS: list[Line] = [
    (
        "another file under the same evidence",
        lambda c: replace(c, file=FileDigests(digest("other"))),
        1,
        _MIX,
        BAD,
    ),
    (
        "the content changed under the credential",
        _credential(state="invalid", clean=False, failures=(_HASH,)),
        2,
        _MIX,
        BAD,
    ),
    (
        "a broken history inside the credential",
        _credential(clean=False, failures=("claimSignature.mismatch",)),
        2,
        _MIX,
        BAD,
    ),
    (
        "another credential put into the file",
        _credential(signature=digest("x").hex()),
        2,
        _MIX,
        BAD,
    ),
    (
        "a credential bound to other content",
        _credential(binding=("sha256", digest("x").hex())),
        2,
        _MIX,
        BAD,
    ),
    (
        "a credential that names other steps",
        _credential(steps=("00" * 32,)),
        2,
        _MIX,
        BAD,
    ),
    (
        "the sealed bytes said to hold no credential",
        lambda c: replace(c, credential=CredentialFacts("none")),
        2,
        _MIX,
        BAD,
    ),
    ("a signer that is on no list", _credential(state="valid"), 3, _STRANGER, WHO),
    (
        "the seal's title changed",
        change("seal", rewritten(declared={"title": "Mine"})),
        4,
        _MIX,
        BAD,
    ),
    (
        "the seal signed anew by a thief",
        change("seal", resigned("thief")),
        4,
        _STRANGER,
        BAD,
    ),
    ("the seal left out", drop("seal"), 4, _MIX, BAD),
    ("two seals", _second_seal, 4, _MIX, BAD),
    (
        "another platform in the trust file",
        _trust(platform_keys=(THIEF,)),
        4,
        _STRANGER,
        WHO,
    ),
    ("the AI step left out", drop("step", 0), 5, _MIX, BAD),
    (
        "a step's action changed",
        change("step", rewritten(action="c2pa.filtered"), 1),
        5,
        _MIX,
        BAD,
    ),
    ("a step added", _added_step, 5, _MIX, BAD),
    ("the enrollments left out", drop("enrollment"), 5, _GONE, BAD),
    ("the ticket left out", drop("ticket"), 6, _GONE, BAD),
    (
        "the ticket dated otherwise",
        change("ticket", rewritten(issued_at=format_time(at(4)))),
        6,
        _MIX,
        BAD,
    ),
    ("a ticket by a thief", change("ticket", resigned("thief")), 6, _STRANGER, BAD),
    ("another salt", _swapped_salts, 7, _MIX, BAD),
    ("a hash of the audit path changed", change("seal", _flipped_path), 7, _MIX, BAD),
    ("another index in the proof", change("seal", proof(index=3)), 7, _MIX, BAD),
    ("a head with another root", change("seal", _forged_note), 8, _MIX, BAD),
    ("a head signed by a thief", change("seal", _foreign_note), 8, _STRANGER, WHO),
    ("two heads of one size", _split_view, 8, _MIX, BAD),
    (
        "another log in the trust file",
        _trust(log_keys=(OTHER_LOG,)),
        8,
        _STRANGER,
        WHO,
    ),
    ("the tokens of two heads swapped", _times(_swap_tokens), 9, _MIX, BAD),
    ("a bit of each token changed", _times(_break_tokens), 9, _MIX, BAD),
    ("the tokens left out", _times(lambda _: {}), 9, _GONE, BAD),
    ("a node of the receipt's trie changed", _broken_node, 10, _MIX, BAD),
    ("another root anchored", _anchor_of_other_root, 10, _MIX, BAD),
    ("another place in the block", _anchor(tx_index=0), 10, _MIX, BAD),
    ("a block made up for an earlier date", _older_block, 10, Code.UNCONFIRMED, BAD),
    ("another chain", _anchor(chain_id=1), 10, _STRANGER, WHO),
    ("another contract", _anchor(ledger="0x" + "11" * 20), 10, _STRANGER, WHO),
    (
        "the shares changed",
        change("agreement", rewritten(parts=_parts(100_000, 900_000))),
        11,
        _MIX,
        BAD,
    ),
    (
        "shares that are not 100 %",
        change("agreement", resigned("ada", parts=_parts(100_000, 900_001))),
        11,
        _MIX,
        BAD,
    ),
    (
        "an agreement by a stranger",
        change("agreement", resigned("thief")),
        11,
        _GONE,
        BAD,
    ),
    ("an acceptance left out", drop("acceptance", 1), 11, _GONE, BAD),
    (
        "an acceptance by somebody else",
        change("acceptance", resigned("eve"), 1),
        11,
        _GONE,
        BAD,
    ),
    (
        "an acceptance changed",
        change("acceptance", rewritten(accepted_at=format_time(at(11))), 1),
        11,
        _MIX,
        BAD,
    ),
    ("the verdict's levels raised", change("verdict", _verdict_levels), 12, _MIX, BAD),
    (
        "a verdict by a thief",
        change("verdict", resigned("thief")),
        12,
        _STRANGER,
        WHO,
    ),
    (
        "a verdict that says more than the evidence",
        _verdict(verifiedLevels=["COLOPHON_E4"]),
        12,
        _MIX,
        BAD,
    ),
    (
        "a verdict that runs out later",
        _verdict(**{"https://colophon.example/expires_at": format_time(at(99_999))}),
        12,
        _MIX,
        BAD,
    ),
    ("the verdict of another work", _verdict_of_other_file, 12, _MIX, BAD),
    (
        "a verdict under another policy",
        _verdict(policy={"uri": "x", "digest": {"sha256": digest("x").hex()}}),
        12,
        _STRANGER,
        WHO,
    ),
    ("another policy in the evidence", _other_policy, 0, Code.NONE, OK),
    ("no policy accepted", _trust(policies=()), 12, _STRANGER, WHO),
    ("the verdict left out", drop("verdict"), 12, _GONE, OK),
    ("the work suspended since", _suspend("platform"), 13, Code.OBJECTION, OK),
    ("the standing left out", drop("standing"), 12, _MIX, BAD),
    ("the examination left out", drop("examination"), 12, _MIX, BAD),
    ("the registered model left out", drop("source"), 12, _MIX, BAD),
]
