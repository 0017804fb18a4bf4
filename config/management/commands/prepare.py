"""`manage.py prepare`: migrate, and deploy the contracts where there is a chain.

One process for both, since most of either is the start of Django. Contracts on a
public chain cost real money and are deployed by hand: `manage.py deploy_contracts`.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Bring the database up to date and see that the contracts are deployed."
    requires_system_checks = []  # the checks of a database need its tables

    def handle(self, *_: Any, **__: Any) -> None:
        call_command("migrate", verbosity=0)
        if settings.CHAIN_RPC_URLS and not settings.CHAIN_PUBLIC:
            call_command("deploy_contracts", if_needed=True, stdout=self.stdout)
