"""Checkout: one signature pays once, nothing is charged when it fails."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from eth_account import Account

from accounts.models import User
from chain.models import Intent
from marketplace import testpay
from marketplace.models import License, Listing, Order
from marketplace.tasks import order_funded
from outbox.claims import Claim
from outbox.models import Job
from provenance.models import Asset
from tests.cast import PASSWORD, party_of
from tests.factories import (
    an_id,
    delivered,
    licensed,
    network,
    offer_of,
    open_order,
    published_asset,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def work(ada: User) -> Asset:
    network()
    return published_asset(party_of(ada), title="Night current")


@pytest.fixture
def buyer(client: Client, ben: User) -> Client:
    client.login(email=ben.email, password=PASSWORD)
    return client


@pytest.fixture
def demo(settings: Any) -> None:
    settings.DEMO, settings.CHAIN_PUBLIC = True, False


def path(asset: Asset, use: str = "commercial", tail: str = "") -> str:
    return f"/checkout/{offer_of(asset, use).code}{tail}"


def text_of(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def test_the_page_says_what_it_costs_what_is_allowed_and_who_is_paid(
    buyer: Client, work: Asset
) -> None:
    text = text_of(buyer.get(path(work)))
    assert "License “Night current”" in text
    assert "$40.00" in text
    assert "Where your $40.00 goes" in text
    assert "Refund within 14 days if the copy was never downloaded" in text
    assert "Ben" in text
    metered = text_of(buyer.get(path(work, "pay-per-use")))
    assert "$12.00" in metered  # price and deposit, paid at once
    assert "$2.00 and $10.00 deposit" in metered


def test_the_license_box_leads_to_the_checkout_of_the_chosen_offer(
    buyer: Client, work: Asset
) -> None:
    offer = offer_of(work, "editorial")
    answer = buyer.get("/checkout", {"offer": offer.code})
    assert answer["Location"] == f"/checkout/{offer.code}"
    assert buyer.get("/checkout", {"offer": "nothing"}).status_code == 404


def test_checkout_needs_a_sign_in_and_comes_back(client: Client, work: Asset) -> None:
    answer = client.get(path(work))
    assert answer.status_code == 302
    assert answer["Location"] == f"/accounts/login/?next={path(work)}"
    assert client.post(path(work, tail="/pay")).status_code == 302
    assert client.post(path(work, tail="/prepare")).status_code == 401
    assert not Order.objects.exists()


def test_a_missing_offer_and_a_wrong_method(buyer: Client, work: Asset) -> None:
    assert buyer.get(f"/checkout/{an_id('ofr')}").status_code == 404
    assert buyer.post(path(work)).status_code == 405
    assert buyer.get(path(work, tail="/pay")).status_code == 405
    assert buyer.get(path(work, tail="/prepare")).status_code == 405


def sign(client: Client, work: Asset, wallet: Any) -> tuple[dict[str, Any], str]:
    """What a wallet does: ask for the message, sign it."""
    answer = client.post(path(work, tail="/prepare"), {"address": wallet.address})
    assert answer.status_code == 200, answer.content
    asked = answer.json()
    signed = wallet.sign_typed_data(full_message=asked["typed_data"])
    return asked, "0x" + bytes(signed.signature).hex()


def test_one_signature_pays_and_a_double_click_pays_once(
    buyer: Client, work: Asset
) -> None:
    wallet = Account.create()
    asked, signature = sign(buyer, work, wallet)
    message = asked["typed_data"]["message"]
    assert message["value"] == "40000000"
    assert message["from"] == wallet.address
    body = {"signature": signature, "address": wallet.address, **asked["fields"]}
    for _ in range(2):
        answer = buyer.post(path(work, tail="/pay"), body)
        assert answer["Location"] == f"/orders/{asked['fields']['order']}"
    order = Order.objects.get()
    assert order.state == Order.State.PAYING
    assert Intent.objects.filter(kind="deposit").count() == 1
    assert order.intent
    assert order.intent.args["amount"] == "40000000"


def test_asking_twice_is_one_order_and_another_wallet_is_another(
    buyer: Client, work: Asset
) -> None:
    one, two = Account.create(), Account.create()
    first = buyer.post(path(work, tail="/prepare"), {"address": one.address}).json()
    again = buyer.post(path(work, tail="/prepare"), {"address": one.address}).json()
    other = buyer.post(path(work, tail="/prepare"), {"address": two.address}).json()
    assert first == again
    assert other["fields"] != first["fields"]
    assert Order.objects.count() == 2
    long_ago = timezone.now() - timedelta(minutes=11)
    Order.objects.update(created_at=long_ago)
    later = buyer.post(path(work, tail="/prepare"), {"address": one.address}).json()
    assert later["fields"] != first["fields"]


def test_a_signature_of_another_wallet_charges_nothing_and_says_so(
    buyer: Client, work: Asset
) -> None:
    asked, _ = sign(buyer, work, Account.create())
    signed = Account.create().sign_typed_data(full_message=asked["typed_data"])
    body = {"signature": "0x" + bytes(signed.signature).hex(), **asked["fields"]}
    answer = buyer.post(path(work, tail="/pay"), body, follow=True)
    assert "Nothing was charged." in text_of(answer)
    assert Order.objects.get().state == Order.State.OPEN
    assert not Intent.objects.exists()
    answer = buyer.post(
        path(work, tail="/pay"),
        {**asked["fields"], "signature": "nonsense"},
        follow=True,
    )
    assert "Nothing was charged." in text_of(answer)


def test_an_address_that_is_none_is_refused_with_words(
    buyer: Client, work: Asset
) -> None:
    answer = buyer.post(path(work, tail="/prepare"), {"address": "0x12"})
    assert answer.status_code == 422
    assert "address" in answer.json()["detail"]


def test_nobody_pays_with_the_order_of_another(
    buyer: Client, client: Client, eve: User, work: Asset
) -> None:
    asked, signature = sign(buyer, work, Account.create())
    client.login(email=eve.email, password=PASSWORD)
    body = {"signature": signature, **asked["fields"]}
    assert client.post(path(work, tail="/pay"), body).status_code == 404
    assert Order.objects.get().state == Order.State.OPEN


def test_an_offer_that_changed_is_not_sold(buyer: Client, work: Asset) -> None:
    offer = offer_of(work)
    offer.withdrawn_at = timezone.now()
    offer.save()
    page = f"/checkout/{offer.code}"
    assert "changed or was withdrawn" in text_of(buyer.get(page))
    answer = buyer.post(f"{page}/prepare", {"address": Account.create().address})
    assert answer.status_code == 409
    assert "withdrawn" in answer.json()["detail"]
    assert not Order.objects.exists()


def test_a_withdrawn_work_and_an_own_work_are_not_sold(
    client: Client, ada: User, ben: User, work: Asset
) -> None:
    client.login(email=ada.email, password=PASSWORD)
    assert "your own work" in text_of(client.get(path(work)))
    answer = client.post(
        path(work, tail="/prepare"), {"address": Account.create().address}
    )
    assert answer.status_code == 409
    Listing.objects.update(state="withdrawn")
    client.login(email=ben.email, password=PASSWORD)
    assert "withdrawn" in text_of(client.get(path(work)))


def test_without_a_chain_the_page_says_that_nothing_can_be_paid(
    buyer: Client, work: Asset
) -> None:
    from chain.models import Network

    Network.objects.all().delete()
    text = text_of(buyer.get(path(work)))
    assert "No chain is connected" in text
    assert "data-wallet" not in text


def test_the_wallet_is_told_the_chain_but_never_our_node(
    buyer: Client, work: Asset, settings: Any
) -> None:
    settings.CHAIN_RPC_URLS = ["https://node.example/key-1234"]
    text = buyer.get(path(work)).content.decode()
    assert "0x7a69" in text
    assert "key-1234" not in text


# --- test payment


def test_there_is_no_test_payment_outside_the_demo(buyer: Client, work: Asset) -> None:
    assert "test money" not in text_of(buyer.get(path(work)))
    assert buyer.post(path(work, tail="/test")).status_code == 404
    with pytest.raises(PermissionError):
        testpay.test_wallet(work.party)


def test_there_is_no_test_payment_on_a_public_chain(
    buyer: Client, work: Asset, settings: Any
) -> None:
    settings.DEMO, settings.CHAIN_PUBLIC = True, True
    assert buyer.post(path(work, tail="/test")).status_code == 404


def test_a_test_payment_asks_for_test_money_once_and_then_pays(
    buyer: Client, ben: User, work: Asset, demo: None
) -> None:
    assert "test money" in text_of(buyer.get(path(work)))
    for _ in range(2):
        answer = buyer.post(path(work, tail="/test"))
        assert answer.status_code == 302
    order = Order.objects.get()
    wallet = testpay.test_wallet(party_of(ben))
    assert order.account == wallet.address
    fund = Intent.objects.get()
    assert fund.kind == "fund"
    assert fund.args["to"] == wallet.address
    assert "Test money is on its way" in text_of(buyer.get(f"/orders/{order.code}"))
    order_funded(claim_for(fund, order))
    order.refresh_from_db()
    assert order.state == Order.State.PAYING
    assert order.intent
    assert order.intent.kind == "deposit"
    order_funded(claim_for(fund, order))  # a job may run twice
    assert Intent.objects.filter(kind="deposit").count() == 1


def test_test_money_that_never_came_charges_nothing(
    buyer: Client, work: Asset, demo: None
) -> None:
    buyer.post(path(work, tail="/test"))
    order = Order.objects.get()
    fund = Intent.objects.get()
    fund.state = Intent.State.REVERTED
    fund.save()
    claim = claim_for(fund, order)
    claim.payload["failed"] = True
    order_funded(claim)
    assert "Nothing was charged" in text_of(buyer.get(f"/orders/{order.code}"))


def test_a_test_wallet_is_one_per_party_and_private(ada: User, demo: None) -> None:
    wallet = testpay.test_wallet(party_of(ada))
    assert testpay.test_wallet(party_of(ada)).address == wallet.address
    from django.conf import settings

    file = settings.KEYS_DIR / testpay.FOLDER / party_of(ada).code
    assert file.stat().st_mode & 0o777 == 0o600


def claim_for(fund: Intent, order: Order) -> Claim:
    """The claim of the job that runs when the money has come."""
    assert fund.then_kind == "order.funded"
    job = Job.objects.create(
        kind="order.funded", key=f"test:{order.code}:{Job.objects.count()}", payload={}
    )
    payload = {**fund.then_payload, "intent": fund.pk}
    return Claim(job_id=job.pk, kind=job.kind, payload=payload, token=0)


# --- the order's page


def test_an_order_waits_then_leads_to_license_and_copy(
    buyer: Client, ben: User, work: Asset
) -> None:
    order = open_order(work, party_of(ben))
    page = f"/orders/{order.code}"
    assert "waits for your signature" in text_of(buyer.get(page))
    Order.objects.update(state=Order.State.PAYING)
    text = text_of(buyer.get(page))
    assert 'hx-trigger="every 2s"' in text
    assert 'http-equiv="refresh"' in text  # without scripts
    row = licensed(work, party_of(ben))
    page = f"/orders/{row.order.code}"
    text = text_of(buyer.get(f"{page}/state"))
    assert "License issued" in text
    assert "hx-trigger" in text  # the copy is still being signed
    delivered(row)
    text = text_of(buyer.get(f"{page}/state"))
    assert "Download your copy" in text
    assert "hx-trigger" not in text


def test_an_expired_order_says_that_no_payment_came(
    buyer: Client, ben: User, work: Asset
) -> None:
    order = open_order(work, party_of(ben))
    Order.objects.update(state="expired")
    text = text_of(buyer.get(f"/orders/{order.code}"))
    assert "has expired" in text
    assert "no payment for it has come" in text
    assert "hx-trigger" not in text


@pytest.mark.parametrize("uncharged", [True, False])
def test_a_failed_order_says_nothing_was_charged_only_when_the_chain_does(
    buyer: Client, ben: User, work: Asset, uncharged: bool
) -> None:
    order = open_order(work, party_of(ben))
    Order.objects.update(
        state="failed",
        failed_reason="Your wallet holds too little.",
        uncharged=uncharged,
    )
    text = text_of(buyer.get(f"/orders/{order.code}"))
    assert "Your wallet holds too little." in text
    assert ("Nothing was charged" in text) is uncharged
    assert ("Try again" in text) is uncharged
    assert ("hx-trigger" in text) is not uncharged  # late news may come


def test_money_that_does_not_pay_is_told_with_what_to_do(
    buyer: Client, ben: User, work: Asset
) -> None:
    order = open_order(work, party_of(ben))
    Order.objects.update(received_units=39_000_000)
    text = text_of(buyer.get(f"/orders/{order.code}"))
    assert "$39.00 arrived" in text
    assert "the order costs $40.00" in text
    assert "can ask for it back" in text
    assert "Nothing was charged" not in text


def test_an_order_is_nobody_elses(
    client: Client, ben: User, eve: User, work: Asset
) -> None:
    order = open_order(work, party_of(ben))
    page = f"/orders/{order.code}"
    assert client.get(page).status_code == 302
    client.login(email=eve.email, password=PASSWORD)
    assert client.get(page).status_code == 404
    assert client.get(f"{page}/state").status_code == 404
    assert client.get(f"/orders/{an_id('ord')}").status_code == 404
    client.login(email=ben.email, password=PASSWORD)
    assert client.post(page).status_code == 405


# --- library and licenses


def test_the_library_lists_ones_licenses_and_nothing_of_others(
    client: Client, ben: User, eve: User, work: Asset
) -> None:
    row = licensed(work, party_of(ben))
    assert client.get("/library").status_code == 302
    client.login(email=eve.email, password=PASSWORD)
    assert "Nothing licensed yet" in text_of(client.get("/library"))
    assert client.get(f"/library/{row.code}").status_code == 404
    assert client.post(f"/library/{row.code}/download").status_code == 404
    client.login(email=ben.email, password=PASSWORD)
    text = text_of(client.get("/library"))
    assert "Night current" in text
    assert "being signed" in text
    assert client.get(f"/library/{an_id('lic')}").status_code == 404
    assert client.post("/library").status_code == 405


def test_the_library_needs_the_same_queries_for_many_licenses(
    buyer: Client, ben: User, work: Asset, django_assert_num_queries: Any
) -> None:
    licensed(work, party_of(ben))
    buyer.get("/library")
    with django_assert_num_queries(4):  # session, user, licenses, pictures
        buyer.get("/library")
    for use in ("editorial", "pay-per-use"):
        delivered(licensed(work, party_of(ben), use))
    with django_assert_num_queries(4):
        buyer.get("/library")


def test_a_license_page_shows_terms_shares_credit_and_where_to_report(
    buyer: Client, ben: User, work: Asset
) -> None:
    row = licensed(work, party_of(ben), "pay-per-use")
    text = text_of(buyer.get(f"/library/{row.code}"))
    assert (
        f"“Night current” by Ada Lindqvist, licensed through Colophon ({row.code})"
        in (text)
    )
    assert "Where your $2.00 goes" in text
    assert "$1.90" in text
    assert "$0.10" in text
    assert "$0.60 for each 1,000 uses" in text
    assert f"--license {row.code}" in text
    assert "Not downloaded yet" not in text


def test_a_download_is_one_link_for_one_use(
    buyer: Client, ben: User, work: Asset
) -> None:
    row = licensed(work, party_of(ben))
    answer = buyer.post(f"/library/{row.code}/download", follow=True)
    assert "still being signed" in text_of(answer)
    delivered(row)
    assert "Not downloaded yet" in text_of(buyer.get(f"/library/{row.code}"))
    answer = buyer.post(f"/library/{row.code}/download")
    assert answer.status_code == 302
    file = buyer.get(answer["Location"])
    assert file.status_code == 200
    assert b"".join(file.streaming_content) == b"copy for " + row.code.encode()
    assert buyer.get(answer["Location"]).status_code == 403
    assert "Not downloaded yet" not in text_of(buyer.get(f"/library/{row.code}"))
    assert buyer.get(f"/library/{row.code}/download").status_code == 405


def test_states_of_a_license_are_words(buyer: Client, ben: User, work: Asset) -> None:
    row = licensed(work, party_of(ben))
    page = f"/library/{row.code}"
    assert "</svg> Valid </span>" in text_of(buyer.get(page))
    License.objects.update(valid_until=timezone.now() - timedelta(days=1))
    assert "</svg> Expired </span>" in text_of(buyer.get(page))
    License.objects.update(state="revoked")
    assert "</svg> Revoked </span>" in text_of(buyer.get(page))


def test_the_certificate_in_a_copy_is_public_and_tells_no_buyer(
    client: Client, ben: User, work: Asset
) -> None:
    row = licensed(work, party_of(ben))
    answer = client.get(f"/licenses/{row.code}")
    text = text_of(answer)
    assert "Night current" in text
    assert "Valid" in text
    assert "Ben" not in text
    assert row.account not in text
    assert "$40" not in text
    assert client.get(f"/licenses/{an_id('lic')}").status_code == 404
    assert client.post(f"/licenses/{row.code}").status_code == 405


def test_a_license_says_when_its_payment_is_not_final_or_gone(
    buyer: Client, ben: User, work: Asset
) -> None:
    row = licensed(work, party_of(ben))
    page, public = f"/library/{row.code}", f"/licenses/{row.code}"
    assert "Not final yet" not in text_of(buyer.get(page))
    License.objects.update(final_at=None)
    assert "Not final yet" in text_of(buyer.get(page))
    License.objects.update(state="revoked", revoked_reason="deposit_gone")
    text = text_of(buyer.get(page))
    assert "left the chain" in text
    assert "Not final yet" not in text
    assert "Its payment left the chain" in text_of(buyer.get(public))


def test_what_a_page_gives_the_wallet_is_json(buyer: Client, work: Asset) -> None:
    text = buyer.get(path(work)).content.decode()
    start = text.index('id="wallet-pay"')
    config = json.loads(
        text[text.index(">", start) + 1 : text.index("</script>", start)]
    )
    assert config["unharmed"] == "Nothing was charged."
    assert config["prepare_url"] == path(work, tail="/prepare")
