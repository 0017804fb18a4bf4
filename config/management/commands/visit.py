"""`manage.py visit URL`: ask a running demo for every page, as every role.

A page must answer 200 or a redirect to somebody, and never fails. Prints a JSON
summary; exits with 1 when a page is missing to everyone or broken.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.demo import CAST
from config.visits import Address, addresses, known, likely, named

WELL = {200, 302, 303}
# Refusals that are answers: not signed in, not yours, no such row, not by GET, …
REFUSED = {400, 401, 403, 404, 406, 410, 415, 422, 429, 405}
NOT_BY_GET = 405
TIMEOUT_SECONDS = 30.0
VISITOR = "visitor"


@dataclass
class Tour:
    """What was asked and what came of it."""

    clients: dict[str, httpx.Client]
    kinds: dict[str, list[str]]
    statuses: Counter[int] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    pages: int = 0

    def visit(self, address: Address) -> None:
        """Ask for one address as everybody, or for all rows that it can show."""
        count = len(address.arguments)
        if count == 0:
            self._judge(address, self._ask(address.filled([])))
        elif count == 1:
            self._with_rows(address)

    def _with_rows(self, address: Address) -> None:
        """Find who sees which kind of row there, then ask for all rows of that kind."""
        seen: dict[str, int] = {}
        for kind in likely(address, self.kinds):
            first, *others = self.kinds[kind]
            for role in self.clients:
                seen[role] = self._get(role, address.filled([first]))
                if seen[role] in WELL:
                    for value in others:
                        self._get(role, address.filled([value]))
                    return
                if seen[role] == NOT_BY_GET:
                    return
        if all(self.kinds[kind] for kind in named(address, self.kinds)):
            self._judge(address, seen)

    def _ask(self, path: str) -> dict[str, int]:
        return {role: self._get(role, path) for role in self.clients}

    def _get(self, role: str, path: str) -> int:
        try:
            answer = self.clients[role].get(path)
        except httpx.HTTPError as error:
            self.broken.append(f"{path} as {role}: {error!r}")
            return 0
        self.statuses[answer.status_code] += 1
        self.pages += 1
        if answer.status_code not in WELL | REFUSED:
            self.broken.append(f"{path} as {role}: {answer.status_code}")
        return answer.status_code

    def _judge(self, address: Address, seen: dict[str, int]) -> None:
        """A page must open for somebody; an API may want a key or another method."""
        if (
            WELL & set(seen.values())
            or address.is_api
            or set(seen.values()) == {NOT_BY_GET}
        ):
            return
        self.unseen.append(f"{address.route}: {sorted(set(seen.values()))}")


class Command(BaseCommand):
    help = "Ask a running demo for every page, as every role."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("url", help="address of the site")

    def handle(self, *_: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("this command is for the demo; set COLOPHON_DEMO=1")
        tour = Tour(_clients(options["url"]), known())
        listed = addresses()
        for address in listed:
            tour.visit(address)
        summary: dict[str, Any] = {
            "addresses": len(listed),
            "answers": dict(sorted(tour.statuses.items())),
            "roles": list(tour.clients),
            "broken": sorted(set(tour.broken)),
            "unseen": tour.unseen,
        }
        self.stdout.write(json.dumps(summary, indent=1))
        if tour.broken or tour.unseen:
            listed_problems = "\n".join([*summary["broken"], *tour.unseen])
            raise CommandError(f"broken, or open for nobody:\n{listed_problems}")


def _clients(url: str) -> dict[str, httpx.Client]:
    """One browser for each role, signed in by the demo's button, and a visitor."""
    found = {VISITOR: httpx.Client(base_url=url, timeout=TIMEOUT_SECONDS)}
    for role in CAST:
        client = httpx.Client(base_url=url, timeout=TIMEOUT_SECONDS)
        client.get("/accounts/login/").raise_for_status()
        answer = client.post(
            "/demo/sign-in",
            data={"role": role, "csrfmiddlewaretoken": client.cookies["csrf"]},
            headers={"Referer": url},
        )
        if answer.status_code not in WELL:
            raise CommandError(f"signing in as {role} answered {answer.status_code}")
        found[role] = client
    return found
