"""Provenance as JSON: runs, sources, assets and verification (`/api/v1`)."""
