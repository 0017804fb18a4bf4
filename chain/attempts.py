"""Sign, store, send: the three steps of every transaction, in this order.

A nonce is given out and the signed bytes are stored in one transaction under the
sender's locked Account row, before anything is sent. What is sent is only ever what
is stored.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from chain import faults
from chain.errors import (
    AlreadyKnownError,
    ChainError,
    InsufficientFundsError,
    Later,
    NonceTooHighError,
    NonceTooLowError,
    RpcError,
    SignerRefusedError,
    UnderpricedError,
)
from chain.fees import GWEI, NOOP_GAS, Fees, quote
from chain.gateway import Gateway
from chain.keys import RoleSigner, Transaction
from chain.kinds import kind_of
from chain.models import Account, Attempt, Intent
from outbox.claims import Claim

log = logging.getLogger(__name__)

MAX_REFUSALS = 5


@dataclass(frozen=True)
class Call:
    """A call that was encoded and simulated, ready to be signed."""

    to: str
    data: bytes
    gas_limit: int
    args: dict[str, Any]


def fee_cap_wei() -> int:
    """The highest fee per gas that this deployment pays."""
    return int(settings.CHAIN_MAX_FEE_GWEI * GWEI)


def fresh_fees(gateway: Gateway, base_fee_wei: int) -> Fees:
    """What a new transaction should offer now.

    Raises:
        FeeCapError: the chain is dearer than the cap.
    """
    try:
        tip = gateway.tip_wei()
    except RpcError:
        tip = GWEI
    return quote(base_fee_wei=base_fee_wei, tip_wei=tip, cap_wei=fee_cap_wei())


def sign_first(
    intent_pk: int,
    call: Call,
    fees: Fees,
    *,
    signer: RoleSigner,
    chain_nonce: int,
    claim: Claim | None = None,
) -> Attempt | None:
    """Gives an intent its nonce and stores its first signed transaction.

    Args:
        intent_pk: the intent, still queued; otherwise nothing happens.
        call: what to do.
        fees: what to pay.
        signer: the role's.
        chain_nonce: transactions the chain holds of this sender; a nonce below it is
            never given out, whatever the row says (a restored database).
        claim: the job's claim, checked first.

    Returns:
        the attempt, or None when another worker was quicker.

    Raises:
        Later: another intent of a kind that allows one at a time is under way.

    Writes: Account, Attempt, Intent. Lock: the Account row, then the Intent row.
    """
    with transaction.atomic():
        if claim:
            claim.hold()
        account = _lock_account(signer, chain_nonce)
        intent = Intent.objects.select_for_update().get(pk=intent_pk)
        if intent.state != Intent.State.QUEUED:
            return None
        check_single(intent)
        nonce = max(account.next_nonce, chain_nonce)
        faults.point("before_sign")
        plain = Transaction(
            chain_id=signer.chain_id,
            nonce=nonce,
            to=call.to,
            data=call.data,
            gas_limit=call.gas_limit,
            max_fee_wei=fees.max_fee_wei,
            priority_fee_wei=fees.priority_fee_wei,
        )
        attempt = _store(intent, plain, signer)
        account.next_nonce = nonce + 1
        account.save(update_fields=["next_nonce"])
        intent.args = call.args
        intent.sender, intent.nonce = signer.address, nonce
        intent.state, intent.refusals, intent.error = Intent.State.SIGNED, 0, ""
        intent.save()
        return attempt


def sign_replacement(
    newest: Attempt,
    call: Call | None,
    fees: Fees,
    *,
    signer: RoleSigner,
    claim: Claim | None = None,
) -> Attempt | None:
    """Stores another transaction for the same nonce.

    Args:
        newest: the attempt to replace; when it no longer is the newest one, another
            worker was quicker and nothing happens.
        call: the same call again, or None for an empty transfer to oneself.
        fees: already raised (`chain.fees.raised`).
        signer: the role's; must still be the sender.
        claim: the job's claim, checked first.

    Writes: Attempt, Intent. Lock: the Account row, then the Intent row.
    """
    with transaction.atomic():
        if claim:
            claim.hold()
        Account.objects.select_for_update().get(role=newest.role)
        intent = Intent.objects.select_for_update().get(pk=newest.intent_id)
        if intent.state in Intent.DONE or intent.newest_attempt().pk != newest.pk:
            return None
        if signer.address != intent.sender:
            raise SignerRefusedError(
                f"{intent.key} was sent by {intent.sender}; the key of "
                f"{intent.role} is another one now and cannot replace it"
            )
        plain = Transaction(
            chain_id=signer.chain_id,
            nonce=newest.nonce,
            to=call.to if call else signer.address,
            data=call.data if call else b"",
            gas_limit=call.gas_limit if call else NOOP_GAS,
            max_fee_wei=fees.max_fee_wei,
            priority_fee_wei=fees.priority_fee_wei,
        )
        attempt = _store(intent, plain, signer, noop=call is None)
        intent.state = Intent.State.REPLACED
        intent.save(update_fields=["state"])
        return attempt


def broadcast(gateway: Gateway, attempt: Attempt) -> None:
    """Sends stored bytes once and notes what the node said.

    "Already known", "nonce too low" and "underpriced" are no failures: the bytes may
    be on their way, or an older attempt may be mined; `chain.confirm` finds out.

    Raises:
        RpcDownError, RpcBusyError: no answer; send the same bytes again.
        InsufficientFundsError: the sender has to be funded first.

    Writes: Attempt, Intent.
    """
    faults.point("after_sign")
    try:
        gateway.send_raw(bytes(attempt.raw))
        answer = "accepted"
    except AlreadyKnownError as error:
        answer = str(error)
    except (NonceTooLowError, NonceTooHighError, UnderpricedError) as error:
        answer = str(error)
        log.warning("chain.send.odd", extra={"tx": attempt.tx_hash, "answer": answer})
    except InsufficientFundsError as error:
        _note(attempt, str(error))
        raise
    except Later:
        raise
    except ChainError as error:
        _refused(attempt, str(error))
        return
    faults.point("after_send")
    _sent(attempt, answer)


def _sent(attempt: Attempt, answer: str) -> None:
    with transaction.atomic():
        state = Intent.State
        Intent.objects.filter(
            pk=attempt.intent_id,
            state__in=[state.SIGNED, state.DROPPED, state.REORGED],
        ).update(state=state.BROADCAST, refusals=0)
        Attempt.objects.filter(pk=attempt.pk).update(
            sent_at=timezone.now(), answer=answer
        )


def _note(attempt: Attempt, answer: str) -> None:
    with transaction.atomic():
        Intent.objects.filter(pk=attempt.intent_id).update(error=answer)
        Attempt.objects.filter(pk=attempt.pk).update(answer=answer)


def _refused(attempt: Attempt, answer: str) -> None:
    """The node will not take these bytes; after some tries the nonce is given up."""
    log.error("chain.send.refused", extra={"tx": attempt.tx_hash, "answer": answer})
    with transaction.atomic():
        intent = Intent.objects.select_for_update().get(pk=attempt.intent_id)
        intent.refusals += 1
        intent.error = answer
        if intent.refusals >= MAX_REFUSALS and not intent.abandon:
            intent.abandon = Intent.State.NEEDS_HUMAN
        intent.save(update_fields=["refusals", "error", "abandon"])
        Attempt.objects.filter(pk=attempt.pk).update(
            sent_at=timezone.now(), answer=answer
        )


def _store(
    intent: Intent, plain: Transaction, signer: RoleSigner, *, noop: bool = False
) -> Attempt:
    signed = signer.sign(plain)
    return Attempt.objects.create(
        intent=intent,
        role=intent.role,
        sender=signer.address,
        nonce=plain.nonce,
        raw=signed.raw,
        tx_hash=signed.tx_hash,
        gas_limit=plain.gas_limit,
        max_fee_wei=plain.max_fee_wei,
        priority_fee_wei=plain.priority_fee_wei,
        noop=noop,
    )


def _lock_account(signer: RoleSigner, chain_nonce: int) -> Account:
    """The sender's row, locked; follows a rotated key once the old one is quiet."""
    Account.objects.get_or_create(
        role=signer.role,
        defaults={"address": signer.address, "next_nonce": chain_nonce},
    )
    account = Account.objects.select_for_update().get(role=signer.role)
    if account.address == signer.address:
        return account
    waiting = Intent.objects.filter(
        sender=account.address, state__in=Intent.UNDER_WAY
    ).count()
    if waiting:
        raise Later(
            f"the key of {signer.role} changed while {waiting} transactions of "
            f"{account.address} are under way: they come first",
            after_seconds=10,
        )
    account.address, account.next_nonce = signer.address, chain_nonce
    account.save()
    return account


def check_single(intent: Intent) -> None:
    """Refuses an intent whose kind goes one at a time while another is under way.

    Raises:
        Later: it is.
    """
    if not kind_of(intent.kind).single:
        return
    other = (
        Intent.objects.filter(kind=intent.kind, state__in=Intent.UNDER_WAY)
        .exclude(pk=intent.pk)
        .first()
    )
    if other:
        raise Later(f"{other.key} is under way, and one {intent.kind} goes at a time")
