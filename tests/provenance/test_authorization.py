"""Who may do what by API: every endpoint, in every role, generated from the URL conf.

A new endpoint without a line here fails. For each line: nobody signed in, the right
party with every scope but the one it needs, a stranger with every scope, and the
right party with that scope alone. What a stranger is told about somebody else's row
is what everyone is told about a row that does not exist.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts import api_keys
from accounts.models import User
from accounts.register import open_account
from colophon.digest import sha256
from colophon.ids import new_id
from colophon.keys import Ed25519Key
from provenance.models import Asset, OriginMap
from provenance.ticket import open_run
from royalties.models import Payout, UsageBatch
from tests import factories
from tests.accounts.test_keys import enrollment_of
from tests.cast import open_user, party_of
from tests.loop import picture
from tests.provenance.test_record import enrolled, written
from tests.royalties import factories as ledger

pytestmark = pytest.mark.django_db
JSON = "application/json"
METHODS = ("get", "post", "put", "patch", "delete")
PUBLIC = ""
PLAIN = {"api/v1/openapi.json"}  # a function, public, names no row


class World:
    """Rows of everybody: Ada made a work, Mia's model is in it, Ben licensed it."""

    def __init__(self) -> None:
        self.users = {name: open_user(name) for name in ("Ada", "Ben", "Mia", "Eve")}
        self.ada, self.ben, self.mia, self.eve = self.users.values()
        ada, ben, mia = (party_of(one) for one in (self.ada, self.ben, self.mia))
        factories.network()
        told = ledger.story(ada, mia, ben)
        self.asset, self.license = told.asset, told.license
        self.settlement = told.settlement
        factories.delivered(self.license)
        self.batch = UsageBatch.objects.earliest("pk")
        self.payout = Payout.objects.get(holder=mia.holder)
        self.order = factories.open_order(self.asset, ben)
        self.sealed = factories.sealed_asset(ada, title="Draft", seed=5)
        OriginMap.objects.create(asset=self.sealed, version="v", proxies=1)
        self.agreement = factories.agreed(self.sealed)
        self.source = factories.model_of(mia, "Public")
        self.key, self.spare = enrolled(self.ada), enrolled(self.ada)
        self.data = factories.model_of(mia, "Photographs", kind="dataset")
        self.run = open_run(party=ada, name="spring")
        self.step, _ = written(self.run, self.key)


Args = Callable[[World], dict[str, Any]]


def _none(_: World) -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class Line:
    """One endpoint: who may, with which scope, and what others are told.

    Attributes:
        scope: of an API key; PUBLIC: everybody may.
        right: the user whose rows they are.
        args: arguments of the route.
        query: query parameters.
        body: JSON, or what `send` makes of it.
        done: the status for the right party.
        stranger: the status for somebody else; 404 where the row is not theirs.
    """

    scope: str
    right: str
    done: int
    stranger: int
    args: Args = _none
    query: Args = _none
    body: Args | None = None
    kind: str = JSON
    nobody: int = field(default=401)


def _code(name: str, argument: str = "code") -> Args:
    return lambda world: {argument: getattr(world, name).code}


def _upload(_: World) -> dict[str, Any]:
    file = SimpleUploadedFile("a.jpg", picture(9), "image/jpeg")
    return {"file": file, "title": "New", "origin": "human"}


def _file(_: World) -> dict[str, Any]:
    return {"file": SimpleUploadedFile("a.jpg", picture(9), "image/jpeg")}


def _enrollment(world: World) -> dict[str, Any]:
    key = Ed25519Key.generate()
    return {"envelope": enrollment_of(key, world.asking).to_json()}  # type: ignore[attr-defined]


def _source(_: World) -> dict[str, Any]:
    return {"kind": "model", "name": "M", "digest": sha256(b"m").hex()}


def _use(world: World) -> dict[str, Any]:
    return ledger.use_body(world.license, 5, at=datetime.now(UTC))


def _order(world: World) -> dict[str, Any]:
    offer = factories.offer_of(world.asset)
    return {"offer": offer.code, "account": factories.WALLET}


OFFERS = {"offers": [{"use": "editorial", "price": "12.00"}]}

