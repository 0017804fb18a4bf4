"""One order for one wish: a double click finds the order that the first one made."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts.models import Party, User
from marketplace.models import Offer, Order
from marketplace.order import make_order

SAME_WISH = timedelta(minutes=10)
UNDER_WAY = (Order.State.OPEN, Order.State.PAYING)


def order_for(*, offer: Offer, buyer: Party, user: User, account: str) -> Order:
    """The buyer's order of the last minutes that is still under way, or a new one.

    Lock: the buyer's row, so that two clicks at once meet the same order.

    Raises:
        NotForSaleError: as `make_order`.
    """
    now = timezone.now()
    with transaction.atomic():
        Party.objects.select_for_update().get(pk=buyer.pk)
        found = (
            Order.objects.filter(
                offer=offer,
                buyer=buyer,
                buyer_user=user,
                account=account,
                state__in=UNDER_WAY,
                created_at__gt=now - SAME_WISH,
                expires_at__gt=now,
                offer__withdrawn_at__isnull=True,
            )
            .order_by("-pk")
            .first()
        )
        return found or make_order(offer=offer, buyer=buyer, user=user, account=account)
