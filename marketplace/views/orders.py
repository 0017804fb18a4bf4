"""An order on its way to a license: the page asks anew until it is there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.templatetags.colophon_format import money
from chain.models import Intent
from marketplace.models import License, Order
from marketplace.testpay import fund_key

POLL_SECONDS = 2
LATE_NEWS = timedelta(hours=2)  # a signature is good for one, finality takes minutes


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
    licensed = License.objects.filter(order=order).select_related("delivery")
    row = licensed.exclude(revoked_reason=License.Revoked.DEPOSIT_GONE).first()
    ended = row is not None and row.state == License.State.REVOKED
    funding = None
    if order.state == Order.State.OPEN:
        funding = Intent.objects.filter(key=fund_key(order)).first()
    lost = funding is not None and funding.state in {
        Intent.State.REVERTED,
        Intent.State.CANCELED,
    }
    ready = row is not None and hasattr(row, "delivery")
    return {
        "order": order,
        "asset": order.offer.listing.asset,
        "license": row,
        "ended": ended,
        "stray": _stray(order),
        "funding": funding,
        "funding_lost": lost,
        "ready": ready,
        "pending": _is_pending(
            order, ready=ready or ended, funded=funding and not lost
        ),
        "poll_seconds": POLL_SECONDS,
    }


def _stray(order: Order) -> str:
    """What became of money that came under the order's reference; "" without any."""
    if not order.received_units:
        return ""
    arrived = f"{money(order.received_units)} arrived with this order's reference "
    why = "and no license was issued for it. "
    if order.state == Order.State.PAID:
        why = "on top of its price. "
    elif order.received_units != order.amount_units:
        why = f"and the order costs {money(order.amount_units)}, in one payment. "
    return (
        f"{arrived}{why}The money is in the deposit account of your wallet and stays "
        "yours: that wallet can ask for it back."
    )


def _is_pending(order: Order, *, ready: bool, funded: Any) -> bool:
    """Whether more is to come, so that the page should ask again."""
    if order.state == Order.State.FAILED:
        young = order.created_at > timezone.now() - LATE_NEWS
        return young and not order.uncharged
    if order.state == Order.State.PAID:
        return not ready
    return order.state == Order.State.PAYING or bool(funded)
