"""What is left in a deposit account: paid in, given back, spent. Read only.

From the rows alone, so that a page needs no node. The contract has the last word: it
pays what the newest matured settlement leaves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from chain.kinds import LEDGER
from chain.models import Event
from marketplace.models import License, charging_time
from royalties.models import Tally


@dataclass(frozen=True)
class Escrow:
    """One deposit account, in settlement-token units.

    Attributes:
        spent_units: prices and counted uses, settled or not yet.
        requests: refund requests so far, the next one's nonce.
    """

    account: str
    deposited_units: int
    refunded_units: int
    spent_units: int
    requests: int

    @property
    def left_units(self) -> int:
        """What a refund would bring, as far as we have counted."""
        held = self.deposited_units - self.refunded_units
        return max(held - self.spent_units, 0)


def escrow_of(account: str) -> Escrow:
    """The deposit account of an address."""
    return Escrow(
        account=account,
        deposited_units=_sum(_logs(account, "Deposited")),
        refunded_units=_sum(_logs(account, "Refunded")),
        spent_units=_spent(account),
        requests=_logs(account, "RefundRequested").count(),
    )


def _spent(account: str) -> int:
    """What the account's licenses cost: once nothing more is settled, what was.

    One whose payment left the chain may take nothing, as long as it does not return.
    """
    rows: QuerySet[Any] = License.objects.filter(account=account).annotate(
        fees=Coalesce(Sum("increments__fee_units"), 0),
        charged=Coalesce(Sum("increments__usage_units"), 0),
    )
    used = dict(
        Tally.objects.filter(license__account=account).values_list(
            "license", "usage_units"
        )
    )
    late = timezone.now() - charging_time()
    return sum(
        row.fees + row.charged
        if (row.frozen_at and row.frozen_at <= late)
        or row.revoked_reason == License.Revoked.DEPOSIT_GONE
        else row.fee_units + used.get(row.pk, 0)
        for row in rows
    )


def _logs(account: str, name: str) -> QuerySet[Event]:
    return Event.objects.filter(
        contract=LEDGER, name=name, args__account=account, removed_at__isnull=True
    )


def _sum(logs: QuerySet[Event]) -> int:
    return sum(int(one.args["amount"]) for one in logs)
