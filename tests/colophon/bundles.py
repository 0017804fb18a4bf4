"""A whole small world in memory: keys, a log, a work, and its evidence bundle.

Everything is real: signatures, tree, checkpoint notes, RFC 3161 tokens and the
receipt's trie. Only the clock is chosen, so that the bytes come out the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from colophon import records, rlp, timestamp
from colophon.acts import Actor, File, Input, Model, Proxies, TicketRef, Tool
from colophon.authority import Authorities, make_authorities
from colophon.digest import sha256
from colophon.enrollment import build_enrollment, build_revocation, countersign
from colophon.entry import PUBLIC_KINDS
from colophon.evidence import Bundle, ChainProof, Record
from colophon.filematch import CredentialFacts, FileDigests
from colophon.judgment import judge, verdict_statement
from colophon.keys import Ed25519Key
from colophon.merkle import Tree
from colophon.note import Checkpoint, NoteKey, cosign, sign_note
from colophon.origin import IPTC
from colophon.policy import POLICY
from colophon.receipt import ANCHORED, build_receipt_proof
from colophon.records import Part
from colophon.statement import Envelope, Json, sign
from colophon.steps import build_step
from colophon.tlogproof import LogProof
from colophon.trust import Chain, Trust, TrustedKey
from log import tsa

ORIGIN = "colophon.example/log"
# Yesterday, so that certificates made for the story still sign files today.
START = datetime.now(UTC).replace(
    hour=10, minute=0, second=0, microsecond=0
) - timedelta(days=1)
LEDGER = bytes.fromhex("c0" * 20)
CHAIN_ID = 31337
AI = IPTC + "trainedAlgorithmicMedia"
EDIT = IPTC + "humanEdits"
TOOL = Tool("studio", "1.0")


def an_id(prefix: str, number: int) -> str:
    """A well-formed id that is the same in every run."""
    text = f"{0x0198ABCD0000 + number:012x}7abc8abcdef012345678"
    return f"{prefix}_{text}"


ASSET, RUN = an_id("ast", 1), an_id("run", 2)
ADA, MIA = an_id("pty", 3), an_id("pty", 4)
ADA_HOLDER, MIA_HOLDER = an_id("hld", 5), an_id("hld", 6)
PLATFORM_HOLDER, SOURCE = an_id("hld", 7), an_id("src", 8)


def key(name: str) -> Ed25519Key:
    """The key of a name, the same in every run."""
    return Ed25519Key.from_seed(sha256(name.encode()))


def digest(name: str) -> bytes:
    """The digest of a file of that name."""
    return sha256(f"file {name}".encode())


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


AnchorWith = Callable[[int, bytes, datetime], ChainProof]


@dataclass
class World:
    """A log that grows, and the clocks over its checkpoints."""

    pki: Authorities
    anchor_with: AnchorWith
    witnesses: tuple[str, ...] = ()
    witness_ahead: float = 0
    tree: Tree = field(default_factory=Tree)
    entries: list[Record] = field(default_factory=list)
    heads: dict[int, str] = field(default_factory=dict)
    times: dict[int, bytes] = field(default_factory=dict)
    anchors: dict[int, ChainProof] = field(default_factory=dict)

    def add(self, kind: str, envelope: Envelope) -> Record:
        """Append a record to the log."""
        salt = sha256(b"salt" + envelope.digest)
        record = Record(kind, envelope, None if kind in PUBLIC_KINDS else salt)
        self.tree.append(record.leaf)
        self.entries.append(record)
        return record

    def say(self, kind: str, statement: Json, *signers: Ed25519Key) -> Record:
        """Sign a statement (the platform does, unless told) and append it."""
        return self.add(kind, sign(statement, *(signers or (key("platform"),))))

    def checkpoint(self, minutes: float, *, anchor: bool = False) -> int:
        """Publish a head, date it, and perhaps anchor it a minute later."""
        size = self.tree.size
        body = Checkpoint(ORIGIN, size, self.tree.root()).to_body()
        note = sign_note(body, ORIGIN, key("log"))
        for name in self.witnesses:
            note = cosign(note, name, key(name), at(minutes + self.witness_ahead))
        self.heads[size] = note
        self.times[size] = self.token(body, at(minutes))
        if anchor:
            moment = at(minutes + 1)
            self.anchors[size] = self.anchor_with(size, self.tree.root(), moment)
        return size

    def token(self, body: str, moment: datetime) -> bytes:
        """An RFC 3161 token over a checkpoint's text."""
        stamper = tsa.load(self.pki.tsa.chain, self.pki.tsa.key)
        query = timestamp.make_query(sha256(body.encode()), nonce=7)
        return timestamp.token_of(tsa.answer(query, stamper, now=moment))

    def proof(self, index: int, size: int) -> LogProof:
        """The proof that an entry is in the head of a size."""
        path = tuple(self.tree.inclusion_proof(index, size))
        return LogProof(index, path, self.heads[size])

    def proven(self) -> tuple[Record, ...]:
        """All records, each with a proof in the first head that covers it."""
        found = []
        for index, record in enumerate(self.entries):
            sizes = [size for size in sorted(self.heads) if size > index]
            proofs = tuple(self.proof(index, size) for size in sizes[:1])
            found.append(replace(record, proofs=proofs))
        return tuple(found)


