"""Addresses of settings, wallets, demo sign-in and the account API."""

from __future__ import annotations

from django.urls import path

from accounts import api
from accounts.views import demo, errors, settings, wallet

app_name = "accounts"

urlpatterns = [
    path("settings", settings.settings_page, name="settings"),
    path("settings/profile", settings.profile, name="profile"),
    path("settings/party", settings.choose, name="choose-party"),
    path("settings/organizations", settings.organization, name="organization"),
    path("settings/payout", settings.payout, name="payout"),
    path("settings/wallets/<str:address>/unlink", settings.unlink, name="unlink"),
    path("settings/api-keys", settings.create_api_key, name="create-api-key"),
    path(
        "settings/api-keys/<str:prefix>/revoke",
        settings.revoke_api_key,
        name="revoke-api-key",
    ),
    path("settings/keys/<str:key_id>/revoke", settings.revoke_key, name="revoke-key"),
    path("wallet/challenge", wallet.challenge, name="wallet-challenge"),
    path("wallet/link", wallet.link, name="wallet-link"),
    path("wallet/login", wallet.sign_in, name="wallet-login"),
    path("demo/sign-in", demo.demo_only, name="demo-sign-in"),
    path("developers/errors", errors.problem_list, name="errors"),
    path("api/v1/me", api.Me.as_view(), name="api-me"),
    path("api/v1/keys", api.Keys.as_view(), name="api-keys"),
    path("api/v1/keys/<str:key_id>", api.KeyDetail.as_view(), name="api-key"),
]
