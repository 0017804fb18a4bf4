"""Print what each suite took beside what it may take, so that none grows unseen.

Seconds are summed over all workers, setup and teardown included. Printed and never
enforced: the clock of a shared machine is no reason for a red build.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

# Seconds on two quiet cores. `make test` has 8 minutes: 480 s by 2 workers.
BUDGETS = {
    "accounts": 60,
    "chain": 120,
    "colophon": 160,
    "config": 60,
    "contracts": 30,
    "flows": 160,
    "log": 30,
    "marketplace": 80,
    "outbox": 60,
    "provenance": 160,
    "royalties": 120,
    "static": 40,
}
WIDTH = 14


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The table, when more than one suite ran."""
    took: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            parts = str(getattr(report, "nodeid", "")).split("/")
            if len(parts) > 2 and hasattr(report, "duration"):
                took[parts[1]] += report.duration
    if len(took) < 2:
        return
    terminalreporter.section("budget")
    for suite, seconds in sorted(took.items()):
        most = BUDGETS.get(suite, 0)
        words = f"{suite:<{WIDTH}}{seconds:6.0f} s of {most:4d} s"
        terminalreporter.write_line(words, yellow=seconds > most)
