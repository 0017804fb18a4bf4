"""Orders: frozen when made, paid by one signature of one wallet, in one hour."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from eth_account import Account

from accounts.models import Party, User, Wallet
from chain.models import Intent
from colophon.digest import keccak256
from colophon.errors import ColophonError, SignatureError
from marketplace import order as orders
from marketplace.errors import NotForSaleError, OrderError
from marketplace.models import Listing, Order
from marketplace.order import authorize, expire_orders, make_order, typed_data
from marketplace.publish import publish_listing
from provenance.models import Asset
from tests import factories
from tests.cast import party_of

pytestmark = pytest.mark.django_db
WALLET = Account.from_key("0x" + "42" * 32)
OTHER = Account.from_key("0x" + "43" * 32)


@pytest.fixture
def work(ada: User) -> Asset:
    factories.network()
    return factories.published_asset(party_of(ada))


def ordered(work: Asset, user: User, use: str = "commercial") -> Order:
    return make_order(
        offer=factories.offer_of(work, use),
        buyer=party_of(user),
        user=user,
        account=WALLET.address,
    )


def signed(order: Order, wallet: Any = WALLET) -> str:
    made = wallet.sign_typed_data(full_message=typed_data(order))
    return "0x" + bytes(made.signature).hex()


def test_an_order_freezes_amount_terms_and_agreement(
    work: Asset, ada: User, ben: User
) -> None:
    order = ordered(work, ben, "pay-per-use")
    agreement = work.agreements.get()
    assert order.amount_units == 2_000_000 + 10_000_000
    assert bytes(order.ref) == keccak256(
        order.code.encode() + bytes(order.terms_digest)
    )
    terms = dict(order.terms)
    factories.agreed(work)
    publish_listing(asset=work, plans=[factories.EDITORIAL])
    order.refresh_from_db()
    assert (order.terms, order.agreement) == (terms, agreement)


def test_the_message_pays_the_ledger_this_amount_for_this_order(
    work: Asset, ben: User
) -> None:
    order = ordered(work, ben)
    said = typed_data(order)
    assert said["primaryType"] == "ReceiveWithAuthorization"
    message = said["message"]
    assert message["from"] == WALLET.address
    assert (message["value"], message["validAfter"]) == ("40000000", "0")
    assert message["nonce"] == "0x" + bytes(order.ref).hex()
    assert int(message["validBefore"]) == int(order.expires_at.timestamp())


def test_ones_own_work_needs_no_license(work: Asset, ada: User) -> None:
    with pytest.raises(NotForSaleError, match="your own work"):
        ordered(work, ada)


def test_nobody_orders_on_a_wallet_that_another_account_linked(
    work: Asset, ben: User, eve: User
) -> None:
    """A permit names no order: Eve's would be paid by what Ben signs."""
    Wallet.objects.create(user=ben, party=party_of(ben), address=WALLET.address)
    with pytest.raises(NotForSaleError, match="linked to another account"):
        ordered(work, eve)
    assert ordered(work, ben).account == WALLET.address


def test_the_wallet_of_a_person_pays_for_their_company_too(
    work: Asset, ben: User, eve: User
) -> None:
    Wallet.objects.create(user=ben, party=party_of(ben), address=WALLET.address)
    company = Party.objects.create(name="Ben & Co")
    offer = factories.offer_of(work)
    order = make_order(offer=offer, buyer=company, user=ben, account=WALLET.address)
    assert order.buyer == company
    with pytest.raises(NotForSaleError):
        make_order(offer=offer, buyer=company, user=eve, account=WALLET.address)


def test_a_withdrawn_offer_is_refused(work: Asset, ben: User) -> None:
    offer = factories.offer_of(work)
    publish_listing(asset=work, plans=[factories.EDITORIAL])
    offer.refresh_from_db()
    with pytest.raises(NotForSaleError, match="withdrawn"):
        make_order(offer=offer, buyer=party_of(ben), user=ben, account=WALLET.address)


def test_a_withdrawn_listing_is_refused(work: Asset, ben: User) -> None:
    Listing.objects.update(state=Listing.State.WITHDRAWN)
    with pytest.raises(NotForSaleError, match="withdrawn"):
        ordered(work, ben)


