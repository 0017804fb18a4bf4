"""Licensing by API, from publishing to the link, and errors by their field."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from eth_account import Account

from accounts.models import User
from marketplace.issue import issue_license
from marketplace.models import Listing, Order
from provenance.models import Asset
from tests import factories
from tests.cast import party_of
from tests.loop import Person

pytestmark = pytest.mark.django_db
JSON = "application/json"
WALLET = Account.from_key("0x" + "42" * 32)
OFFERS = {"offers": [{"use": "commercial", "price": "40.00"}]}


@pytest.fixture
def work(ada: User) -> Asset:
    factories.network()
    asset = factories.sealed_asset(party_of(ada))
    factories.agreed(asset)
    return asset


def post(client: Client, person: Person, path: str, body: Any) -> Any:
    headers = {"Authorization": f"Bearer {person.secret}"}
    return client.post(f"/api/v1/{path}", body, content_type=JSON, headers=headers)


def get(client: Client, person: Person, path: str) -> Any:
    headers = {"Authorization": f"Bearer {person.secret}"}
    return client.get(f"/api/v1/{path}", headers=headers)


def test_from_publishing_to_the_link(
    client: Client, work: Asset, ada: User, ben: User
) -> None:
    maker, buyer = Person.of(ada), Person.of(ben)
    listed = post(client, maker, f"assets/{work.code}/publish", OFFERS)
    assert listed.status_code == 201
    assert client.get(f"/api/v1/listings/{work.code}").json() == listed.json()
    offer = listed.json()["offers"][0]
    body = {"offer": offer["id"], "account": WALLET.address.lower()}
    made = post(client, buyer, "orders", body).json()
    assert (made["state"], made["amount_units"]) == ("open", 40_000_000)
    assert made["terms_digest"] == offer["terms_digest"]
    signed = WALLET.sign_typed_data(full_message=made["typed_data"])
    body = {"signature": "0x" + bytes(signed.signature).hex()}
    paying = post(client, buyer, f"orders/{made['id']}/authorize", body).json()
    assert (paying["state"], paying["typed_data"]) == ("paying", None)
    row = issue_license(order_pk=Order.objects.get().pk)
    told = get(client, buyer, f"orders/{made['id']}").json()
    assert (told["state"], told["license"]) == ("paid", row.code)
    link = f"licenses/{row.code}/download"
    early = post(client, buyer, link, {})
    assert (early.status_code, early.json()["code"]) == (409, "copy-not-ready")
    factories.delivered(row)
    assert "/download/" in post(client, buyer, link, {}).json()["url"]
    shown = get(client, buyer, f"licenses/{row.code}").json()
    assert shown["delivery"]["sha256"] == bytes(row.delivery.digest).hex()
    assert (shown["terms"], shown["state"]) == (made["terms"], "active")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/offers"),
        ({"offers": []}, "/offers"),
        ({"offers": [{"use": "x"}]}, "/offers/0/use"),
        (OFFERS | {"other": 1}, "/other"),
    ],
)
def test_a_wrong_offer_names_the_field(
    client: Client, work: Asset, ada: User, body: Any, pointer: str
) -> None:
    answer = post(client, Person.of(ada), f"assets/{work.code}/publish", body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert not Listing.objects.exists()


@pytest.mark.parametrize(
    "account", ["", "0x00", factories.WALLET.replace("C5", "c5"), 7]
)
def test_a_wrong_account_names_the_field(
    client: Client, ada: User, ben: User, account: Any
) -> None:
    factories.network()
    asset = factories.published_asset(party_of(ada))
    body = {"offer": factories.offer_of(asset).code, "account": account}
    answer = post(client, Person.of(ben), "orders", body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/account"
    assert not Order.objects.exists()


def test_a_wrong_signature_charges_nothing(
    client: Client, ada: User, ben: User
) -> None:
    factories.network()
    order = factories.open_order(
        factories.published_asset(party_of(ada)), party_of(ben)
    )
    for signature in ("0x00", "zz", "0x" + "11" * 65):
        path = f"orders/{order.code}/authorize"
        answer = post(client, Person.of(ben), path, {"signature": signature})
        assert answer.status_code == 422
    order.refresh_from_db()
    assert (order.state, order.intent) == ("open", None)


def test_ones_own_work_is_a_conflict(client: Client, ada: User) -> None:
    factories.network()
    asset = factories.published_asset(party_of(ada))
    body = {"offer": factories.offer_of(asset).code, "account": WALLET.address}
    answer = post(client, Person.of(ada), "orders", body)
    assert (answer.status_code, answer.json()["code"]) == (409, "not-for-sale")


def test_a_withdrawn_listing_is_not_found(client: Client, ada: User) -> None:
    asset = factories.published_asset(party_of(ada))
    assert client.get(f"/api/v1/listings/{asset.code}").status_code == 200
    Listing.objects.update(state="withdrawn")
    assert client.get(f"/api/v1/listings/{asset.code}").status_code == 404
