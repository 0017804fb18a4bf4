"""A nudge is a hint: it never fails its caller, and only one module sends it."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any, Never

import pytest

from outbox import nudge as module
from outbox.nudge import nudge, waiting_messages

ROOT = Path(__file__).resolve().parents[2]
APPS = (
    "accounts", "chain", "colophon", "config", "log", "marketplace", "outbox",
    "provenance", "royalties",
)  # fmt: skip
SENDING = re.compile(
    r"\.delay\(|delay_on_commit\(|apply_async\(|send_task\(|countdown=|\beta="
    r"|(?<!\binspect)\.signature\(|autoretry_for"
)


class DeadApp:
    calls = 0

    def send_task(self, *args: Any, **options: Any) -> Never:
        self.calls += 1
        raise ConnectionRefusedError("nobody listens")

    def connection_for_write(self) -> Never:
        raise ConnectionRefusedError("nobody listens")


@pytest.fixture
def dead(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Any:
    settings.OUTBOX_NUDGE = True
    app = DeadApp()
    monkeypatch.setattr(module, "_app", lambda: app)
    monkeypatch.setattr(module, "_breaker", module._Breaker())
    return app


def test_a_dead_broker_fails_nobody_and_is_left_alone_for_a_moment(
    dead: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert nudge(1, "default") is False
    assert nudge(2, "default") is False
    assert dead.calls == 1
    later = time.monotonic() + module.PAUSE_SECONDS
    monkeypatch.setattr(module.time, "monotonic", lambda: later)
    assert nudge(3, "default") is False
    assert dead.calls == 2


def test_a_dead_broker_holds_no_messages(dead: Any) -> None:
    assert waiting_messages("default") == 0


def test_the_setting_keeps_tests_away_from_a_broker(dead: Any, settings: Any) -> None:
    settings.OUTBOX_NUDGE = False
    assert nudge(1, "default") is False
    assert dead.calls == 0


def test_only_the_nudge_module_speaks_to_celery() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for app in APPS
        for path in sorted((ROOT / app).rglob("*.py"))
        if path.relative_to(ROOT) != Path("outbox/nudge.py")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if SENDING.search(line)
    ]
    assert found == []


def test_the_rule_sees_the_calls_it_bans() -> None:
    for line in ("run.delay(1)", "run.apply_async((1,))", "x(countdown=3)", "f(eta=t)"):
        assert SENDING.search(line)
    assert not SENDING.search("beta=1")
