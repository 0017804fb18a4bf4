"""Certificates: asked for once, after the anchor, for whoever can own one."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import User
from chain.models import Intent
from colophon.digest import sha256
from outbox.claims import Retry
from outbox.inline import drain
from outbox.models import Job
from provenance.mint import cid_of, keep_token, mint_asset
from provenance.models import Asset, Token
from tests import factories
from tests.cast import party_of
from tests.loop import SOON, network

pytestmark = pytest.mark.django_db
WALLET = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


@pytest.fixture
def work(ada: User) -> Asset:
    """A published work of somebody with a wallet."""
    network()
    holder = party_of(ada).holder
    holder.payout_address = WALLET
    holder.save()
    return factories.published_asset(party_of(ada))


def test_a_cid_is_that_of_the_raw_bytes() -> None:
    # the CID of no bytes at all, as IPFS names it
    assert cid_of(sha256(b"")) == (
        "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
    )
    raw = base64.b32decode(cid_of(bytes(32))[1:].upper() + "=" * 6)
    assert raw == bytes([1, 0x55, 0x12, 0x20]) + bytes(32)


def test_the_certificate_waits_for_the_anchor(work: Asset) -> None:
    with pytest.raises(Retry, match="not final"):
        mint_asset(asset=work)
    factories.logged()
    with pytest.raises(Retry, match="not final"):
        mint_asset(asset=Asset.objects.get(pk=work.pk))
    assert not Token.objects.exists()
    factories.anchored()
    token = mint_asset(asset=Asset.objects.get(pk=work.pk))
    assert token is not None
    assert (token.intent.kind, token.token_id, token.minted_at) == ("mint", "", None)


def test_it_names_content_log_index_asset_and_owner(work: Asset) -> None:
    factories.anchored()
    work = Asset.objects.get(pk=work.pk)
    token = mint_asset(asset=work)
    assert token is not None
    digest = bytes(work.seal.file_digest)
    assert token.intent.args == {
        "to": [WALLET],
        "contentDigests": ["0x" + digest.hex()],
        "logIndexes": [str(work.seal.entry.index)],
        "assetIds": ["0x" + work.code.removeprefix("ast_")],
        "assetCids": [cid_of(digest)],
    }
    assert token.intent.then_kind == "asset.minted"


def test_asking_twice_is_asking_once(work: Asset) -> None:
    factories.anchored()
    work = Asset.objects.get(pk=work.pk)
    assert mint_asset(asset=work) == mint_asset(asset=work)
    assert Intent.objects.filter(kind="mint").count() == 1


def test_nothing_is_minted_lazily_or_for_nobody(work: Asset, settings: Any) -> None:
    factories.anchored()
    work = Asset.objects.get(pk=work.pk)
    settings.MINT_LAZILY = True
    assert mint_asset(asset=work) is None
    settings.MINT_LAZILY = False
    work.party.holder.payout_address = ""
    assert mint_asset(asset=work) is None
    assert not Intent.objects.filter(kind="mint").exists()


def test_a_wallet_that_is_linked_later_gets_the_certificate(ada: User) -> None:
    work = factories.published_asset(party_of(ada))
    factories.anchored()
    drain(kinds={"asset.mint"}, ahead=SOON)
    assert not Token.objects.exists()
    holder = party_of(ada).holder
    holder.payout_address = WALLET
    holder.save()
    work = Asset.objects.get(pk=work.pk)
    factories.publish_listing(asset=work, plans=list(factories.OFFERS))
    drain(kinds={"asset.mint"}, ahead=SOON)
    assert Token.objects.get().asset == work


def test_the_token_id_is_the_content_digest_as_a_number(work: Asset) -> None:
    factories.anchored()
    work = Asset.objects.get(pk=work.pk)
    token = mint_asset(asset=work)
    assert token is not None
    keep_token(asset=work)
    token.refresh_from_db()
    number = int.from_bytes(bytes(work.seal.file_digest), "big")
    assert token.token_id == str(number)
    first = token.minted_at
    keep_token(asset=work)
    token.refresh_from_db()
    assert token.minted_at == first


def failed(work: Asset, intent: Intent, error: str, state: str = "reverted") -> None:
    """The job that tells of an intent without effect."""
    intent.state, intent.error = state, error
    intent.save()
    Job.objects.create(
        kind="asset.minted",
        key=f"then:{intent.key}:failed",
        queue="default",
        payload={"asset": work.pk, "intent": intent.pk, "failed": True},
    )
    drain(kinds={"asset.minted"}, ahead=SOON)


@pytest.mark.parametrize("state", ["reverted", "canceled"])
def test_a_mint_that_failed_is_asked_for_again_each_time_later(
    work: Asset, state: str
) -> None:
    factories.anchored()
    Job.objects.all().delete()
    waits = []
    mint_asset(asset=Asset.objects.get(pk=work.pk))
    for tries in (1, 2, 3):
        token = Token.objects.get()
        failed(work, token.intent, "would revert: out of gas", state)
        assert (token.token_id, token.minted_at) == ("", None)
        job = Job.objects.get(key=f"mint:{work.code}:again:{tries}")
        waits.append(job.due_at - job.created_at)
        drain(kinds={"asset.mint"}, ahead=timedelta(days=2))
        assert Token.objects.get().intent.state == "queued"
    assert waits == sorted(waits)
    assert waits[0] > timedelta(minutes=1)
    assert Intent.objects.filter(kind="mint").count() == 4
    keep_token(asset=work)
    assert Token.objects.get().minted_at is not None


def test_old_news_of_a_failure_asks_for_nothing_more(work: Asset) -> None:
    factories.anchored()
    Job.objects.all().delete()
    token = mint_asset(asset=Asset.objects.get(pk=work.pk))
    assert token is not None
    first = token.intent
    failed(work, first, "out of gas")
    drain(kinds={"asset.mint"}, ahead=timedelta(days=2))
    again = mint_asset(asset=Asset.objects.get(pk=work.pk))
    assert again is not None
    assert again.intent != first
    assert mint_asset(asset=Asset.objects.get(pk=work.pk)) == again
    assert Intent.objects.filter(kind="mint").count() == 2


def test_what_was_minted_already_has_its_certificate(work: Asset) -> None:
    """The contract refuses a second one: there is a first."""
    factories.anchored()
    token = mint_asset(asset=Asset.objects.get(pk=work.pk))
    assert token is not None
    failed(work, token.intent, "would revert: AlreadyMinted(tokenId=7)")
    token.refresh_from_db()
    assert token.minted_at is not None
    number = int.from_bytes(bytes(work.seal.file_digest), "big")
    assert token.token_id == str(number)