MATRIX: dict[tuple[str, str], Line] = {
    ("api/v1/me", "get"): Line("*", "Ada", 200, 200),
    ("api/v1/keys", "get"): Line("record", "Ada", 200, 200),
    ("api/v1/keys", "post"): Line("record", "Ada", 201, 201, body=_enrollment),
    ("api/v1/keys/<str:key_id>", "get"): Line(
        "record", "Ada", 200, 404, lambda w: {"key_id": w.key.key_id}
    ),
    ("api/v1/keys/<str:key_id>", "delete"): Line(
        "record", "Ada", 200, 404, lambda w: {"key_id": w.spare.key_id}
    ),
    ("api/v1/runs", "post"): Line(
        "record", "Ada", 201, 201, body=lambda _: {"name": "x"}
    ),
    ("api/v1/runs/<str:code>", "get"): Line("record", "Ada", 200, 404, _code("run")),
    ("api/v1/runs/<str:code>/steps", "post"): Line(
        "record",
        "Ada",
        201,
        404,
        _code("run"),
        body=lambda w: {"envelope": w.step.to_json()},
    ),
    ("api/v1/runs/<str:code>/proxies/<str:digest>", "put"): Line(
        # a copy that no step names: the right party is told so, others nothing
        "record",
        "Ada",
        422,
        404,
        lambda w: {"code": w.run.code, "digest": "ab" * 32},
        body=_none,
        kind="image/jpeg",
    ),
    ("api/v1/sources", "get"): Line(
        PUBLIC,
        "Mia",
        200,
        200,
        query=lambda w: {"digest": bytes(w.source.digest).hex()},
        nobody=200,
    ),
    ("api/v1/sources", "post"): Line("upload", "Mia", 201, 201, body=_source),
    ("api/v1/sources/<str:code>", "get"): Line(
        PUBLIC, "Mia", 200, 200, _code("source"), nobody=200
    ),
    ("api/v1/sources/<str:code>/croissant", "get"): Line(
        PUBLIC, "Mia", 200, 200, _code("data"), nobody=200
    ),
    ("api/v1/assets", "post"): Line(
        "upload", "Ada", 202, 202, body=_upload, kind="multipart"
    ),
    ("api/v1/assets/<str:code>", "get"): Line(
        PUBLIC, "Ada", 200, 404, _code("sealed"), nobody=404
    ),
    ("api/v1/assets/<str:code>/evidence", "get"): Line(
        PUBLIC, "Ada", 200, 404, _code("sealed"), nobody=404
    ),
    ("api/v1/assets/<str:code>/origin-map", "get"): Line(
        PUBLIC, "Ada", 200, 404, _code("sealed"), nobody=404
    ),
    ("api/v1/assets/<str:code>/export/<str:kind>", "get"): Line(
        PUBLIC,
        "Ada",
        200,
        404,
        lambda w: {"code": w.sealed.code, "kind": "prov"},
        nobody=404,
    ),
    ("api/v1/evidence", "get"): Line(
        PUBLIC,
        "Ada",
        200,
        404,
        query=lambda w: {"sha256": bytes(w.sealed.seal.file_digest).hex()},
        nobody=404,
    ),
    ("api/v1/verify", "post"): Line(
        PUBLIC, "Ada", 200, 200, body=_file, kind="multipart", nobody=200
    ),
    ("api/v1/lookup", "get"): Line(
        PUBLIC,
        "Ada",
        200,
        404,
        query=lambda w: {"sha256": bytes(w.sealed.seal.file_digest).hex()},
        nobody=404,
    ),
    ("api/v1/look-alikes", "get"): Line(
        PUBLIC, "Ada", 200, 200, query=lambda _: {"pdq": "ab" * 32}, nobody=200
    ),
    ("api/v1/assets/<str:code>/agreement", "post"): Line(
        "publish", "Ada", 201, 404, _code("sealed"), body=_none
    ),
    ("api/v1/agreements/<str:code>/accept", "post"): Line(
        "publish", "Ada", 200, 404, _code("agreement"), body=_none
    ),
    ("api/v1/assets/<code:code>/publish", "post"): Line(
        "publish", "Ada", 201, 404, _code("sealed"), body=lambda _: OFFERS
    ),
    ("api/v1/listings/<code:code>", "get"): Line(
        PUBLIC, "Ada", 200, 200, _code("asset"), nobody=200
    ),
    ("api/v1/orders", "post"): Line("buy", "Ben", 201, 201, body=_order),
    ("api/v1/orders/<code:code>", "get"): Line("buy", "Ben", 200, 404, _code("order")),
    ("api/v1/orders/<code:code>/authorize", "post"): Line(
        # a signature of nobody: the right party is told so, others nothing
        "buy",
        "Ben",
        422,
        404,
        _code("order"),
        body=lambda _: {"signature": "0x00"},
    ),
    ("api/v1/licenses/<code:code>", "get"): Line(
        "buy", "Ben", 200, 404, _code("license")
    ),
    ("api/v1/licenses/<code:code>/download", "post"): Line(
        "buy", "Ben", 200, 404, _code("license"), body=_none
    ),
    ("api/v1/licenses/<code:code>/refund", "get"): Line(
        "buy", "Ben", 200, 404, _code("license")
    ),
    ("api/v1/licenses/<code:code>/refund", "post"): Line(
        # a signature of nobody: the right party is told so, others nothing
        "buy",
        "Ben",
        422,
        404,
        _code("license"),
        body=lambda _: {"signature": "0x00", "deadline": 1},
    ),
    ("api/v1/licenses/<code:code>/cancel", "post"): Line(
        # this one was downloaded: its buyer is told so, others nothing
        "buy",
        "Ben",
        409,
        404,
        _code("license"),
        body=_none,
    ),
    ("api/v1/usage", "post"): Line(
        "report", "Ben", 202, 404, body=_use, kind="application/cloudevents+json"
    ),
    ("api/v1/usage/batches/<str:code>", "get"): Line(
        "report", "Ben", 200, 404, _code("batch")
    ),
    ("api/v1/settlements", "get"): Line(PUBLIC, "Mia", 200, 200, nobody=200),
    ("api/v1/settlements/<int:epoch>", "get"): Line(
        PUBLIC,
        "Mia",
        200,
        200,
        lambda w: {"epoch": w.settlement.epoch},
        nobody=200,
    ),
    ("api/v1/statement", "get"): Line("read", "Mia", 200, 200),
    ("api/v1/payouts", "post"): Line("payout", "Mia", 202, 202, body=_none),
    ("api/v1/payouts/<str:code>/trace", "get"): Line(
        "read", "Mia", 200, 404, _code("payout")
    ),
}


