"""Follow what was sent until it is final, and repair what went wrong on the way.

A receipt of any attempt settles the intent. What left its block is sent again with
the same bytes; what is stuck is replaced for at least 12.5 % more; what is given up
has its nonce used by an empty transfer, so that later nonces are not blocked.
Nothing is called final before CHAIN_CONFIRMATIONS or the finality tag.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from chain import attempts, contracts, faults, fees, identity, outcome
from chain.attempts import Call
from chain.blocks import Header, Receipt
from chain.errors import (
    ChainError,
    DisagreementError,
    RevertedError,
    RpcBehindError,
    RpcBusyError,
    RpcDownError,
    RpcError,
)
from chain.finality import Heights, heights
from chain.gateway import Gateway
from chain.keys import signer_for
from chain.kinds import kind_of
from chain.models import Attempt, Intent
from outbox.claims import Claim

log = logging.getLogger(__name__)

MOST_INTENTS = 500
MAX_ATTEMPTS = 50
WITNESSES = 2
State = Intent.State


@dataclass(frozen=True)
class View:
    """What the chain says about all intents under way, asked at one moment."""

    gateway: Gateway
    claim: Claim | None
    heights: Heights
    receipts: dict[str, Receipt]
    blocks: dict[int, Header | None]
    known: set[str]
    used: dict[str, int]


def confirm(*, claim: Claim | None = None, limit: int = MOST_INTENTS) -> int:
    """Looks at every intent under way and takes the next step of each.

    Returns:
        how many were looked at.

    Raises:
        Later: no node answered; nothing changed.
        WrongChainError: the node serves another chain.

    Writes: Intent, Attempt, Job.
    """
    under_way = list(
        Intent.objects.filter(state__in=Intent.UNDER_WAY)
        .order_by("sender", "nonce")
        .prefetch_related("attempts")[:limit]
    )
    if not under_way:
        return 0
    gateway, _ = identity.checked()
    view = _look(gateway, under_way, claim)
    for intent in under_way:
        try:
            _step(view, intent)
        except (RpcDownError, RpcBusyError):
            raise
        except ChainError as error:
            log.warning(
                "chain.confirm.waits", extra={"intent": intent.pk, "why": str(error)}
            )
            Intent.objects.filter(pk=intent.pk).update(error=str(error))
    return len(under_way)


def _look(gateway: Gateway, under_way: Sequence[Intent], claim: Claim | None) -> View:
    deep = heights(gateway)
    tries = {i.pk: [a.tx_hash for a in i.tries()] for i in under_way}
    receipts = gateway.receipts([h for hashes in tries.values() for h in hashes])
    numbers = sorted({receipt.block_number for receipt in receipts.values()})
    missing = [
        hashes[-1] for hashes in tries.values() if not receipts.keys() & set(hashes)
    ]
    senders = sorted({intent.sender for intent in under_way})
    return View(
        gateway=gateway,
        claim=claim,
        heights=deep,
        receipts=receipts,
        blocks=dict(zip(numbers, gateway.headers(numbers), strict=True)),
        known=gateway.known(missing),
        used={sender: gateway.nonce(sender) for sender in senders},
    )


def _used_for_good(view: View, sender: str) -> int:
    """Nonces used up to the final height; 0 where the node lacks that old state."""
    try:
        return view.gateway.nonce(sender, max(view.heights.final, 0))
    except (RpcError, RpcBehindError):
        return 0


def _step(view: View, intent: Intent) -> None:
    tries = intent.tries()
    for attempt in tries:
        receipt = view.receipts.get(attempt.tx_hash)
        if receipt and _is_canonical(view, receipt):
            _mined(view, intent, attempt, receipt)
            return
    _unmined(view, intent, tries[-1])


def _is_canonical(view: View, receipt: Receipt) -> bool:
    """Whether the block of a receipt is the one the chain has at that height."""
    block = view.blocks.get(receipt.block_number)
    return block is not None and block.hash == receipt.block_hash


# ------------------------------------------------------------------- it is in a block


def _mined(view: View, intent: Intent, attempt: Attempt, receipt: Receipt) -> None:
    final = receipt.block_number <= view.heights.final
    if final:
        _ask_all(view.gateway, receipt)
        faults.point("before_final")
    block = view.blocks[receipt.block_number]
    assert block is not None
    why = (
        ""
        if receipt.succeeded or attempt.noop
        else _why(view.gateway, attempt, receipt)
    )
    with transaction.atomic():
        if view.claim:
            view.claim.hold()
        locked = Intent.objects.select_for_update().get(pk=intent.pk)
        if locked.state in Intent.DONE:
            return
        locked.tx_hash = receipt.tx_hash
        locked.block_number, locked.block_hash = block.number, block.hash
        locked.mined_at, locked.gas_used = block.mined_at, receipt.gas_used
        locked.succeeded = receipt.succeeded and not attempt.noop
        locked.error = why
        if final:
            _finish(locked, attempt, why)
            return
        safe = block.number <= view.heights.safe
        locked.state = State.CONFIRMED if safe else State.MINED
        locked.save()


def _ask_all(gateway: Gateway, receipt: Receipt) -> None:
    """Before something is final, a second node has to tell the same.

    Raises:
        DisagreementError: fewer than two nodes agree where two are configured.
    """
    if len(gateway.urls) < WITNESSES:
        return
    told = gateway.receipts_everywhere(receipt.tx_hash)
    agree = sum(1 for other in told if other == receipt)
    if agree < WITNESSES:
        raise DisagreementError(
            f"{agree} of {len(gateway.urls)} nodes have {receipt.tx_hash} in block "
            f"{receipt.block_hash}; {WITNESSES} are wanted before it is final"
        )


def _finish(locked: Intent, attempt: Attempt, why: str) -> None:
    if attempt.noop:
        if locked.abandon == State.NEEDS_HUMAN:
            locked.state = State.NEEDS_HUMAN
            locked.save()
        else:
            outcome.end(locked, State.CANCELED, error="canceled before it was mined")
    elif locked.succeeded:
        outcome.end(locked, State.FINAL)
    else:
        outcome.end(locked, State.REVERTED, error=why)


def _why(gateway: Gateway, attempt: Attempt, receipt: Receipt) -> str:
    """Why a mined call failed: the same call again on the state before its block."""
    intent = attempt.intent
    kind = kind_of(intent.kind)
    if receipt.gas_used >= attempt.gas_limit:
        return f"out of gas: all of {attempt.gas_limit} used"
    try:
        gateway.call(
            contracts.address_of(kind.contract),
            contracts.call_data(kind, intent.args),
            sender=intent.sender,
            block=receipt.block_number - 1,
        )
    except RevertedError as error:
        return f"reverted: {contracts.reason(error)}"
    except (RpcError, RpcBehindError) as error:
        return f"reverted, and the node cannot say why: {error}"
    return "reverted for a reason that another transaction in its block took away"


# --------------------------------------------------------------- it is in no block


def _unmined(view: View, intent: Intent, newest: Attempt) -> None:
    if intent.state in (State.MINED, State.CONFIRMED):
        _left_its_block(view, intent)
    assert intent.nonce is not None
    if intent.nonce < view.used[intent.sender]:
        _nonce_is_used(view, intent)
        return
    if intent.abandon and not newest.noop:
        _replace(view, intent, newest)
    elif newest.tx_hash in view.known:
        first = intent.nonce == view.used[intent.sender]
        if first and _older(newest, settings.CHAIN_STUCK_SECONDS):
            _replace(view, intent, newest)
    elif _older(newest, settings.CHAIN_DROPPED_SECONDS):
        _send_again(view, intent, newest)


def _older(attempt: Attempt, seconds: float) -> bool:
    since = attempt.sent_at or attempt.signed_at
    return timezone.now() - since >= timedelta(seconds=seconds)


def _left_its_block(view: View, intent: Intent) -> None:
    log.warning(
        "chain.reorged", extra={"intent": intent.pk, "block": intent.block_number}
    )
    with transaction.atomic():
        if view.claim:
            view.claim.hold()
        Intent.objects.filter(
            pk=intent.pk, state__in=[State.MINED, State.CONFIRMED]
        ).update(
            state=State.REORGED,
            error=f"left block {intent.block_number} {intent.block_hash}",
            tx_hash="",
            block_number=None,
            block_hash="",
            mined_at=None,
            succeeded=None,
        )
    intent.refresh_from_db()


def _nonce_is_used(view: View, intent: Intent) -> None:
    """Mined, but by none of ours that has a receipt.

    Mostly a receipt that the node has not indexed yet. When the nonce is used for
    good, somebody else has the key: that is for a person to decide.
    """
    assert intent.nonce is not None
    if intent.nonce >= _used_for_good(view, intent.sender):
        return
    log.critical("chain.foreign_nonce", extra={"intent": intent.pk})
    with transaction.atomic():
        if view.claim:
            view.claim.hold()
        Intent.objects.filter(pk=intent.pk, state__in=Intent.UNDER_WAY).update(
            state=State.NEEDS_HUMAN,
            error=f"nonce {intent.nonce} of {intent.sender} was used by a transaction "
            "that this database did not sign: somebody else has the key",
        )


def _send_again(view: View, intent: Intent, newest: Attempt) -> None:
    """The node does not have it: the same bytes again, or more for the fee."""
    if newest.max_fee_wei < view.heights.head.base_fee_wei:
        _replace(view, intent, newest)
        return
    with transaction.atomic():
        if view.claim:
            view.claim.hold()
        Intent.objects.filter(
            pk=intent.pk, state__in=[State.BROADCAST, State.REPLACED]
        ).update(state=State.DROPPED, error="no node had it any more; sent again")
    attempts.broadcast(view.gateway, newest)


def _replace(view: View, intent: Intent, newest: Attempt) -> None:
    """Another transaction for the same nonce, dearer by at least an eighth."""
    if len(intent.tries()) >= MAX_ATTEMPTS and not intent.abandon:
        Intent.objects.filter(pk=intent.pk).update(abandon=State.NEEDS_HUMAN)
        intent.abandon = State.NEEDS_HUMAN
    base_fee = view.heights.head.base_fee_wei
    old = fees.Fees(newest.max_fee_wei, newest.priority_fee_wei)
    fresh = attempts.fresh_fees(view.gateway, base_fee)
    more = fees.raised(old, fresh, cap_wei=attempts.fee_cap_wei())
    call = None if intent.abandon else _same_call(intent, newest)
    attempt = attempts.sign_replacement(
        newest, call, more, signer=signer_for(intent.role), claim=view.claim
    )
    if attempt:
        faults.point("after_replace")
        attempts.broadcast(view.gateway, attempt)


def _same_call(intent: Intent, newest: Attempt) -> Call:
    kind = kind_of(intent.kind)
    return Call(
        to=contracts.address_of(kind.contract),
        data=contracts.call_data(kind, intent.args),
        gas_limit=newest.gas_limit,
        args=intent.args,
    )
