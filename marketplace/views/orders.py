"""An order on its way to a license: the page asks anew until it is there."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from chain.models import Intent
from marketplace.models import License, Order
from marketplace.testpay import fund_key

POLL_SECONDS = 2


@login_required
@never_cache
@require_safe
def page(request: HttpRequest, code: str) -> HttpResponse:
    """One purchase of one's own; 404 for everybody else."""
    return render(request, "marketplace/order.html", _state(request, code))


@login_required
@never_cache
@require_safe
def state(request: HttpRequest, code: str) -> HttpResponse:
    """The part of the page that changes, for htmx."""
    return render(request, "marketplace/order_state.html", _state(request, code))


def _state(request: HttpRequest, code: str) -> dict[str, Any]:
    rows = Order.objects.visible_to(request.user).select_related(
        "offer__listing__asset__party", "intent", "buyer"
    )
    order = get_object_or_404(rows, code=code)
    row = License.objects.filter(order=order).select_related("delivery").first()
    funding = None
    if order.state == Order.State.OPEN:
        funding = Intent.objects.filter(key=fund_key(order)).first()
    lost = funding is not None and funding.state in {
        Intent.State.REVERTED,
        Intent.State.CANCELED,
    }
    waiting = order.state == Order.State.PAYING or (funding is not None and not lost)
    paid = order.state == Order.State.PAID
    ready = row is not None and hasattr(row, "delivery")
    return {
        "order": order,
        "asset": order.offer.listing.asset,
        "license": row,
        "funding": funding,
        "funding_lost": lost,
        "ready": ready,
        "pending": waiting or (paid and not ready),
        "poll_seconds": POLL_SECONDS,
    }
