"""The command line against a running site: report, settle, check, trace."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.utils import timezone

from accounts import api_keys
from colophon import cli
from royalties.models import Payout, Tally, UsageBatch, UsageEvent
from royalties.record import record_batch
from tests.cast import open_user, party_of
from tests.royalties import factories


@pytest.fixture
def desk(
    live_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> Path:
    settings.SITE_URL = live_server.url
    monkeypatch.setenv("COLOPHON_HOME", str(tmp_path))
    monkeypatch.setenv("COLOPHON_SITE", live_server.url)
    return tmp_path


def call(*words: object) -> int:
    return cli.main([str(one) for one in words])


@pytest.mark.django_db(transaction=True)
def test_from_a_file_of_uses_to_a_traced_cent(
    desk: Path,
    live_server: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ada, mia, ben = (open_user(name) for name in ("Ada", "Mia", "Ben"))
    holder = factories.wallet_of(party_of(mia), 1)
    asset = factories.model_asset(party_of(ada), party_of(mia))
    row = factories.license_of(asset, party_of(ben))

    # Ben reports 3,300 uses, and runs the same file again.
    monkeypatch.setenv(
        "COLOPHON_API_KEY", api_keys.issue(party_of(ben), ben, "ads", ["report"])[1]
    )
    now = timezone.now().isoformat()
    uses = desk / "uses.csv"
    uses.write_text(f"quantity,time\n1100,{now}\n1100,{now}\n1100,{now}\n")
    report = ("usage", "report", uses, "--license", row.code, "--json")
    assert call(*report) == 0
    assert json.loads(capsys.readouterr().out)["new"] == 3
    assert call(*report) == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["new"], again["known"], again["quantity"]) == (0, 3, 3_300)
    assert UsageEvent.objects.count() == 3

    # It is counted, settled and paid.
    record_batch(batch_pk=UsageBatch.objects.get().pk)
    assert Tally.objects.get().quantity == 3_300
    factories.paid(factories.matured(factories.settled()))

    # Mia pins the site, checks her statement, and walks her payout.
    assert call("trust", "fetch", live_server.url) == 0
    key = api_keys.issue(party_of(mia), mia, "me", ["read"])[1]
    monkeypatch.setenv("COLOPHON_API_KEY", key)
    answer = httpx.get(
        f"{live_server.url}/api/v1/statement",
        headers={"Authorization": f"Bearer {key}"},
    )
    statement = desk / "statement.json"
    statement.write_bytes(answer.content)
    capsys.readouterr()
    assert call("statement", "check", statement) == 0, capsys.readouterr().out
    payout = Payout.objects.get(holder=holder)
    assert payout.units == (3_300 * 600 + 2_000_000) * 12 // 100
    assert call("trace", payout.code) == 0, capsys.readouterr().out
    said = capsys.readouterr().out
    assert "Every hop holds, from the payment to the first step." in said
    assert "3,300 uses in 3 reports" in said

    # Somebody else's key sees nothing of it.
    other = api_keys.issue(party_of(ben), ben, "read", ["read"])[1]
    assert call("trace", payout.code, "--key", other) == 11
