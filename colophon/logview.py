"""Where records stand in the log, and which clocks date that: checks 7 to 10.

A place is believed only under a checkpoint that a trusted log key signed. A clock is
believed for exactly the checkpoint it covers: by an RFC 3161 token over the
checkpoint's text, or by the chain's anchor of its size and root.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from colophon import receipt, timestamp
from colophon.checks import Checklist, Code
from colophon.digest import canonical, sha256
from colophon.errors import ColophonError, InputError, ProofError, SignatureError
from colophon.evidence import Bundle, ChainProof, Record
from colophon.facts import Anchor
from colophon.finality import Finality, State, finality
from colophon.note import Checkpoint, NoteKey, open_note, split_note
from colophon.tlogproof import LogProof
from colophon.trust import Chain, Trust


@dataclass(frozen=True)
class Place:
    """A record's proven index, and the checkpoints that cover it by size."""

    index: int
    sizes: tuple[int, ...]


@dataclass
class LogView:
    """The log as far as a bundle proves it."""

    bundle: Bundle
    trust: Trust
    vouched: frozenset[bytes] | None = frozenset()
    as_of: datetime | None = None
    places: dict[bytes, Place] = field(default_factory=dict)
    notes: dict[int, str] = field(default_factory=dict)
    stamps: dict[int, datetime] = field(default_factory=dict)
    anchors: dict[int, Anchor] = field(default_factory=dict)
    cosigned: dict[int, dict[NoteKey, datetime]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        bundle: Bundle,
        trust: Trust,
        vouched: frozenset[bytes] | None,
        checks: Checklist,
        *,
        as_of: datetime | None = None,
    ) -> LogView:
        """Check every proof and clock of a bundle.

        Args:
            bundle: unverified content.
            trust: log, witness, chain and time-stamp trust.
            vouched: digests of chain proofs that a trusted verdict vouches for (that
                the block is final); None: all, for the platform itself.
            checks: takes results 7 to 10.
            as_of: cosignatures that are dated later do not count; None counts none.
        """
        view = cls(bundle, trust, vouched, as_of)
        view._check_proofs(checks)
        view._check_times(checks)
        view._check_anchors(checks)
        view._check_heads(checks)
        return view

    def place(self, record: Record) -> Place | None:
        """The proven place of a record."""
        return self.places.get(record.envelope.digest)

    def index(self, record: Record) -> int | None:
        """The proven index of a record."""
        place = self.place(record)
        return None if place is None else place.index

    def proven_at(self, place: Place | None) -> datetime | None:
        """The earliest moment at which a clock shows that a place existed."""
        if place is None:
            return None
        stamps = [self.stamps[size] for size in place.sizes if size in self.stamps]
        blocks = [
            self.anchors[size].block_at
            for size in place.sizes
            if size in self.anchors and self.anchors[size].final
        ]
        return min(stamps + blocks, default=None)

    def stamp_of(self, place: Place | None) -> datetime | None:
        """The earliest RFC 3161 time over a checkpoint that covers a place."""
        sizes = () if place is None else place.sizes
        return min((self.stamps[s] for s in sizes if s in self.stamps), default=None)

    def anchor_of(self, place: Place | None) -> Anchor | None:
        """The earliest anchor of a checkpoint that covers a place."""
        sizes = () if place is None else place.sizes
        found = [self.anchors[size] for size in sizes if size in self.anchors]
        return min(found, key=lambda one: (not one.final, one.block_at), default=None)

    def is_witnessed(self, place: Place | None, names: Iterable[str]) -> bool:
        """Whether a quorum of the named witnesses cosigned one head over a place."""
        wanted, quorum = set(names), self.trust.quorum
        if place is None or not quorum:
            return False
        return any(
            sum(key.name in wanted for key in self.cosigned.get(size, {})) >= quorum
            and self.finality(size).state is not State.DISAGREES
            for size in place.sizes
        )

    def finality(self, size: int) -> Finality:
        """Whether witness, time-stamp and chain agree about a head."""
        anchor = self.anchors.get(size)
        return finality(
            cosigned=list(self.cosigned.get(size, {}).values()),
            quorum=self.trust.quorum,
            stamped=self.stamps.get(size),
            mined=anchor.block_at if anchor is not None and anchor.final else None,
        )

    def _check_proofs(self, checks: Checklist) -> None:
        """Checks 7 and 8: inclusion, and the signature under the head."""
        unproven, total = 0, 0
        for record in self.bundle.records:
            total += 1
            found = [self._check_proof(record, one, checks) for one in record.proofs]
            held = [one for one in found if one is not None]
            if held:
                sizes = tuple(sorted({size for one in held for size in one.sizes}))
                place = Place(held[0].index, sizes)
                if any(one.index != place.index for one in held):
                    checks.failed(7, f"Two proofs place one {record.kind} differently.")
                    continue
                self.places[record.envelope.digest] = place
            elif not record.proofs:
                unproven += 1
        if not total or unproven == total:
            checks.skipped(7, "The evidence holds no proof from the log.")
            checks.skipped(8, "The evidence holds no head of the log.")
            return
        note = f"{unproven} have no proof yet" if unproven else ""
        words = f"{total - unproven} records are in the log {self.trust.origin}."
        checks.passed(7, words, *filter(None, [note]))

    def _check_heads(self, checks: Checklist) -> None:
        """Check 8, the rest of it: what witnesses and clocks say about each head."""
        if not self.notes:
            return
        words = f"{len(self.notes)} heads of the log carry its signature."
        if not self.trust.witness_keys:
            checks.passed(8, words)
            return
        found = {size: self.finality(size) for size in sorted(self.notes)}
        detail = [
            f"size {size} {one.state}: {one.words}" for size, one in found.items()
        ]
        if any(one.state is State.DISAGREES for one in found.values()):
            odd = f"{words} The clocks over one of them disagree."
            checks.skipped(8, odd, Code.UNCONFIRMED, *detail)
        else:
            checks.passed(8, words, *detail)

    def _check_proof(
        self, record: Record, proof: LogProof, checks: Checklist
    ) -> Place | None:
        """One proof, under the one log key that signed its checkpoint."""
        size = proof.checkpoint.size
        try:
            key = _signer(proof.checkpoint_note, self.trust.log_keys)
        except (InputError, SignatureError) as error:
            checks.failed(8, f"A head of the log has a wrong signature: {error}.")
            return None
        if key is None:
            words = "A head of the log is signed by no log key that you trust."
            checks.failed(8, words, Code.UNKNOWN_SIGNER)
            return None
        try:
            opened = proof.check(record.leaf, key, self.trust.witness_keys)
        except SignatureError as error:
            checks.failed(8, f"A head of the log has a wrong signature: {error}.")
            return None
        except (ProofError, InputError) as error:
            checks.failed(7, f"A {record.kind} is not in the log: {error}.")
            return None
        body = self.notes.setdefault(size, opened.text)
        if body != opened.text:
            checks.failed(8, f"The log signed two different heads of size {size}.")
            return None
        cosigned = self.cosigned.setdefault(size, {})
        for one in opened.signatures:
            at = one.signed_at
            if at is not None and self.as_of is not None and at <= self.as_of:
                cosigned[one.key] = min(at, cosigned.get(one.key, at))
        return Place(proof.index, (size,))

    def _check_times(self, checks: Checklist) -> None:
        """Check 9: tokens over the exact text of a checkpoint."""
        roots = "\n".join(self.trust.tsa_roots).encode()
        for size, token in sorted(self.bundle.times.items()):
            body = self.notes.get(size)
            if body is None:
                continue  # nothing here rests on that head
            if not roots:
                words = "You trust no time-stamping authority."
                checks.skipped(9, words, Code.UNKNOWN_SIGNER)
                return
            try:
                moment = timestamp.check(token, sha256(body.encode()), roots)
            except ColophonError as error:
                checks.failed(9, f"A time-stamp does not hold: {error}.")
                continue
            self.stamps[size] = moment
        if self.stamps:
            first = min(self.stamps.values())
            checks.passed(9, f"A time-stamping authority dates it {_say(first)}.")
        else:
            checks.skipped(9, "The evidence holds no time-stamp.")

    def _check_anchors(self, checks: Checklist) -> None:
        """Check 10: a receipt under a block header names this size and root."""
        said: list[tuple[bool, str, tuple[str, ...]]] = []
        for size, proof in sorted(self.bundle.anchors.items()):
            body = self.notes.get(size)
            if body is None:
                continue  # nothing here rests on that head
            chain = self.trust.chain(proof.chain_id, proof.ledger)
            if chain is None:
                words = f"Chain {proof.chain_id} is not one that you trust."
                checks.failed(10, words, Code.UNKNOWN_SIGNER)
                continue
            try:
                header = _anchoring(Checkpoint.from_body(body), proof, chain)
            except (ProofError, InputError) as error:
                checks.failed(10, f"The chain's receipt does not hold: {error}.")
                continue
            vouched = self.vouched is None or piece_digest(proof) in self.vouched
            self.anchors[size] = Anchor(
                chain.chain_id, chain.public, header.mined_at, vouched
            )
            said.append((vouched, *_say_anchor(size, header, chain)))
        _note_anchors(checks, said)


