"""System checks: a dangerous configuration is named, with what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as conf

from accounts import checks


def ids(found: Any) -> list[str]:
    """The check ids, after making sure that each has a hint."""
    assert all(one.hint for one in found)
    return [one.id for one in found]


@pytest.fixture
def production(settings: Any) -> Any:
    """Settings as on a real host."""
    settings.TESTING = settings.DEBUG = settings.DEMO = False
    return settings


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Sets which database the settings name; nothing connects."""
    default = conf.DATABASES["default"]
    return lambda name: monkeypatch.setitem(
        default, "ENGINE", f"django.db.backends.{name}"
    )


def test_sqlite_is_refused_outside_the_demo(production: Any, engine: Any) -> None:
    engine("sqlite3")
    assert ids(checks.check_database()) == ["accounts.E001"]
    engine("postgresql")
    assert checks.check_database() == []


@pytest.mark.parametrize("flag", ["DEBUG", "DEMO", "TESTING"])
def test_sqlite_is_fine_for_trying_out(production: Any, engine: Any, flag: str) -> None:
    engine("sqlite3")
    setattr(production, flag, True)
    assert checks.check_database() == []


def test_the_demo_never_meets_a_public_chain(production: Any) -> None:
    production.CHAIN_PUBLIC = True
    assert checks.check_demo() == []
    production.DEMO = True
    assert ids(checks.check_demo()) == ["accounts.E002"]
    production.CHAIN_PUBLIC = False
    assert checks.check_demo() == []


def test_a_short_custody_secret_is_refused(production: Any) -> None:
    production.CUSTODY_KEY = "x" * 31
    assert ids(checks.check_custody_key()) == ["accounts.E003"]
    production.CUSTODY_KEY = "x" * 32
    assert checks.check_custody_key() == []


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("https://colophon.example", []),
        ("http://colophon.example", ["accounts.W002"]),
        ("https://localhost", ["accounts.W001"]),
        ("http://127.0.0.1:8000", ["accounts.W001", "accounts.W002"]),
        ("colophon.example", ["accounts.W001", "accounts.W002"]),
    ],
)
def test_the_site_address_is_real_and_safe(
    production: Any, url: str, wanted: list[str]
) -> None:
    production.SITE_URL = url
    assert ids(checks.check_site_url()) == wanted


@pytest.mark.parametrize(
    ("hosts", "wanted"),
    [
        (["colophon.example"], []),
        (["colophon.example", "localhost"], []),
        (["127.0.0.1", "localhost"], ["accounts.W003"]),
        (["colophon.example", "*"], ["accounts.W003"]),
        ([], ["accounts.W003"]),
    ],
)
def test_hosts_are_named(production: Any, hosts: list[str], wanted: list[str]) -> None:
    production.ALLOWED_HOSTS = hosts
    assert ids(checks.check_hosts()) == wanted


def test_mail_must_leave_the_machine(production: Any) -> None:
    production.EMAIL_HOST = ""
    assert ids(checks.check_mail()) == ["accounts.W004"]
    production.EMAIL_HOST = "mail.colophon.example"
    assert checks.check_mail() == []


def test_a_deployment_has_no_demo(production: Any) -> None:
    assert checks.check_demo_off() == []
    production.DEMO = True
    assert ids(checks.check_demo_off()) == ["accounts.W005"]
