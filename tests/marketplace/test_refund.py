"""Refunds: one signature of the wallet that paid, and rows that follow the chain."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from eth_account import Account

from accounts.api_keys import issue
from accounts.models import User
from chain.models import Event, Intent
from colophon.errors import SignatureError
from colophon.ids import new_id
from marketplace import testpay
from marketplace.cancel import cancel_purchase
from marketplace.errors import NotForSaleError, RefundError
from marketplace.issue import take_deposit
from marketplace.models import License, Order, Refund
from marketplace.order import make_order
from marketplace.refund import (
    ask_refund,
    deadline_from_now,
    fail_request,
    refund_message,
    take_refund,
    take_request,
)
from marketplace.tasks import refund_asked, refund_paid, refund_requested
from outbox.claims import Claim
from outbox.models import Job
from provenance.models import Asset
from tests import factories
from tests.cast import PASSWORD, party_of
from tests.royalties import factories as ledger

pytestmark = pytest.mark.django_db
WALLET = Account.from_key("0x" + "42" * 32)
OTHER = Account.from_key("0x" + "43" * 32)


@pytest.fixture(autouse=True)
def chain(db: None) -> None:
    factories.network()


@pytest.fixture
def work(ada: User) -> Asset:
    return factories.published_asset(party_of(ada))


@pytest.fixture
def sold(work: Asset, ben: User, monkeypatch: pytest.MonkeyPatch) -> License:
    """Ben's metered license, paid from WALLET: $2.00 and a deposit of $10.00."""
    monkeypatch.setattr(factories, "WALLET", WALLET.address)
    return ledger.license_of(work, party_of(ben))


def signed(wallet: Any = WALLET, *, nonce: int = 0, deadline: int | None = None) -> str:
    message = refund_message(
        WALLET.address, nonce=nonce, deadline=deadline or deadline_from_now()
    )
    return "0x" + bytes(wallet.sign_typed_data(full_message=message).signature).hex()


def asked(ben: User, wallet: Any = WALLET, **changes: Any) -> Refund:
    deadline = changes.pop("deadline", deadline_from_now())
    values = {
        "account": WALLET.address,
        "nonce": 0,
        "deadline": deadline,
        "signature": signed(wallet, deadline=deadline),
        "party": party_of(ben),
        "user": ben,
        **changes,
    }
    return ask_refund(**values)


# --- asking


def test_the_wallets_signature_asks_for_the_refund_once(
    sold: License, ben: User
) -> None:
    refund = asked(ben)
    assert (refund.state, refund.party, refund.user) == ("asked", party_of(ben), ben)
    intent = Intent.objects.get()
    assert (intent.kind, intent.then_kind) == ("request_refund", "refund.asked")
    assert intent.args["account"] == WALLET.address
    assert asked(ben) == refund
    assert asked(ben, nonce=1) == refund  # the request is on the chain already
    assert Intent.objects.count() == 1


def test_another_wallets_signature_asks_for_nothing(sold: License, ben: User) -> None:
    with pytest.raises(RefundError, match="the wallet that paid") as caught:
        asked(ben, OTHER)
    assert caught.value.field == "signature"
    with pytest.raises((RefundError, SignatureError)):
        asked(ben, signature="0x00")
    assert not Refund.objects.exists()
    assert not Intent.objects.exists()


@pytest.mark.parametrize("hours", [-1, 25, 24 * 365 * 9000])
def test_a_deadline_that_is_over_or_far_is_refused(
    sold: License, ben: User, hours: int
) -> None:
    deadline = int(timezone.now().timestamp()) + hours * 3600
    with pytest.raises(RefundError, match="ask for a new one"):
        asked(ben, deadline=deadline)
    assert not Intent.objects.exists()


def test_a_request_that_failed_can_be_asked_for_again(sold: License, ben: User) -> None:
    first = asked(ben)
    intent = first.intent
    assert intent is not None
    intent.error = "would revert: SignatureExpired(deadline=7)"
    intent.save()
    refund_asked(claim_of(refund=first.pk, intent=intent.pk, failed=True))
    first.refresh_from_db()
    assert first.state == "failed"
    assert first.failed_reason
    again = asked(ben)
    assert (again, again.state, again.failed_reason) == (first, "asked", "")
    assert Intent.objects.count() == 2


