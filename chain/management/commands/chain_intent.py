"""Show intents that wait for a person; cancel one, queue it again, end a halt."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from chain import halt, intervene
from chain.errors import ChainError
from chain.models import Intent

WHO = "chain_intent"


class Command(BaseCommand):
    """Runs `chain.intervene` from the command line."""

    help = "Without options: lists the intents that are not done."

    def add_arguments(self, parser: ArgumentParser) -> None:
        group = parser.add_mutually_exclusive_group()
        group.add_argument("--cancel", metavar="KEY")
        group.add_argument("--requeue", metavar="KEY")
        group.add_argument(
            "--resume", action="store_true", help="settle again after a halt"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            self.stdout.write(self._act(options))
        except ChainError as error:
            raise CommandError(str(error)) from error

    def _act(self, options: dict[str, Any]) -> str:
        if key := options["cancel"]:
            return str(intervene.cancel(key, by=WHO))
        if key := options["requeue"]:
            return str(intervene.requeue(key, by=WHO))
        if options["resume"]:
            return "settling again" if halt.resume() else "nothing was halted"
        rows = Intent.objects.exclude(state__in=Intent.DONE).order_by("id")
        return "\n".join(f"{row} {row.error}" for row in rows) or "all intents are done"
