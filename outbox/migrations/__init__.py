"""Migrations of `outbox`."""