def chain_proof(size: int, root: bytes, moment: datetime) -> ChainProof:
    """A block with three receipts, the second of which anchors a head."""
    topics = [ANCHORED, size.to_bytes(32, "big")]
    log = [LEDGER, topics, root]
    receipts = [_receipt([]), _receipt([log]), _receipt([])]
    receipts_root, nodes = build_receipt_proof(receipts, 1)
    header = rlp.encode(
        [
            bytes(32),
            bytes(32),
            bytes(20),
            bytes(32),
            bytes(32),
            receipts_root,
            bytes(256),
            b"",
            rlp.int_bytes(4_711),
            rlp.int_bytes(30_000_000),
            rlp.int_bytes(21_000),
            rlp.int_bytes(int(moment.timestamp())),
            b"",
            bytes(32),
            bytes(8),
            rlp.int_bytes(7),
        ]
    )
    address = "0x" + LEDGER.hex()
    return ChainProof(CHAIN_ID, address, header, tuple(nodes), 1, "0x" + "ee" * 32)


def _receipt(logs: list[Any]) -> bytes:
    return b"\x02" + rlp.encode([b"\x01", rlp.int_bytes(21_000), bytes(256), logs])


def trust_of(pki: Authorities) -> Trust:
    """The trust file of this world."""
    return Trust(
        origin=ORIGIN,
        log_keys=(NoteKey.of_signer(ORIGIN, key("log")),),
        platform_keys=(TrustedKey.of(key("platform").public_spki),),
        verdict_keys=(TrustedKey.of(key("verdict").public_spki),),
        chains=(
            Chain(CHAIN_ID, "0x" + LEDGER.hex(), bytes(32), public=False, name="anvil"),
        ),
        c2pa_roots=(pki.claim.root.read_text(),),
        tsa_roots=(pki.tsa.root.read_text(),),
        policies=(POLICY.digest,),
        site="http://127.0.0.1:8000",
    )


CREDENTIAL = CredentialFacts(
    state="trusted",
    clean=True,
    attributed=True,
    complete=True,
    signer="Colophon test",
    signature=digest("claim signature").hex(),
    binding=("sha256", digest("binding").hex()),
    source_types=(AI, EDIT),
    origin="HYBRID",
)
FILE = FileDigests(digest("sealed"), digest("pixels"))


