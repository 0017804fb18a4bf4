"""Django app configuration of `marketplace`."""

from __future__ import annotations

from django.apps import AppConfig


class MarketplaceConfig(AppConfig):
    default_auto_field = "django.db.models.BigAutoField"
    name = "marketplace"
