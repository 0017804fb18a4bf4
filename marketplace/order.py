"""Make an order with everything frozen, and take the buyer's one signature.

The signature is an EIP-3009 `ReceiveWithAuthorization` whose nonce is
keccak256(order id ‖ terms digest): it pays and accepts the terms at once, and the
server relays it (DESIGN §6).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import Party, User, Wallet
from chain.contracts import address_of, token_domain
from chain.intend import intend
from chain.kinds import LEDGER
from chain.models import Event
from chain.read import signer_of_typed_data
from colophon.digest import keccak256
from colophon.ids import new_id
from colophon.policy import Standing
from marketplace.errors import NotForSaleError, OrderError
from marketplace.models import Listing, Offer, Order, Refund

VALID_FOR = timedelta(hours=1)
UNDER_WAY = (Order.State.PAYING, Order.State.PAID)


def make_order(*, offer: Offer, buyer: Party, user: User | None, account: str) -> Order:
    """An order for an offer as it stands now; a later change does not touch it.

    Args:
        account: the buyer's wallet, a checksummed address.

    Writes: Order.

    Raises:
        NotForSaleError: withdrawn, suspended, the buyer's own work, the wallet of
            somebody else, or a deposit account that waits for its refund.
    """
    listing = offer.listing
    if offer.withdrawn_at or listing.state != Listing.State.LIVE:
        raise NotForSaleError("this offer was withdrawn; reload the work's page")
    _check_standing(listing)
    if listing.party_id == buyer.pk:
        raise NotForSaleError("this is your own work; it needs no license")
    _check_wallet(account, buyer, user)
    agreement = listing.asset.agreements.order_by("-version").first()
    if agreement is None:
        raise NotForSaleError("the work has no agreement on who is paid")
    code = new_id("ord")
    return Order.objects.create(
        code=code,
        offer=offer,
        agreement=agreement,
        buyer=buyer,
        buyer_user=user,
        account=account,
        amount_units=offer.price_units + offer.deposit_units,
        terms=offer.terms,
        terms_digest=bytes(offer.terms_digest),
        ref=order_ref(code, bytes(offer.terms_digest)),
        expires_at=timezone.now() + VALID_FOR,
    )


def _check_standing(listing: Listing) -> None:
    """Nothing is charged for a suspended work, whatever its listing says yet."""
    verdict = listing.asset.verdicts.first()
    if listing.suspended_at or (verdict and verdict.standing == Standing.SUSPENDED):
        raise NotForSaleError("the work is suspended; see its page for the reason")


def _check_wallet(account: str, buyer: Party, user: User | None) -> None:
    """Only one's own wallet (a permit names no order), and one that takes deposits."""
    linked = Wallet.objects.filter(address=account).exclude(party=buyer)
    if linked.exclude(user=user).exists():
        raise NotForSaleError(
            "this wallet is linked to another account; choose one of your own"
        )
    if Refund.objects.waiting().filter(account=account).exists():
        raise NotForSaleError(
            "the unused deposit of this wallet was asked back, and it takes no payment "
            "until that is paid out; wait, or choose another wallet"
        )


def order_ref(code: str, terms_digest: bytes) -> bytes:
    """The 32 bytes that tie a deposit to an order and its terms."""
    return keccak256(code.encode() + terms_digest)


def typed_data(order: Order) -> dict[str, Any]:
    """The EIP-712 message that the buyer's wallet signs (EIP-3009)."""
    return {
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
                {"name": "chainId", "type": "uint256"},
                {"name": "verifyingContract", "type": "address"},
            ],
            "ReceiveWithAuthorization": [
                {"name": "from", "type": "address"},
                {"name": "to", "type": "address"},
                {"name": "value", "type": "uint256"},
                {"name": "validAfter", "type": "uint256"},
                {"name": "validBefore", "type": "uint256"},
                {"name": "nonce", "type": "bytes32"},
            ],
        },
        "primaryType": "ReceiveWithAuthorization",
        "domain": token_domain(),
        "message": {
            "from": order.account,
            "to": address_of("ColophonLedger"),
            "value": str(order.amount_units),
            "validAfter": "0",
            "validBefore": str(int(order.expires_at.timestamp())),
            "nonce": "0x" + bytes(order.ref).hex(),
        },
    }


def authorize(*, order: Order, signature: str) -> Order:
    """Take the signature and ask the chain for the deposit, once.

    A second call with the order under way changes nothing: a double click pays once.

    Writes: Order, Intent. Lock: the Order row.

    Raises:
        OrderError: expired, failed, signed by another wallet, or paid for already.
        NotForSaleError: the work was suspended meanwhile.
    """
    with transaction.atomic(durable=True):
        order = Order.objects.select_for_update().get(pk=order.pk)
        if order.state in UNDER_WAY:
            return order
        if order.state == Order.State.FAILED:
            raise OrderError("this order's payment failed; start again", "order")
        if order.state == Order.State.EXPIRED or order.expires_at <= timezone.now():
            raise OrderError("this order has expired; start again", "order")
        if has_deposit(order):
            raise OrderError(
                "a payment for this order is on the chain already; its license comes "
                "by itself",
                "order",
            )
        _check_standing(order.offer.listing)
        signer = signer_of_typed_data(typed_data(order), signature)
        if signer.lower() != order.account.lower():
            raise OrderError(
                f"is by {signer}, expected {order.account}; "
                "choose that account in your wallet",
                "signature",
            )
        order.authorization = {"signature": signature}
        order.intent = intend(
            "deposit",
            _deposit_args(order, signature),
            key=f"deposit:{order.code}",
            then=("order.paid", {"order": order.pk}),
        )
        order.state = Order.State.PAYING
        order.save()
    return order


def has_deposit(order: Order) -> bool:
    """Whether the chain has money under the order's reference, however young."""
    return Event.objects.filter(
        contract=LEDGER,
        name="Deposited",
        args__ref="0x" + bytes(order.ref).hex(),
        args__account=order.account,
        args__amount=str(order.amount_units),
        removed_at__isnull=True,
    ).exists()


def _deposit_args(order: Order, signature: str) -> dict[str, Any]:
    raw = bytes.fromhex(signature.removeprefix("0x"))
    return {
        "account": order.account,
        "amount": str(order.amount_units),
        "ref": "0x" + bytes(order.ref).hex(),
        "validAfter": "0",
        "validBefore": str(int(order.expires_at.timestamp())),
        "v": raw[64] if raw[64] >= 27 else raw[64] + 27,  # noqa: PLR2004 - EIP-155 parity
        "r": "0x" + raw[:32].hex(),
        "s": "0x" + raw[32:64].hex(),
    }


def expire_orders(*, limit: int = 500) -> int:
    """Close open orders whose hour is over; returns how many."""
    late = Order.objects.filter(
        state=Order.State.OPEN, expires_at__lte=timezone.now()
    ).values_list("pk", flat=True)[:limit]
    # Asked again in the update: a payment may have come in between.
    still = Order.objects.filter(pk__in=list(late), state=Order.State.OPEN)
    return still.update(state=Order.State.EXPIRED)
