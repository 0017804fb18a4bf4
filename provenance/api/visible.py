"""Which works a request may see: those of whoever asks, not of who made its key."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from rest_framework.request import Request

from accounts.models import ApiKey
from provenance.models import Asset


def visible(request: Request) -> QuerySet[Asset]:
    """Published works; and unpublished ones of whoever asks.

    An API key opens those of its own party: not of its maker's other parties, and not
    all works because its maker is staff.
    """
    if isinstance(request.auth, ApiKey):
        published = Q(published_at__isnull=False)
        return Asset.objects.filter(published | Q(party=request.auth.party))
    return Asset.objects.visible_to(request.user)
