"""How allauth makes an account here: a user comes with a party and a holder."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.db import transaction
from django.http import HttpRequest

from accounts.forms import shown_name
from accounts.models import User
from accounts.register import open_account


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Users have no user name; the rest is allauth's."""

    def save_user(
        self,
        request: HttpRequest,
        user: User,
        form: Any,
        commit: bool = True,
    ) -> User:
        """Save the user of a sign-up form, with party, holder and signing key."""
        user.name = shown_name(form.cleaned_data)
        with transaction.atomic():
            saved: User = super().save_user(request, user, form, commit=commit)
            if commit:
                open_account(saved)
        return saved
