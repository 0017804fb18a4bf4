"""What every test has: closed sockets, private files, and honest markers.

A marker that needs something outside (referee data, PostgreSQL, Redis, Chromium) leaves
its tests out on a laptop that lacks it, with a count that is printed, and fails where
`CI=true`.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_socket
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from tests.browser import chromium_path

pytest_plugins = ["tests.budget", "tests.cast"]

POSTGRES_URL = os.environ.get(
    "COLOPHON_TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432/test"
)
REDIS_URL = os.environ.get("COLOPHON_TEST_REDIS", "redis://127.0.0.1:6379/15")
REFEREES = os.environ.get("COLOPHON_REFEREES", "")
IN_CI = os.environ.get("CI", "").lower() in ("1", "true")

# A slow machine is no wrong answer: property tests are judged by what they find, never
# by the clock. Where CI=true they try the same examples each time, so that a change is
# red by its own fault; elsewhere each run looks at others.
hypothesis_settings.register_profile(
    "laptop",
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
hypothesis_settings.register_profile(
    "ci", hypothesis_settings.get_profile("laptop"), derandomize=True, database=None
)
hypothesis_settings.load_profile("ci" if IN_CI else "laptop")

_left_out: dict[str, int] = {}


def pytest_runtest_setup() -> None:
    """Only the loopback and unix sockets are open."""
    pytest_socket.socket_allow_hosts(
        ["127.0.0.1", "::1", "localhost"], allow_unix_socket=True
    )


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Leave out what cannot run here; where CI=true that is an error."""
    for marker, is_there, advice in (
        ("referee", _has_referees, "set COLOPHON_REFEREES to the referee data"),
        ("postgres", _has_postgres, f"start PostgreSQL at {_place(POSTGRES_URL)}"),
        ("redis", _has_redis, f"start Redis at {_place(REDIS_URL)}"),
        ("browser", chromium_path, "install Chromium, or set COLOPHON_CHROMIUM"),
    ):
        marked = [item for item in items if item.get_closest_marker(marker)]
        if not marked or is_there():
            continue
        if IN_CI:
            raise pytest.UsageError(f"{len(marked)} {marker} tests: {advice}")
        _left_out[marker] = len(marked)
        config.hook.pytest_deselected(items=marked)
        gone = set(map(id, marked))
        items[:] = [item for item in items if id(item) not in gone]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say what was left out."""
    for marker, count in _left_out.items():
        terminalreporter.write_line(f"{count} {marker} tests left out", yellow=True)


@pytest.fixture(scope="session")
def referees() -> Path:
    """The folder of outside referee data."""
    return Path(REFEREES)


@pytest.fixture(scope="session")
def redis_url() -> str:
    """A Redis database that tests may use but not flush: others share the server."""
    return REDIS_URL


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """A PostgreSQL database whose user may create others."""
    return POSTGRES_URL


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    tmp_path_factory: pytest.TempPathFactory,
    django_db_modify_db_settings_parallel_suffix: None,
) -> None:
    """A test database of this run's own, so that two runs never meet."""
    from django.conf import settings

    for database in settings.DATABASES.values():
        name = str(database.setdefault("TEST", {}).get("NAME") or database["NAME"])
        if database["ENGINE"].endswith("sqlite3"):
            name = str(tmp_path_factory.mktemp("database") / Path(name).name)
        else:
            name = f"test_{os.getpid()}_{name}"
        database["TEST"]["NAME"] = name


@pytest.fixture(scope="session")
def _session_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("var")


@pytest.fixture(autouse=True)
def no_remembered_prints() -> None:
    """What a process remembers of prints is of rows that another test undid."""
    prints = sys.modules.get("provenance.prints")
    if prints is not None:
        prints.forget()


@pytest.fixture(autouse=True)
def private_files(_session_files: Path, tmp_path: Path, settings: Any) -> None:
    """No test writes to `var/`: keys are of this run, files and tiles of this test."""
    settings.KEYS_DIR = _session_files / "keys"
    settings.AUTHORITIES_DIR = _session_files / "authorities"
    settings.LOG_TILES_DIR = tmp_path / "tiles"
    settings.CHAIN_CONTRACTS_FILE = tmp_path / "contracts.json"
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    default = {**settings.STORAGES["default"]}
    default["OPTIONS"] = {**default["OPTIONS"], "location": str(tmp_path / "files")}
    settings.STORAGES = {**settings.STORAGES, "default": default}


def _has_referees() -> bool:
    return bool(REFEREES) and Path(REFEREES).is_dir()


def _has_postgres() -> bool:
    return _answers(POSTGRES_URL, 5432)


def _has_redis() -> bool:
    return _answers(REDIS_URL, 6379)


def _answers(url: str, port: int) -> bool:
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname, parts.port or port), 1).close()
    except OSError:
        return False
    return True


def _place(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]
