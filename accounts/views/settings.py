"""The settings page and its small forms, each for the party that acts."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts import api_keys, keys, wallets
from accounts.acting import acting_party, choose_party, is_owner, owned_party
from accounts.decorators import recently_signed_in
from accounts.errors import NoPartyError, Problem
from accounts.forms import (
    ApiKeyForm,
    OrganizationForm,
    PayoutForm,
    ProfileForm,
    RevokeKeyForm,
)
from accounts.models import Party, User
from accounts.register import open_account
from colophon.errors import ColophonError, InputError

REFUSED = 422


@login_required
@never_cache
@require_GET
def settings_page(request: HttpRequest) -> HttpResponse:
    """Profile, parties, wallets, payout address, API keys, signing keys."""
    return _page(request)


@login_required
@require_POST
def profile(request: HttpRequest) -> HttpResponse:
    """Change the shown name."""
    assert isinstance(request.user, User)
    form = ProfileForm(request.POST)
    if not form.is_valid():
        return _page(request, profile_form=form)
    request.user.name = form.cleaned_data["name"]
    request.user.save(update_fields=["name"])
    messages.success(request, "Your name is saved.")
    return _back("profile")


@login_required
@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Act for another of one's parties from now on."""
    try:
        party = choose_party(request, request.POST.get("party", ""))
    except NoPartyError as error:
        raise Http404 from error
    messages.success(request, f"You now act for {party.name}.")
    return _back("parties")


@login_required
@require_POST
def organization(request: HttpRequest) -> HttpResponse:
    """Open a party for an organization and act for it."""
    assert isinstance(request.user, User)
    form = OrganizationForm(request.POST)
    if not form.is_valid():
        return _page(request, organization_form=form)
    party = open_account(
        request.user,
        name=form.cleaned_data["name"],
        kind=Party.Kind.ORGANIZATION,
    )
    choose_party(request, party.code)
    messages.success(request, f"{party.name} is ready, and you act for it.")
    return _back("parties")


@login_required
@require_POST
@recently_signed_in
def payout(request: HttpRequest) -> HttpResponse:
    """Choose the wallet that earnings are paid to."""
    party = owned_party(request)
    form = PayoutForm(request.POST, party=party)
    if not form.is_valid():
        return _page(request, payout_form=form)
    wallets.choose_payout(party, form.cleaned_data["address"])
    messages.success(request, "Your earnings go to this wallet from now on.")
    return _back("wallets")


@login_required
@require_POST
@recently_signed_in
def unlink(request: HttpRequest, address: str) -> HttpResponse:
    """Forget one of the party's wallets."""
    party = owned_party(request)
    wallet = get_object_or_404(party.wallets, address=address)
    try:
        wallets.unlink(wallet)
    except InputError as error:
        messages.error(request, f"This wallet {error.message}.")
    else:
        messages.success(request, "The wallet is unlinked.")
    return _back("wallets")


@login_required
@never_cache
@require_POST
def create_api_key(request: HttpRequest) -> HttpResponse:
    """Make an API key and show its secret on this page, this once."""
    assert isinstance(request.user, User)
    party = owned_party(request)
    form = ApiKeyForm(request.POST)
    if not form.is_valid():
        return _page(request, api_key_form=form)
    label, scopes = form.cleaned_data["label"], form.cleaned_data["scopes"]
    row, secret = api_keys.issue(party, request.user, label, scopes)
    return render(
        request, "accounts/api_key.html", {"key": row, "secret": secret}, status=201
    )


@login_required
@require_POST
def revoke_api_key(request: HttpRequest, prefix: str) -> HttpResponse:
    """Revoke one of the party's API keys."""
    party = owned_party(request)
    row = get_object_or_404(party.api_keys, prefix=prefix)
    api_keys.revoke(row)
    messages.success(request, f"“{row.label}” is revoked and no longer accepted.")
    return _back("api-keys")


@login_required
@require_POST
def revoke_key(request: HttpRequest, key_id: str) -> HttpResponse:
    """Revoke one of the party's signing keys from now on."""
    party = owned_party(request)
    key = get_object_or_404(party.keys, key_id=key_id)
    form = RevokeKeyForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Nothing was revoked. Choose why you revoke the key.")
        return _back("signing-keys")
    reason = form.cleaned_data["reason"]
    try:
        keys.revoke(key, effective_at=timezone.now(), reason=reason)
    except ColophonError as error:
        detail = error.detail if isinstance(error, Problem) else str(error)
        messages.error(request, detail)
    else:
        messages.success(request, "The key is revoked; the log says so publicly.")
    return _back("signing-keys")


def _page(request: HttpRequest, **refused: Form) -> HttpResponse:
    """The whole page, with refused forms in place of fresh ones."""
    assert isinstance(request.user, User)
    party = acting_party(request)
    context: dict[str, Any] = {
        "party": party,
        "is_owner": is_owner(request.user, party),
        "memberships": request.user.memberships.select_related("party").order_by("pk"),
        "holder": party.holder,
        "wallets": party.wallets.order_by("pk"),
        "api_keys": party.api_keys.order_by("revoked_at", "-pk"),
        "signing_keys": party.keys.select_related("enrollment").order_by("-pk"),
        "profile_form": ProfileForm(initial={"name": request.user.name}),
        "organization_form": OrganizationForm(auto_id="organization_%s"),
        "payout_form": PayoutForm(party=party),
        "api_key_form": ApiKeyForm(),
        "revoke_form": RevokeKeyForm(auto_id=False),
        **refused,
    }
    status = REFUSED if refused else 200
    return render(request, "accounts/settings.html", context, status=status)


def _back(section: str) -> HttpResponse:
    """To the settings page, at the section that changed."""
    answer = redirect("accounts:settings")
    answer["Location"] += f"#{section}"
    return answer
