"""Read the environment once, typed; a bad value stops the start with a sentence.

Every variable may be given as a file instead: `NAME_FILE` names it, as container
secrets are. Secrets that nobody set are made on first run and kept in `var/secrets`
(0600), so that a fresh clone starts and no default secret exists anywhere.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured
from environ.fileaware_mapping import FileAwareMapping

BASE_DIR = Path(__file__).resolve().parent.parent


class _Files(FileAwareMapping):  # type: ignore[misc]
    """A variable's value, or that of the file it names, without its last newline."""

    def __getitem__(self, key: str) -> str:
        try:
            return str(super().__getitem__(key)).rstrip("\n")
        except OSError as error:
            raise ImproperlyConfigured(
                f"{key}_FILE names {os.environ.get(f'{key}_FILE')}, "
                f"which cannot be read: {error.strerror}"
            ) from error


class _Environment(environ.Env):  # type: ignore[misc]
    ENVIRON = _Files()


env = _Environment()
if (BASE_DIR / ".env").is_file():
    environ.Env.read_env(BASE_DIR / ".env")

VAR_DIR = Path(env.str("COLOPHON_VAR", default=str(BASE_DIR / "var"))).resolve()
SECRETS_DIR = VAR_DIR / "secrets"


def secret(name: str, *, size: int = 32) -> str:
    """The secret from `name`, or from the file it names, or made once and kept.

    Args:
        name: the environment variable; `<name>_FILE` names a file instead.
        size: random bytes of a secret that is made here.
    """
    if value := env.str(name, default=""):
        return str(value)
    kept = SECRETS_DIR / name.lower()
    if not kept.is_file():
        SECRETS_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = secrets.token_hex(size)
        try:
            handle = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            pass
        else:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(made)
    return kept.read_text(encoding="utf-8").strip()
