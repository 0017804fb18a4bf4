"""`manage.py log_fsck`: derive the log again from its rows and compare it all."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from log.errors import InconsistentLogError
from log.fsck import Report, check, rebuild


class Command(BaseCommand):
    help = "Compare entries, checkpoints and tiles; exit 1 names the first bad index."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--rebuild",
            action="store_true",
            help="write all tiles again from the rows, if these are right",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        report = check()
        if options["rebuild"] and report.rows_hold:
            report = self._rebuild()
        for finding in sorted(report.findings):
            self.stderr.write(f"entry {finding.index}: {finding.what}")
        if report.first_bad is not None:
            left = "; tiles are not rebuilt" if options["rebuild"] else ""
            raise CommandError(f"first bad index: {report.first_bad}{left}")
        self.stdout.write(
            f"ok: {report.size} entries, {report.checkpoints} checkpoints, "
            f"{report.tiles} tiles"
        )

    def _rebuild(self) -> Report:
        try:
            size = rebuild()
        except InconsistentLogError as error:
            raise CommandError(f"not rebuilt: {error}") from error
        self.stdout.write(f"wrote the tiles of {size} entries")
        return check()
