"""A purchase can be canceled until it is downloaded, and for 14 days at most."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.platform import platform_signer
from colophon import records
from colophon.statement import verify
from marketplace.cancel import MARGIN, cancel_purchase, cancelable_until
from marketplace.deliver import grant_download, redeem
from marketplace.errors import NotCancelableError, RevokedError
from marketplace.issue import take_back_deposit
from marketplace.models import License
from provenance.envelopes import envelope_of
from provenance.models import Asset
from tests.cast import PASSWORD, party_of
from tests.factories import cancelable, delivered, published_asset
from tests.reading import text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def work(ada: User) -> Asset:
    return published_asset(party_of(ada), title="Night current")


@pytest.fixture
def bought(work: Asset, ben: User) -> License:
    row = cancelable(work, party_of(ben))
    delivered(row)
    return row


@pytest.fixture
def as_ben(client: Client, ben: User) -> Client:
    assert client.login(username=ben.email, password=PASSWORD)
    return client


def test_a_new_purchase_can_be_canceled_for_14_days(bought: License) -> None:
    until = cancelable_until(bought)
    assert until == bought.issued_at + timedelta(days=14) - MARGIN


def test_canceling_ends_the_license_with_a_record_of_its_own(bought: License) -> None:
    row = cancel_purchase(license_row=bought)
    assert (row.state, row.revoked_reason) == ("revoked", "canceled")
    assert row.fee_due_at is None
    assert row.fee_units == 0
    assert row.cancellation is not None
    said = verify(envelope_of(row.cancellation), platform_signer().public_spki)
    refund = records.parse_refund(said)
    assert (refund.license, refund.units) == (row.code, row.price_units)


def test_canceling_twice_cancels_once(bought: License) -> None:
    first = cancel_purchase(license_row=bought)
    again = cancel_purchase(license_row=bought)
    assert first.cancellation_id == again.cancellation_id


def test_what_was_downloaded_stays_bought(bought: License) -> None:
    before = timezone.now()
    redeem(token=grant_download(license_row=bought, user=None))
    row = License.objects.get(pk=bought.pk)
    assert row.fee_due_at is not None
    assert before <= row.fee_due_at <= timezone.now()
    with pytest.raises(NotCancelableError):
        cancel_purchase(license_row=row)
    assert License.objects.get(pk=bought.pk).state == "active"


def test_a_second_download_does_not_move_when_the_price_was_earned(
    bought: License,
) -> None:
    redeem(token=grant_download(license_row=bought, user=None))
    first = License.objects.get(pk=bought.pk).fee_due_at
    redeem(token=grant_download(license_row=bought, user=None))
    assert License.objects.get(pk=bought.pk).fee_due_at == first


def test_after_14_days_it_is_too_late(bought: License) -> None:
    License.objects.update(fee_due_at=timezone.now() + MARGIN / 2)
    with pytest.raises(NotCancelableError):
        cancel_purchase(license_row=bought)


def test_a_license_without_a_price_has_nothing_to_cancel(
    work: Asset, ben: User
) -> None:
    row = cancelable(work, party_of(ben), "pay-per-use")
    License.objects.filter(pk=row.pk).update(price_units=0)
    with pytest.raises(NotCancelableError):
        cancel_purchase(license_row=row)


def test_a_link_that_was_asked_for_before_opens_nothing_after(bought: License) -> None:
    token = grant_download(license_row=bought, user=None)
    cancel_purchase(license_row=bought)
    with pytest.raises(RevokedError):
        redeem(token=token)
    with pytest.raises(RevokedError):
        grant_download(license_row=License.objects.get(pk=bought.pk), user=None)


def test_a_payment_that_leaves_the_chain_and_returns_brings_nothing_back(
    bought: License, monkeypatch: pytest.MonkeyPatch
) -> None:
    cancel_purchase(license_row=bought)
    event: Any = type(
        "Log", (), {"args": {"ref": "0x" + bytes(bought.order.ref).hex()}}
    )
    take_back_deposit(event=event)
    row = License.objects.get(pk=bought.pk)
    assert (row.state, row.revoked_reason) == ("revoked", "canceled")


def test_the_page_lets_the_buyer_cancel_and_says_where_the_money_is(
    as_ben: Client, bought: License
) -> None:
    page = f"/library/{bought.code}"
    assert "Cancel this purchase" in text_of(as_ben.get(page))
    answer = as_ben.post(f"{page}/cancel", follow=True)
    text = text_of(answer)
    assert "The purchase is canceled." in text
    assert "You canceled this purchase" in text
    assert "Canceled" in text
    assert "Download your copy" not in text
    assert f"/orders/{bought.order.code}/refund" in answer.content.decode()
    assert "Canceled" in text_of(as_ben.get(f"/licenses/{bought.code}"))


def test_the_orders_page_waits_for_nothing_after(
    as_ben: Client, bought: License
) -> None:
    page = f"/orders/{bought.order.code}"
    assert "Download your copy" in text_of(as_ben.get(page))
    cancel_purchase(license_row=bought)
    answer = as_ben.get(page)
    text = text_of(answer)
    assert "Its buyer canceled the purchase" in text
    assert "Waiting" not in text
    assert "Download your copy" not in text
    assert "hx-trigger" not in answer.content.decode()


def test_the_page_says_when_it_is_too_late(as_ben: Client, bought: License) -> None:
    page = f"/library/{bought.code}"
    redeem(token=grant_download(license_row=bought, user=None))
    assert "Cancel this purchase" not in text_of(as_ben.get(page))
    answer = as_ben.post(f"{page}/cancel", follow=True)
    assert "cannot be canceled any more" in text_of(answer)


def test_nobody_cancels_for_another(client: Client, eve: User, bought: License) -> None:
    address = f"/library/{bought.code}/cancel"
    assert client.post(address).status_code == 302  # to the sign-in
    assert client.login(username=eve.email, password=PASSWORD)
    assert client.post(address).status_code == 404
    assert client.get(address).status_code == 405
    assert License.objects.get(pk=bought.pk).state == "active"