def _anchoring(head: Checkpoint, proof: ChainProof, chain: Chain) -> receipt.Header:
    """The header of the block in which the ledger anchored a head.

    Raises:
        ProofError: the receipt is not in that block, or anchors something else.
        InputError: a part is malformed.
    """
    found = receipt.verify_receipt(proof.header, proof.nodes, proof.tx_index)
    if not found.succeeded:
        raise ProofError("the transaction failed")
    ledger = bytes.fromhex(chain.ledger[2:])
    if (head.size, head.root) not in receipt.anchored(found.logs, ledger):
        raise ProofError("the ledger anchored another head")
    return receipt.Header.from_rlp(proof.header)


def _say_anchor(
    size: int, header: receipt.Header, chain: Chain
) -> tuple[str, tuple[str, ...]]:
    kind = chain.name if chain.public else f"{chain.name} (test network)"
    words = f"The log's head is on {kind} in block {header.number}."
    block = f"size {size} in block 0x{header.hash.hex()}"
    return words, (block, f"block time {_say(header.mined_at)}")


def _note_anchors(
    checks: Checklist, said: list[tuple[bool, str, tuple[str, ...]]]
) -> None:
    """One line for all anchors; those that nobody known vouches for do not count."""
    vouched = [one for one in said if one[0]]
    if vouched:
        checks.passed(10, vouched[0][1], *[text for one in vouched for text in one[2]])
    elif said:
        words = "A receipt is there, but nobody you trust says that its block is on"
        detail = [text for one in said for text in one[2]]
        checks.skipped(10, f"{words} the chain.", Code.UNCONFIRMED, *detail)
    else:
        checks.skipped(10, "The evidence holds no anchor on a chain.")


def piece_digest(proof: ChainProof) -> bytes:
    """What a verdict names when it vouches for a chain proof."""
    return sha256(canonical(proof.to_json()))


def _signer(note: str, known: Iterable[NoteKey]) -> NoteKey | None:
    """The known log key that signed a note; None when only strangers did.

    Raises:
        SignatureError: a known key is named, but its signature is wrong.
        InputError: no note.
    """
    by_id: Mapping[tuple[str, bytes], NoteKey] = {(k.name, k.id): k for k in known}
    named = [by_id.get((name, id_)) for name, id_, _ in split_note(note)[1]]
    for key in named:
        if key is not None:
            open_note(note, [key])
            return key
    return None


def _say(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")
