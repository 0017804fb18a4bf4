"""Whatever an endpoint is sent, it answers for itself: no 5xx, nothing half-written.

Every field of every address that writes gets a table of hostile values. A new address
fails `test_every_address_that_writes_is_here` until it has a line.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts import api_keys
from accounts.models import User
from colophon import statement
from colophon.digest import sha256
from colophon.enrollment import build_enrollment
from colophon.ids import new_id
from colophon.keys import Ed25519Key
from provenance.models import Asset, Run
from provenance.ticket import open_run
from royalties.models import UsageEvent
from tests import factories
from tests.cast import party_of
from tests.provenance.test_record import enrolled, written

pytestmark = pytest.mark.django_db

JSON = "application/json"
WRITES = {"post", "put", "patch", "delete"}
# As JSON text: much of this no Python value can say. None of it may ever be kept.
NEVER = {
    "NUL": r'"a\u0000b"',
    "lone surrogate": r'"a\ud800"',
    "turned surrogates": r'"\udc00\ud800"',
    "1e400": "1e400",
    "NaN": "NaN",
    "infinity": "-Infinity",
    "4,000 digits": "9" * 4_000,
    "deep nesting": "[" * 20_000 + "]" * 20_000,
    "deep objects": '{"a":' * 500 + "1" + "}" * 500,
    "no JSON": "'x'",
}
# What some field may take, and no field may stumble over.
ODD = {
    "2^63": str(2**63),
    "-2^63": str(-(2**63)),
    "2^53": str(2**53),
    "fraction": "0.5",
    "minus one": "-1",
    "null": "null",
    "true": "true",
    "number": "7",
    "empty text": '""',
    "empty list": "[]",
    "empty object": "{}",
    "list of null": "[null]",
    "list of lists": "[[[]]]",
    "object of null": '{"": null}',
    "newline": r'"\n"',
    "trailing newline": r'"0x00000000000000000000000000000000000000aa\n"',
    "superscript": '"²"',
    "turned writing": r'"\u202e\u2066"',
    "huge text": json.dumps("x" * 200_000),
    "huge hex": json.dumps("ab" * 50_000),
    "year one": '"0001-01-01T00:00:00+23:59"',
    "year 9999": '"9999-12-31T23:59:59-23:59"',
}
BODIES = [b"", b"{", b"\xff\xfe", b"null", b"[]", b'"x"', b"7", b'{"a":1,"a":2}']


@pytest.fixture(autouse=True)
def fresh_throttle() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@dataclass
class World:
    """One row of everything that an address can be about."""

    ada: User
    ben: User
    client: Client
    keys: dict[str, str]
    asset: Asset
    run: Run
    bodies: dict[str, tuple[str, str, Any]]

    def send(self, name: str, body: bytes, kind: str = JSON) -> Any:
        """Post a body to an address as the person who may use it."""
        person, path, _ = self.bodies[name]
        headers = {"Authorization": f"Bearer {self.keys[person]}"}
        return self.client.post(path, body, kind, headers=headers)


@pytest.fixture
def world(ada: User, ben: User, client: Client) -> World:
    factories.network()
    asset = factories.published_asset(party_of(ada))
    fresh = factories.sealed_asset(party_of(ada), seed=2)
    agreement = factories.agreed(fresh)
    order = factories.open_order(asset, party_of(ben))
    sold = factories.licensed(asset, party_of(ben), "pay-per-use")
    run = open_run(party=party_of(ada), name="spring")
    key = enrolled(ada)
    envelope, openings = written(run, key, prompt="a harbor")
    mine = Ed25519Key.generate()
    made = build_enrollment(
        mine.public_spki,
        purpose="actor",
        custody="client",
        enrolled_on=datetime.now(UTC),
        account=enrolled_account(ada),
    )
    offer = {"use": "editorial", "price": "10.00", "term_days": 30}
    bodies: dict[str, tuple[str, str, Any]] = {
        "accounts:api-keys": (
            "ada",
            reverse("accounts:api-keys"),
            {"envelope": statement.sign(made, mine).to_json(), "label": "mine"},
        ),
        "provenance:api-runs": (
            "ada",
            reverse("provenance:api-runs"),
            {"name": "spring", "id": new_id("run")},
        ),
        "provenance:api-steps": (
            "ada",
            reverse("provenance:api-steps", args=[run.code]),
            {
                "envelope": envelope.to_json(),
                "disclosures": [one.to_json() for one in openings],
            },
        ),
        "provenance:api-sources": (
            "ada",
            reverse("provenance:api-sources"),
            {
                "kind": "model",
                "name": "Tidewater",
                "version": "3",
                "digest": sha256(b"weights").hex(),
                "ask_ppm": 120_000,
                "terms": "Ask first.",
                "description": "A model.",
                "training": {"data_mining": "notAllowed"},
                "own": True,
                "trained_on": [],
            },
        ),
        "provenance:api-agreement": (
            "ada",
            reverse("provenance:api-agreement", args=[fresh.code]),
            {"parts": parts_of(agreement)},
        ),
        "provenance:api-accept": (
            "ada",
            reverse("provenance:api-accept", args=[agreement.code]),
            {},
        ),
        "marketplace:api-publish": (
            "ada",
            reverse("marketplace:api-publish", args=[fresh.code]),
            {"offers": [offer]},
        ),
        "marketplace:api-orders": (
            "ben",
            reverse("marketplace:api-orders"),
            {"offer": factories.offer_of(asset).code, "account": factories.WALLET},
        ),
        "marketplace:api-authorize": (
            "ben",
            reverse("marketplace:api-authorize", args=[order.code]),
            {"signature": "0x" + "ab" * 65},
        ),
        "royalties:api-refund": (
            "ben",
            reverse("royalties:api-refund", args=[sold.code]),
            {"deadline": 2_000_000_000, "signature": "0x" + "ab" * 65},
        ),
        "marketplace:api-cancel": (
            "ben",
            reverse("marketplace:api-cancel", args=[sold.code]),
            {},
        ),
        "marketplace:api-download": (
            "ben",
            reverse("marketplace:api-download", args=[sold.code]),
            {},
        ),
        "royalties:api-usage": (
            "ben",
            reverse("royalties:api-usage"),
            {
                "specversion": "1.0",
                "type": "com.colophon.usage.v1",
                "source": "urn:ads",
                "id": "a",
                "subject": sold.code,
                "time": datetime.now(UTC).isoformat(),
                "datacontenttype": "application/json",
                "campaign": "spring",
                "data": {"quantity": 5},
            },
        ),
        "royalties:api-settle-now": ("ada", reverse("royalties:api-settle-now"), {}),
    }
    keys = {
        name: api_keys.issue(party_of(user), user, "all", list(api_keys.SCOPES))[1]
        for name, user in (("ada", ada), ("ben", ben))
    }
    return World(ada, ben, client, keys, asset, run, bodies)


def enrolled_account(user: User) -> str:
    from accounts.keys import account_key

    return account_key(party_of(user)).key_id


def parts_of(agreement: Any) -> list[dict[str, Any]]:
    """The parts of an agreement as the API takes them."""
    rows = agreement.parts.filter(role="creator").select_related("holder")
    return [{"holder": row.holder.code, "ppm": row.ppm} for row in rows]


# What is sent as a file, or not as JSON at all, has tests of its own below.
OTHERS = {
    "provenance:api-assets",
    "provenance:api-proxy",
    "provenance:api-verify",
    "accounts:api-key",
}
KINDS = {"royalties:api-usage": "application/cloudevents+json"}


def written_to(
    patterns: list[URLPattern | URLResolver], space: str = ""
) -> Iterator[str]:
    """Names of the API's addresses that write."""
    for one in patterns:
        if isinstance(one, URLResolver):
            inner = f"{one.namespace}:" if one.namespace else space
            yield from written_to(one.url_patterns, inner)
            continue
        view = getattr(one.callback, "view_class", None)
        writes = view is not None and WRITES & set(dir(view))
        if writes and str(one.pattern).startswith("api/v1/"):
            yield f"{space}{one.name}"


