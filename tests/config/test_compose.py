"""The compose file starts what the design names, with variables that settings read."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings

from config import first_run
from config.jobs import TABLE

ROOT = Path(__file__).resolve().parent.parent.parent
FILE = ROOT / "docker-compose.yml"
DOCKERFILE = ROOT / "Dockerfile"
OTHERS = {"database", "broker", "chain"}
OURS = {"web", "worker", "media-worker", "chain-worker", "relay", "migrate"}


def composed() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return loaded


def read_by_settings() -> set[str]:
    """Names in calls of `env.…(` and `secret(`, from the parsed source."""
    found = set()
    for name in ("settings.py", "environment.py"):
        tree = ast.parse((ROOT / "config" / name).read_text())
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and node.args):
                continue
            first, call = node.args[0], ast.unparse(node.func)
            asks = call == "secret" or re.fullmatch(r"env\.\w+", call)
            if asks and isinstance(first, ast.Constant):
                found.add(str(first.value))
    return found


def test_every_variable_in_it_is_one_that_settings_reads() -> None:
    used = set()
    for name in OURS:
        used |= set(composed()["services"][name]["environment"])
    assert {"DATABASE_URL_FILE", "COLOPHON_SITE_URL"} <= used
    known = read_by_settings()
    assert {one.removesuffix("_FILE") for one in used} - known == set()


def test_every_variable_that_it_takes_from_outside_is_one_too() -> None:
    taken = set(re.findall(r"\$\{(\w+)", FILE.read_text()))
    assert taken
    assert taken - read_by_settings() == set()


def test_the_example_names_only_variables_that_settings_reads() -> None:
    text = (ROOT / ".env.example").read_text()
    named = set(re.findall(r"^(\w+)=", text, re.MULTILINE))
    assert named
    assert named - read_by_settings() == set()


def test_no_secret_is_written_in_it() -> None:
    text = FILE.read_text() + (ROOT / ".env.example").read_text()
    assert not re.search(r"(PASSWORD|SECRET_KEY|CUSTODY_KEY)[:=] *\S", text)
    made = {one["file"] for one in composed()["secrets"].values()}
    assert all(path.startswith("./secrets/") for path in made)


def test_first_run_makes_every_secret_that_it_names(tmp_path: Path) -> None:
    first_run._secrets(tmp_path / "secrets")
    named = {Path(one["file"]).name for one in composed()["secrets"].values()}
    assert {one.name for one in (tmp_path / "secrets").iterdir()} == named


def test_every_process_is_there_and_is_restarted() -> None:
    services = composed()["services"]
    assert set(services) == OURS | OTHERS
    for name in services.keys() - {"migrate"}:
        assert services[name]["restart"] == "always", name
    assert services["migrate"]["restart"] == "no"
    for name in OURS - {"migrate"}:
        condition = services[name]["depends_on"]["migrate"]["condition"]
        assert condition == "service_completed_successfully", name


def test_every_queue_of_the_job_table_has_a_worker() -> None:
    services = composed()["services"].values()
    commands = [one["command"] for one in services if "-Q" in one.get("command", [])]
    served = [command[command.index("-Q") + 1] for command in commands]
    assert sorted(served) == sorted({queue for _, queue in TABLE.values()})


def test_health_is_asked_of_everything_that_runs_on() -> None:
    services = composed()["services"]
    for name in services.keys() - {"migrate", "web"}:
        assert services[name]["healthcheck"]["test"], name
    assert "HEALTHCHECK" in (ROOT / "Dockerfile").read_text()


def test_a_worker_is_asked_for_under_the_name_that_it_runs_by() -> None:
    for name in ("worker", "media-worker", "chain-worker"):
        one = composed()["services"][name]
        own = one["command"][one["command"].index("-n") + 1]
        assert one["healthcheck"]["test"][-1] == f"worker:{own.removesuffix('@%h')}"


def test_who_opens_strangers_files_has_no_way_out() -> None:
    found = composed()
    assert found["services"]["media-worker"]["networks"] == ["inside"]
    assert found["networks"]["inside"] == {"internal": True}


def test_only_the_chain_worker_runs_with_the_chain_keys() -> None:
    services = composed()["services"]
    has = {
        name
        for name, one in services.items()
        if any(volume.startswith("chain-keys:") for volume in one.get("volumes", []))
    }
    assert has == {"chain-worker", "migrate"}


def test_nothing_but_the_site_is_reachable_and_that_on_loopback() -> None:
    services = composed()["services"]
    open_ports = {
        name: one["ports"] for name, one in services.items() if "ports" in one
    }
    assert open_ports == {"web": ["127.0.0.1:8000:8000"]}


def test_the_image_runs_as_nobody_special() -> None:
    stages = re.split(r"^FROM ", DOCKERFILE.read_text(), flags=re.MULTILINE)
    app = next(one for one in stages if " AS app" in one.splitlines()[0])
    assert re.search(r"^USER colophon$", app, re.MULTILINE)
    assert app.index("USER colophon") < app.index("CMD")


def test_images_are_named_without_a_registry_host() -> None:
    named = re.findall(r"^FROM (\S+)", DOCKERFILE.read_text(), re.MULTILINE)
    named += [one["image"] for one in composed()["services"].values()]
    assert len(named) > len(OTHERS)
    for name in named:
        host = name.split("/")[0] if "/" in name else ""
        assert "." not in host, name
        assert ":" not in host, name


def test_the_image_gets_every_package_and_no_local_data() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in lines
    kept = {line[1:] for line in lines if line.startswith("!")}
    assert set(settings_apps()) | {"config", "colophon"} <= kept
    assert not kept & {"var", "secrets", ".env", ".git", "tests"}


def settings_apps() -> list[str]:
    """Our own packages among the installed apps."""
    return [one for one in settings.INSTALLED_APPS if (ROOT / one).is_dir()]


def test_compose_itself_accepts_it() -> None:
    command = shutil.which("docker-compose")
    assert command, "install docker-compose; it needs no engine for this"
    done = subprocess.run(
        [command, "-f", str(FILE), "--profile", "demo-chain", "config", "-q"],
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_configuration_docs_name_every_variable_and_no_other() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text()
    rows = set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
    assert rows == read_by_settings()
