"""U+0000 in any address is an answer, never a fault: PostgreSQL stores no such text."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.api_keys import SCOPES, issue
from accounts.models import User
from config.visits import ARGUMENT, Address, addresses
from tests import factories
from tests.cast import PASSWORD, party_of

TEXTS = (None, "str", "path")
NAMED = [one for one in addresses() if "<str:" in one.route or "<path:" in one.route]


def filled(address: Address) -> str:
    """The address with U+0000 in every text, and an id of nothing elsewhere."""

    def value(found: Any) -> str:
        if found["kind"] in TEXTS:
            return "a%00b"
        return "1" if found["kind"] == "int" else factories.an_id("ast")

    return "/" + ARGUMENT.sub(value, address.route)


@pytest.fixture
def mine(client: Client, ben: User) -> dict[str, Any]:
    client.login(email=ben.email, password=PASSWORD)
    _, secret = issue(party_of(ben), ben, "test", list(SCOPES))
    return {"HTTP_AUTHORIZATION": f"Bearer {secret}"}


def test_there_are_such_addresses() -> None:
    assert len(NAMED) > 10


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("address", NAMED, ids=lambda one: one.route)
@pytest.mark.django_db
def test_an_address_with_it_is_none(
    client: Client, mine: dict[str, Any], address: Address, method: str
) -> None:
    answer = getattr(client, method)(filled(address), **mine)
    assert answer.status_code == 404
    kind = "application/problem+json" if address.is_api else "text/html"
    assert answer["Content-Type"].startswith(kind)


@pytest.mark.parametrize(
    "query", ["q=a%00b", "party=%00", "%00=1", "id=%00", "work=%00", "state=%00"]
)
@pytest.mark.parametrize(
    "path",
    ["/", "/verify", "/api/v1/me", "/api/v1/statement", "/royalties/earned", "/sell"],
)
@pytest.mark.django_db
def test_a_query_with_it_is_no_fault(
    client: Client, mine: dict[str, Any], path: str, query: str
) -> None:
    assert client.get(f"{path}?{query}", **mine).status_code < 500


@pytest.mark.postgres
def test_postgresql_answers_alike(postgres_url: str) -> None:
    root = Path(__file__).parents[2]
    words = [sys.executable, "-m", "pytest", "-q", "-m", "not postgres"]
    files = [__file__, str(root / "tests" / "marketplace" / "test_nul.py")]
    done = subprocess.run(
        [*words, *files],
        cwd=root,
        env={**os.environ, "DATABASE_URL": postgres_url},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
