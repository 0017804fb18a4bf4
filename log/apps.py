"""Django app configuration of `log`."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class LogConfig(AppConfig):
    default_auto_field = "django.db.models.BigAutoField"
    name = "log"

    def ready(self) -> None:
        import_module("log.checks")
