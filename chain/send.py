"""queued → signed → broadcast: simulate, give a nonce, store, send.

A crash between any two steps is harmless: before the bytes are stored nothing
happened, afterwards the same bytes are sent again.
"""

from __future__ import annotations

import logging

from django.conf import settings
from django.db import transaction

from chain import attempts, contracts, identity, outcome
from chain.attempts import Call
from chain.errors import (
    FeeCapError,
    Later,
    NotDeployedError,
    RevertedError,
    SignerRefusedError,
    WrongChainError,
)
from chain.fees import gas_limit
from chain.gateway import Gateway
from chain.keys import RoleSigner, signer_for
from chain.kinds import Kind, kind_of
from chain.models import Attempt, Intent, Network
from log.models import Checkpoint
from outbox.claims import Claim

log = logging.getLogger(__name__)

HALT_SECONDS = 60.0
CURE_SECONDS = 30.0
REFUSALS_BEFORE_HUMAN = 60
LONGEST_WAIT_SECONDS = 60.0
WAITING = (Intent.State.QUEUED, Intent.State.SIGNED)


def send(intent_pk: int, *, claim: Claim | None = None) -> None:
    """Brings one intent to the node, or finds that it is there already.

    What only an operator can cure (a fee above the cap, a node of another chain, no
    contracts yet, a key that is on another host) is waited for as well, and noted on
    the intent for `/ops/`.

    Raises:
        Later: not now (node down, window open, account empty…); run again.

    Writes: Intent, Attempt, Account.
    """
    intent = Intent.objects.get(pk=intent_pk)
    try:
        _bring(intent, claim)
    except (
        FeeCapError,
        NotDeployedError,
        SignerRefusedError,
        WrongChainError,
    ) as error:
        waiting = Intent.objects.filter(pk=intent_pk, state__in=WAITING)
        waiting.update(error=str(error))
        raise Later(str(error), CURE_SECONDS) from error


def _bring(intent: Intent, claim: Claim | None) -> None:
    if intent.state == Intent.State.QUEUED:
        gateway, network = identity.checked()
        attempt = _sign(gateway, network, intent, claim)
    elif intent.state == Intent.State.SIGNED:
        gateway, _ = identity.checked()
        attempt = intent.newest_attempt()
        Intent.objects.filter(pk=intent.pk, state=intent.state).update(error="")
    else:
        return
    if attempt:
        attempts.broadcast(gateway, attempt)


def _sign(
    gateway: Gateway, network: Network, intent: Intent, claim: Claim | None
) -> Attempt | None:
    kind = kind_of(intent.kind)
    if kind.settles and network.halted_at:
        raise Later(f"settling is halted: {network.halted_reason}", HALT_SECONDS)
    attempts.check_single(intent)
    signer = signer_for(intent.role)
    try:
        call = _prepare(gateway, kind, intent, signer)
    except RevertedError as error:
        _count_refusal(intent, kind, contracts.reason(error), claim)
        return None
    head = gateway.head()
    return attempts.sign_first(
        intent.pk,
        call,
        attempts.fresh_fees(gateway, head.base_fee_wei),
        signer=signer,
        chain_nonce=gateway.nonce(signer.address),
        claim=claim,
    )


def _prepare(gateway: Gateway, kind: Kind, intent: Intent, signer: RoleSigner) -> Call:
    """The call with its arguments bound, tried out against the newest state.

    Raises:
        RevertedError: it would revert.
    """
    args = _newest_checkpoint() if kind.bound_late else intent.args
    to = contracts.address_of(kind.contract)
    data = contracts.call_data(kind, args)
    gateway.call(to, data, sender=signer.address)
    estimate = gateway.estimate_gas(to, data, sender=signer.address)
    return Call(to=to, data=data, gas_limit=gas_limit(estimate), args=args)


def _newest_checkpoint() -> dict[str, str]:
    """Arguments of `anchor`: the newest head of the log at this moment."""
    checkpoint = Checkpoint.objects.order_by("-size").first()
    if checkpoint is None:
        raise Later("the log has no checkpoint to anchor yet", after_seconds=10)
    root = "0x" + bytes(checkpoint.root).hex()
    return {"size": str(checkpoint.size), "root": root}


def _count_refusal(
    intent: Intent, kind: Kind, reason: str, claim: Claim | None
) -> None:
    """A simulation reverted: wait while time may cure it, else end the intent.

    Raises:
        Later: it is tried again.
    """
    log.warning("chain.simulate.reverted", extra={"intent": intent.pk, "why": reason})
    most = REFUSALS_BEFORE_HUMAN if kind.patient else settings.CHAIN_REFUSALS
    with transaction.atomic():
        if claim:
            claim.hold()
        locked = Intent.objects.select_for_update().get(pk=intent.pk)
        if locked.state != Intent.State.QUEUED:
            return
        locked.refusals += 1
        locked.error = f"would revert: {reason}"
        if locked.refusals >= most:
            if kind.patient:
                locked.state = Intent.State.NEEDS_HUMAN
                locked.save()
            else:
                outcome.end(locked, Intent.State.REVERTED, error=locked.error)
            return
        locked.save(update_fields=["refusals", "error"])
    wait = min(2.0**locked.refusals, LONGEST_WAIT_SECONDS)
    raise Later(locked.error, after_seconds=wait)