def test_late_news_of_a_failure_does_not_undo_what_the_chain_said(
    sold: License, ben: User
) -> None:
    refund = asked(ben)
    ledger.asked_back(WALLET.address)
    fail_request(refund_pk=refund.pk, reason="somebody was quicker")
    refund.refresh_from_db()
    assert refund.state == "requested"


@pytest.mark.django_db(transaction=True)
def test_a_race_of_requests_sends_one(
    ada: User, ben: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(factories, "WALLET", WALLET.address)
    ledger.license_of(factories.published_asset(party_of(ada)), party_of(ben))
    gate, found = threading.Barrier(6), []

    def ask() -> None:
        gate.wait()
        try:
            found.append(asked(ben))
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert found == [Refund.objects.get()] * 6
    assert Intent.objects.count() == 1


# --- what the chain says


def claim_of(**payload: Any) -> Claim:
    number = Job.objects.count()
    job = Job.objects.create(
        kind="refund.asked", key=f"test:{number}", queue="default", payload=payload
    )
    claim = Claim.take(job)
    assert claim is not None
    return claim


def test_a_request_freezes_account_and_licenses(sold: License, ben: User) -> None:
    """Also one that the wallet sent to the contract itself."""
    refund = ledger.asked_back(WALLET.address)
    assert (refund.state, refund.party) == ("requested", None)
    sold.refresh_from_db()
    assert sold.frozen_at == refund.requested_at
    assert sold.is_closed
    job = Job.objects.get(kind="refund.send")
    assert job.due_at == refund.ready_at
    with pytest.raises(NotForSaleError, match="asked back"):
        make_order(
            offer=factories.offer_of(sold.asset),
            buyer=party_of(ben),
            user=ben,
            account=WALLET.address,
        )
    make_order(
        offer=factories.offer_of(sold.asset),
        buyer=party_of(ben),
        user=ben,
        account=OTHER.address,
    )


def test_nobody_elses_license_is_frozen(
    sold: License, work: Asset, eve: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(factories, "WALLET", OTHER.address)
    hers = ledger.license_of(work, party_of(eve))
    ledger.asked_back(WALLET.address)
    hers.refresh_from_db()
    assert hers.frozen_at is None


def test_a_refund_ends_the_freeze_and_a_second_one_is_its_own(
    sold: License, ben: User
) -> None:
    ledger.asked_back(WALLET.address, block=200)
    done = ledger.given_back(WALLET.address, 9_400_000, block=300)
    assert (done.state, done.units) == ("paid", 9_400_000)
    assert done.tx_hash
    assert not Refund.objects.waiting().exists()
    second = ledger.asked_back(WALLET.address, block=400)
    assert (second.nonce, second.state) == (1, "requested")
    assert second != done
    last = ledger.given_back(WALLET.address, 0, block=500)
    assert (last, last.units) == (second, 0)


def test_news_in_the_wrong_order_or_twice_say_the_same(sold: License) -> None:
    args = {"account": WALLET.address}
    request = ledger.event_row(
        "RefundRequested", {**args, "requestedAt": "7"}, b"r", block=200
    )
    paid = ledger.event_row("Refunded", {**args, "amount": "5"}, b"p", block=300)
    for _ in range(2):
        refund_paid(claim_of(event=paid.pk))
        refund_requested(claim_of(event=request.pk))
    refund = Refund.objects.get()
    assert (refund.state, refund.units) == ("paid", 5)
    sold.refresh_from_db()
    assert sold.frozen_at == request.mined_at
    assert Job.objects.filter(kind="refund.send").count() == 1


def test_requests_in_the_wrong_order_freeze_at_the_first(sold: License) -> None:
    """Else a later settlement would take what went back to the buyer before."""
    mined = [timezone.now() - timedelta(days=age) for age in (20, 1)]
    args = {"account": WALLET.address, "requestedAt": "7"}
    first, second = (
        ledger.event_row(
            "RefundRequested", args, b"ask %d" % at, block=200 + at, mined_at=moment
        )
        for at, moment in enumerate(mined)
    )
    take_request(event=second)
    take_request(event=first)
    sold.refresh_from_db()
    assert sold.frozen_at == mined[0]


def test_what_left_the_chain_freezes_nothing(sold: License) -> None:
    args = {"account": WALLET.address, "requestedAt": "7"}
    event = ledger.event_row("RefundRequested", args, b"r", block=200)
    Event.objects.filter(pk=event.pk).update(removed_at=timezone.now())
    assert take_request(event=event) is None
    assert take_refund(event=event) is None
    sold.refresh_from_db()
    assert sold.frozen_at is None


def test_a_deposit_that_was_asked_back_before_it_was_seen_issues_nothing(
    work: Asset, ben: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the buyer would have the license and the money."""
    monkeypatch.setattr(factories, "WALLET", WALLET.address)
    order = factories.open_order(work, party_of(ben))
    args = {
        "account": WALLET.address,
        "accountIndex": "0",
        "amount": str(order.amount_units),
        "ref": "0x" + bytes(order.ref).hex(),
    }
    event = ledger.event_row("Deposited", args, b"d", block=100)
    ledger.asked_back(WALLET.address, block=200)
    assert take_deposit(event=event) is None
    order.refresh_from_db()
    assert (order.state, order.received_units) == ("failed", order.amount_units)
    assert "asked back" in order.failed_reason
    assert not License.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_race_of_a_request_with_the_license_freezes_it(
    ada: User, ben: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request becomes final while the license is being issued."""
    monkeypatch.setattr(factories, "WALLET", WALLET.address)
    order = factories.open_order(
        factories.published_asset(party_of(ada)), party_of(ben)
    )
    args = {
        "account": WALLET.address,
        "accountIndex": "0",
        "amount": str(order.amount_units),
        "ref": "0x" + bytes(order.ref).hex(),
    }
    deposit = ledger.event_row("Deposited", args, b"d", block=100)
    asked = {"account": WALLET.address, "requestedAt": "7"}
    request = ledger.event_row("RefundRequested", asked, b"r", block=200)
    Event.objects.filter(pk=request.pk).update(final_at=None)

    def ask() -> None:
        Event.objects.filter(pk=request.pk).update(final_at=timezone.now())
        take_request(event=request)
        connection.close()

    other = threading.Thread(target=ask)

    def slow_id(prefix: str) -> str:
        if prefix == "lic":
            other.start()
            other.join(1)
        return new_id(prefix)

    monkeypatch.setattr("marketplace.issue.new_id", slow_id)
    row = take_deposit(event=deposit)
    other.join()
    assert row is not None
    row.refresh_from_db()
    assert row.frozen_at == request.mined_at


# --- API and page


def bearer(user: User, *scopes: str) -> dict[str, str]:
    _, secret = issue(party_of(user), user, "test", scopes or ("buy",))
    return {"HTTP_AUTHORIZATION": f"Bearer {secret}"}


def api(row: License | Order) -> str:
    return f"/api/v1/licenses/{row.code}/refund"


def test_a_refund_by_api(sold: License, ben: User, client: Client) -> None:
    mine = bearer(ben)
    said = client.get(api(sold), **mine).json()
    assert said["account"] == WALLET.address
    assert (said["deposited_units"], said["spent_units"]) == (12_000_000, 2_000_000)
    assert (said["left_units"], said["refund"]) == (10_000_000, None)
    made = WALLET.sign_typed_data(full_message=said["typed_data"])
    body = {
        "signature": "0x" + bytes(made.signature).hex(),
        "deadline": said["deadline"],
    }
    for _ in range(2):
        answer = client.post(api(sold), body, content_type="application/json", **mine)
        assert answer.status_code == 202
        assert answer.json()["refund"]["state"] == "asked"
    assert Refund.objects.count() == Intent.objects.count() == 1
    assert client.get(api(sold.order), **mine).json()["refund"]["state"] == "asked"


def test_the_api_refuses_strangers_and_other_scopes(
    sold: License, ben: User, eve: User, client: Client
) -> None:
    body = {"signature": signed(OTHER), "deadline": deadline_from_now()}
    kind = "application/json"
    assert client.get(api(sold)).status_code in {401, 403}
    assert client.get(api(sold), **bearer(eve)).status_code == 404
    assert client.post(api(sold), body, kind, **bearer(eve)).status_code == 404
    assert client.get(api(sold), **bearer(ben, "read")).status_code == 403
    answer = client.post(api(sold), body, kind, **bearer(ben))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/signature"
    ledger.asked_back(WALLET.address)
    ledger.given_back(WALLET.address, 10_000_000)
    answer = client.post(api(sold), body, kind, **bearer(ben))
    assert (answer.status_code, answer.json()["code"]) == (409, "no-deposit")
    assert not Intent.objects.exists()


def text_of(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def test_the_page_tells_what_is_left_and_takes_the_signature(
    sold: License, ben: User, client: Client
) -> None:
    client.login(email=ben.email, password=PASSWORD)
    assert "Refund unused escrow" in text_of(client.get(f"/library/{sold.code}"))
    page = f"/orders/{sold.order.code}/refund"
    text = text_of(client.get(page))
    assert "<dd>$10.00</dd>" in text
    assert "end for good" in text
    asked_for = client.post(f"{page}/prepare").json()
    made = WALLET.sign_typed_data(full_message=asked_for["typed_data"])
    body = {
        "signature": "0x" + bytes(made.signature).hex(),
        **asked_for["fields"],
    }
    answer = client.post(f"{page}/ask", {**body, "deadline": "x"}, follow=True)
    assert "Your deposit is as it was" in text_of(answer)
    answer = client.post(f"{page}/ask", body, follow=True)
    assert "on its way to the chain" in text_of(answer)
    assert "data-wallet" not in text_of(answer)
    ledger.asked_back(WALLET.address)
    assert "the waiting time runs" in text_of(client.get(page))
    text = text_of(client.get(f"/library/{sold.code}"))
    assert "This license has ended" in text
    text = text_of(client.get(f"/licenses/{sold.code}/usage"))
    assert "This license has ended" in text
    assert "<dt>Left</dt>" not in text
    ledger.given_back(WALLET.address, 10_000_000)
    text = text_of(client.get(page))
    assert "Paid back" in text
    assert "$10.00 on" in text


def test_the_page_says_what_to_cancel_before(
    sold: License, ben: User, client: Client
) -> None:
    client.login(email=ben.email, password=PASSWORD)
    page = f"/orders/{sold.order.code}/refund"
    assert "cancel first" not in text_of(client.get(page))  # its price is earned
    License.objects.update(fee_due_at=timezone.now() + timedelta(days=14))
    text = text_of(client.get(page))
    assert "cancel first" in text
    assert "end for good" in text
    cancel_purchase(license_row=sold)
    text = text_of(client.get(page))
    assert "What happens when you ask" in text
    assert "cancel first" not in text
    assert "end for good" not in text


def test_the_page_is_nobody_elses(
    sold: License, ben: User, eve: User, client: Client
) -> None:
    page = f"/orders/{sold.order.code}/refund"
    assert client.get(page).status_code == 302
    assert client.post(f"{page}/prepare").status_code == 401
    client.login(email=eve.email, password=PASSWORD)
    for tail, method in (
        ("", "get"),
        ("/prepare", "post"),
        ("/ask", "post"),
        ("/test", "post"),
    ):
        assert getattr(client, method)(page + tail).status_code == 404
    client.login(email=ben.email, password=PASSWORD)
    assert client.post(f"{page}/test").status_code == 404  # no demo
    assert client.post(page).status_code == 405


def test_the_demos_wallet_asks_by_itself(
    work: Asset,
    ben: User,
    client: Client,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.DEMO, settings.CHAIN_PUBLIC = True, False
    wallet = testpay.test_wallet(party_of(ben))
    monkeypatch.setattr(factories, "WALLET", wallet.address)
    row = ledger.license_of(work, party_of(ben))
    client.login(email=ben.email, password=PASSWORD)
    page = f"/orders/{row.order.code}/refund"
    assert "Your test wallet paid" in text_of(client.get(page))
    assert client.post(f"{page}/test").status_code == 302
    assert Intent.objects.get().kind == "request_refund"


def test_money_without_a_license_can_be_asked_back_too(
    work: Asset, ben: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(factories, "WALLET", WALLET.address)
    order = factories.open_order(work, party_of(ben))
    args = {
        "account": WALLET.address,
        "accountIndex": "0",
        "amount": "1000000",
        "ref": "0x" + bytes(order.ref).hex(),
    }
    take_deposit(event=ledger.event_row("Deposited", args, b"d"))
    client.login(email=ben.email, password=PASSWORD)
    page = f"/orders/{order.code}"
    assert f'href="{page}/refund"' in text_of(client.get(page))
    text = text_of(client.get(f"{page}/refund"))
    assert "<dd>$1.00</dd>" in text
    assert timedelta(0) < order.expires_at - timezone.now()
