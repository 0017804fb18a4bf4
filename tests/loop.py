"""The loop inside one process: the real API over WSGI, real jobs, a real TSA.

No socket and no thread is needed to speak to the site, so a test's transaction
covers everything that a request writes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx
from django.core import signals
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections

from accounts import api_keys
from accounts.models import Party, User
from colophon.keys import Ed25519Key
from colophon.pipeline import Pipeline
from tests.cast import party_of

SITE = "http://127.0.0.1:8000"


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


@dataclass
class Told:
    """What a recorded run gave: its id and the file at its end."""

    run: str
    name: str
    data: bytes
    steps: list[str] = field(default_factory=list)
