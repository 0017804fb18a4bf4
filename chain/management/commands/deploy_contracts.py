"""Deploy the contracts, or find that they are there."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from chain.deploy import deploy
from chain.errors import ChainError
from chain.models import Network


class Command(BaseCommand):
    """Runs `chain.deploy` from the command line."""

    help = (
        "Deploys TestUSD (test chains only), ColophonLedger and ColophonAsset, and "
        "writes the contracts file and the Network row. Running it again does nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--if-needed",
            action="store_true",
            help="say nothing when the contracts are live already",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        quiet = options["if_needed"] and Network.objects.exists()
        try:
            deploy(say=(lambda _: None) if quiet else self.stdout.write)
        except ChainError as error:
            raise CommandError(str(error)) from error
