"""`manage.py verify_ledger`: recompute the ledger and hold it to its invariants."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from royalties.verify import Answer, verify


class Command(BaseCommand):
    help = "Recompute the whole ledger; exit 1 names the first violated invariant."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--quick", action="store_true", help="what is asked before each settlement"
        )
        parser.add_argument(
            "--no-node", action="store_true", help="do not ask the chain"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        broken = ""
        for answer in verify(quick=options["quick"], node=not options["no_node"]):
            self._say(answer)
            if answer.findings and not broken:
                broken = f"{answer.invariant.id}: {answer.findings[0]}"
        if broken:
            raise CommandError(f"first violated invariant: {broken}")

    def _say(self, answer: Answer) -> None:
        """One line for the invariant, and one for each finding."""
        name, words = answer.invariant.id, answer.invariant.words
        if answer.why:
            self.stdout.write(f"not checked  {name:<11} {words} ({answer.why})")
        elif answer.holds:
            self.stdout.write(f"holds        {name:<11} {words}")
        else:
            self.stdout.write(f"VIOLATED     {name:<11} {words}")
        for finding in answer.findings:
            self.stderr.write(f"  {finding}")
