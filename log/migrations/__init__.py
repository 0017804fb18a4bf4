"""Migrations of `log`."""
