"""Refuse to start on the wrong chain, and tell what a person should look at."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from chain import contracts, identity
from chain.errors import ChainError
from chain.finality import heights
from chain.gateway import connect
from chain.reconcile import reconcile


class Command(BaseCommand):
    """Runs `chain.identity`, and `chain.reconcile` with --full."""

    help = (
        "Compares chain id, genesis hash and contract code with the database; exits "
        "with an error when they differ. Run it before web and workers start."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--full", action="store_true", help="also compare rows and chain"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            network = contracts.network()
            gateway = connect()
            identity.verify(gateway, network)
            deep = heights(gateway)
            findings = reconcile() if options["full"] else []
        except ChainError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"chain {network.chain_id} is the one of this database; block "
            f"{deep.head.number}, final {deep.final}, followed {network.followed_block}"
        )
        for finding in findings:
            self.stdout.write(f"- {finding}")
        if network.halted_at:
            raise CommandError(f"settling is halted: {network.halted_reason}")
