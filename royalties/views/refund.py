"""Refund unused escrow: what is left of a deposit, and one signature to get it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from colophon.errors import ColophonError
from marketplace import testpay
from marketplace.cancel import cancelable_until
from marketplace.models import License, Order, Refund
from marketplace.network import wallet_chain
from marketplace.refund import (
    ask_refund,
    deadline_from_now,
    newest_refund,
    refund_message,
)
from royalties.escrow import escrow_of

UNDER_WAY = (Refund.State.ASKED, Refund.State.REQUESTED)
UNHARMED = "Your deposit is as it was."


@login_required
@never_cache
@require_safe
def page(request: HttpRequest, code: str) -> HttpResponse:
    """Deposit, spent and left of the account that paid an order of one's own."""
    row = _mine(request, code)
    escrow, refund = escrow_of(row.account), newest_refund(row.account)
    is_under_way = refund is not None and refund.state in UNDER_WAY
    can_ask = escrow.left_units > 0 and not is_under_way
    context = {
        "order": row,
        "license": License.objects.filter(order=row).first(),
        "escrow": escrow,
        "refund": refund,
        "wait": _days(settings.REFUND_DELAY_SECONDS),
        "closes": _closes(request, row),
        "cancelable": _cancelable(request, row),
        "can_ask": can_ask,
        "is_test_wallet": can_ask and _is_test_wallet(row),
        "wallet": _wallet(row) if can_ask else None,
    }
    return render(request, "royalties/refund.html", context)


@never_cache
@require_POST
def prepare(request: HttpRequest, code: str) -> HttpResponse:
    """The message to sign, as JSON for static/js/wallet.js."""
    if not isinstance(request.user, User):
        words = "Your session has ended. Sign in again, then come back to this page."
        return JsonResponse({"detail": words}, status=401)
    row = _mine(request, code)
    deadline, nonce = deadline_from_now(), escrow_of(row.account).requests
    typed = refund_message(row.account, nonce=nonce, deadline=deadline)
    return JsonResponse({"typed_data": typed, "fields": {"deadline": str(deadline)}})


@login_required
@require_POST
def ask(request: HttpRequest, code: str) -> HttpResponse:
    """Take the signature; sending it twice asks once."""
    row = _mine(request, code)
    deadline = request.POST.get("deadline", "")
    signature = request.POST.get("signature", "")[:4096]
    is_number = deadline.isascii() and deadline.isdigit() and len(deadline) <= 12  # noqa: PLR2004
    return _asked(request, row, int(deadline) if is_number else 0, signature)


@login_required
@require_POST
def ask_with_test_wallet(request: HttpRequest, code: str) -> HttpResponse:
    """The demo's wallet of the buyer signs; 404 wherever money may be real."""
    row = _mine(request, code)
    if not _is_test_wallet(row):
        raise Http404
    deadline, nonce = deadline_from_now(), escrow_of(row.account).requests
    typed = refund_message(row.account, nonce=nonce, deadline=deadline)
    return _asked(request, row, deadline, testpay.sign(row.buyer, typed))


def _asked(
    request: HttpRequest, row: Order, deadline: int, signature: str
) -> HttpResponse:
    assert isinstance(request.user, User)
    back = redirect("royalties:refund", code=row.code)
    escrow = escrow_of(row.account)
    if escrow.left_units == 0:
        messages.info(request, "There is nothing left to ask back.")
        return back
    try:
        ask_refund(
            account=row.account,
            nonce=escrow.requests,
            deadline=deadline,
            signature=signature,
            party=row.buyer,
            user=request.user,
        )
    except ColophonError as error:
        messages.error(request, f"{str(error).rstrip('.')}. {UNHARMED}")
        return back
    messages.success(request, "Your request is on its way to the chain.")
    return back


def _mine(request: HttpRequest, code: str) -> Order:
    """An order of a party that one belongs to, licensed or not; else 404."""
    rows = Order.objects.visible_to(request.user).select_related("buyer")
    return get_object_or_404(rows.exclude(account=""), code=code)


def _closes(request: HttpRequest, row: Order) -> list[License]:
    """One's own metered licenses that end with the request."""
    rows = License.objects.visible_to(request.user).filter(
        account=row.account,
        state=License.State.ACTIVE,
        frozen_at=None,
        rate_units__gt=0,
    )
    return list(rows.select_related("asset").order_by("pk"))


def _cancelable(request: HttpRequest, row: Order) -> list[License]:
    """One's own purchases that could be canceled until the request."""
    rows = License.objects.visible_to(request.user).filter(
        account=row.account, fee_due_at__gt=timezone.now()
    )
    found = rows.select_related("asset").order_by("pk")
    return [one for one in found if cancelable_until(one)]


def _is_test_wallet(row: Order) -> bool:
    """Whether the demo keeps the wallet that paid."""
    return testpay.is_open() and testpay.test_wallet(row.buyer).address == row.account


def _days(seconds: int) -> str:
    """A wait in words: `7 days`, `10 seconds`."""
    for name, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            number = -(-seconds // size)
            return f"{number} {name}{'' if number == 1 else 's'}"
    return f"{seconds} seconds"


def _wallet(row: Order) -> dict[str, Any]:
    """The inputs of partials/wallet.html."""
    return {
        "action": reverse("royalties:refund-ask", args=[row.code]),
        "config": {
            **wallet_chain(),
            "prepare_url": reverse("royalties:refund-prepare", args=[row.code]),
            "expected": row.account,
            "verb": "Signing asks for the refund; it needs no gas.",
            "unharmed": UNHARMED,
        },
        "uid": "wallet-refund",
        "title": "Ask with the wallet that paid",
        "prompts": [
            "To share your address with this site.",
            "To sign once. That asks for the refund, and costs no gas.",
        ],
        "otherwise": "Open this page in a browser that has the wallet that paid.",
    }