def routes(
    patterns: list[URLPattern | URLResolver], prefix: str = ""
) -> Iterator[tuple[str, Any]]:
    """Every route below /api/ with its view."""
    for one in patterns:
        route = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from routes(one.url_patterns, route)
        elif route.startswith("api/"):
            yield route, one.callback


def endpoints() -> set[tuple[str, str]]:
    """Route and method of every endpoint that the URL conf has."""
    found = set()
    for route, callback in routes(get_resolver().url_patterns):
        view = getattr(callback, "view_class", None)
        if view is None:
            assert route in PLAIN, f"{route} is a function; add a line for it"
            continue
        found |= {(route, name) for name in METHODS if hasattr(view, name)}
    return found


def test_every_endpoint_is_in_the_matrix() -> None:
    assert endpoints() == set(MATRIX)


class Asker:
    """Sends the request of a line as somebody."""

    def __init__(self, client: Client, world: World) -> None:
        self.client, self.world = client, world

    def bearer(self, user: User, scopes: list[str]) -> dict[str, str]:
        _, secret = api_keys.issue(party_of(user), user, "test", scopes)
        return {"Authorization": f"Bearer {secret}"}

    def send(
        self,
        place: tuple[str, str],
        user: User | None,
        scopes: list[str],
        args: dict[str, Any] | None = None,
    ) -> Any:
        route, method = place
        line, path = MATRIX[place], "/" + route
        for name, value in (args or line.args(self.world)).items():
            path = path.replace(f"<str:{name}>", str(value))
            path = path.replace(f"<code:{name}>", str(value))
            path = path.replace(f"<int:{name}>", str(value))
        assert "<" not in path, f"{route} has arguments that its line does not give"
        self.world.asking = user or self.world.ada  # type: ignore[attr-defined]
        query = line.query(self.world)
        if query:
            path += "?" + "&".join(f"{key}={value}" for key, value in query.items())
        options: dict[str, Any] = {"headers": self.bearer(user, scopes) if user else {}}
        if line.body is not None:
            body = line.body(self.world)
            if line.kind == "multipart":
                options["data"] = body
            else:
                options |= {"data": json.dumps(body), "content_type": line.kind}
        return getattr(self.client, method)(path, **options)


def missing(line: Line, world: World) -> dict[str, Any]:
    """Arguments that lead to no row, of the same form."""
    found = {}
    for name, value in line.args(world).items():
        if name in {"key_id", "digest"}:
            found[name] = "0" * 64
        else:
            found[name] = new_id(str(value).partition("_")[0])
    return found


