"""What the tests of provenance share: a time-stamping authority and verified people."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Party, User
from colophon.authority import make_authorities
from log import tsa
from tests.cast import party_of
from tests.loop import Person


@pytest.fixture(scope="session")
def tsa_url(_session_files: Path) -> Iterator[str]:
    """A time-stamping authority that this run's settings trust."""
    pki = make_authorities(_session_files / "authorities")
    server = tsa.server(tsa.load(pki.tsa.chain, pki.tsa.key), 0)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def clock(settings: Any, tsa_url: str) -> None:
    """Checkpoints and credentials are time-stamped."""
    settings.TSA_URL = tsa_url


def verified(user: User) -> Person:
    """Somebody whose address was checked, who acts by API."""
    now = timezone.now()
    Party.objects.filter(pk=party_of(user).pk).update(verified_at=now)
    return Person.of(user)


@pytest.fixture
def maker(ada: User) -> Person:
    """Ada: makes works."""
    return verified(ada)


@pytest.fixture
def owner(mia: User) -> Person:
    """Mia: owns a model."""
    return verified(mia)


@pytest.fixture
def thief(eve: User) -> Person:
    """Eve: has a verified address and keys of her own, like everybody."""
    return verified(eve)
