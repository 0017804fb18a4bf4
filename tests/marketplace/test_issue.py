"""Licenses: issued exactly once, with everything of the order frozen in them."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from accounts.platform import platform_signer
from chain import read
from chain.models import Intent
from colophon import statement
from colophon.records import parse_license
from log.models import Entry
from marketplace.cancel import cancel_purchase
from marketplace.issue import fail_order, issue_license
from marketplace.models import License, Order
from marketplace.publish import publish_listing
from marketplace.refusals import plain_reason
from marketplace.tasks import order_paid
from outbox.claims import Claim, LostClaim
from outbox.models import Job
from provenance.envelopes import envelope_of
from provenance.models import Asset
from tests import factories
from tests.cast import party_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def work(ada: User) -> Asset:
    return factories.published_asset(party_of(ada))


def paying(work: Asset, user: User, use: str = "commercial") -> Order:
    order = factories.open_order(work, party_of(user), use)
    Order.objects.filter(pk=order.pk).update(state=Order.State.PAYING)
    return order


def test_a_license_freezes_what_was_ordered(work: Asset, ben: User) -> None:
    order = paying(work, ben)
    publish_listing(asset=work, plans=[factories.EDITORIAL])
    factories.agreed(work)
    row = issue_license(order_pk=order.pk)
    assert (row.terms, row.agreement) == (order.terms, order.agreement)
    assert (row.price_units, row.deposit_units) == (40_000_000, 0)
    assert row.valid_until == row.issued_at + timedelta(days=365)
    assert [one["ppm"] for one in row.shares] == [50_000, 950_000]
    order.refresh_from_db()
    assert order.state == "paid"
    said = parse_license(
        statement.verify(envelope_of(row.entry), platform_signer().public_spki)
    )
    assert (said.license, said.asset, said.buyer) == (
        row.code,
        work.code,
        party_of(ben).code,
    )
    assert said.amount_units == order.amount_units
    assert said.agreement == bytes(order.agreement.digest)
    assert said.terms == order.terms


def test_issuing_twice_issues_once(work: Asset, ben: User) -> None:
    order = paying(work, ben)
    first = issue_license(order_pk=order.pk)
    assert issue_license(order_pk=order.pk) == first
    assert Entry.objects.filter(kind="license").count() == 1
    assert Job.objects.filter(kind="license.deliver").count() == 1


def test_a_lost_claim_issues_nothing(work: Asset, ben: User) -> None:
    order = paying(work, ben)
    job = Job.objects.create(kind="order.paid", key="k", queue="default")
    claim = Claim.take(job)
    assert claim is not None
    Job.objects.filter(pk=job.pk).update(token=99)
    with pytest.raises(LostClaim):
        issue_license(order_pk=order.pk, claim=claim)
    assert not License.objects.exists()


def done(order: Order, **payload: Any) -> None:
    """The job that ends a deposit."""
    body = {"order": order.pk, **payload}
    job = Job.objects.create(
        kind="order.paid", key=f"t{order.pk}", queue="default", payload=body
    )
    claim = Claim.take(job)
    assert claim is not None
    order_paid(claim)


def test_a_final_deposit_issues(work: Asset, ben: User) -> None:
    order = paying(work, ben)
    done(order)
    assert License.objects.get().order == order


@pytest.mark.parametrize("used", [False, True])
def test_a_failed_deposit_fails_the_order_in_plain_words(
    work: Asset, ben: User, monkeypatch: pytest.MonkeyPatch, used: bool
) -> None:
    """What the chain says of the signature decides whether nothing was charged."""
    factories.network()
    monkeypatch.setattr(read, "authorization_used", lambda *_: used)
    order = paying(work, ben)
    error = "would revert: ERC20InsufficientBalance(sender=0x1, balance=0, needed=1)"
    intent = Intent.objects.create(kind="deposit", key="d", error=error)
    done(order, failed=True, intent=intent.pk)
    order.refresh_from_db()
    assert (order.state, order.uncharged) == ("failed", not used)
    assert (
        order.failed_reason == "Your wallet holds too little Test USD for this order."
    )
    assert not License.objects.exists()
    assert not Job.objects.filter(kind="license.deliver").exists()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("would revert: ERC20: transfer amount exceeds balance", "holds too little"),
        ("ERC3009UsedAuthorization(authorizer=0x1, nonce=0x2)", "nother transaction"),
        ("ERC3009InvalidAuthorizationTime(validAfter=0)", "too late"),
        ("would revert: ERC3009InvalidSignature()", "did not accept the signature"),
        ("would revert: AccountFrozen(account=0x1, frozenAt=7)", "waits for a refund"),
        ("would revert: LedgerPaused()", "paused"),
        ("canceled before it was mined", "stopped"),
        ("Panic(0x11)", "did not accept the payment"),
        ("", "did not accept the payment"),
    ],
)
def test_every_refusal_has_plain_words(error: str, words: str) -> None:
    said = plain_reason(error, token="Test USD")
    assert words in said
    assert "charged" not in said
    assert "(" not in said


def test_a_paid_order_cannot_fail_afterwards(work: Asset, ben: User) -> None:
    order = paying(work, ben)
    issue_license(order_pk=order.pk)
    fail_order(order_pk=order.pk, reason="late news")
    order.refresh_from_db()
    assert (order.state, order.failed_reason) == ("paid", "")


@pytest.mark.django_db(transaction=True)
def test_a_race_issues_one_license(ada: User, ben: User) -> None:
    order = paying(factories.published_asset(party_of(ada)), ben)
    gate, found = threading.Barrier(8), []

    def issue() -> None:
        gate.wait()
        try:
            found.append(issue_license(order_pk=order.pk).pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=issue) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert found == [License.objects.get().pk] * 8
    assert Entry.objects.filter(kind="license").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_race_of_final_news_with_a_cancellation_brings_nothing_back(
    ada: User, ben: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its price would be earned by nobody, and the license would be valid again."""
    row = factories.cancelable(factories.published_asset(party_of(ada)), party_of(ben))
    License.objects.update(final_at=None)

    def cancel() -> None:
        cancel_purchase(license_row=row)
        connection.close()

    buyer = threading.Thread(target=cancel)
    save = License.save

    def late_save(row: License, *args: Any, **fields: Any) -> None:
        if threading.current_thread() is not buyer:
            buyer.start()
            buyer.join(1)
        save(row, *args, **fields)

    monkeypatch.setattr(License, "save", late_save)
    issue_license(order_pk=row.order_id)
    buyer.join()
    row.refresh_from_db()
    assert (row.state, row.revoked_reason) == ("revoked", "canceled")
    assert row.final_at is not None
