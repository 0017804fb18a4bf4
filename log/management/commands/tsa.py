"""Serve time-stamps on the loopback with the test authority (demo and tests)."""

from __future__ import annotations

from argparse import ArgumentParser
from contextlib import suppress
from pathlib import Path

from django.core.management.base import BaseCommand

from colophon.authority import make_authorities
from log import tsa


class Command(BaseCommand):
    help = "Serve RFC 3161 time-stamps on 127.0.0.1 with a test authority."
    requires_system_checks = []  # it needs nothing of the site: no database, no chain

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=3161, help="0 takes a free one")
        parser.add_argument(
            "--folder",
            type=Path,
            required=True,
            help="where the authorities lie; made when missing",
        )

    def handle(self, *_: object, **options: object) -> None:
        folder, port = options["folder"], options["port"]
        assert isinstance(folder, Path)
        assert isinstance(port, int)
        made = make_authorities(folder).tsa
        stamper = tsa.load(made.chain, made.key)
        with tsa.server(stamper, port) as server:
            self.stdout.write(f"time-stamps at http://127.0.0.1:{server.server_port}")
            self.stdout.flush()
            with suppress(KeyboardInterrupt):
                server.serve_forever()
