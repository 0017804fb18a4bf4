"""The whole loop in one process, with a real chain: up to Certified provenance."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chain.anchor import anchor
from chain.models import Network
from colophon.digest import sha256
from colophon.keys import Ed25519Key
from colophon.origin import IPTC
from colophon.recorder import record
from config import jobs
from outbox.inline import drain
from provenance.models import Anchor, Asset
from tests.chain.actor import Actor
from tests.chain.conftest import (  # noqa: F401 - fixtures of a real chain
    act,
    chain_files,
    chain_settings,
    deployed,
    live,
    node,
)
from tests.loop import Person, failed, picture, seal, stamp, upload

pytestmark = [pytest.mark.chain, pytest.mark.django_db]
WEIGHTS = sha256(b"tidewater-xl 3.1 weights")
EVENTS = dict(jobs.EVENTS)


def test_a_recorded_work_reaches_certified_provenance(  # noqa: PLR0917
    live: Network,  # noqa: F811
    act: Actor,  # noqa: F811
    clock: None,
    maker: Person,
    owner: Person,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs, "EVENTS", EVENTS)
    model: dict[str, Any] = {"kind": "model", "name": "Tidewater-XL"}
    model |= {"digest": WEIGHTS.hex(), "ask_ppm": 120_000}
    owner.api.ask("POST", "/api/v1/sources", json=model)
    runtime = Ed25519Key.generate()
    owner.api.enroll(runtime, purpose="runtime", models=(WEIGHTS,))
    data = picture(1)
    options = maker.recorder(tmp_path / "home", strict=True)
    with record("spring", **options) as run:
        ai = IPTC + "trainedAlgorithmicMedia"
        with run.step("c2pa.created", source_type=ai, kind="agent", key=runtime) as one:
            one.model(WEIGHTS, "Tidewater-XL 3.1")
            one.output(b"ground")
        hand = IPTC + "humanEdits"
        with run.step("c2pa.drawing", source_type=hand, kind="human") as one:
            one.input(b"ground")
            one.intermediate(b"a third")
            one.intermediate(b"two thirds")
            one.output(data)
    asset = seal(upload(maker, data, run=run.id))
    maker.api.ask("POST", f"/api/v1/assets/{asset.code}/agreement", json={})
    stamp()
    intent = anchor()
    assert intent is not None
    act.send(intent)
    act.finish(intent)
    act.follow()
    assert intent.state == "final"
    drain(kinds={"checkpoint.anchored", "asset.judge"}, ahead=timedelta(seconds=5))
    kept = Anchor.objects.get()
    assert kept.tx_hash == intent.tx_hash
    assert kept.block_at == intent.mined_at
    verdict = Asset.objects.get(pk=asset.pk).verdicts.first()
    assert verdict is not None
    assert failed(verdict) == {}
    assert (verdict.evidence_level, verdict.rights_level) == (3, 2)
    assert verdict.word == "Certified provenance"
