"""The loop inside one process: the real API over WSGI, real jobs, a real TSA.

No socket and no thread is needed to speak to the site, so a test's transaction
covers everything that a request writes.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
from django.core import signals
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from PIL import Image

from accounts import api_keys
from accounts.models import Party, User
from chain.models import Network
from colophon.keys import Ed25519Key
from colophon.pipeline import Pipeline
from outbox.inline import drain
from provenance.assemble import bundle_for
from provenance.judge import judge_asset
from provenance.models import Asset, Verdict
from tests.cast import party_of
from tests.colophon.bundles import CHAIN_ID, LEDGER
from tests.factories import anchored, logged

SITE = "http://127.0.0.1:8000"
# A job that was written in this very millisecond is due, too.
SOON = timedelta(milliseconds=100)


class Inside(httpx.BaseTransport):
    """Requests go to the WSGI application of this process.

    Like Django's test client it keeps the test's database connection open.

    Attributes:
        sent: the bodies of all requests, by path.
        down: answers nothing, as a site that cannot be reached.
    """

    def __init__(self) -> None:
        self._inner = httpx.WSGITransport(app=get_wsgi_application())
        self.sent: list[tuple[str, bytes]] = []
        self.down = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.down:
            raise httpx.ConnectError("nobody listens", request=request)
        self.sent.append((request.url.path, request.read()))
        signals.request_started.disconnect(close_old_connections)
        signals.request_finished.disconnect(close_old_connections)
        try:
            answer = self._inner.handle_request(request)
            body = answer.read()
            answer.close()
        finally:
            signals.request_started.connect(close_old_connections)
            signals.request_finished.connect(close_old_connections)
        return httpx.Response(answer.status_code, headers=answer.headers, content=body)


@dataclass
class Person:
    """Somebody who acts by API with an API key and a signing key of their own."""

    user: User
    party: Party
    secret: str
    key: Ed25519Key
    transport: Inside
    http: httpx.Client
    api: Pipeline

    @classmethod
    def of(cls, user: User, *scopes: str, party: Party | None = None) -> Person:
        """A person with a fresh API key of these scopes; all of them when none."""
        party = party or party_of(user)
        wanted = scopes or tuple(api_keys.SCOPES)
        _, secret = api_keys.issue(party, user, "test", wanted)
        transport = Inside()
        http = httpx.Client(transport=transport, timeout=60)
        return cls(
            user=user,
            party=party,
            secret=secret,
            key=Ed25519Key.generate(),
            transport=transport,
            http=http,
            api=Pipeline(SITE, secret, http),
        )

    def recorder(self, home: Any, **more: Any) -> dict[str, Any]:
        """The arguments of `colophon.recorder.record` for this person."""
        return {
            "site": SITE,
            "api_key": self.secret,
            "home": home,
            "http": self.http,
            **more,
        }


# --- pictures -----------------------------------------------------------------------


def picture(
    seed: int = 1, *, size: tuple[int, int] = (360, 270), form: str = "JPEG"
) -> bytes:
    """A picture of clouds, with coarse and fine detail as photographs have it."""
    import numpy as np

    rng = np.random.default_rng(seed)
    clouds = np.zeros((size[1], size[0], 3))
    for octave in range(5):
        grain = rng.uniform(-1, 1, (3, 3 * 2**octave, 4 * 2**octave))
        layers = [Image.fromarray(one.astype("float32")) for one in grain]
        grown = [one.resize(size, Image.Resampling.BICUBIC) for one in layers]
        clouds += np.stack(grown, -1) / 1.6**octave
    span = clouds.max() - clouds.min()
    colors = (clouds - clouds.min()) / span * 255
    return saved(Image.fromarray(colors.astype(np.uint8)), form)


def saved(image: Image.Image, form: str = "JPEG", **options: Any) -> bytes:
    """The bytes of a picture file."""
    made = io.BytesIO()
    image.save(made, form, **({"quality": 90} if form == "JPEG" else {}) | options)
    return made.getvalue()


def altered(data: bytes, change: Callable[[Image.Image], Image.Image]) -> bytes:
    """Another file of a picture: opened, changed and saved again."""
    with Image.open(io.BytesIO(data)) as image:
        return saved(change(image.convert("RGB")), quality=80)


# --- the loop -----------------------------------------------------------------------


def network() -> None:
    """The chain that `tests.factories.anchored` writes its receipts for."""
    known = {"code_hash": "0x" + "ab" * 32, "block": 1}
    addresses = {
        "ColophonLedger": "0x" + LEDGER.hex(),
        "ColophonAsset": "0x" + "a5" * 20,
        "Token": "0x" + "70" * 20,
    }
    contracts = {name: {"address": at, **known} for name, at in addresses.items()}
    contracts["Token"] |= {"name": "Test USD", "version": "1"}
    Network.objects.get_or_create(
        only=True,
        defaults={
            "chain_id": CHAIN_ID,
            "genesis_hash": "0x" + "00" * 32,
            "contracts": contracts,
        },
    )


def upload(
    person: Person, data: bytes, *, name: str = "work.jpg", **fields: str
) -> Asset:
    """Upload a work by API; a declared one, when neither origin nor run is given."""
    values = {"title": "Night current", **fields}
    if not {"origin", "run"} & values.keys():
        values["origin"] = "human"
    found = person.api.ask(
        "POST", "/api/v1/assets", files={"file": (name, data)}, data=values
    )
    return Asset.objects.get(code=found["id"])


def seal(asset: Asset) -> Asset:
    """Run the jobs that examine, sign and seal a work."""
    drain(kinds={"asset.examine", "asset.map", "asset.sign"}, ahead=SOON)
    return Asset.objects.get(pk=asset.pk)


def stamp() -> None:
    """Log what waits, and have a time-stamping authority date the checkpoint."""
    logged()
    drain(kinds={"log.timestamp"}, ahead=SOON)


def judge(asset: Asset, person: Person | None = None) -> Verdict:
    """Agree, log, stamp and anchor everything about a sealed work, and judge it.

    Args:
        person: agrees to the default parts; None: there is no agreement.
    """
    if person is not None:
        person.api.ask("POST", f"/api/v1/assets/{asset.code}/agreement", json={})
    network()
    stamp()
    anchored()
    asset = Asset.objects.get(pk=asset.pk)
    return judge_asset(asset=asset, bundle=bundle_for(asset))


def failed(verdict: Verdict, axis: str = "E") -> dict[str, str]:
    """The criteria that a verdict says fail, with the reasons it gives."""
    return {
        one["id"]: one["detail"]
        for one in verdict.criteria
        if one["axis"] == axis and not one["passed"] and one["level"] <= 3
    }
