"""Veto a settlement, pause the ledger, or end a pause: from the host with that key."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from chain import guard
from chain.errors import ChainError
from chain.models import Intent


class Command(BaseCommand):
    """Runs `chain.guard` from the command line."""

    help = (
        "veto EPOCH and pause need the guardian's key on this host, unpause the "
        "admin's. Ends with 0 once the transaction is final."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--wait",
            type=float,
            default=60.0,
            metavar="SECONDS",
            help="how long to follow the transaction",
        )
        acts = parser.add_subparsers(dest="act", required=True)
        veto = acts.add_parser("veto", help="drop a pending settlement")
        veto.add_argument("epoch", type=int)
        pause = acts.add_parser("pause", help="stop deposits and commits")
        unpause = acts.add_parser("unpause", help="let them go on")
        for act in (veto, pause, unpause):
            act.add_argument("--reason", required=True, help="for the log")

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            intent = self._act(options)
            self.stdout.write(f"{intent.key}: sent, waiting for it to be final")
            intent = guard.watch(intent, seconds=options["wait"])
        except ChainError as error:
            raise CommandError(str(error)) from error
        where = f" in block {intent.block_number}" if intent.block_number else ""
        said = f"{intent.key} is {intent.state}{where}"
        if intent.state != Intent.State.FINAL:
            why = f": {intent.error}" if intent.error else ""
            raise CommandError(f"{said}{why}. `chain_intent` lists it while it is open")
        self.stdout.write(f"{said}, transaction {intent.tx_hash}")

    def _act(self, options: dict[str, Any]) -> Intent:
        reason = options["reason"]
        if options["act"] == "veto":
            return guard.veto(options["epoch"], reason=reason)
        if options["act"] == "pause":
            return guard.pause(reason=reason)
        return guard.unpause(reason=reason)
