"""`manage.py seed`: fill the demo once, by the real loop; needs its workers running."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from chain.models import Network
from config.seed.play import Play, SeedError


class Command(BaseCommand):
    help = "Draw, record, sign, sell and use the works of the demo, once."
    requires_system_checks = []  # `prepare` and the site ran them just now

    def handle(self, *_: Any, **__: Any) -> None:
        if not settings.DEMO:
            raise CommandError("this command is for the demo; set COLOPHON_DEMO=1")
        var = Path(settings.VAR_DIR)
        if (var / "seeded").is_file():
            self.stdout.write("the demo is filled already")
            return
        try:
            self._play(var)
        except SeedError as error:
            raise CommandError(str(error)) from error
        (var / "seeded").touch()

    def _play(self, var: Path) -> None:
        has_chain = bool(settings.CHAIN_RPC_URLS) and Network.objects.exists()
        play = Play(self.stdout.write, has_chain)
        play.act("Accounts, keys and sources", play.open_accounts)
        play.act("Works and orders", play.make_works)
        play.act("Sample files", play.make_samples)
        (var / "seeding-ready").touch()
        if has_chain:
            play.act("Licenses", play.wait_for_licenses)
            play.act("A year of uses", lambda: play.use(first=True))
        play.act("Verdicts", play.judged)
        play.act("Disputes", play.dispute)
        if has_chain:
            play.act("Copies", play.download)
            play.act("Settlement and payouts", play.wait_for_payouts)
            play.act("This week's uses", lambda: play.use(first=False))
        play.act("The newest work", play.publish_last)
