"""Management commands of `outbox`."""
