"""`manage.py relay`: nudge due jobs and fire the timetable until told to stop."""

from __future__ import annotations

import signal
from typing import Any

from django.core.management.base import BaseCommand

from outbox.relay import Relay


class Command(BaseCommand):
    help = "Nudge due jobs and fire the timetable; SIGTERM and SIGINT end it cleanly."

    def handle(self, *_: Any, **__: Any) -> None:
        relay = Relay()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *__: relay.stop())
        self.stdout.write("relay runs")
        self.stdout.flush()
        relay.run()
        self.stdout.write("relay stopped")
