"""Reported uses: taken once for ever, in three forms, or not at all."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts import api_keys
from accounts.models import User
from colophon.digest import canonical
from colophon.fields import MAX_RECORD_BYTES
from colophon.trace_file import Event
from colophon.trace_uses import read_use
from marketplace.models import License
from outbox.models import Job
from royalties.models import Tally, UsageBatch, UsageEvent
from royalties.record import record_batch
from tests.cast import party_of
from tests.royalties import factories

SINGLE = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
LINES = "application/x-ndjson"
URL = "/api/v1/usage"


@pytest.fixture
def sold(ada: User, ben: User) -> License:
    """Ben's pay-per-use license of Ada's work: $10.00 deposit, $0.60 for 1,000."""
    asset = factories.on_sale(factories.factories.sealed_asset(party_of(ada)))
    return factories.license_of(asset, party_of(ben))


@pytest.fixture
def key(ben: User) -> str:
    return api_keys.issue(party_of(ben), ben, "ads", ["report"])[1]


def post(client: Client, key: str, body: Any, kind: str = SINGLE) -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(URL, data, kind, headers={"Authorization": f"Bearer {key}"})


def test_one_event_is_committed_before_the_answer(
    client: Client, sold: License, key: str
) -> None:
    answer = post(client, key, factories.use_body(sold, 1_000, event_id="a"))
    assert answer.status_code == 202
    (told,) = answer.json()["events"]
    assert (told["id"], told["new"], told["state"]) == ("a", True, "received")
    event = UsageEvent.objects.get()
    assert (event.quantity, event.batch.code) == (1_000, told["batch"])
    assert Job.objects.get(kind="usage.record").payload == {"batch": event.batch_id}


def test_three_forms_give_the_same_rows(
    client: Client, sold: License, key: str
) -> None:
    one, two, three = (factories.use_body(sold, n, event_id=str(n)) for n in (1, 2, 3))
    post(client, key, one)
    post(client, key, [two], BATCH)
    post(client, key, json.dumps(three).encode() + b"\n\n", LINES)
    rows = UsageEvent.objects.order_by("pk").values_list("event_id", "quantity")
    assert list(rows) == [("1", 1), ("2", 2), ("3", 3)]
    assert UsageBatch.objects.count() == 3


def test_the_same_event_gets_the_first_answer(
    client: Client, sold: License, key: str
) -> None:
    body = factories.use_body(sold, 5, event_id="a")
    first = post(client, key, body).json()["events"][0]
    again = post(client, key, body)
    assert again.status_code == 200
    assert again.json()["events"] == [{**first, "new": False}]
    assert UsageEvent.objects.count() == 1


def test_key_order_and_spaces_do_not_make_another_event(
    client: Client, sold: License, key: str
) -> None:
    body = factories.use_body(sold, 5, event_id="a")
    post(client, key, body)
    turned = json.dumps(dict(reversed(body.items())), indent=3).encode()
    assert post(client, key, turned).status_code == 200


def test_another_body_under_the_same_id_is_refused_and_nothing_is_kept(
    client: Client, sold: License, key: str
) -> None:
    body = factories.use_body(sold, 5, event_id="a")
    post(client, key, body)
    fresh = factories.use_body(sold, 9, event_id="b")
    changed = {**body, "data": {"quantity": 6}}
    answer = post(client, key, [fresh, changed], BATCH)
    assert answer.status_code == 409
    assert answer.json()["code"] == "usage-conflict"
    assert answer.json()["errors"][0]["pointer"] == "/1/id"
    assert list(UsageEvent.objects.values_list("event_id", flat=True)) == ["a"]


def test_a_repeat_inside_one_request_counts_once(
    client: Client, sold: License, key: str
) -> None:
    body = factories.use_body(sold, 5, event_id="a")
    answer = post(client, key, [body, body], BATCH)
    assert answer.status_code == 202
    assert UsageEvent.objects.count() == 1
    assert UsageBatch.objects.get().count == 1


def test_two_bodies_under_one_id_inside_one_request_are_refused(
    client: Client, sold: License, key: str
) -> None:
    body = factories.use_body(sold, 5, event_id="a")
    answer = post(client, key, [body, {**body, "data": {"quantity": 6}}], BATCH)
    assert answer.status_code == 409
    assert not UsageEvent.objects.exists()


def test_a_license_of_somebody_else_is_not_found_and_nothing_is_kept(
    client: Client, sold: License, key: str, eve: User
) -> None:
    hers = api_keys.issue(party_of(eve), eve, "x", ["report"])[1]
    answer = post(client, hers, factories.use_body(sold, 5))
    assert answer.status_code == 404
    assert answer.json()["errors"][0]["pointer"] == "/subject"
    mine = factories.use_body(sold, 5)
    strange = {**factories.use_body(sold, 5), "subject": "lic_" + "0" * 32}
    answer = post(client, key, [mine, strange], BATCH)
    assert answer.status_code == 404
    assert answer.json()["errors"][0]["pointer"] == "/1/subject"
    assert not UsageEvent.objects.exists()


NOT_THERE = object()
BAD_FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"specversion": "0.3"}, "specversion"),
    ({"specversion": "1.0.2"}, "specversion"),
    ({"specversion": 1}, "specversion"),
    ({"specversion": NOT_THERE}, "specversion"),
    ({"type": "com.example.view"}, "type"),
    ({"type": ""}, "type"),
    ({"type": NOT_THERE}, "type"),
    ({"id": ""}, "id"),
    ({"id": "x" * 200}, "id"),
    ({"id": 7}, "id"),
    ({"id": "a\x07"}, "id"),
    ({"id": "a\0"}, "id"),
    ({"id": "\ud800"}, "id"),
    ({"id": NOT_THERE}, "id"),
    ({"source": ""}, "source"),
    ({"source": "my ads"}, "source"),
    ({"source": NOT_THERE}, "source"),
    ({"subject": None}, "subject"),
    ({"subject": NOT_THERE}, "subject"),
    ({"time": "yesterday"}, "time"),
    ({"time": "2026-11-23T12:00:00"}, "time"),
    ({"time": "2026-11-23 12:00:00Z"}, "time"),
    ({"time": "2026-11-23T12:00Z"}, "time"),
    ({"time": "2026-11-23T25:00:00Z"}, "time"),
    ({"time": "0001-01-01T00:00:00+23:59"}, "time"),
    ({"time": "9999-12-31T23:59:59-00:01"}, "time"),
    ({"time": 1_764_000_000}, "time"),
    ({"time": NOT_THERE}, "time"),
    ({"datacontenttype": "text/csv"}, "datacontenttype"),
    ({"datacontenttype": "application/jsonp"}, "datacontenttype"),
    ({"datacontenttype": ""}, "datacontenttype"),
    ({"dataschema": ""}, "dataschema"),
    ({"data_base64": "eyJxdWFudGl0eSI6NX0="}, "data_base64"),
    ({"data": {"quantity": -1}}, "data/quantity"),
    ({"data": {"quantity": 10**9 + 1}}, "data/quantity"),
    ({"data": {"quantity": 2**63}}, "data/quantity"),
    ({"data": {"quantity": True}}, "data/quantity"),
    ({"data": {"quantity": "5"}}, "data/quantity"),
    ({"data": {}}, "data/quantity"),
    ({"data": []}, "data"),
    ({"data": None}, "data"),
    ({"data": {"quantity": 5, "where": {"page": "a\0b"}}}, "data/where/page"),
    ({"Campaign": "x"}, "Campaign"),
    ({"campaign_id": "x"}, "campaign_id"),
    ({"campaign": {"id": 1}}, "campaign"),
    ({"campaign": 2**31}, "campaign"),
    ({"campaign": "\udfff"}, "campaign"),
]


def changed(body: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """A body with other fields; what is NOT_THERE is left out."""
    found = {**body, **change}
    return {key: value for key, value in found.items() if value is not NOT_THERE}


@pytest.mark.parametrize(("change", "pointer"), BAD_FIELDS)
def test_a_malformed_event_is_refused_by_its_field(
    client: Client, sold: License, key: str, change: dict[str, Any], pointer: str
) -> None:
    body = changed(factories.use_body(sold, 5), change)
    answer = post(client, key, body)
    assert answer.status_code == 422, answer.json()
    assert answer.json()["errors"][0]["pointer"] == f"/{pointer}"
    assert not UsageEvent.objects.exists()


@pytest.mark.parametrize(("change", "pointer"), BAD_FIELDS[::5])
@pytest.mark.parametrize("kind", [BATCH, LINES])
def test_the_pointer_leads_to_the_faulty_event_of_many(  # noqa: PLR0917
    client: Client,
    sold: License,
    key: str,
    kind: str,
    change: dict[str, Any],
    pointer: str,
) -> None:
    good, bad = factories.use_body(sold, 5), factories.use_body(sold, 5)
    events = [json.dumps(one) for one in (good, changed(bad, change))]
    lines = f"{events[0]}\n\r\n{events[1]}\n"
    sent = f"[{','.join(events)}]" if kind == BATCH else lines
    answer = post(client, key, sent.encode(), kind)
    assert answer.status_code == 422, answer.json()
    (error,) = answer.json()["errors"]
    # A text that no JSON of ours may have is found before the events are told apart.
    assert error["pointer"] == f"/1/{pointer}"
    assert ("line 3" in error["detail"]) == (kind == LINES)
    assert not UsageEvent.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"datacontenttype": "application/json; charset=utf-8"},
        {"datacontenttype": "application/cloudevents+json"},
        {"dataschema": "https://ads.example/schema"},
        {"source": "/campaign/7"},
        {"source": "urn:ads"},
        {"time": "2026-11-23t12:00:00.123456789+05:30"},
        {"campaign": "spring", "attempt": 3, "test": False, "note": None},
    ],
)
def test_every_lawful_event_is_read(
    client: Client, sold: License, key: str, change: dict[str, Any]
) -> None:
    body = {**factories.use_body(sold, 5), **change}
    assert post(client, key, body).status_code == 202
    assert UsageEvent.objects.get().body == body


def test_a_line_that_is_no_json_is_named(
    client: Client, sold: License, key: str
) -> None:
    good = json.dumps(factories.use_body(sold, 5))
    answer = post(client, key, f"{good}\n{{\n".encode(), LINES)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["pointer"] == "/1"
    assert error["detail"].startswith("line 2 is not JSON")
    assert not UsageEvent.objects.exists()


@pytest.mark.parametrize("kind", [SINGLE, BATCH, LINES])
def test_an_event_has_at_most_64_kib(
    client: Client, sold: License, key: str, kind: str
) -> None:
    """Both sides of the one bound, which is that of the trace, too."""
    body = {**factories.use_body(sold, 5), "padding": ""}
    room = MAX_RECORD_BYTES - len(canonical(body))
    fits = {**body, "padding": "x" * room}
    assert len(canonical(fits)) == MAX_RECORD_BYTES
    over = {**body, "id": "other", "padding": "x" * (room + 100)}
    sent = [over] if kind == BATCH else over
    answer = post(client, key, canonical(sent), kind)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["pointer"] == ("" if kind == SINGLE else "/0")
    assert "65,536" in error["detail"] or "65536" in error["detail"]
    assert not UsageEvent.objects.exists()
    answer = post(client, key, canonical([fits] if kind == BATCH else fits), kind)
    assert answer.status_code == 202, answer.json()
    row = UsageEvent.objects.get()
    event = Event(canonical(row.body).decode(), "counted", "")
    assert read_use(event, sold.code).quantity == 5


@pytest.mark.parametrize("body", [b"", b"[", b"[1.5]", b"\xff", b'{"a":1,"a":2}'])
def test_what_is_no_strict_json_is_refused(
    client: Client, sold: License, key: str, body: bytes
) -> None:
    assert post(client, key, body).status_code in {400, 422}
    assert not UsageEvent.objects.exists()


def test_a_batch_that_is_no_list_or_too_long_is_refused(
    client: Client, sold: License, key: str
) -> None:
    assert post(client, key, {}, BATCH).status_code == 422
    assert post(client, key, [], BATCH).status_code == 422
    many = [factories.use_body(sold, 1, event_id=str(n)) for n in range(1_001)]
    assert post(client, key, many, BATCH).status_code == 422
    assert not UsageEvent.objects.exists()


def test_another_content_type_is_refused(
    client: Client, sold: License, key: str
) -> None:
    body = factories.use_body(sold, 1)
    assert post(client, key, body, "application/json").status_code == 415


def test_without_the_scope_to_report_it_is_refused(
    client: Client, sold: License, ben: User
) -> None:
    other = api_keys.issue(party_of(ben), ben, "x", ["read"])[1]
    assert post(client, other, factories.use_body(sold, 1)).status_code == 403
    assert client.post(URL, {}, SINGLE).status_code in {401, 403}


def test_a_batch_is_counted_and_logged_once(sold: License) -> None:
    batch = factories.used(sold, 1_000, 500)
    assert batch.entry is not None
    assert (batch.counted, batch.quantity_after) == (2, 1_500)
    again = record_batch(batch_pk=batch.pk)
    assert again.entry == batch.entry
    assert Tally.objects.get().quantity == 1_500


def test_the_price_is_the_floor_of_the_running_total(sold: License) -> None:
    License.objects.filter(pk=sold.pk).update(rate_units=1_000, rate_per=999)
    sold.refresh_from_db()
    for _ in range(7):
        batch = factories.used(sold, 150)
    assert batch.usage_units_after == 7 * 150 * 1_000 // 999
    assert batch.usage_units_after != 7 * (150 * 1_000 // 999)


def test_what_the_deposit_does_not_cover_is_unfunded(sold: License) -> None:
    factories.used(sold, 16_000)
    batch = factories.used(sold, 16_000)
    tally = Tally.objects.get()
    worth = 32_000 * 600
    assert tally.usage_units == sold.deposit_units == 10_000_000
    assert tally.unfunded_units == worth - 10_000_000
    assert (batch.usage_units_after, batch.quantity_after) == (10_000_000, 32_000)


@pytest.mark.parametrize(
    ("shift", "reason"),
    [
        (timedelta(minutes=6), "from_the_future"),
        (timedelta(days=-2), "before_the_license"),
    ],
)
def test_a_use_outside_of_its_time_is_kept_and_not_counted(
    sold: License, shift: timedelta, reason: str
) -> None:
    batch = factories.used(sold, 10, at=timezone.now() + shift)
    event = UsageEvent.objects.get()
    assert (event.state, event.reason) == ("quarantined", reason)
    assert (batch.counted, Tally.objects.get().quantity) == (0, 0)
    assert batch.entry is not None, "the report itself is in the log all the same"


def test_a_use_after_the_end_of_the_license_is_not_counted(sold: License) -> None:
    License.objects.filter(pk=sold.pk).update(
        valid_from=timezone.now() - timedelta(days=9),
        valid_until=timezone.now() - timedelta(days=1),
    )
    factories.used(sold, 10)
    assert UsageEvent.objects.get().reason == "license_expired"


def test_a_use_of_a_revoked_license_is_not_counted(sold: License) -> None:
    License.objects.filter(pk=sold.pk).update(state=License.State.REVOKED)
    factories.used(sold, 10)
    assert UsageEvent.objects.get().reason == "license_revoked"


def test_the_receipt_shows_what_became_of_a_batch(
    client: Client, sold: License, key: str, eve: User
) -> None:
    told = post(client, key, factories.use_body(sold, 7, event_id="a")).json()
    code = told["events"][0]["batch"]
    path = f"/api/v1/usage/batches/{code}"
    auth = {"Authorization": f"Bearer {key}"}
    assert client.get(path, headers=auth).json()["recorded_at"] is None
    record_batch(batch_pk=UsageBatch.objects.get(code=code).pk)
    factories.factories.logged()
    found = client.get(path, headers=auth).json()
    assert (found["counted"], found["events"][0]["state"]) == (1, "counted")
    assert found["log_index"] is not None
    hers = api_keys.issue(party_of(eve), eve, "x", ["report"])[1]
    other = {"Authorization": f"Bearer {hers}"}
    assert client.get(path, headers=other).status_code == 404
