"""Write docs/api-errors.md from the registry of problem codes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.urls import get_resolver

from accounts.errors import REGISTRY

PATH = Path("docs") / "api-errors.md"
HEAD = """# API errors

Every error of the API is a JSON object of the type `application/problem+json`
([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)):

| member | is |
|---|---|
| `type` | an address that leads to this list, with the code as its fragment |
| `title` | the same short sentence for each code |
| `status` | the HTTP status |
| `detail` | what happened this time, and what to do; for people |
| `instance` | the path that was asked |
| `code` | the stable word that programs look at |
| `errors` | one `{pointer, detail, code}` for each wrong field; `pointer` is a JSON \
pointer ([RFC 6901](https://www.rfc-editor.org/rfc/rfc6901)) |
| `request_id` | finds the request in the logs; also the `X-Request-Id` header |

Codes are added, never changed. This file is written by `manage.py api_errors`; the
same list is served at `/developers/errors`.

| code | status | what it means |
|---|---|---|
"""


def document() -> str:
    """The whole text of docs/api-errors.md."""
    get_resolver().url_patterns  # noqa: B018 - loads every app's views and errors
    found = sorted(REGISTRY.values(), key=lambda one: (one.status, one.code))
    rows = [
        f"| `{one.code}` | {one.status} | {one.title}. {one.meaning} |" for one in found
    ]
    return HEAD + "\n".join(rows) + "\n"


class Command(BaseCommand):
    """Writes the file, or says that it is out of date."""

    help = "Write docs/api-errors.md from the registry of problem codes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="only compare")

    def handle(self, *_: Any, **options: Any) -> None:
        path = Path(settings.BASE_DIR) / PATH
        text = document()
        if not options["check"]:
            path.write_text(text, encoding="utf-8")
        elif path.read_text(encoding="utf-8") != text:
            self.stderr.write("docs/api-errors.md is old; run manage.py api_errors")
            raise SystemExit(1)