def test_nothing_is_charged_for_a_suspended_work(work: Asset, ben: User) -> None:
    order = ordered(work, ben)
    factories.judged(work, standing="suspended")
    with pytest.raises(NotForSaleError, match="suspended"):
        ordered(work, ben)
    with pytest.raises(NotForSaleError, match="suspended"):
        authorize(order=order, signature=signed(order))
    assert not Intent.objects.exists()


def test_the_wallets_signature_asks_for_the_deposit(work: Asset, ben: User) -> None:
    order = ordered(work, ben)
    paid = authorize(order=order, signature=signed(order))
    assert (paid.state, paid.intent and paid.intent.kind) == ("paying", "deposit")
    assert paid.intent is not None
    args = paid.intent.args
    assert args["account"] == WALLET.address
    assert (args["amount"], args["ref"]) == (
        "40000000",
        "0x" + bytes(order.ref).hex(),
    )
    assert args["v"] in {"27", "28"}
    assert paid.intent.then_kind == "order.paid"


def test_signing_twice_asks_once(work: Asset, ben: User) -> None:
    order = ordered(work, ben)
    first = authorize(order=order, signature=signed(order))
    second = authorize(order=order, signature=signed(order))
    assert first.intent == second.intent
    assert Intent.objects.count() == 1


def test_another_wallets_signature_is_refused(work: Asset, ben: User) -> None:
    order = ordered(work, ben)
    with pytest.raises(OrderError, match="choose that account") as caught:
        authorize(order=order, signature=signed(order, OTHER))
    assert caught.value.field == "signature"
    order.refresh_from_db()
    assert (order.state, order.intent) == ("open", None)


def test_a_signature_over_another_order_is_refused(work: Asset, ben: User) -> None:
    one, two = ordered(work, ben), ordered(work, ben)
    with pytest.raises(OrderError):
        authorize(order=two, signature=signed(one))


@pytest.mark.parametrize("signature", ["", "0x", "0x00", "hello", "0x" + "00" * 65])
def test_what_is_no_signature_is_refused(
    work: Asset, ben: User, signature: str
) -> None:
    order = ordered(work, ben)
    with pytest.raises((SignatureError, OrderError)):
        authorize(order=order, signature=signature)
    assert not Intent.objects.exists()


def test_a_late_signature_is_refused(work: Asset, ben: User) -> None:
    order = ordered(work, ben)
    signature = signed(order)
    Order.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(OrderError, match="expired"):
        authorize(order=order, signature=signature)
    assert expire_orders() == 1
    with pytest.raises(OrderError, match="expired"):
        authorize(order=order, signature=signature)
    assert not Intent.objects.exists()


def test_a_failed_order_is_not_paid_again(work: Asset, ben: User) -> None:
    order = ordered(work, ben)
    Order.objects.update(state=Order.State.FAILED)
    with pytest.raises(OrderError, match="failed"):
        authorize(order=order, signature=signed(order))


def test_only_open_orders_expire(work: Asset, ben: User) -> None:
    for state in Order.State.values:
        order = ordered(work, ben)
        late = timezone.now() - timedelta(seconds=1)
        Order.objects.filter(pk=order.pk).update(state=state, expires_at=late)
    ordered(work, ben)
    assert expire_orders() == 1
    found = sorted(Order.objects.values_list("state", flat=True))
    assert found == ["expired", "expired", "failed", "open", "paid", "paying"]


def test_a_payment_that_came_in_between_does_not_expire(
    work: Asset, ben: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The signature commits between the look and the update."""
    order = ordered(work, ben)
    late = timezone.now() - timedelta(seconds=1)
    Order.objects.update(expires_at=late)

    def seen(rows: Any) -> list[int]:
        found = list(rows)
        Order.objects.update(state=Order.State.PAYING)
        return found

    monkeypatch.setattr(orders, "list", seen, raising=False)
    assert expire_orders() == 0
    order.refresh_from_db()
    assert order.state == "paying"


@pytest.mark.django_db(transaction=True)
def test_a_race_of_signatures_makes_one_intent(ada: User, ben: User) -> None:
    factories.network()
    order = ordered(factories.published_asset(party_of(ada)), ben)
    signature, gate = signed(order), threading.Barrier(8)
    found: list[Any] = []

    def pay() -> None:
        gate.wait()
        try:
            found.append(authorize(order=order, signature=signature).state)
        except ColophonError as error:
            found.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=pay) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert found == ["paying"] * 8
    assert Intent.objects.filter(kind="deposit").count() == 1
