"""The compose file starts what the design names, with variables that settings read."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
FILE = ROOT / "docker-compose.yml"
PROCESSES = {"web", "worker", "chain-worker", "relay", "migrate", "database", "broker"}
OURS = PROCESSES - {"database", "broker"}


def composed() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return loaded


def read_by_settings() -> set[str]:
    text = (ROOT / "config" / "settings.py").read_text()
    named = set(re.findall(r'"((?:COLOPHON_|[A-Z]+_URL)[A-Z_]*)"', text))
    return named | {f"{name}_FILE" for name in re.findall(r'secret\(\s*"(\w+)"', text)}


def test_every_variable_in_it_is_one_that_settings_reads() -> None:
    used = set()
    for name in OURS:
        used |= set(composed()["services"][name]["environment"])
    assert used
    assert used - read_by_settings() == set()


def test_every_process_is_there_and_is_restarted() -> None:
    services = composed()["services"]
    assert set(services) >= PROCESSES
    for name in PROCESSES - {"migrate"}:
        assert services[name]["restart"] == "always", name
    assert services["migrate"]["restart"] == "no"


def test_health_is_asked_of_everything_that_runs_on() -> None:
    services = composed()["services"]
    for name in PROCESSES - {"migrate", "web"}:
        assert services[name]["healthcheck"]["test"], name
    assert "HEALTHCHECK" in (ROOT / "Dockerfile").read_text()


def test_nothing_but_the_site_is_reachable_and_that_on_loopback() -> None:
    services = composed()["services"]
    open_ports = {
        name: one["ports"] for name, one in services.items() if "ports" in one
    }
    assert open_ports == {"web": ["127.0.0.1:8000:8000"]}


def test_the_image_runs_as_nobody_special() -> None:
    assert re.search(
        r"^USER colophon$", (ROOT / "Dockerfile").read_text(), re.MULTILINE
    )


def test_compose_itself_accepts_it() -> None:
    command = shutil.which("docker-compose")
    assert command, "install docker-compose; it needs no engine for this"
    environment = {**os.environ, "POSTGRES_PASSWORD": "x"}
    done = subprocess.run(
        [command, "-f", str(FILE), "config", "-q"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_configuration_docs_name_every_variable() -> None:
    documented = (ROOT / "docs" / "configuration.md").read_text()
    missing = [one for one in read_by_settings() if one not in documented]
    assert missing == []
