"""Anchors: kept when final, for our own root only, and what they cover is judged."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from accounts.models import User
from chain.models import Event, Intent
from colophon.digest import sha256
from log.models import Checkpoint
from outbox.claims import Claim, LostClaim
from outbox.models import Job
from provenance.anchor import keep_anchor
from provenance.models import Anchor, Asset
from tests import factories
from tests.cast import party_of
from tests.colophon.bundles import chain_proof

pytestmark = pytest.mark.django_db
MINED = datetime(2026, 11, 23, 12, 0, 30, tzinfo=UTC)
FINAL = datetime(2026, 11, 23, 12, 15, 0, tzinfo=UTC)


def anchored(head: Checkpoint, *, root: bytes | None = None, **fields: Any) -> Event:
    """A final log of the ledger, and the intent that caused it."""
    root = bytes(head.root) if root is None else root
    tx = "0x" + sha256(root + head.size.to_bytes(8, "big")).hex()
    Intent.objects.get_or_create(
        tx_hash=tx, defaults={"kind": "anchor", "key": f"anchor:{tx}"}
    )
    values = {
        "args": {"size": str(head.size), "root": "0x" + root.hex()},
        "tx_hash": tx,
        **fields,
    }
    return Event.objects.create(
        contract="ColophonLedger",
        name="Anchored",
        block_number=7,
        block_hash="0x" + "0b" * 32,
        log_index=head.size,
        position=0,
        mined_at=MINED,
        final_at=FINAL,
        **values,
    )


def kept(event: Event, head: Checkpoint, claim: Claim | None = None) -> Anchor | None:
    proof = chain_proof(head.size, bytes(head.root), MINED).to_json()
    return keep_anchor(event=event, receipt=proof, claim=claim)


def judge_keys() -> set[str]:
    rows = Job.objects.filter(kind="asset.judge", key__contains=":anchored:")
    return set(rows.values_list("key", flat=True))


@pytest.fixture
def work(ada: User) -> Asset:
    return factories.sealed_asset(party_of(ada))


def test_a_final_anchor_is_kept_with_its_blocks_time_and_receipt(work: Asset) -> None:
    head = factories.logged()
    row = kept(anchored(head), head)
    assert row is not None
    assert (row.checkpoint, row.block_number) == (head, 7)
    assert row.block_at == MINED  # not when we saw that it is final
    assert row.receipt["ledger"].startswith("0x")
    assert Asset.objects.get(pk=work.pk).first_anchor() == row


def test_works_that_it_is_the_first_to_cover_are_judged(work: Asset, ada: User) -> None:
    first = factories.logged()
    kept(anchored(first), first)
    assert judge_keys() == {f"judge:{work.code}:anchored:{first.size}"}
    later = factories.sealed_asset(party_of(ada), seed=2)
    factories.sealed_asset(party_of(ada), seed=3)
    second = factories.logged()
    factories.sealed_asset(party_of(ada), seed=4)
    third = factories.logged()
    kept(anchored(second), second)
    found = judge_keys()
    assert len(found) == 3
    assert f"judge:{later.code}:anchored:{second.size}" in found
    kept(anchored(third), third)
    assert len(judge_keys()) == 4


def test_keeping_it_twice_is_once(work: Asset) -> None:
    head = factories.logged()
    event = anchored(head)
    assert kept(event, head) == kept(event, head)
    assert (Anchor.objects.count(), len(judge_keys())) == (1, 1)


def test_a_root_that_is_not_ours_is_no_anchor(work: Asset) -> None:
    head = factories.logged()
    assert kept(anchored(head, root=bytes(32)), head) is None
    assert not Anchor.objects.exists()
    assert not judge_keys()


def test_a_size_that_we_never_published_is_no_anchor(work: Asset) -> None:
    head = factories.logged()
    event = anchored(head, args={"size": "999", "root": "0x" + "00" * 32})
    assert kept(event, head) is None


def test_a_transaction_of_somebody_else_is_no_anchor(work: Asset) -> None:
    head = factories.logged()
    event = anchored(head)
    Intent.objects.all().delete()
    assert kept(event, head) is None


def test_a_lost_claim_keeps_nothing(work: Asset) -> None:
    head = factories.logged()
    event = anchored(head)
    job = Job.objects.create(kind="checkpoint.anchored", key="k", queue="default")
    claim = Claim.take(job)
    assert claim is not None
    Job.objects.filter(pk=job.pk).update(token=99)
    with pytest.raises(LostClaim):
        kept(event, head, claim)
    assert not Anchor.objects.exists()


def test_before_its_seal_is_covered_a_work_has_no_anchor(
    work: Asset, ada: User
) -> None:
    assert work.first_anchor() is None
    head = factories.logged()
    late = factories.sealed_asset(party_of(ada), seed=2)
    factories.logged()
    kept(anchored(head), head)
    assert Asset.objects.get(pk=late.pk).first_anchor() is None
    assert factories.draft_asset(party_of(ada), seed=3).first_anchor() is None
