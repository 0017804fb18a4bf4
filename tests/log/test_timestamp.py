"""Checkpoints get a second clock, and never wait for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from colophon import timestamp as rfc3161
from colophon.authority import make_authorities
from colophon.errors import ProofError
from log import tsa
from log.models import Checkpoint
from log.timestamp import roots, stamp, stamped_digest
from outbox.claims import Claim, Retry
from outbox.errors import LostClaim
from outbox.inline import drain
from outbox.models import Job

pytestmark = pytest.mark.django_db


@pytest.fixture
def authority(settings: Any) -> Iterator[None]:
    """A running time-stamping authority that settings name."""
    made = make_authorities(settings.AUTHORITIES_DIR).tsa
    with tsa.server(tsa.load(made.chain, made.key), 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        settings.TSA_URL = f"http://127.0.0.1:{server.server_port}/"
        yield
        server.shutdown()
        thread.join()


def test_a_checkpoint_gets_a_token_over_its_text(authority: Any, grow: Any) -> None:
    made = grow(3)
    assert drain(kinds=["log.timestamp"]) == 1
    made.refresh_from_db()
    token = bytes(made.timestamp)
    proven = rfc3161.check(token, stamped_digest(made.note), roots())
    assert made.timestamped_at == proven
    assert abs(datetime.now(UTC) - proven) < timedelta(seconds=60)
    with pytest.raises(ProofError):
        rfc3161.check(token, stamped_digest(grow(1).note), roots())


def test_the_token_is_served(authority: Any, grow: Any, client: Any) -> None:
    made = stamp(grow(3))
    answer = client.get(f"/log/checkpoint/{made.size}/timestamp")
    assert answer.content == bytes(made.timestamp)


def test_a_stamped_checkpoint_keeps_its_token(authority: Any, grow: Any) -> None:
    made = stamp(grow(3))
    assert bytes(stamp(made).timestamp) == bytes(made.timestamp)


def test_a_silent_authority_means_later_and_costs_no_attempt(
    grow: Any, settings: Any
) -> None:
    settings.TSA_URL = "http://127.0.0.1:9/"
    made = grow(3)
    with pytest.raises(Retry, match="time-stamping at"):
        stamp(made)
    assert drain() == 0
    job = Job.objects.get()
    assert (job.attempts, job.parked_at) == (0, None)
    assert "time-stamping" in job.last_error


def test_an_older_checkpoint_is_let_go_when_the_authority_is_silent(
    grow: Any, settings: Any
) -> None:
    old, _new = grow(1), grow(1)
    settings.TSA_URL = "http://127.0.0.1:9/"
    assert stamp(old).timestamp is None


def test_a_token_of_an_authority_we_do_not_know_is_not_kept(
    authority: Any, grow: Any, settings: Any, tmp_path: Any
) -> None:
    other = make_authorities(tmp_path / "others").tsa
    settings.TSA_ROOTS = str(other.root)
    made = grow(1)
    with pytest.raises(Retry, match="does not hold"):
        stamp(made)
    assert Checkpoint.objects.get().timestamp is None


def test_a_lost_claim_keeps_no_token(authority: Any, grow: Any) -> None:
    made = grow(1)
    job = Job.objects.get()
    claim = Claim.take(job)
    Job.objects.update(token=claim.token + 1)
    with pytest.raises(LostClaim):
        stamp(made, claim)
    assert Checkpoint.objects.get().timestamp is None
