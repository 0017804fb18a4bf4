"""Settings of the processes that the fault tests start and kill."""

from __future__ import annotations

from config.settings import *  # noqa: F403

# Only the outbox: the other apps have jobs and start-up checks of their own.
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "outbox"]
AUTH_USER_MODEL = "auth.User"
MIDDLEWARE: list[str] = []
TEMPLATES: list[object] = []
OUTBOX_TABLE = "tests.outbox.faults_jobs.TABLE"
OUTBOX_TIMETABLE = "tests.outbox.faults_jobs.TIMETABLE"
OUTBOX_NUDGE = True
OUTBOX_LEASE_SECONDS = 2
OUTBOX_MAX_ATTEMPTS = 5
OUTBOX_POLL_SECONDS = 0.2
ROOT_URLCONF = "tests.outbox.faults_settings"
urlpatterns: list[object] = []
