"""The account API: who am I, and signing keys, by API key and by session."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts import api_keys, keys
from accounts.models import Membership, SigningKey, User
from accounts.register import open_account
from colophon.keys import Ed25519Key
from colophon.statement import Envelope
from tests.accounts.test_keys import enrollment_of
from tests.cast import party_of

pytestmark = pytest.mark.django_db
JSON = "application/json"


def bearer(user: User, *scopes: str) -> dict[str, str]:
    """Headers of a fresh API key of the user's own party."""
    _, secret = api_keys.issue(party_of(user), user, "test", scopes or ("record",))
    return {"Authorization": f"Bearer {secret}"}


def enroll(client: Client, envelope: Envelope, headers: dict[str, str]) -> Any:
    body = {"envelope": envelope.to_json(), "label": "studio"}
    return client.post("/api/v1/keys", body, content_type=JSON, headers=headers)


def enrolled(user: User) -> SigningKey:
    envelope = enrollment_of(Ed25519Key.generate(), user)
    return keys.enroll(party_of(user), envelope)


# --- me -----------------------------------------------------------------------------


def test_me_by_api_key(client: Client, ada: User) -> None:
    answer = client.get("/api/v1/me", headers=bearer(ada, "read"))
    party = party_of(ada)
    assert answer.json() == {
        "name": "Ada",
        "party": {"id": party.code, "kind": "person", "name": "Ada"},
        "parties": [{"id": party.code, "kind": "person", "name": "Ada"}],
        "holder": party.holder.code,
        "payout_address": "",
        "account_key": keys.account_key(party).key_id,
        "scopes": ["read"],
    }


def test_me_by_session_lists_all_parties(client: Client, ada: User) -> None:
    company = open_account(ada, name="Tern", kind="organization")
    client.force_login(ada)
    found = client.get("/api/v1/me", {"party": company.code}).json()
    assert found["party"]["name"] == "Tern"
    assert [one["name"] for one in found["parties"]] == ["Ada", "Tern"]


def test_me_needs_a_login(client: Client, db: None) -> None:
    answer = client.get("/api/v1/me")
    assert (answer.status_code, answer.json()["code"]) == (401, "not-authenticated")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_me_of_a_party_of_others_is_refused_like_a_missing_one(
    client: Client, ada: User, eve: User
) -> None:
    client.force_login(eve)
    foreign = client.get("/api/v1/me", {"party": party_of(ada).code})
    missing = client.get("/api/v1/me", {"party": "pty_none"})
    assert foreign.status_code == missing.status_code == 403
    assert foreign.json()["detail"] == missing.json()["detail"]


def test_an_api_key_acts_for_its_own_party_only(client: Client, ada: User) -> None:
    company = open_account(ada, name="Tern")
    headers = bearer(ada, "read")
    answer = client.get("/api/v1/me", {"party": company.code}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "no-party")


@pytest.mark.parametrize("scope", api_keys.SCOPES)
def test_me_answers_whatever_the_scope(client: Client, ada: User, scope: str) -> None:
    answer = client.get("/api/v1/me", headers=bearer(ada, scope))
    assert (answer.status_code, answer.json()["scopes"]) == (200, [scope])


def test_a_revoked_api_key_is_refused(client: Client, ada: User) -> None:
    row, secret = api_keys.issue(party_of(ada), ada, "test", ["read"])
    headers = {"Authorization": f"Bearer {secret}"}
    assert client.get("/api/v1/me", headers=headers).status_code == 200
    api_keys.revoke(row)
    assert client.get("/api/v1/me", headers=headers).status_code == 401


def test_an_unknown_api_key_is_refused_even_with_a_session(
    client: Client, ada: User
) -> None:
    client.force_login(ada)
    answer = client.get("/api/v1/me", headers={"Authorization": "Bearer clp_nothing"})
    assert answer.status_code == 401


def test_me_refuses_other_methods(client: Client, ada: User) -> None:
    answer = client.post("/api/v1/me", headers=bearer(ada, "read"))
    assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")


# --- enrolling ----------------------------------------------------------------------


def test_enrolling_a_key(client: Client, ada: User) -> None:
    key = Ed25519Key.generate()
    answer = enroll(client, enrollment_of(key, ada), bearer(ada))
    body = answer.json()
    assert answer.status_code == 201
    assert (body["id"], body["custody"]) == (key.key_id, "client")
    assert body["public_key"] == key.public_spki.hex()
    assert SigningKey.objects.get(key_id=key.key_id).party == party_of(ada)


def test_enrolling_needs_the_scope_record(client: Client, ada: User) -> None:
    envelope = enrollment_of(Ed25519Key.generate(), ada)
    answer = enroll(client, envelope, bearer(ada, "read"))
    assert answer.status_code == 403


