"""From a payout back to the first step: everything that has to be recomputed.

Read only. Each hop carries the record that proves it; `colophon trace` walks it.
"""

from __future__ import annotations

import base64
from typing import Any

from log.models import Entry
from provenance.assemble import bundle_for
from provenance.envelopes import envelope_of
from royalties.models import Accrual, Payout, UsageBatch
from royalties.statement import leaf_json, line_json, payout_json, settlement_json

FORMAT = "https://colophon.example/trace/v1"
MAX_EVENTS = 10_000


def trace_payout(payout: Payout) -> dict[str, Any]:
    """The payout, its settlement and leaf, and each license down to its steps."""
    settlement, holder = payout.settlement, payout.holder
    accruals = (
        Accrual.objects.filter(
            holder=holder, increment__settlement__epoch__lte=settlement.epoch
        )
        .select_related("increment__settlement", "increment__license__asset")
        .order_by("increment__settlement__epoch", "increment__license__code")
    )
    licenses = {row.increment.license_id: row.increment.license for row in accruals}
    assets = {row.asset_id: row.asset for row in licenses.values()}
    return {
        "format": FORMAT,
        "payout": payout_json(payout),
        "holder": {"id": holder.code, "position": holder.position},
        "settlement": settlement_json(settlement),
        "leaf": leaf_json(settlement, holder),
        "lines": [
            {"epoch": row.increment.settlement.epoch, **line_json(row)}
            for row in accruals
        ],
        "licenses": [
            {
                "id": row.code,
                "record": envelope_of(row.entry).to_json(),
                "agreement": envelope_of(row.agreement.entry).to_json(),
                "batches": _batches(row.pk),
            }
            for row in licenses.values()
        ],
        "evidence": {
            asset.code: base64.b64encode(bundle_for(asset).to_bytes()).decode()
            for asset in assets.values()
        },
    }


def _batches(license_pk: int) -> list[dict[str, Any]]:
    """The recorded batches of a license with their events, in order."""
    rows = UsageBatch.objects.filter(
        license=license_pk, recorded_at__isnull=False
    ).select_related("entry")
    return [
        {
            "id": row.code,
            "root": bytes(row.root).hex(),
            "count": row.count,
            "record": _record(row.entry),
            "events": [
                {"body": event.body, "state": event.state}
                for event in row.events.order_by("position")[:MAX_EVENTS]
            ],
        }
        for row in rows.order_by("pk")
    ]


def _record(entry: Entry | None) -> dict[str, Any] | None:
    return envelope_of(entry).to_json() if entry else None
