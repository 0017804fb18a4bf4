"""Renew a claim's lease while its handler works.

A thread with its own database connection does it, every third of the lease. A
handler that hangs is ended by Celery's hard time limit, and the thread with it.
"""

from __future__ import annotations

import logging
import threading
from types import TracebackType
from typing import Self

from django.conf import settings
from django.db import Error, connection

from outbox.claims import Claim, LostClaim

logger = logging.getLogger(__name__)


class Keep:
    """Context manager: the claim does not run out inside it."""

    def __init__(self, claim: Claim) -> None:
        self._claim = claim
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._renew, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _renew(self) -> None:
        pause = settings.OUTBOX_LEASE_SECONDS / 3
        try:
            while not self._over.wait(pause):
                self._renew_once()
        except LostClaim:
            logger.warning("lease_lost", extra={"job": self._claim.job_id})
        finally:
            connection.close()

    def _renew_once(self) -> None:
        try:
            self._claim.renew()
        except Error as error:
            # The lease outlasts two misses; hold() decides, not this thread.
            logger.warning(
                "lease_not_renewed",
                extra={"job": self._claim.job_id, "why": repr(error)},
            )
            connection.close()
