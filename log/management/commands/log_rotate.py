"""`manage.py log_rotate`: a new key for the log, announced by the old one."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from log.rotate import next_key, rotate


class Command(BaseCommand):
    help = "Announce a new checkpoint key in the log, signed by the old one; use it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--next",
            action="store_true",
            help="only print the next key, for witnesses to learn it before",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        if options["next"]:
            self.stdout.write(next_key().vkey)
            return
        self.stdout.write(f"the log signs with {rotate().vkey}")