@dataclass
class Story:
    """How one work came about; tests change a chapter and tell it again.

    Every field is a hook that a test may replace before `tell`.
    """

    pki: Authorities
    actor: str = "ada-laptop"
    actor_custody: str = "client"
    runtime_account: str = "mia"
    source_owner: str | None = MIA
    source_account: str = "mia"
    registrant: str = ADA
    ticket_minutes: float = 0
    intermediates: tuple[str, ...] = ("draft 1", "draft 2")
    steps: Callable[[Story, TicketRef | None], list[tuple[Json, str]]] | None = None
    late_actor: bool = False
    revoked: tuple[str, str, float] | None = None
    ticketless: bool = False
    earlier_look_alikes: int = 0
    compared: bool = True
    stated: str = "active"
    reason: str = "registered"
    parts: tuple[Part, ...] = (
        Part(PLATFORM_HOLDER, "platform", 100_000),
        Part(MIA_HOLDER, "source", 200_000, SOURCE),
        Part(ADA_HOLDER, "creator", 700_000),
    )
    ask_ppm: int = 150_000
    identities: tuple[str, ...] = ("email",)
    terms: bytes | None = field(default_factory=lambda: digest("terms"))
    without: frozenset[str] = frozenset()
    credential: CredentialFacts = CREDENTIAL
    file: FileDigests = FILE
    anchor_with: AnchorWith | None = None
    trust: Trust | None = None
    witnesses: tuple[str, ...] = ()
    witness_ahead: float = 0
    wallet: Callable[[bytes], Json] | None = None
    people: Callable[[Story, World], None] | None = None
    certifiers: tuple[str, ...] = ()

    def tell(self) -> Bundle:
        """Build the world and the bundle, with a verdict by the platform."""
        world = World(
            self.pki,
            self.anchor_with or chain_proof,
            self.witnesses,
            self.witness_ahead,
        )
        self._enroll(world)
        ref = None if self.ticketless else self._ticket(world)
        if self.late_actor:
            self._enroll_actor(world)
        made = (self.steps or usual_steps)(self, ref)
        said = [world.say("step", one, key(name)) for one, name in made]
        if self.revoked is not None:
            self._revoke(world, *self.revoked)
        world.checkpoint(5)
        self._seal(world, [one.envelope.digest for one in said])
        world.checkpoint(12, anchor=True)
        kept = tuple(r for r in world.proven() if r.kind not in self.without)
        bundle = Bundle(
            asset={"id": ASSET, "title": "Night current"},
            records=sort_records(kept),
            times=world.times,
            anchors=world.anchors,
            policy=dict(POLICY.data),
            credential=self.credential.to_json(),
        )
        return judged(bundle, self.trust or trust_of(self.pki), self.credential)

    def _enroll(self, world: World) -> None:
        for account in ("mia", "ada", "eve", *self.certifiers):  # Eve is the attacker
            self._add_key(world, account, "account", "server", by="platform")
        models = (digest("model"),)
        self._add_key(
            world,
            "runtime",
            "runtime",
            "client",
            by=self.runtime_account,
            models=models,
        )
        if not self.late_actor:
            self._enroll_actor(world)
        source = records.source(
            source_id=SOURCE,
            kind="model",
            name="Diffuser",
            version="2",
            digest=digest("model"),
            owner=self.source_owner,
            ask_ppm=self.ask_ppm if self.source_owner else None,
            license_terms="by agreement",
        )
        world.say("source", source, key(self.source_account))

    def _enroll_actor(self, world: World) -> None:
        self._add_key(world, self.actor, "actor", self.actor_custody, by="ada")

    def _add_key(
        self,
        world: World,
        name: str,
        purpose: str,
        custody: str,
        *,
        by: str,
        models: tuple[bytes, ...] = (),
    ) -> None:
        said = build_enrollment(
            key(name).public_spki,
            purpose=purpose,
            custody=custody,
            enrolled_on=at(-60),
            account="" if by == "platform" else key(by).key_id,
            models=models,
        )
        world.add("enrollment", countersign(sign(said, key(name)), key(by)))

    def _revoke(self, world: World, name: str, by: str, minutes: float) -> None:
        said = build_revocation(
            key(name).key_id, effective_on=at(minutes), reason="compromised"
        )
        world.say("revocation", said, key(by))

    def _ticket(self, world: World) -> TicketRef:
        said = records.ticket(
            run=RUN,
            nonce=digest("nonce"),
            checkpoint=None,
            issued_at=at(self.ticket_minutes),
            party=self.registrant,
        )
        record = world.say("ticket", said)
        return TicketRef(digest("nonce"), record.envelope.digest)

    def _seal(self, world: World, steps: list[bytes]) -> None:
        said = records.seal(
            asset=ASSET,
            file=self.file.sha256,
            uploaded=digest("b"),
            hard_binding=(
                self.credential.binding[0],
                bytes.fromhex(self.credential.binding[1]),
            ),
            claim_signature=bytes.fromhex(self.credential.signature),
            pixels=self.file.pixels,
            steps=steps,
            run=RUN if steps else None,
            manifest="urn:c2pa:1",
            registrant=self.registrant,
            identities=self.identities,
            title="Night current",
            sealed_at=at(10),
        )
        world.say("seal", said)
        examined = records.examination(
            asset=ASSET,
            file=self.file.sha256,
            examined_at=at(9),
            methods=["pdq", "iscc"],
            earlier_look_alikes=self.earlier_look_alikes,
            undeclared_changes=0 if self.compared else None,
        )
        world.say("examination", examined)
        self._agree(world)
        standing = records.standing(
            asset=ASSET,
            file=self.file.sha256,
            before="pending",
            after=self.stated,
            reason=self.reason,
            at=at(11),
        )
        world.say("standing", standing)
        if self.people is not None:
            self.people(self, world)

    def _agree(self, world: World) -> None:
        said = records.agreement(
            agreement_id=an_id("agr", 9),
            asset=ASSET,
            file=self.file.sha256,
            version=1,
            fee_ppm=100_000,
            parts=self.parts,
            terms=self.terms,
            proposed_at=at(10),
        )
        agreement = world.say("agreement", said, key("ada"))
        source = next(one for one in world.entries if one.kind == "source")
        asked = records.acceptance(
            agreement_digest=agreement.envelope.digest,
            holder=MIA_HOLDER,
            method="standing-ask",
            accepted_at=at(10),
            source=source.envelope.digest,
        )
        world.say("acceptance", asked)
        if self.wallet is not None:
            world.say("acceptance", self.wallet(agreement.envelope.digest))
            return
        own = records.acceptance(
            agreement_digest=agreement.envelope.digest,
            holder=ADA_HOLDER,
            method="account-key",
            accepted_at=at(10),
        )
        world.say("acceptance", own, key("ada"))


