"""U+0000 in a text of the market is an answer; for addresses see tests/config."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.api_keys import issue
from accounts.models import User
from tests import factories
from tests.cast import PASSWORD, party_of

NUL = "a\0b"
# Fixed, for they are in the tests' names, which every worker must find alike.
AN_ORDER = "ord_01a22191c3a0724c91f4890aa4144f5d"
AN_OFFER = "ofr_01a22191c3a0724c91f4890b2de62c22"
OFFER = {"commercial": "on", "commercial_price": "40", "term_days": "365"}


@pytest.fixture
def bearer(ben: User) -> dict[str, Any]:
    _, secret = issue(party_of(ben), ben, "test", ["buy", "publish", "report"])
    return {"HTTP_AUTHORIZATION": f"Bearer {secret}"}


@pytest.mark.parametrize(
    "path",
    [
        "listings/a%00b",
        "orders/a%00b",
        "licenses/a%00b",
        "licenses/a%00b/refund",
        f"orders/{AN_ORDER}%00",
        "licenses/x?party=a%00b",
    ],
)
@pytest.mark.django_db
def test_an_address_of_the_api(client: Client, bearer: Any, path: str) -> None:
    answer = client.get(f"/api/v1/{path}", **bearer)
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.django_db
def test_the_party_that_a_request_acts_for(client: Client, ben: User) -> None:
    client.login(email=ben.email, password=PASSWORD)
    assert client.get("/royalties?party=%00").status_code == 403


@pytest.mark.parametrize("field", ["offer", "account"])
@pytest.mark.django_db
def test_a_field_of_the_api(client: Client, bearer: Any, field: str) -> None:
    body = {"offer": factories.an_id("ofr"), "account": factories.WALLET, field: NUL}
    kind = "application/json"
    answer = client.post("/api/v1/orders", body, content_type=kind, **bearer)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == f"/{field}"


@pytest.mark.parametrize("field", [*OFFER, "metered_rate", "metered_per"])
@pytest.mark.django_db
def test_a_field_of_a_form(client: Client, ada: User, field: str) -> None:
    asset = factories.sealed_asset(party_of(ada))
    factories.agreed(asset)
    client.login(email=ada.email, password=PASSWORD)
    answer = client.post(f"/sell/{asset.code}/publish", {**OFFER, field: NUL})
    # A checkbox is on, whatever its value.
    assert answer.status_code == (302 if field == "commercial" else 422)


@pytest.mark.parametrize(
    "path",
    [
        "/?q=a%00b&origin=%00&cursor=%00",
        "/checkout?offer=%00",
        "/library?after=%00",
        "/a/%00",
        f"/checkout/{AN_OFFER}%00",
    ],
)
@pytest.mark.django_db
def test_an_address_of_a_page(client: Client, ben: User, path: str) -> None:
    client.login(email=ben.email, password=PASSWORD)
    assert client.get(path).status_code in {200, 404}


@pytest.mark.parametrize("tail", ["prepare", "pay"])
@pytest.mark.django_db
def test_a_post_of_the_checkout(
    client: Client, ada: User, ben: User, tail: str
) -> None:
    factories.network()
    work = factories.published_asset(party_of(ada))
    client.login(email=ben.email, password=PASSWORD)
    url = f"/checkout/{factories.offer_of(work).code}/{tail}"
    body = {"address": NUL, "order": NUL, "signature": NUL}
    assert client.post(url, body).status_code in {404, 422}
