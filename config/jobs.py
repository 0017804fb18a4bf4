"""The job table and the timetable: which kind runs what, where, and how often."""

from __future__ import annotations

from django.conf import settings

TABLE: dict[str, tuple[str, str]] = {
    # log
    "log.sequence": ("log.tasks.sequence", "default"),
    "log.checkpoint": ("log.tasks.checkpoint", "default"),
    "log.timestamp": ("log.tasks.timestamp", "default"),
    "log.cosign": ("log.tasks.cosign", "default"),
    # chain
    "chain.send": ("chain.tasks.send", "chain"),
    "chain.confirm": ("chain.tasks.confirm", "chain"),
    "chain.follow": ("chain.tasks.follow", "chain"),
    "chain.anchor": ("chain.tasks.anchor", "chain"),
    "chain.reconcile": ("chain.tasks.reconcile", "chain"),
    # provenance
    "asset.examine": ("provenance.tasks.examine_asset", "media"),
    "prints.make": ("provenance.tasks.make_prints", "media"),
    "asset.map": ("provenance.tasks.map_asset", "media"),
    "asset.sign": ("provenance.tasks.sign_asset", "media"),
    "asset.judge": ("provenance.tasks.judge_asset", "default"),
    "asset.mint": ("provenance.tasks.mint_asset", "default"),
    "asset.minted": ("provenance.tasks.keep_token", "default"),
    "verdicts.renew": ("provenance.tasks.renew_verdicts", "default"),
    "checkpoint.anchored": ("provenance.tasks.keep_anchor", "default"),
    # marketplace
    "order.paid": ("marketplace.tasks.order_paid", "default"),
    "deposit.seen": ("marketplace.tasks.deposit_seen", "default"),
    "deposit.gone": ("marketplace.tasks.deposit_gone", "default"),
    "order.funded": ("marketplace.tasks.order_funded", "default"),
    "refund.asked": ("marketplace.tasks.refund_asked", "default"),
    "refund.requested": ("marketplace.tasks.refund_requested", "default"),
    "refund.paid": ("marketplace.tasks.refund_paid", "default"),
    "orders.expire": ("marketplace.tasks.expire_orders", "default"),
    "license.deliver": ("marketplace.tasks.deliver_license", "media"),
    "listing.refresh": ("marketplace.tasks.refresh_listing", "default"),
    # royalties
    "usage.record": ("royalties.tasks.record_usage", "default"),
    "settle.build": ("royalties.tasks.build_settlement", "default"),
    "settle.mature": ("royalties.tasks.mature_settlements", "default"),
    "settlement.committed": ("royalties.tasks.settlement_committed", "default"),
    "settlement.follow": ("royalties.tasks.follow_settlement", "default"),
    "refund.send": ("royalties.tasks.send_refund", "default"),
    "refund.sent": ("royalties.tasks.refund_sent", "default"),
    "refund.done": ("royalties.tasks.refund_done", "default"),
    "payouts.push": ("royalties.tasks.push_payouts", "default"),
    "payouts.sent": ("royalties.tasks.payouts_sent", "default"),
    "payouts.paid": ("royalties.tasks.apply_payment", "default"),
    "payouts.reversed": ("royalties.tasks.reverse_payment", "default"),
    "intent.reorged": ("royalties.tasks.intent_reorged", "default"),
}

# Seconds between two runs; with a question, asked first, whether to run at all.
TIMETABLE: dict[str, float | tuple[float, str]] = {
    "log.sequence": (1.0, "log.wanted.entries_wait"),
    "log.checkpoint": (settings.CHECKPOINT_SECONDS, "log.wanted.head_grew"),
    "chain.confirm": (1.0, "chain.wanted.under_way"),
    "chain.follow": (1.0, "chain.wanted.is_deployed"),
    "chain.anchor": (settings.CHECKPOINT_SECONDS, "chain.wanted.anchor_wanted"),
    "chain.reconcile": (60.0, "chain.wanted.is_deployed"),
    "verdicts.renew": 3600.0,
    "settle.build": (settings.SETTLE_SECONDS, "chain.wanted.is_deployed"),
    "settle.mature": (2.0, "chain.wanted.is_deployed"),
    "orders.expire": 60.0,
}

# What the chain says for good, and what it takes back (docs/chain.md).
EVENTS: dict[str, str] = {
    "ColophonLedger.Anchored": "checkpoint.anchored",
    "ColophonLedger.Deposited@safe": "deposit.seen",
    "ColophonLedger.Deposited": "deposit.seen",
    "ColophonLedger.Deposited@removed": "deposit.gone",
    "ColophonLedger.RefundRequested": "refund.requested",
    "ColophonLedger.Refunded": "refund.paid",
    "ColophonLedger.Committed": "settlement.follow",
    "ColophonLedger.Committed@removed": "settlement.follow",
    "ColophonLedger.Vetoed": "settlement.follow",
    "ColophonLedger.Vetoed@removed": "settlement.follow",
    "ColophonLedger.Paid": "payouts.paid",
    "ColophonLedger.Paid@removed": "payouts.reversed",
    "ColophonLedger.Unpaid": "payouts.paid",
    "chain.reorged": "intent.reorged",
}
