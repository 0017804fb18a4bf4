"""System checks: a dangerous configuration stops the start, with what to do.

Django's own deployment checks do not know which database holds money, or that demo
sign-in lets anyone in.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as CheckWarning

LOCAL_HOSTS = {"localhost", "127.0.0.1", "[::1]", "::1", "0.0.0.0"}  # noqa: S104
MIN_SECRET = 32


def _production() -> bool:
    """Neither a developer's checkout, the demo, nor the test suite."""
    return not (settings.DEBUG or settings.DEMO or settings.TESTING)


@register(Tags.database)
def check_database(**_: Any) -> list[CheckMessage]:
    """Money does not live in SQLite outside the demo."""
    engine = settings.DATABASES["default"]["ENGINE"]
    if not _production() or "sqlite" not in engine:
        return []
    return [
        Error(
            "SQLite may not hold money outside the demo.",
            hint=(
                "Set DATABASE_URL to a PostgreSQL database, such as "
                "postgres://user:password@host:5432/colophon. To try Colophon out, "
                "run `make demo`; to develop it, set COLOPHON_DEBUG=1."
            ),
            id="accounts.E001",
        )
    ]


@register(Tags.security)
def check_demo(**_: Any) -> list[CheckMessage]:
    """One-click sign-in and a chain with real money exclude each other."""
    if not (settings.DEMO and settings.CHAIN_PUBLIC):
        return []
    return [
        Error(
            "The demo signs anyone in and may not use a public chain.",
            hint="Unset COLOPHON_DEMO, or set COLOPHON_CHAIN_PUBLIC=0.",
            id="accounts.E002",
        )
    ]


@register(Tags.security)
def check_custody_key(**_: Any) -> list[CheckMessage]:
    """The secret that seals kept keys is long enough to be one."""
    if len(settings.CUSTODY_KEY) >= MIN_SECRET:
        return []
    return [
        Error(
            f"COLOPHON_CUSTODY_KEY has fewer than {MIN_SECRET} characters.",
            hint=(
                "Unset it to have one made, or set one from `openssl rand -hex 32`. "
                "A new secret cannot open keys sealed with another."
            ),
            id="accounts.E003",
        )
    ]


@register(Tags.security, deploy=True)
def check_site_url(**_: Any) -> list[CheckMessage]:
    """Wallets and mail carry the site's address; it must be the real one."""
    found = urlsplit(settings.SITE_URL)
    problems: list[CheckMessage] = []
    if found.hostname is None or found.hostname in LOCAL_HOSTS:
        problems.append(
            CheckWarning(
                f"COLOPHON_SITE_URL is {settings.SITE_URL}, this machine only.",
                hint="Set it to the public address, such as https://colophon.example.",
                id="accounts.W001",
            )
        )
    if found.scheme != "https":
        problems.append(
            CheckWarning(
                "COLOPHON_SITE_URL does not start with https.",
                hint="Wallets bind sign-in to this address; serve the site by TLS.",
                id="accounts.W002",
            )
        )
    return problems


@register(Tags.security, deploy=True)
def check_hosts(**_: Any) -> list[CheckMessage]:
    """ALLOWED_HOSTS names the site and no wildcard."""
    hosts = set(settings.ALLOWED_HOSTS)
    if "*" not in hosts and not hosts <= LOCAL_HOSTS:
        return []
    return [
        CheckWarning(
            "COLOPHON_ALLOWED_HOSTS names no host of its own, or any host.",
            hint="Set it to the host names that the site answers to, by commas.",
            id="accounts.W003",
        )
    ]


@register(Tags.security, deploy=True)
def check_mail(**_: Any) -> list[CheckMessage]:
    """Password resets must reach people."""
    if settings.EMAIL_HOST:
        return []
    return [
        CheckWarning(
            "Mail is written to files; nobody receives a password reset.",
            hint="Set COLOPHON_EMAIL_HOST (and _PORT, _USER, _PASSWORD, _TLS).",
            id="accounts.W004",
        )
    ]


@register(Tags.security, deploy=True)
def check_demo_off(**_: Any) -> list[CheckMessage]:
    """A deployment has no one-click sign-in."""
    if not settings.DEMO:
        return []
    return [
        CheckWarning(
            "COLOPHON_DEMO is on: anyone can sign in as anyone of the cast.",
            hint="Unset COLOPHON_DEMO.",
            id="accounts.W005",
        )
    ]