@pytest.fixture
def world(db: None) -> World:
    return World()


def test_the_matrix_holds(world: World, client: Client, subtests: Any) -> None:
    asker, every = Asker(client, world), list(api_keys.SCOPES)
    for place, line in MATRIX.items():
        right = world.users[line.right]
        with subtests.test("nobody", place=place):
            answer = asker.send(place, None, [])
            assert answer.status_code == line.nobody
            if line.nobody == 401:
                assert answer.json()["code"] == "not-authenticated"
        if line.scope not in {PUBLIC, "*"}:
            with subtests.test("wrong scope", place=place):
                others = [one for one in every if one != line.scope]
                answer = asker.send(place, right, others)
                assert answer.status_code == 403
                assert line.scope in answer.json()["detail"]
        with subtests.test("stranger", place=place):
            answer = asker.send(place, world.eve, every)
            assert answer.status_code == line.stranger
            if answer.status_code == 404 and line.args(world):
                none = asker.send(place, world.eve, every, missing(line, world))
                assert none.status_code == 404
                assert none.json()["detail"] == answer.json()["detail"]
        with subtests.test("right", place=place):
            scopes = [line.scope] if line.scope not in {PUBLIC, "*"} else ["report"]
            answer = asker.send(place, right, scopes)
            assert answer.status_code == line.done, answer.content[:500]


def test_a_stranger_changed_nothing(world: World, client: Client) -> None:
    """After the attempts of a stranger every row is as it was."""
    asker, every = Asker(client, world), list(api_keys.SCOPES)
    before = Asset.objects.order_by("pk").values_list("pk", "title", "published_at")
    kept = list(before)
    for place, line in MATRIX.items():
        if line.stranger == 404:
            asker.send(place, world.eve, every)
    world.order.refresh_from_db()
    world.sealed.refresh_from_db()
    assert world.order.state == "open"
    assert list(before.all()) == kept
    assert world.sealed.agreements.count() == 1
    assert world.run.steps.count() == 0
    assert not world.license.delivery.grant_set.exists()


def test_a_key_acts_for_its_own_party_and_not_for_its_makers_other_one(
    world: World, client: Client
) -> None:
    other = open_account(world.ada, name="Tern")
    draft = factories.sealed_asset(other, title="Company draft", seed=6)
    _, secret = api_keys.issue(party_of(world.ada), world.ada, "x", ["upload"])
    headers = {"Authorization": f"Bearer {secret}"}
    for path in (
        f"/api/v1/assets/{draft.code}",
        f"/api/v1/assets/{draft.code}/evidence",
        f"/api/v1/assets/{draft.code}/export/in-toto",
    ):
        assert client.get(path, headers=headers).status_code == 404
    mine = client.get(f"/api/v1/assets/{world.sealed.code}", headers=headers)
    assert mine.status_code == 200
    client.force_login(world.ada)
    assert client.get(f"/api/v1/assets/{draft.code}").status_code == 200


def test_a_published_work_is_everybodys_to_read(world: World, client: Client) -> None:
    code = world.asset.code
    assert client.get(f"/api/v1/assets/{code}").status_code == 200
    answer = client.get(f"/api/v1/assets/{code}/evidence")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/vnd.colophon+zip"


def test_a_revoked_key_opens_nothing(world: World, client: Client) -> None:
    row, secret = api_keys.issue(
        party_of(world.ada), world.ada, "x", list(api_keys.SCOPES)
    )
    headers = {"Authorization": f"Bearer {secret}"}
    path = f"/api/v1/runs/{world.run.code}"
    assert client.get(path, headers=headers).status_code == 200
    api_keys.revoke(row)
    assert client.get(path, headers=headers).status_code == 401


def test_a_session_needs_the_csrf_token_for_every_change(world: World) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(world.ada)
    asker = Asker(strict, world)
    for place in MATRIX:
        if place[1] == "get":
            continue
        world.asking = world.ada  # type: ignore[attr-defined]
        answer = asker.send(place, None, [])
        assert answer.status_code == 403, place
        assert "CSRF" in answer.json()["detail"], place


def test_no_answer_tells_an_api_key(world: World, client: Client) -> None:
    asker, every = Asker(client, world), list(api_keys.SCOPES)
    headers = asker.bearer(world.ada, every)
    secret = headers["Authorization"].split()[1]
    asker.bearer = lambda *_: headers  # type: ignore[method-assign]
    for place in MATRIX:
        answer = asker.send(place, world.ada, every)
        assert secret.encode() not in answer.content
