"""A small ledger: works with a model in them, licenses, uses and settlements.

Everything is made by the verbs, in the order of the loop. Only the chain is rows: a
network without a node, and the `Deposited` and `Paid` logs that it would have had.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts.models import Holder, Party
from accounts.platform import platform_party
from chain import read
from chain.models import Event, Intent, Network
from chain.read import FinalBlock
from colophon.cloudevent import EVENT_TYPE, parse_event
from colophon.digest import sha256
from colophon.ids import new_id
from marketplace.models import License, Refund
from marketplace.publish import publish_listing
from marketplace.refund import take_refund, take_request
from provenance.agree import propose_agreement
from provenance.models import Asset
from provenance.shares import Part
from royalties import build, due
from royalties.mature import follow_epoch, mature_due
from royalties.models import Leaf, Payout, Settlement, UsageBatch
from royalties.paid import apply_payment
from royalties.push import push_payouts
from royalties.receive import receive
from royalties.record import record_batch
from royalties.verify import verify
from tests import factories

SITE = "https://ads.example/reports"
WINDOW = timedelta(days=1)
ADDRESSES = tuple(f"0x{number:040x}" for number in range(0xA0, 0xB0))


def network() -> Network:
    """The chain's row, as deployment writes it; nobody answers there."""
    names = ("ColophonLedger", "ColophonAsset", "Token")
    contracts = {
        name: {"address": f"0x{at:040x}", "code_hash": "0x" + "cd" * 32, "block": 1}
        for at, name in enumerate(names, start=0xC0)
    }
    row, _ = Network.objects.get_or_create(
        only=True,
        defaults={
            "chain_id": 31337,
            "genesis_hash": "0x" + "01" * 32,
            "contracts": contracts,
        },
    )
    return row


def event_row(
    name: str,
    args: dict[str, Any],
    tx: bytes,
    position: int = 0,
    *,
    block: int = 100,
    mined_at: datetime | None = None,
) -> Event:
    """A final log of the ledger."""
    return Event.objects.create(
        contract="ColophonLedger",
        name=name,
        args=args,
        block_number=block,
        block_hash=f"0x{block:064x}",
        tx_hash="0x" + sha256(tx).hex(),
        log_index=position,
        position=position,
        mined_at=mined_at or timezone.now(),
        safe_at=timezone.now(),
        final_at=timezone.now(),
    )


def asked_back(account: str, *, block: int = 200, at: datetime | None = None) -> Refund:
    """The account asked the contract for its unspent money."""
    at = at or timezone.now()
    args = {"account": account, "requestedAt": str(int(at.timestamp()))}
    tx = f"ask {block}".encode()
    log = event_row("RefundRequested", args, tx, block=block, mined_at=at)
    made = take_request(event=log)
    assert made is not None
    return made


def given_back(
    account: str, units: int, *, block: int = 300, at: datetime | None = None
) -> Refund:
    """The contract gave the account its unspent money back."""
    args = {"account": account, "amount": str(units)}
    tx = f"give {block}".encode()
    log = event_row("Refunded", args, tx, block=block, mined_at=at)
    made = take_refund(event=log)
    assert made is not None
    return made


def shared_asset(party: Party, others: dict[Party, int], **fields: Any) -> Asset:
    """A work on sale whose gross goes in part to other parties, as creators."""
    asset = factories.sealed_asset(party, **fields)
    fee = settings.PLATFORM_FEE_PPM
    rest = 1_000_000 - fee - sum(others.values())
    parts = [
        Part(platform_party().holder, "platform", fee),
        *(Part(one.holder, "creator", ppm) for one, ppm in others.items()),
        Part(party.holder, "creator", rest),
    ]
    propose_agreement(asset=asset, parts=parts, by=party)
    return on_sale(asset)


def on_sale(asset: Asset) -> Asset:
    """Offer a sealed work with an agreement for the usual three uses."""
    if not asset.agreements.exists():
        factories.agreed(asset)
    publish_listing(asset=asset, plans=list(factories.OFFERS))
    factories.judged(asset)
    return Asset.objects.get(pk=asset.pk)


def model_asset(creator: Party, owner: Party, **fields: Any) -> Asset:
    """A work on sale with a model of the owner in it, at the owner's ask of 12 %."""
    source = factories.model_of(owner)
    asset = factories.sealed_asset(creator, **fields)
    fee = settings.PLATFORM_FEE_PPM
    parts = [
        Part(platform_party().holder, "platform", fee),
        Part(owner.holder, "source", 120_000, source),
        Part(creator.holder, "creator", 880_000 - fee),
    ]
    propose_agreement(asset=asset, parts=parts, by=creator)
    return on_sale(asset)


def license_of(asset: Asset, buyer: Party, use: str = "pay-per-use") -> License:
    """A paid license, with the deposit that the chain saw for it."""
    network()
    row = factories.licensed(asset, buyer, use)
    event_row(
        "Deposited",
        {
            "account": row.account,
            "accountIndex": "0",
            "amount": str(row.order.amount_units),
            "ref": "0x" + bytes(row.order.ref).hex(),
        },
        row.code.encode(),
    )
    return row


def use_body(
    row: License, quantity: int, *, at: datetime | None = None, event_id: str = ""
) -> dict[str, Any]:
    """A CloudEvent that reports uses of a license."""
    moment = at or timezone.now()
    return {
        "specversion": "1.0",
        "type": EVENT_TYPE,
        "source": SITE,
        "id": event_id or new_id("evt"),
        "subject": row.code,
        "time": moment.isoformat(),
        "data": {"quantity": quantity},
    }


