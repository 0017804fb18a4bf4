"""Cancel a purchase in time: the license ends, and nobody earns its price.

In time is before the first download and within REFUND_DAYS. Until then the price waits
outside of every settlement, so nothing has to be taken back from anybody; it lies in
the buyer's deposit account, from where `marketplace.refund` gives it back.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from accounts.platform import platform_signer
from colophon import records, statement
from log.append import append
from marketplace.errors import NotCancelableError, RevokedError
from marketplace.models import License

# A settlement that is being built may take what is due in this moment.
MARGIN = timedelta(minutes=1)


def cancelable_until(row: License) -> datetime | None:
    """Until when a purchase can be canceled; None when it cannot, or has no price."""
    if row.state == License.State.REVOKED or not row.price_units or not row.fee_due_at:
        return None
    until = row.fee_due_at - MARGIN
    return until if until > timezone.now() else None


def cancel_purchase(*, license_row: License) -> License:
    """End a license that was never downloaded, for its price; once.

    Writes: License, Entry. Lock: the License row, as a download does.

    Raises:
        NotCancelableError: downloaded, too late, or without a price.
        RevokedError: it was revoked for another reason.
    """
    with transaction.atomic(durable=True):
        row = License.objects.select_for_update(of=("self",)).get(pk=license_row.pk)
        if row.revoked_reason == License.Revoked.CANCELED:
            return row
        if row.state == License.State.REVOKED:
            raise RevokedError
        if cancelable_until(row) is None:
            raise NotCancelableError
        envelope = statement.sign(
            records.refund(
                license_id=row.code,
                units=row.price_units,
                refunded_at=timezone.now(),
            ),
            platform_signer(),
        )
        row.cancellation = append("refund", envelope.to_json())
        row.state = License.State.REVOKED
        row.revoked_reason = License.Revoked.CANCELED
        row.fee_due_at = None
        row.save(
            update_fields=["cancellation", "state", "revoked_reason", "fee_due_at"]
        )
    return row
