"""Settings come from the environment; a bad value stops with a sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.environment import _Files

ROOT = Path(__file__).resolve().parent.parent.parent


def test_a_variable_may_be_given_as_a_file(tmp_path: Path) -> None:
    path = tmp_path / "database_url"
    path.write_text("postgres://a:b@host/name\n")
    given = _Files({"DATABASE_URL_FILE": str(path), "OTHER": "plain"})
    assert given["DATABASE_URL"] == "postgres://a:b@host/name"
    assert given["OTHER"] == "plain"


def test_a_file_that_is_not_there_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLOPHON_SECRET_KEY_FILE", "/nowhere/secret_key")
    with pytest.raises(ImproperlyConfigured, match="names /nowhere/secret_key"):
        _Files()["COLOPHON_SECRET_KEY"]


def shown(tmp_path: Path, **changes: str) -> list[str]:
    """What settings hold, in a process with an environment of its own."""
    secret = tmp_path / "secret_key"
    secret.write_text("from a file, and long enough to be one\n")
    code = (
        "from django.conf import settings as s; from django.core.cache import cache;"
        "print(s.SECRET_KEY); print(s.DATABASES['default']['NAME']);"
        "print(s.CACHES['default']['LOCATION']); print(type(cache).__name__, s.SECURE);"
        "print(s.WHITENOISE_USE_FINDERS, s.STORAGES['staticfiles']['BACKEND'])"
    )
    environment = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "COLOPHON_VAR": str(tmp_path),
        "COLOPHON_SECRET_KEY_FILE": str(secret),
        **changes,
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.splitlines()


def test_a_deployment_has_its_secret_from_a_file_and_its_cache_in_redis(
    tmp_path: Path,
) -> None:
    address = tmp_path / "database_url"
    address.write_text("postgres://colophon:x@db:5432/works\n")
    key, database, cache, kind, static = shown(
        tmp_path, DATABASE_URL_FILE=str(address), REDIS_URL="redis://broker:6379/0"
    )
    assert key == "from a file, and long enough to be one"
    assert database == "works"
    assert cache == "redis://broker:6379/0"
    assert kind == "ConnectionProxy True"
    assert static.startswith("False whitenoise.storage.Compressed")


def test_the_demo_serves_static_files_as_they_are_and_without_tls(
    tmp_path: Path,
) -> None:
    _, database, cache, kind, static = shown(
        tmp_path, COLOPHON_DEMO="1", REDIS_URL="redis://127.0.0.1:7777/0"
    )
    assert database == str(tmp_path / "colophon.sqlite3")
    assert cache == "redis://127.0.0.1:7777/0"
    assert kind.endswith("False")
    assert static.startswith("True django.contrib.staticfiles")
