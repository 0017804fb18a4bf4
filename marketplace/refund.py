"""Ask for a deposit account's unspent money, and follow what the chain says of it.

The contract freezes the account with the request, and pays after its delay what the
newest matured settlement leaves unspent (docs/contracts.md, 2.4). Anybody may send
both calls, so the rows follow the final events; what is sent here only causes them.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import Party, User
from chain.contracts import ledger_domain
from chain.intend import intend
from chain.kinds import LEDGER
from chain.models import Event, Intent
from chain.read import signer_of_typed_data
from marketplace.errors import RefundError
from marketplace.models import License, Order, Refund
from outbox.claims import Claim
from outbox.enqueue import enqueue

SIGNATURE_FOR = timedelta(hours=1)
LONGEST_DEADLINE = timedelta(days=1)
UNDER_WAY = (Refund.State.ASKED, Refund.State.REQUESTED)


def deadline_from_now() -> int:
    """Unix seconds until which a signature that is asked for now is good."""
    return int((timezone.now() + SIGNATURE_FOR).timestamp())


def refund_message(account: str, *, nonce: int, deadline: int) -> dict[str, Any]:
    """The EIP-712 message by which a wallet asks for its unspent money.

    Args:
        nonce: the number of the account's requests so far.
        deadline: Unix seconds until which the signature is good.
    """
    return {
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
                {"name": "chainId", "type": "uint256"},
                {"name": "verifyingContract", "type": "address"},
            ],
            "RefundRequest": [
                {"name": "account", "type": "address"},
                {"name": "nonce", "type": "uint256"},
                {"name": "deadline", "type": "uint256"},
            ],
        },
        "primaryType": "RefundRequest",
        "domain": ledger_domain(),
        "message": {
            "account": account,
            "nonce": str(nonce),
            "deadline": str(deadline),
        },
    }


def newest_refund(account: str) -> Refund | None:
    """The account's last request that we know of."""
    return Refund.objects.filter(account=account).order_by("-nonce").first()


def ask_refund(
    *,
    account: str,
    nonce: int,
    deadline: int,
    signature: str,
    party: Party,
    user: User | None,
) -> Refund:
    """Take the wallet's signature and have its request sent, once.

    Args:
        account: the wallet that paid; all licenses that it paid for are frozen.
        nonce: the account's requests so far, as the contract tells.

    Returns:
        the refund; the one that is under way, when there is one.

    Writes: Refund, Intent. Lock: the Refund row, unique (account, nonce).

    Raises:
        RefundError: too late, or signed by another wallet.
    """
    with transaction.atomic(durable=True):
        rows = Refund.objects.select_for_update().filter(account=account)
        if under_way := rows.filter(state__in=UNDER_WAY).first():
            return under_way
        _check(account, nonce, deadline, signature)
        Refund.objects.get_or_create(
            account=account, nonce=nonce, defaults={"state": Refund.State.FAILED}
        )
        refund = rows.get(nonce=nonce)
        if refund.state != Refund.State.FAILED:
            return refund
        before = f"request-refund:{account}:{nonce}:"
        tries = Intent.objects.filter(key__startswith=before).count()
        refund.intent = intend(
            "request_refund",
            {"account": account, "deadline": deadline, "signature": signature},
            key=f"{before}{tries}",
            then=("refund.asked", {"refund": refund.pk}),
        )
        refund.state, refund.failed_reason = Refund.State.ASKED, ""
        refund.party, refund.user, refund.asked_at = party, user, timezone.now()
        refund.save()
    return refund


def _check(account: str, nonce: int, deadline: int, signature: str) -> None:
    now = timezone.now()
    if not now.timestamp() < deadline <= (now + LONGEST_DEADLINE).timestamp():
        raise RefundError("is over, or over a day ahead; ask for a new one", "deadline")
    message = refund_message(account, nonce=nonce, deadline=deadline)
    signer = signer_of_typed_data(message, signature)
    if signer.lower() != account.lower():
        raise RefundError(
            f"is by {signer}, expected {account}, the wallet that paid", "signature"
        )


def fail_request(*, refund_pk: int, reason: str, claim: Claim | None = None) -> None:
    """The request that we sent had no effect; it can be asked again.

    Writes: Refund. Lock: its row.
    """
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        refund = Refund.objects.select_for_update().get(pk=refund_pk)
        if refund.state == Refund.State.ASKED:
            refund.state, refund.failed_reason = Refund.State.FAILED, reason
            refund.save(update_fields=["state", "failed_reason"])


def take_request(*, event: Event, claim: Claim | None = None) -> Refund | None:
    """Take over one final `RefundRequested` log: freeze what the account paid for.

    Writes: Refund, License.frozen_at and fee_due_at, Job. Lock: the Refund row, then
    the Order rows.
    """
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        event.refresh_from_db()
        if event.removed_at:
            return None
        account = str(event.args["account"])
        nonce = _earlier(event).filter(name="RefundRequested").count()
        refund, _ = Refund.objects.get_or_create(account=account, nonce=nonce)
        refund = Refund.objects.select_for_update().get(pk=refund.pk)
        if refund.requested_at:
            return refund
        refund.state, refund.failed_reason = Refund.State.REQUESTED, ""
        refund.requested_at = event.mined_at
        refund.save()
        rows = _paid_before(event)
        # a later request may have been taken over before this one
        later = Q(frozen_at=None) | Q(frozen_at__gt=event.mined_at)
        rows.filter(later).update(frozen_at=event.mined_at)
        # no price waits longer than the money stays
        rows.filter(fee_due_at__gt=event.mined_at).update(fee_due_at=event.mined_at)
        enqueue(
            "refund.send",
            key=f"refund:{refund.code}:0",
            payload={"refund": refund.pk},
            due_at=refund.ready_at,
        )
    return refund


def take_refund(*, event: Event, claim: Claim | None = None) -> Refund | None:
    """Take over one final `Refunded` log: what came back, and that it is done.

    Writes: Refund, Job. Lock: its row.
    """
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        event.refresh_from_db()
        if event.removed_at:
            return None
        requests = _earlier(event).filter(name="RefundRequested")
        request = requests.order_by("block_number", "log_index").last()
    if request is None:
        return None
    take_request(event=request)  # its own job may come later
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        refund = Refund.objects.select_for_update().get(
            account=str(event.args["account"]), nonce=requests.count() - 1
        )
        if refund.state != Refund.State.PAID:
            refund.state = Refund.State.PAID
            refund.units = int(event.args["amount"])
            refund.tx_hash, refund.paid_at = event.tx_hash, event.mined_at
            refund.save()
            enqueue(
                "refund.done",
                key=f"refund:{refund.code}:done",
                payload={"refund": refund.pk},
            )
    return refund


def _earlier(event: Event) -> Any:
    """The account's logs before this one that the chain still has."""
    rows = Event.objects.filter(
        contract=LEDGER, args__account=event.args["account"], removed_at__isnull=True
    )
    same = rows.filter(block_number=event.block_number, log_index__lt=event.log_index)
    return rows.filter(block_number__lt=event.block_number) | same


def _paid_before(event: Event) -> Any:
    """The licenses that were paid from the account before this log.

    Locks their orders first: a license that is being issued from one is waited for.
    """
    refs = [
        bytes.fromhex(str(one.args["ref"]).removeprefix("0x"))
        for one in _earlier(event).filter(name="Deposited")
    ]
    orders = Order.objects.select_for_update().filter(
        account=str(event.args["account"]), ref__in=refs
    )
    paid = list(orders.order_by("pk").values_list("pk", flat=True))
    return License.objects.filter(order__in=paid)
