"""Django app configuration of `accounts`."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in


class AccountsConfig(AppConfig):
    default_auto_field = "django.db.models.BigAutoField"
    name = "accounts"

    def ready(self) -> None:
        import_module("accounts.checks")
        import_module("accounts.schema")
        register = import_module("accounts.register")
        user_logged_in.connect(register.on_login, dispatch_uid="accounts.register")
        allauth = import_module("allauth.account.signals")
        allauth.email_confirmed.connect(
            register.on_email_confirmed, dispatch_uid="accounts.register"
        )
