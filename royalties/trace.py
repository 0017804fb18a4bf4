"""From a payout back to the first step: everything that has to be recomputed.

Read only. Each hop carries the record that proves it; `colophon trace` walks it.
"""

from __future__ import annotations

import base64
from typing import Any

from colophon.digest import canonical
from log.models import Entry
from log.proofs import covering, inclusion
from provenance.assemble import bundle_for
from provenance.errors import ErasedError
from provenance.models import Asset
from royalties.models import Accrual, Payout, UsageBatch
from royalties.statement import leaf_json, line_json, payout_json, settlement_json

FORMAT = "https://colophon.example/trace/v1"


def trace_payout(payout: Payout) -> dict[str, Any]:
    """The payout, its settlement and leaf, and each license down to its steps."""
    settlement, holder = payout.settlement, payout.holder
    accruals = (
        Accrual.objects.filter(
            holder=holder, increment__settlement__epoch__lte=settlement.epoch
        )
        .select_related(
            "increment__settlement",
            "increment__license__asset",
            "increment__license__entry",
            "increment__license__agreement__entry",
        )
        .order_by(
            "increment__settlement__epoch", "increment__license__code", "position"
        )
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
            {
                "epoch": row.increment.settlement.epoch,
                "log_size": row.increment.settlement.log_size,
                **line_json(row),
            }
            for row in accruals
        ],
        "licenses": [
            {
                "id": row.code,
                "record": _record(row.entry),
                "log": _log(row.entry),
                "agreement": _record(row.agreement.entry),
                "agreement_log": _log(row.agreement.entry),
                "batches": _batches(row.pk, settlement.log_size),
            }
            for row in licenses.values()
        ],
        "evidence": {asset.code: _evidence(asset) for asset in assets.values()},
    }


def _evidence(asset: Asset) -> str | None:
    """The work's bundle in base64; None when a record of it was erased."""
    try:
        return base64.b64encode(bundle_for(asset).to_bytes()).decode()
    except ErasedError:
        return None


def _batches(license_pk: int, log_size: int) -> list[dict[str, Any]]:
    """The batches of a license that the settlement rests on, with their events."""
    rows = UsageBatch.objects.filter(
        license=license_pk, entry__index__lt=log_size
    ).select_related("entry")
    return [
        {
            "id": row.code,
            "root": bytes(row.root).hex(),
            "count": row.count,
            "record": _record(row.entry),
            "log": _log(row.entry),
            "events": [
                {
                    "body": canonical(event.body).decode(),
                    "state": event.state,
                    "reason": event.reason,
                }
                for event in row.events.order_by("position")
            ],
        }
        for row in rows.order_by("entry__index")
    ]


def _record(entry: Entry | None) -> dict[str, Any] | None:
    """The signed record, unless it was erased: then only its proof is left."""
    return entry.envelope if entry else None


def _log(entry: Entry | None) -> dict[str, Any] | None:
    """Where a record is in the log: its index, salt, and proof under a checkpoint."""
    checkpoint = covering(entry) if entry else None
    if entry is None or checkpoint is None:
        return None
    return {
        "index": entry.index,
        "salt": bytes(entry.salt).hex() if entry.salt else None,
        "proof": inclusion(entry, checkpoint),
    }
