"""Wiring: settings, urls, Celery, the job table. Nothing imports this package."""
