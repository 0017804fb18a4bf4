"""Django app configuration of `log`."""

from __future__ import annotations

from django.apps import AppConfig


class LogConfig(AppConfig):
    default_auto_field = "django.db.models.BigAutoField"
    name = "log"
