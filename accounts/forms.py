"""The shapes of the account pages' forms."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest

from accounts.api_keys import MAX_LABEL, SCOPES
from accounts.models import Party, User

MAX_NAME = 120


class SignupForm(forms.Form):
    """What sign-up asks besides e-mail address and password."""

    name = forms.CharField(
        max_length=MAX_NAME,
        required=False,
        label="Name",
        help_text="Shown on your works and statements. You can change it later.",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    field_order = ("name", "email", "password1")

    def signup(self, request: HttpRequest, user: User) -> None:
        """Do nothing: allauth wants this hook, the adapter does the work."""


def shown_name(data: dict[str, Any]) -> str:
    """The name typed at sign-up, without surrounding space."""
    return str(data.get("name", "")).strip()[:MAX_NAME]


class ProfileForm(forms.Form):
    """The name that pages show."""

    name = forms.CharField(
        max_length=MAX_NAME,
        required=False,
        label="Name",
        help_text="Shown to people you work with.",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )


class OrganizationForm(forms.Form):
    """A new party that the user owns."""

    name = forms.CharField(
        max_length=MAX_NAME,
        label="Name of the organization",
        help_text="It can own works and models, and be paid, apart from you.",
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )


class ApiKeyForm(forms.Form):
    """A new API key: what for, and what it may do."""

    label = forms.CharField(
        max_length=MAX_LABEL, label="What is it for?", help_text="Such as “studio PC”."
    )
    scopes = forms.MultipleChoiceField(
        choices=list(SCOPES.items()),
        label="What may it do?",
        widget=forms.CheckboxSelectMultiple,
        initial=["record", "read"],
        error_messages={"required": "Choose at least one."},
    )


class PayoutForm(forms.Form):
    """Which linked wallet earnings are paid to."""

    address = forms.ChoiceField(label="Pay my earnings to", widget=forms.RadioSelect)

    def __init__(self, *args: Any, party: Party, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        addresses = party.wallets.order_by("pk").values_list("address", flat=True)
        choices = [(one, f"{one[:6]}…{one[-4:]}") for one in addresses]
        field = self.fields["address"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices
        field.initial = party.holder.payout_address


class RevokeKeyForm(forms.Form):
    """Why a signing key is revoked."""

    reason = forms.ChoiceField(
        choices=[
            ("retired", "I no longer use it"),
            ("superseded", "Another key replaces it"),
            ("compromised", "Somebody else may have it"),
        ],
        label="Why?",
    )
