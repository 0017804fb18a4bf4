"""Addresses of the log, relative to its prefix: those of C2SP tlog-tiles."""

from __future__ import annotations

from django.urls import path

from log import views

app_name = "log"
urlpatterns = [
    path("checkpoint", views.checkpoint, name="checkpoint"),
    path("checkpoint/<int:size>", views.checkpoint, name="checkpoint-of-size"),
    path(
        "checkpoint/<int:size>/timestamp",
        views.checkpoint_timestamp,
        name="timestamp",
    ),
    path("tile/<path:path>", views.tile, name="tile"),
    path("keys", views.keys, name="keys"),
]
