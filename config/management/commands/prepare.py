"""`manage.py prepare`: migrate, deploy the contracts, make the demo's witness.

One process for all, since most of each is the start of Django. Contracts on a
public chain cost real money and are deployed by hand: `manage.py deploy_contracts`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from colophon.errors import InputError
from colophon.witness import KEY, Witness
from log.keys import log_key

WITNESS_NAME = "witness.localhost/demo"


class Command(BaseCommand):
    help = "Bring the database up to date and see that the contracts are deployed."
    requires_system_checks = []  # the checks of a database need its tables

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--witness",
            type=Path,
            help="a folder; a witness of this log is made there, and its key printed",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0)
        if settings.CHAIN_RPC_URLS and not settings.CHAIN_PUBLIC:
            call_command("deploy_contracts", if_needed=True, stdout=self.stdout)
        if options["witness"]:
            self.stdout.write(self._witness(options["witness"]))

    def _witness(self, folder: Path) -> str:
        """The verifier key of the witness in a folder, which knows the log's key."""
        if (folder / KEY).exists():
            try:
                witness = Witness.open(folder)
            except InputError as error:
                raise CommandError(f"{folder}: {error}") from error
            witness.add_log(log_key())
        else:
            witness = Witness.create(folder, WITNESS_NAME, [log_key()])
        witness.state.close()
        return witness.key.vkey
