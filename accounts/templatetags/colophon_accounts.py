"""What the sign-in and settings pages need besides their context."""

from __future__ import annotations

import re
from typing import Any

from django import template
from django.conf import settings
from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from accounts.demo import CAST, Role

register = template.Library()

_CODE = re.compile(r"`([^`]+)`")
_WORDS = {
    "login": {
        "title": "Sign in with a wallet",
        "unharmed": "You are not signed in.",
        "otherwise": "Sign in with your e-mail address instead.",
        "url": "accounts:wallet-login",
    },
    "link": {
        "title": "Link a wallet",
        "unharmed": "Nothing was linked.",
        "otherwise": "What you earn is kept for you until you link one.",
        "url": "accounts:wallet-link",
    },
}


@register.filter
def code_words(text: str) -> SafeString:
    """Show `words in backquotes` as code; everything else is escaped."""
    return mark_safe(_CODE.sub(r"<code>\1</code>", escape(text)))  # noqa: S308 - escaped


@register.simple_tag
def demo_cast() -> list[Role]:
    """The roles that one click signs in as; empty outside the demo."""
    return list(CAST.values()) if settings.DEMO else []


@register.simple_tag
def wallet_panel(purpose: str, next_url: str | None = "") -> dict[str, Any]:
    """The input of partials/wallet.html for signing in or linking.

    Args:
        purpose: login or link.
        next_url: where to go after signing in.
    """
    words = _WORDS[purpose]
    return {
        "action": reverse(words["url"]),
        "fields": {"next": next_url} if next_url else {},
        "config": {
            "prepare_url": f"{reverse('accounts:wallet-challenge')}?purpose={purpose}",
            "verb": "It costs nothing and moves no money.",
            "unharmed": words["unharmed"],
        },
        "uid": f"wallet-{purpose}",
        "title": words["title"],
        "otherwise": words["otherwise"],
        "prompts": [
            "To share your address with this site.",
            "To sign a text that names this site. It costs nothing.",
        ],
    }
