"""The settings page: each form for the party that acts, and for nobody else's."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts import api_keys, keys, wallets
from accounts.models import ApiKey, Membership, Party, SigningKey, User
from accounts.register import open_account
from colophon.keys import Ed25519Key
from tests.accounts.test_keys import enrollment_of
from tests.accounts.test_wallets import KEY, OTHER
from tests.cast import PASSWORD, party_of

pytestmark = pytest.mark.django_db

HOSTILE = '"><script>alert(1)</script>'
POSTS = [
    "/settings/profile",
    "/settings/party",
    "/settings/organizations",
    "/settings/payout",
    f"/settings/wallets/{KEY.address}/unlink",
    "/settings/api-keys",
    "/settings/api-keys/0123456789ab/revoke",
    f"/settings/keys/{'0' * 64}/revoke",
]


@pytest.fixture
def mine(client: Client, ada: User) -> Client:
    """A browser that Ada is signed in with."""
    client.force_login(ada)
    return client


def by_password(user: User) -> Client:
    """A browser whose user has typed the password just now."""
    client = Client()
    client.force_login(user)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return client


def enrolled(user: User) -> SigningKey:
    envelope = enrollment_of(Ed25519Key.generate(), user)
    return keys.enroll(party_of(user), envelope, label="studio")


# --- the page -----------------------------------------------------------------------


def test_the_page_shows_what_is_the_partys(mine: Client, ada: User, eve: User) -> None:
    party = party_of(ada)
    wallets.link(ada, party, KEY.address)
    row, secret = api_keys.issue(party, ada, "render farm", ["record"])
    key = enrolled(ada)
    foreign, _ = api_keys.issue(party_of(eve), eve, "eve's own", ["read"])
    page = mine.get("/settings").content.decode()
    for text in (KEY.address, row.prefix, "render farm", key.key_id, party.code):
        assert text in page
    for text in (secret, foreign.prefix, party_of(eve).code):
        assert text not in page


def test_custody_is_said_in_words(mine: Client, ada: User) -> None:
    assert "Colophon, encrypted" in mine.get("/settings").content.decode()
    assert "You alone" not in mine.get("/settings").content.decode()
    enrolled(ada)
    assert "You alone" in mine.get("/settings").content.decode()


def test_the_page_is_never_cached(mine: Client) -> None:
    assert "no-store" in mine.get("/settings").headers["Cache-Control"]


@pytest.mark.parametrize("url", ["/settings", *POSTS])
def test_everything_needs_a_login(client: Client, db: None, url: str) -> None:
    send = client.get if url == "/settings" else client.post
    answer = send(url)
    assert answer.status_code == 302
    assert answer.url.startswith("/accounts/login/?next=")


@pytest.mark.parametrize("url", POSTS)
def test_forms_are_posted_with_a_csrf_token(mine: Client, ada: User, url: str) -> None:
    assert mine.get(url).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ada)
    assert strict.post(url).status_code == 403


def test_the_page_takes_gets_only(mine: Client) -> None:
    assert mine.post("/settings").status_code == 405


def test_a_party_of_others_is_refused_like_a_missing_one(
    mine: Client, eve: User
) -> None:
    foreign = mine.get("/settings", {"party": party_of(eve).code})
    missing = mine.get("/settings", {"party": "pty_none"})
    assert foreign.status_code == missing.status_code == 403


# --- profile and parties ------------------------------------------------------------


def test_changing_the_name(mine: Client, ada: User) -> None:
    answer = mine.post("/settings/profile", {"name": HOSTILE})
    assert answer.url == "/settings#profile"
    ada.refresh_from_db()
    assert ada.name == HOSTILE
    assert "<script>alert" not in mine.get("/settings").content.decode()


def test_a_name_that_is_too_long_is_refused_beside_its_field(mine: Client) -> None:
    answer = mine.post("/settings/profile", {"name": "x" * 121})
    assert answer.status_code == 422
    assert "at most 120 characters" in answer.content.decode()


def test_opening_an_organization_and_going_back(mine: Client, ada: User) -> None:
    mine.post("/settings/organizations", {"name": "Tern"})
    assert "acting for Tern" in mine.get("/settings").content.decode()
    mine.post("/settings/party", {"party": party_of(ada).code})
    assert "acting for Ada" in mine.get("/settings").content.decode()


def test_an_organization_needs_a_name(mine: Client) -> None:
    assert mine.post("/settings/organizations", {"name": " "}).status_code == 422
    assert Party.objects.filter(kind="organization", is_platform=False).count() == 0


def test_nobody_acts_for_a_party_of_others(mine: Client, eve: User) -> None:
    foreign = mine.post("/settings/party", {"party": party_of(eve).code})
    missing = mine.post("/settings/party", {"party": "pty_none"})
    assert foreign.status_code == missing.status_code == 404
    assert "acting for Ada" in mine.get("/settings").content.decode()


# --- wallets and payout -------------------------------------------------------------


def test_the_payout_wallet_changes_after_the_password(ada: User) -> None:
    party = party_of(ada)
    for address in (KEY.address, OTHER.address):
        wallets.link(ada, party, address)
    browser = Client()
    browser.force_login(ada)
    stopped = browser.post("/settings/payout", {"address": OTHER.address})
    assert stopped.url.startswith("/accounts/reauthenticate/")
    party.holder.refresh_from_db()
    assert party.holder.payout_address == KEY.address
    browser.post(stopped.url, {"password": PASSWORD})
    party.holder.refresh_from_db()
    assert party.holder.payout_address == OTHER.address


def test_a_wrong_password_changes_nothing(ada: User) -> None:
    party = party_of(ada)
    for address in (KEY.address, OTHER.address):
        wallets.link(ada, party, address)
    browser = Client()
    browser.force_login(ada)
    stopped = browser.post("/settings/payout", {"address": OTHER.address})
    assert browser.post(stopped.url, {"password": "guess"}).status_code == 200
    party.holder.refresh_from_db()
    assert party.holder.payout_address == KEY.address


def test_payout_goes_to_own_wallets_only(ada: User, eve: User) -> None:
    wallets.link(ada, party_of(ada), KEY.address)
    wallets.link(eve, party_of(eve), OTHER.address)
    browser = by_password(ada)
    answer = browser.post("/settings/payout", {"address": OTHER.address})
    assert answer.status_code == 422
    assert party_of(ada).holder.payout_address == KEY.address


def test_unlinking_own_wallets_only(ada: User, eve: User) -> None:
    for user, address in ((ada, KEY.address), (eve, OTHER.address)):
        wallets.link(user, party_of(user), address)
    browser = by_password(ada)
    foreign = browser.post(f"/settings/wallets/{OTHER.address}/unlink")
    missing = browser.post("/settings/wallets/0x00/unlink")
    assert foreign.status_code == missing.status_code == 404
    assert browser.post(f"/settings/wallets/{KEY.address}/unlink").status_code == 302
    page = browser.get("/settings").content.decode()
    assert "choose another payout wallet first" in page
    assert party_of(ada).wallets.count() == 1


# --- API keys -----------------------------------------------------------------------


def test_an_api_key_is_shown_once(mine: Client) -> None:
    form = {"label": "farm", "scopes": ["record", "read"]}
    answer = mine.post("/settings/api-keys", form)
    found = re.search(r"clp_[0-9a-f]{12}_[0-9a-f]{64}", answer.content.decode())
    assert found is not None
    assert answer.status_code == 201
    assert "no-store" in answer.headers["Cache-Control"]
    assert found.group() not in mine.get("/settings").content.decode()
    headers = {"Authorization": f"Bearer {found.group()}"}
    assert Client().get("/api/v1/me", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "form",
    [{}, {"label": "x"}, {"label": "x", "scopes": ["admin"]}, {"scopes": "read"}],
)
def test_an_api_key_form_that_lacks_something_is_refused(
    mine: Client, form: dict[str, Any]
) -> None:
    assert mine.post("/settings/api-keys", form).status_code == 422
    assert not ApiKey.objects.exists()


def test_revoking_own_api_keys_only(mine: Client, ada: User, eve: User) -> None:
    own, _ = api_keys.issue(party_of(ada), ada, "farm", ["read"])
    other, _ = api_keys.issue(party_of(eve), eve, "farm", ["read"])
    url = "/settings/api-keys/{}/revoke"
    assert mine.post(url.format(own.prefix)).url == "/settings#api-keys"
    foreign = mine.post(url.format(other.prefix))
    missing = mine.post(url.format("0" * 12))
    assert foreign.status_code == missing.status_code == 404
    own.refresh_from_db()
    other.refresh_from_db()
    assert own.revoked_at is not None
    assert other.revoked_at is None


# --- signing keys -------------------------------------------------------------------


def test_revoking_own_signing_keys_only(mine: Client, ada: User, eve: User) -> None:
    own, other = enrolled(ada), enrolled(eve)
    for key in (own, other):
        url = reverse("accounts:revoke-key", args=[key.key_id])
        mine.post(url, {"reason": "compromised"})
        key.refresh_from_db()
    assert own.revoked_at is not None
    assert other.revoked_at is None


def test_revoking_a_key_twice_says_so(mine: Client, ada: User) -> None:
    url = reverse("accounts:revoke-key", args=[enrolled(ada).key_id])
    mine.post(url, {"reason": "retired"})
    answer = mine.post(url, {"reason": "retired"}, follow=True)
    assert "revoked already" in answer.content.decode()


def test_revoking_needs_a_known_reason(mine: Client, ada: User) -> None:
    key = enrolled(ada)
    url = reverse("accounts:revoke-key", args=[key.key_id])
    answer = mine.post(url, {"reason": "bored"}, follow=True)
    assert "Nothing was revoked" in answer.content.decode()
    key.refresh_from_db()
    assert key.revoked_at is None


# --- members ------------------------------------------------------------------------


def test_a_member_sees_the_party_but_changes_neither_money_nor_keys(
    mine: Client, ada: User, ben: User
) -> None:
    company = open_account(ben, name="Tern")
    Membership.objects.create(user=ada, party=company, role=Membership.Role.MEMBER)
    row, _ = api_keys.issue(company, ben, "farm", ["read"])
    mine.post("/settings/party", {"party": company.code})
    page = mine.get("/settings").content.decode()
    assert "not an owner" in page
    assert "Make an API key" not in page
    form = {"label": "x", "scopes": ["read"]}
    assert mine.post("/settings/api-keys", form).status_code == 403
    revoke = mine.post(f"/settings/api-keys/{row.prefix}/revoke")
    assert revoke.status_code == 403
    row.refresh_from_db()
    assert row.revoked_at is None