def test_every_address_that_writes_is_here(world: World) -> None:
    found = set(written_to(get_resolver().url_patterns))
    assert found == {*world.bodies, *OTHERS}


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of a body: each value, and each object and list itself."""
    if path:
        yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from leaves(inner, (*path, at))


MARK = "here stands the hostile value"


def put(body: Any, path: tuple[Any, ...], text: str) -> bytes:
    """The body with a piece of JSON text in one place."""
    found = copy.deepcopy(body)
    place = found
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = MARK
    return json.dumps(found).replace(json.dumps(MARK), text).encode()


def rows() -> dict[str, int]:
    """How many rows each table has."""
    return {
        model._meta.label: model._default_manager.count() for model in apps.get_models()
    }


def refused(answer: Any, *why: Any) -> None:
    """A 4xx with problem details."""
    assert 400 <= answer.status_code < 500, (why, answer.status_code, answer.content)
    assert answer.headers["Content-Type"] == "application/problem+json", why
    told = answer.json()
    assert told["status"] == answer.status_code, why
    assert told["code"], why
    assert told["detail"], why


NAMES = [
    "accounts:api-keys",
    "provenance:api-runs",
    "provenance:api-steps",
    "provenance:api-sources",
    "provenance:api-agreement",
    "marketplace:api-publish",
    "marketplace:api-orders",
    "marketplace:api-authorize",
    "royalties:api-refund",
    "royalties:api-usage",
]
NOT_TAKEN = ("marketplace:api-authorize", "royalties:api-refund")  # nobody signed


@pytest.mark.parametrize("name", NAMES)
def test_what_nothing_can_keep_is_refused_and_leaves_nothing(
    world: World, name: str
) -> None:
    """Hostile texts and numbers, in every field of a body that is otherwise good."""
    kind = KINDS.get(name, JSON)
    _, _, body = world.bodies[name]
    before = rows()
    for path in leaves(body):
        for what, text in NEVER.items():
            refused(world.send(name, put(body, path, text), kind), name, path, what)
    extra = {**body, "extra": 1}
    for what, text in NEVER.items():
        sent = put(extra, ("extra",), text)
        refused(world.send(name, sent, kind), name, "extra", what)
    assert rows() == before


@pytest.mark.parametrize("name", NAMES)
def test_what_is_odd_is_answered(world: World, name: str) -> None:
    """Taken or refused, but never stumbled over."""
    kind = KINDS.get(name, JSON)
    _, _, body = world.bodies[name]
    for path in leaves(body):
        for what, text in ODD.items():
            answer = world.send(name, put(body, path, text), kind)
            assert answer.status_code < 500, (path, what, answer.content)
            if answer.status_code >= 400:
                refused(answer, name, path, what)
    for one in BODIES:
        if name == "provenance:api-agreement" and not one:
            continue  # without a body it proposes what the sources ask
        refused(world.send(name, one, kind), name, one)


@pytest.mark.parametrize("name", NAMES)
def test_the_good_body_is_taken(world: World, name: str) -> None:
    """So that the refusals above are for the hostile value and nothing else."""
    kind = KINDS.get(name, JSON)
    _, _, body = world.bodies[name]
    answer = world.send(name, json.dumps(body).encode(), kind)
    if name in NOT_TAKEN:
        refused(answer)
        return
    assert answer.status_code < 300, answer.content


@pytest.mark.parametrize(
    ("name", "path", "text"),
    [
        ("provenance:api-runs", ("name",), r'"a\u0000"'),
        ("provenance:api-sources", ("terms",), r'"\ud800"'),
        ("provenance:api-steps", ("disclosures", 0, "value"), r'"\u0000"'),
        ("royalties:api-usage", ("data", "quantity"), str(2**63)),
        ("marketplace:api-orders", ("account",), r'"0x%s\n"' % ("ab" * 20)),
    ],
)
def test_the_refusal_names_the_field(
    world: World, name: str, path: tuple[Any, ...], text: str
) -> None:
    answer = world.send(
        name, put(world.bodies[name][2], path, text), KINDS.get(name, JSON)
    )
    assert answer.status_code == 422, answer.content
    pointers = [one["pointer"] for one in answer.json()["errors"]]
    assert pointers == ["/" + "/".join(map(str, path))]


@pytest.mark.parametrize(
    "value", ["a\0b", "\n", "²", "x" * 200_000, "-1", "{}", "[" * 99]
)
def test_upload_fields_are_answered(world: World, value: str) -> None:
    before = rows()
    headers = {"Authorization": f"Bearer {world.keys['ada']}"}
    names = ("title", "description", "alt_text", "creator_name", "origin", "training")
    for field in (*names, "run", "foreign"):
        file = SimpleUploadedFile("a.jpg", b"\xff\xd8\xff no picture")
        body = {"title": "T", "file": file, field: value}
        refused(world.client.post("/api/v1/assets", body, headers=headers), field)
    assert rows() == before


@pytest.mark.parametrize(
    "name", ["a\0b.jpg", "\u202egpj.exe", "x" * 5_000, "../../etc/passwd", ""]
)
@pytest.mark.parametrize("data", [b"", b"\0" * 64, b"\xff\xd8\xff\xe0" + b"\0" * 64])
def test_files_are_answered(world: World, name: str, data: bytes) -> None:
    headers = {"Authorization": f"Bearer {world.keys['ada']}"}
    for path in ("/api/v1/assets", "/api/v1/verify"):
        file = SimpleUploadedFile(name or "x", data)
        answer = world.client.post(path, {"title": "T", "file": file}, headers=headers)
        assert answer.status_code < 500, answer.content


ADDRESSES = [
    "/api/v1/runs/{}",
    "/api/v1/assets/{}",
    "/api/v1/assets/{}/evidence",
    "/api/v1/assets/{}/export/prov",
    "/api/v1/sources/{}/croissant",
    "/api/v1/sources/{}",
    "/api/v1/listings/{}",
    "/api/v1/orders/{}",
    "/api/v1/licenses/{}",
    "/api/v1/keys/{}",
    "/api/v1/usage/batches/{}",
    "/api/v1/settlements/{}",
    "/api/v1/payouts/{}/trace",
    "/api/v1/lookup?sha256={}",
    "/api/v1/evidence?sha256={}",
    "/api/v1/sources?digest={}",
    "/api/v1/me?party={}",
    "/api/v1/statement?party={}",
]
PAGES = [
    "/?q={}",
    "/?after={}",
    "/a/{}",
    "/registry?after={}",
    "/registry?kind={}",
    "/sell?after={}",
    "/library?after={}",
    "/royalties/earned?after={}",
    "/royalties/earned?work={}",
    "/royalties/earned?state={}",
    "/royalties/statements/{}",
    "/verify?sha256={}",
    "/verify?id={}",
    "/checkout?offer={}",
    "/licenses/{}",
    "/download/{}",
    "/settings?party={}",
]
IN_ADDRESS = [
    "%00",
    "a%00b",
    "%ED%A0%80",
    "%FF",
    "%C2%B2",
    "%0A",
    "-1",
    "9" * 20,
    "9" * 5_000,
    "1e400",
    "%E2%80%AE",
    "..%2F..",
    "'%22%3Cscript%3E",
]


@pytest.mark.parametrize("part", IN_ADDRESS)
def test_addresses_are_answered(world: World, part: str) -> None:
    headers = {"Authorization": f"Bearer {world.keys['ada']}"}
    for place in ADDRESSES:
        answer = world.client.get(place.format(part), headers=headers)
        assert answer.status_code < 500, (place, answer.content)
        if answer.status_code >= 400 and answer.headers["Content-Type"] != JSON:
            refused(answer, place)
    world.client.force_login(world.ada)
    for place in PAGES:
        answer = world.client.get(place.format(part))
        assert answer.status_code < 500, (place, answer.content)


def test_null_bytes_in_forms_leave_nothing(world: World) -> None:
    world.client.force_login(world.ada)
    before = rows()
    for path in ("/settings/profile", "/settings/party", "/verify"):
        answer = world.client.post(path, {"name": "a\0b", "party": "\0", "next": "/"})
        assert answer.status_code < 500, path
    assert rows() == before


def test_an_event_in_a_file_is_answered(world: World) -> None:
    """The page that takes CSV and NDJSON reads as strictly as the API."""
    world.client.force_login(world.ben)
    _, _, body = world.bodies["royalties:api-usage"]
    path = reverse("royalties:usage-file", args=[body["subject"]])
    for text in (*NEVER.values(), *ODD.values()):
        for place in leaves(body):
            file = SimpleUploadedFile("uses.ndjson", put(body, place, text))
            assert world.client.post(path, {"file": file}).status_code < 500
    assert UsageEvent.objects.count() < len(ODD)


def test_bodies_have_a_bound(world: World) -> None:
    sent = json.dumps({"name": "x" * (3 << 20)}).encode()
    answer = world.send("provenance:api-runs", sent)
    refused(answer)
    assert "2,097,152" in answer.json()["detail"]
    assert settings.REST_FRAMEWORK["DEFAULT_PARSER_CLASSES"] == [
        "accounts.json_body.StrictJSONParser"
    ]
