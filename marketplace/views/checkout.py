"""Checkout: one page, one signature that pays and accepts the terms."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.acting import acting_party
from accounts.errors import Problem
from accounts.models import User
from accounts.problems import CONTENT_TYPE, describe, problem_body
from chain.abi import checksum
from chain.errors import Later
from chain.read import balance_of
from chain.read import facts as network_facts
from colophon.errors import ColophonError
from colophon.ids import is_id
from marketplace import testpay
from marketplace.models import Offer, Order
from marketplace.network import wallet_chain
from marketplace.order import authorize, has_deposit, typed_data
from marketplace.views.ordering import order_for
from marketplace.views.splits import split_rows, total_of
from provenance.shown.badge import shown
from provenance.shown.pictures import picture_of

UNHARMED = "Nothing was charged."
ONCE = "No second payment was started."
RIGHTS = (
    ("commercial", "Use it in your business"),
    ("advertising", "Use it in advertising"),
    ("derivatives", "Change it and build on it"),
)


@login_required
@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """From the license box of a work to the checkout of the chosen offer."""
    code = request.GET.get("offer", "")
    if not is_id(code):
        raise Http404
    offer = get_object_or_404(Offer, code=code)
    return redirect("marketplace:checkout", code=offer.code)


@login_required
@never_cache
@require_safe
def page(request: HttpRequest, code: str) -> HttpResponse:
    """What is bought, by whom, at which terms, where the price goes, and how to pay."""
    offer = _offer(code)
    asset, party = offer.listing.asset, acting_party(request)
    agreement = asset.agreements.order_by("-version").first()
    parts = (
        list(agreement.parts.select_related("holder", "source")) if agreement else []
    )
    units = offer.price_units + offer.deposit_units
    context = {
        "offer": offer,
        "asset": asset,
        "creator": asset.creator_name or asset.party.name,
        "picture": picture_of(asset),
        "verdict": shown(asset.verdicts.first()),
        "party": party,
        "amount_units": units,
        "rights": [(words, offer.terms["rights"][key]) for key, words in RIGHTS],
        "split": split_rows(parts, total_of(offer)) if parts else [],
        "total_units": total_of(offer),
        "problem": _problem(offer, party.pk),
        "wallet": _wallet(offer),
        "test_payment": testpay.is_open(),
        "network": network_facts(),
    }
    return render(request, "marketplace/checkout.html", context)


@never_cache
@require_POST
def prepare(request: HttpRequest, code: str) -> HttpResponse:
    """The message to sign for an address, as JSON for static/js/wallet.js."""
    if not isinstance(request.user, User):
        words = "Your session has ended. Sign in again, then come back to this page."
        return JsonResponse({"detail": words}, status=401)
    try:
        order = order_for(
            offer=_offer(code),
            buyer=acting_party(request),
            user=request.user,
            account=checksum(request.POST.get("address", ""), "address"),
        )
        typed = typed_data(order)
    except ColophonError as error:
        entry, detail, errors = describe(error)
        body = problem_body(entry, detail=detail, errors=errors, request=request)
        return JsonResponse(body, status=entry.status, content_type=CONTENT_TYPE)
    return JsonResponse({"typed_data": typed, "fields": {"order": order.code}})


@login_required
@require_POST
def pay(request: HttpRequest, code: str) -> HttpResponse:
    """Take the one signature; sending it twice pays once."""
    rows = Order.objects.visible_to(request.user).filter(offer__code=code)
    asked = request.POST.get("order", "")
    order = get_object_or_404(rows, code=asked if is_id(asked) else "")
    try:
        authorize(order=order, signature=request.POST.get("signature", "")[:4096])
    except ColophonError as error:
        was_sent = order.intent_id is not None or has_deposit(order)
        return _refused(request, code, error, ONCE if was_sent else UNHARMED)
    return redirect("marketplace:order", code=order.code)


@login_required
@require_POST
def pay_with_test_money(request: HttpRequest, code: str) -> HttpResponse:
    """Pay with a wallet of the demo; 404 wherever money may be real."""
    if not testpay.is_open():
        raise Http404
    assert isinstance(request.user, User)
    party = acting_party(request)
    try:
        order = order_for(
            offer=_offer(code),
            buyer=party,
            user=request.user,
            account=testpay.test_wallet(party).address,
        )
        if order.state == Order.State.OPEN:
            _pay_or_fund(order)
    except ColophonError as error:
        return _refused(request, code, error)
    return redirect("marketplace:order", code=order.code)


def _pay_or_fund(order: Order) -> None:
    """Pay at once when the test wallet holds enough, else fill it first."""
    try:
        held = balance_of(order.account)
    except Later:  # the node is away: the request for money waits for it
        held = 0
    if held >= order.amount_units:
        signature = testpay.sign(order.buyer, typed_data(order))
        authorize(order=order, signature=signature)
    else:
        testpay.ask_for_test_money(order=order)


def _offer(code: str) -> Offer:
    rows = Offer.objects.select_related("listing__asset__party")
    published = rows.filter(listing__asset__published_at__isnull=False)
    return get_object_or_404(
        published.prefetch_related("listing__asset__renditions"), code=code
    )


def _problem(offer: Offer, buyer: int) -> str:
    """Why this offer cannot be bought now; "" when it can."""
    if offer.withdrawn_at or not offer.listing.is_on_sale:
        return "This offer has changed or was withdrawn. Look at the work's page again."
    if offer.listing.party_id == buyer:
        return "This is your own work; it needs no license."
    if network_facts() is None:
        return "No chain is connected, so nothing can be paid at the moment."
    return ""


def _refused(
    request: HttpRequest, code: str, error: ColophonError, comfort: str = UNHARMED
) -> HttpResponse:
    """Back to the page, with the reason and what became of the money."""
    detail = error.detail if isinstance(error, Problem) else str(error)
    messages.error(request, f"{detail.rstrip('.')}. {comfort}")
    return redirect("marketplace:checkout", code=code)


def _wallet(offer: Offer) -> dict[str, Any]:
    """The inputs of partials/wallet.html."""
    config: dict[str, Any] = {
        **wallet_chain(),
        "prepare_url": reverse("marketplace:checkout-prepare", args=[offer.code]),
        "verb": "Signing pays and accepts the terms; it needs no gas.",
        "unharmed": UNHARMED,
    }
    return {
        "action": reverse("marketplace:checkout-pay", args=[offer.code]),
        "config": config,
        "uid": "wallet-pay",
        "title": "Pay from your wallet",
        "prompts": [
            "To share your address with this site.",
            "To sign once. That pays and accepts the terms, and costs no gas.",
        ],
        "otherwise": (
            "Use the test payment instead."
            if testpay.is_open()
            else "Open this page in a browser that has one."
        ),
    }
