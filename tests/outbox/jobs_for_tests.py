"""A job table with handlers that tests can watch."""

from __future__ import annotations

from collections.abc import Callable

from outbox.claims import Claim, Retry

ran: list[str] = []
behavior: dict[str, Callable[[Claim], None]] = {}


def work(claim: Claim) -> None:
    """Note the key, then do what the test asked for."""
    ran.append(claim.key)
    behavior.get(claim.key, lambda _: None)(claim)


def ask_again(_: Claim) -> None:
    raise Retry("the kettle is not hot yet", 40)


def yes() -> bool:
    return True


def no() -> bool:
    return False


TABLE = {
    "tea.make": ("tests.outbox.jobs_for_tests.work", "default"),
    "tea.paint": ("tests.outbox.jobs_for_tests.work", "media"),
    "tea.tick": ("tests.outbox.jobs_for_tests.work", "default"),
    "tea.idle": ("tests.outbox.jobs_for_tests.work", "default"),
}
TIMETABLE = {
    "tea.tick": (10.0, "tests.outbox.jobs_for_tests.yes"),
    "tea.idle": (10.0, "tests.outbox.jobs_for_tests.no"),
}
