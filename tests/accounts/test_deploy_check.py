"""`manage.py check --deploy` in a process of its own, as an operator runs it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Every variable that docs/configuration.md asks an operator to set.
PRODUCTION = {
    "COLOPHON_SECRET_KEY": "a production secret of many different characters 0123",
    "COLOPHON_CUSTODY_KEY": "another production secret of many characters 4567",
    "COLOPHON_SITE_URL": "https://colophon.example",
    "COLOPHON_ALLOWED_HOSTS": "colophon.example",
    "COLOPHON_EMAIL_HOST": "mail.colophon.example",
    "DATABASE_URL": "postgres://colophon:secret@127.0.0.1:5432/colophon",
}


def check(tmp_path: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run the check with a clean environment; nothing is connected to."""
    own = {
        "PATH": os.environ["PATH"],
        "COLOPHON_VAR": str(tmp_path),
        **PRODUCTION,
        **changes,
    }
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env={name: value for name, value in own.items() if value},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_production_configuration_passes_without_a_warning(tmp_path: Path) -> None:
    done = check(tmp_path)
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


def test_a_dangerous_configuration_is_refused_all_at_once(tmp_path: Path) -> None:
    """One process: starting Django takes seconds; test_checks.py has each alone."""
    done = check(
        tmp_path,
        DATABASE_URL="",
        COLOPHON_SITE_URL="",
        COLOPHON_ALLOWED_HOSTS="",
        COLOPHON_EMAIL_HOST="",
        COLOPHON_CUSTODY_KEY="short",
    )
    assert done.returncode != 0
    found = set(re.findall(r"accounts\.[EW]\d{3}", done.stderr))
    numbers = ("E001", "E003", "W001", "W002", "W003", "W004")
    assert found == {f"accounts.{number}" for number in numbers}
