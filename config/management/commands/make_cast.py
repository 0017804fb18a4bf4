"""Make accounts with API keys for a scripted run, and print the keys as JSON.

Only for the demo and its tests: refuses where COLOPHON_DEMO is not set.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from accounts.api_keys import SCOPES, issue
from accounts.models import Party, User, Wallet
from accounts.register import open_account
from chain.abi import checksum


class Command(BaseCommand):
    help = "Makes one account per NAME=ADDRESS, verified, with an API key."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("who", nargs="+", metavar="NAME=ADDRESS")

    def handle(self, *_: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("this command is for the demo; set COLOPHON_DEMO=1")
        made = dict(_account(one) for one in options["who"])
        self.stdout.write(json.dumps(made))


def _account(text: str) -> tuple[str, dict[str, str]]:
    name, _, address = text.partition("=")
    wallet = checksum(address)
    email = f"{name.lower()}@story.colophon.example"
    with transaction.atomic():
        user = User.objects.create_user(email, name=name)
        party = open_account(user, name=name)
        Party.objects.filter(pk=party.pk).update(verified_at=timezone.now())
        Wallet.objects.create(user=user, party=party, address=wallet)
        party.holder.payout_address = wallet
        party.holder.save(update_fields=["payout_address"])
        _, secret = issue(party, user, "story", list(SCOPES))
    return name, {"key": secret, "party": party.code, "holder": party.holder.code}
