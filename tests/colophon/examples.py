"""One example of every record kind, with fixed ids, keys and times.

The vectors are built from these and the record tests break them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from colophon import enrollment, records, statement, steps
from colophon.digest import sha256
from colophon.disclosure import Disclosure
from colophon.keys import Ed25519Key
from colophon.note import Checkpoint, NoteKey
from colophon.records import Part
from colophon.steps import Actor, File, Input, Model, Proxies, TicketRef, Tool

IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
ORIGIN = "colophon.example/log"
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
WEEK = timedelta(days=7)

SEEDS = {name: sha256(name.encode()) for name in ("ada", "mia", "platform", "log")}
KEYS = {name: Ed25519Key.from_seed(seed) for name, seed in SEEDS.items()}
LOG_KEY = NoteKey.of_signer(ORIGIN, KEYS["log"])


def an_id(prefix: str, number: int = 1) -> str:
    """A fixed id."""
    return f"{prefix}_0198c0ffee0070008{number:015x}"


ASSET, RUN, ADA, MIA = an_id("ast"), an_id("run"), an_id("pty", 1), an_id("pty", 2)
FILE, MODEL = sha256(b"sealed file"), sha256(b"model weights")
PROMPT = Disclosure("prompt", bytes(range(16)), "a lighthouse in fog")
GUIDANCE = Disclosure("parameters/guidance", bytes(range(16, 32)), 7.5)


def _step() -> dict[str, Any]:
    made, _ = steps.build_step(
        outputs=[File("lighthouse.png", sha256(b"output"))],
        action="c2pa.created",
        source_type=f"{IPTC}trainedAlgorithmicMedia",
        actor=Actor(KEYS["ada"].key_id, "agent", ADA),
        inputs=[Input("Painter 2", MODEL, "inputTo")],
        model=Model(MODEL, "Painter 2"),
        tool=Tool("studio", "3.1"),
        started_on=NOON,
        finished_on=NOON + timedelta(seconds=9),
        proxy=Proxies(outputs=((sha256(b"output"), sha256(b"proxy")),)),
        run=RUN,
        ticket=TicketRef(sha256(b"nonce"), sha256(b"ticket envelope")),
        index=0,
    )
    predicate = made["predicate"]
    predicate["prompt"] = PROMPT.commit()
    predicate["parameters"] = {"guidance": GUIDANCE.commit()}
    return made


def statements() -> dict[str, tuple[dict[str, Any], tuple[str, ...]]]:
    """Kind -> (statement, names of the keys that sign it)."""
    platform = ("platform",)
    return {
        "acceptance": (
            records.acceptance(
                agreement_digest=sha256(b"agreement envelope"),
                holder=an_id("hol", 2),
                method="standing-ask",
                source=sha256(b"source envelope"),
                accepted_at=NOON,
            ),
            platform,
        ),
        "agreement": (
            records.agreement(
                agreement_id=an_id("agr"),
                asset=ASSET,
                file=FILE,
                version=1,
                fee_ppm=50_000,
                parts=[
                    Part(an_id("hol", 9), "platform", 50_000),
                    Part(an_id("hol", 2), "source", 20_000, an_id("src")),
                    Part(an_id("hol", 1), "creator", 930_000),
                ],
                terms=sha256(b"terms"),
                proposed_at=NOON,
            ),
            ("ada",),
        ),
        "checkpoint-key": (
            records.checkpoint_key(vkey=LOG_KEY.vkey, valid_from=NOON),
            ("log",),
        ),
        "delivery": (
            records.delivery(
                license_id=an_id("lic"),
                asset=ASSET,
                delivered=sha256(b"delivered file"),
                file=FILE,
                made_at=NOON,
            ),
            platform,
        ),
        "dispute": (
            records.dispute(
                dispute_id=an_id("dsp"),
                asset=ASSET,
                file=FILE,
                move="upheld",
                reason="older-original",
                by=an_id("pty", 4),
                at=NOON,
            ),
            ("mia", "platform"),
        ),
        "enrollment": (
            enrollment.build_enrollment(
                KEYS["ada"].public_spki,
                purpose="account",
                custody="client",
                enrolled_on=NOON,
            ),
            ("ada", "platform"),
        ),
        "examination": (
            records.examination(
                asset=ASSET,
                file=FILE,
                examined_at=NOON,
                methods=["iscc", "pdq"],
                earlier_look_alikes=0,
                undeclared_changes=0,
                changed_ppm=[(sha256(b"step envelope"), 1_000_000)],
            ),
            platform,
        ),
        "license": (
            records.license_issued(
                license_id=an_id("lic"),
                asset=ASSET,
                file=FILE,
                agreement=sha256(b"agreement envelope"),
                terms={"use": "editorial", "territory": "world", "months": 12},
                amount_units=40_000_000,
                buyer=an_id("pty", 3),
                issued_at=NOON,
            ),
            platform,
        ),
        "policy": (records.policy({"v": 1, "id": "example", "levels": []}), platform),
        "review": (
            records.review(
                asset=ASSET,
                file=FILE,
                reviewer=an_id("pty", 4),
                checklist="2026-01",
                decision="confirmed",
                reason="The steps match the picture.",
                reviewed_at=NOON,
                seen=[FILE],
            ),
            ("mia", "platform"),
        ),
        "revocation": (
            enrollment.build_revocation(
                KEYS["ada"].key_id, effective_on=NOON, reason="superseded"
            ),
            platform,
        ),
        "seal": (
            records.seal(
                asset=ASSET,
                file=FILE,
                uploaded=sha256(b"uploaded file"),
                hard_binding=("sha256", sha256(b"hard binding")),
                claim_signature=sha256(b"claim signature"),
                pixels=sha256(b"pixels"),
                manifest="urn:c2pa:0198c0ff-ee00-7000-8000-000000000001",
                registrant=ADA,
                identities=["email"],
                title="Lighthouse",
                creator="Ada",
                run=RUN,
                steps=[sha256(b"step envelope")],
                sealed_at=NOON,
            ),
            platform,
        ),
        "settlement": (
            records.settlement(
                epoch=4,
                log_size=1_234,
                earnings_root=sha256(b"earnings root"),
                spend_root=sha256(b"spend root"),
                earned_units=40_000_000,
                count=1,
            ),
            platform,
        ),
        "source": (
            records.source(
                source_id=an_id("src"),
                kind="model",
                name="Painter",
                version="2",
                digest=MODEL,
                owner=MIA,
                ask_ppm=20_000,
                license_terms="https://mia.example/painter/license",
                training={"cawg.ai_training": "notAllowed"},
            ),
            ("mia",),
        ),
        "standing": (
            records.standing(
                asset=ASSET,
                file=FILE,
                before="pending",
                after="active",
                reason="anchored",
                at=NOON,
            ),
            platform,
        ),
        "step": (_step(), ("ada",)),
        "ticket": (
            records.ticket(
                run=RUN,
                nonce=sha256(b"nonce"),
                checkpoint=Checkpoint(ORIGIN, 1_234, sha256(b"root")),
                issued_at=NOON,
                party=ADA,
            ),
            platform,
        ),
        "refund": (
            records.refund(license_id=an_id("lic"), units=40_000_000, refunded_at=NOON),
            platform,
        ),
        "usage": (
            records.usage(
                batch=an_id("bat"),
                license_id=an_id("lic"),
                root=sha256(b"usage root"),
                count=250,
                received_at=NOON,
            ),
            platform,
        ),
        "verdict": (
            records.verdict(
                name=ASSET,
                file=FILE,
                verifier="https://colophon.example/verifier",
                verified_at=NOON,
                resource=f"https://colophon.example/a/{ASSET}",
                policy_uri="https://colophon.example/policy/2026-11",
                policy_digest=sha256(b"policy"),
                levels=["COLOPHON_E3", "COLOPHON_O_AI", "COLOPHON_R2"],
                standing="active",
                expires_at=NOON + WEEK,
                inputs=[sha256(b"seal envelope")],
                criteria=[("e1.file", True), ("e4.corroborated", False)],
                passed=True,
            ),
            platform,
        ),
    }


def envelopes() -> dict[str, statement.Envelope]:
    """Kind -> signed example."""
    return {
        kind: statement.sign(said, *(KEYS[name] for name in signers))
        for kind, (said, signers) in statements().items()
    }