def step(
    ref: TicketRef | None,
    index: int,
    action: str,
    outputs: str,
    *,
    by: str = "ada-laptop",
    kind: str = "human",
    custody: str = "client",
    inputs: tuple[Input, ...] = (),
    source_type: str | None = None,
    model: bool = False,
    intermediates: tuple[str, ...] = (),
) -> tuple[Json, str]:
    """One step statement, and the name of the key that signs it."""
    proxy = Proxies(
        inputs=tuple((one.sha256, digest("proxy")) for one in inputs[:1]),
        outputs=((digest(outputs), digest(f"proxy {outputs}")),),
        intermediates=tuple(digest(one) for one in intermediates),
    )
    said, _ = build_step(
        outputs=[File(f"{outputs}.png", digest(outputs))],
        action=action,
        actor=Actor(key(by).key_id, kind),
        tool=TOOL,
        started_on=at(1 + index),
        finished_on=at(1 + index),
        run=RUN,
        index=index,
        custody=custody,
        ticket=ref,
        source_type=source_type,
        inputs=inputs,
        model=Model(digest("model"), "Diffuser") if model else None,
        proxy=proxy,
    )
    return said, by


def usual_steps(story: Story, ref: TicketRef | None) -> list[tuple[Json, str]]:
    """Generated by Mia's model, retouched by Ada, published."""
    custody = story.actor_custody
    return [
        step(
            ref,
            0,
            "c2pa.created",
            "a",
            by="runtime",
            kind="agent",
            source_type=AI,
            model=True,
            inputs=(Input("model", digest("model"), "inputTo"),),
        ),
        step(
            ref,
            1,
            "c2pa.edited",
            "b",
            by=story.actor,
            custody=custody,
            source_type=EDIT,
            inputs=(Input("a.png", digest("a")),),
            intermediates=story.intermediates,
        ),
        step(
            ref,
            2,
            "c2pa.published",
            "b",
            by=story.actor,
            custody=custody,
            inputs=(Input("b.png", digest("b")),),
        ),
    ]


def judged(
    bundle: Bundle, trust: Trust, credential: CredentialFacts, minutes: float = 20
) -> Bundle:
    """The bundle with the platform's verdict of that minute."""
    verdict, _ = judge(bundle, credential, trust, as_of=at(minutes))
    said = verdict_statement(
        verdict,
        bundle,
        verifier="https://colophon.example",
        resource=f"https://colophon.example/a/{ASSET}",
    )
    record = Record("verdict", sign(said, key("verdict")), sha256(b"verdict"))
    rest = tuple(one for one in bundle.records if one.kind != "verdict")
    return replace(bundle, records=sort_records((*rest, record)))


def sort_records(found: tuple[Record, ...]) -> tuple[Record, ...]:
    """By kind, each kind in its order: as a bundle that was read has them."""
    return tuple(sorted(found, key=lambda one: one.kind))


def authorities(folder: Path) -> Authorities:
    """Certificate trees that were valid on the day of the story."""
    return make_authorities(folder, now=START - timedelta(days=1))