def test_enrolling_with_a_wrong_signature_is_refused(client: Client, ada: User) -> None:
    wrong = enrollment_of(Ed25519Key.generate(), ada, signer=Ed25519Key.generate())
    answer = enroll(client, wrong, bearer(ada))
    assert (answer.status_code, answer.json()["code"]) == (422, "bad-signature")


def test_enrolling_a_stolen_envelope_is_refused(
    client: Client, ada: User, eve: User
) -> None:
    envelope = enrollment_of(Ed25519Key.generate(), ada)
    answer = enroll(client, envelope, bearer(eve))
    assert answer.json()["errors"][0]["pointer"] == "/predicate/account"


def test_enrolling_twice_is_a_conflict(client: Client, ada: User) -> None:
    envelope, headers = enrollment_of(Ed25519Key.generate(), ada), bearer(ada)
    assert enroll(client, envelope, headers).status_code == 201
    answer = enroll(client, envelope, headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "key-conflict")


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({}, 400, "/envelope"),
        ({"envelope": {}}, 422, "/payloadType"),
        ({"envelope": "text"}, 422, ""),
        ({"envelope": 7, "label": "x" * 81}, 400, "/label"),
    ],
)
def test_a_malformed_enrollment_names_the_field(
    client: Client, ada: User, body: dict[str, Any], status: int, pointer: str
) -> None:
    answer = client.post("/api/v1/keys", body, content_type=JSON, headers=bearer(ada))
    assert answer.status_code == status
    assert pointer in [one["pointer"] for one in answer.json()["errors"]]


def test_a_body_that_is_no_json_is_malformed(client: Client, ada: User) -> None:
    answer = client.post("/api/v1/keys", "{", content_type=JSON, headers=bearer(ada))
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


def test_a_session_needs_the_csrf_token_to_enroll(ada: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ada)
    answer = enroll(strict, enrollment_of(Ed25519Key.generate(), ada), {})
    assert (answer.status_code, answer.json()["code"]) == (403, "permission-denied")


def test_listing_keys_shows_the_partys_own(
    client: Client, ada: User, eve: User
) -> None:
    mine, _ = enrolled(ada), enrolled(eve)
    found = client.get("/api/v1/keys", headers=bearer(ada)).json()["data"]
    account = keys.account_key(party_of(ada)).key_id
    assert [one["id"] for one in found] == [mine.key_id, account]


# --- one key ------------------------------------------------------------------------


def test_reading_and_revoking_a_key(client: Client, ada: User) -> None:
    key, headers = enrolled(ada), bearer(ada)
    url = f"/api/v1/keys/{key.key_id}"
    assert client.get(url, headers=headers).json()["revoked_at"] is None
    answer = client.delete(f"{url}?reason=compromised", headers=headers)
    assert answer.status_code == 200
    assert answer.json()["revoked_at"] is not None
    again = client.delete(url, headers=headers)
    assert (again.status_code, again.json()["code"]) == (409, "key-state")


@pytest.mark.parametrize("method", ["get", "delete"])
def test_a_key_of_others_is_not_found_like_a_missing_one(
    client: Client, ada: User, eve: User, method: str
) -> None:
    headers = bearer(eve)
    send = getattr(client, method)
    key = enrolled(ada)
    foreign = send(f"/api/v1/keys/{key.key_id}", headers=headers)
    missing = send(f"/api/v1/keys/{'0' * 64}", headers=headers)
    assert foreign.status_code == missing.status_code == 404
    assert foreign.json()["detail"] == missing.json()["detail"]
    key.refresh_from_db()
    assert key.revoked_at is None


def test_revoking_needs_a_login_and_a_known_reason(client: Client, ada: User) -> None:
    url = f"/api/v1/keys/{enrolled(ada).key_id}"
    assert client.delete(url).status_code == 401
    answer = client.delete(f"{url}?reason=bored", headers=bearer(ada))
    assert answer.json()["errors"][0]["pointer"] == "/reason"
    early = client.delete(
        f"{url}?effective_at=2001-01-01T00:00:00Z", headers=bearer(ada)
    )
    assert (early.status_code, early.json()["code"]) == (409, "key-state")


def test_a_key_refuses_other_methods(client: Client, ada: User) -> None:
    url = f"/api/v1/keys/{enrolled(ada).key_id}"
    assert client.put(url, headers=bearer(ada)).status_code == 405


def test_a_member_who_is_no_owner_cannot_revoke(client: Client, ada: User) -> None:
    key = enrolled(ada)
    Membership.objects.filter(user=ada).update(role=Membership.Role.MEMBER)
    client.force_login(ada)
    answer = client.delete(f"/api/v1/keys/{key.key_id}")
    assert (answer.status_code, answer.json()["code"]) == (403, "not-owner")
