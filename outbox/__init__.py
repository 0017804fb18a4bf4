"""Effects are rows first: jobs written with the business row, run at least once."""

STALE_SECONDS = 60.0
"""A process that has not beaten for this long is not well (it beats every 5 s)."""
