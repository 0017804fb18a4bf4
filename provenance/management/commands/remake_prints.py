"""Ask for the prints of works that were examined by an earlier version."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from provenance.examine import ask_for_prints


class Command(BaseCommand):
    help = "Make the prints of all works by today's version, each as a job of its own."

    def handle(self, *_args: Any, **_options: Any) -> None:
        self.stdout.write(f"{ask_for_prints()} works asked for")