def used(row: License, *quantities: int, at: datetime | None = None) -> UsageBatch:
    """Uses of a license: received in one request, and counted."""
    bodies = [use_body(row, quantity, at=at) for quantity in quantities]
    answers = receive(uses=[parse_event(one) for one in bodies], party=row.buyer)
    return record_batch(batch_pk=answers[0].row.batch_id)


def build_settlement(*, epoch: int) -> Settlement | None:
    """What the job does for an epoch, once it has read the accounts' positions."""
    indexes = read.account_indexes(due.spenders())
    return build.build_settlement(epoch=epoch, indexes=indexes)


def settled(epoch: int | None = None) -> Settlement:
    """A checkpoint over everything, and the settlement that it allows."""
    network()
    factories.logged()
    newest = Settlement.objects.order_by("-epoch").first()
    wanted = epoch if epoch is not None else (newest.epoch + 1 if newest else 1)
    made = build_settlement(epoch=wanted)
    assert made is not None, "nothing was due"
    return made


def commit_log(
    settlement: Settlement, *, days_ago: int = 2, tx: bytes = b"", **more: Any
) -> Event:
    """The chain's final log of a settlement's commit, as the contract writes it."""
    args = {
        "epoch": str(settlement.epoch),
        "size": str(settlement.log_size),
        "logRoot": "0x" + bytes(settlement.log_root).hex(),
        "earningsRoot": "0x" + bytes(settlement.earnings_root).hex(),
        "spendRoot": "0x" + bytes(settlement.spend_root).hex(),
        "earned": str(settlement.earned_units),
        "count": str(settlement.count),
    }
    mined_at = timezone.now() - timedelta(days=days_ago)
    tx = tx or settlement.code.encode()
    return event_row("Committed", args | more, tx, mined_at=mined_at)


def followed(epoch: int) -> Settlement | None:
    """What the job of a commit or veto does; the contract's window is a day."""
    return follow_epoch(epoch=epoch, window=WINDOW)


def committed(settlement: Settlement, *, days_ago: int = 2) -> Settlement:
    """The chain has the commit, finally; its window began then."""
    assert settlement.intent is not None
    mine = Event.objects.filter(name="Committed", args__epoch=str(settlement.epoch))
    log = mine.first() or commit_log(settlement, days_ago=days_ago)
    Intent.objects.filter(pk=settlement.intent.pk).update(
        state=Intent.State.FINAL,
        tx_hash=log.tx_hash,
        block_number=100 + settlement.epoch,
    )
    made = followed(settlement.epoch)
    assert made is not None
    return made


def vetoed(settlement: Settlement) -> Settlement:
    """The guardian dropped it, finally."""
    args = {"epoch": str(settlement.epoch)}
    event_row("Vetoed", args, f"veto {settlement.epoch}".encode())
    made = followed(settlement.epoch)
    assert made is not None
    return made


def matured(settlement: Settlement) -> Settlement:
    """Committed, and its window is over by the chain's clock."""
    committed(settlement)
    mature_due(final=FinalBlock(0, timezone.now() + timedelta(days=3)))
    settlement.refresh_from_db()
    assert settlement.state == Settlement.State.MATURED
    return settlement


def wallet_of(party: Party, at: int = 0) -> Holder:
    """Link a wallet: what the party earns is paid there from now on."""
    holder = party.holder
    holder.payout_address = ADDRESSES[at]
    holder.save()
    return holder


def claimed() -> dict[int, int]:
    """Units paid so far by position, as the chain's logs say."""
    found: dict[int, int] = {}
    for log in Event.objects.filter(name="Paid"):
        position = int(log.args["index"])
        found[position] = found.get(position, 0) + int(log.args["amount"])
    return found


def paid(settlement: Settlement) -> list[Payout]:
    """Everybody with a wallet is paid, as the chain's logs say."""
    made = push_payouts(settlement=settlement, claimed=claimed(), threshold_units=1)
    for row in made:
        assert row.intent is not None
        tx = "0x" + sha256(f"pay {row.settlement.epoch}".encode()).hex()
        Intent.objects.filter(pk=row.intent.pk).update(
            state=Intent.State.FINAL, tx_hash=tx
        )
        assert row.holder.position is not None
        log = event_row(
            "Paid",
            {
                "index": str(row.holder.position),
                "account": row.account,
                "amount": str(row.units),
            },
            f"pay {row.settlement.epoch}".encode(),
            row.holder.position,
        )
        apply_payment(event=log)
    return list(Payout.objects.filter(settlement=settlement))


@dataclass(frozen=True)
class Told:
    """A told story: Ada's picture, Mia's model in it, Ben's uses, one settlement."""

    asset: Asset
    license: License
    settlement: Settlement


def story(ada: Party, mia: Party, ben: Party) -> Told:
    """From a license to a payout: 8,000 uses at $0.60 for 1,000 and a $2.00 fee."""
    wallet_of(mia, 1)
    asset = model_asset(ada, mia)
    row = license_of(asset, ben)
    used(row, 1_000, 2_000)
    used(row, 5_000)
    settlement = matured(settled())
    paid(settlement)
    return Told(asset, row, settlement)


def leaf_of(settlement: Settlement, holder: Holder) -> Leaf:
    """The holder's leaf in the earnings tree."""
    return settlement.leaves.get(tree=Leaf.Tree.EARNINGS, holder=holder)


def findings() -> list[str]:
    """What the invariants that need no node say against the rows."""
    found = [(one.invariant.id, one.findings) for one in verify(node=False)]
    return [f"{name}: {finding}" for name, all_of in found for finding in all_of]
