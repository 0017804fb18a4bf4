"""How allauth makes an account here: a user comes with a party and a holder."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Users have no user name; the rest is allauth's."""
