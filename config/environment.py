"""Read the environment once, typed; a bad value stops the start with a sentence.

Secrets that nobody set are made on first run and kept in `var/secrets` (0600), so
that a fresh clone starts and no default secret exists anywhere.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import environ

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
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
    if path := env.str(f"{name}_FILE", default=""):
        return Path(path).read_text(encoding="utf-8").strip()
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
