"""The demo's cast for the sign-in page; empty outside the demo."""

from __future__ import annotations

from django import template
from django.conf import settings

from accounts.demo import CAST, Role

register = template.Library()


@register.simple_tag
def demo_cast() -> list[Role]:
    """The roles that one click signs in as."""
    return list(CAST.values()) if settings.DEMO else []
