"""The content of the demo: drawn, recorded, signed, sold and used by the real loop.

Nothing is downloaded and no clock is faked: uses may claim a past `occurred_at`,
what is signed, anchored or settled carries today's time. Running it again goes on
where it was stopped.
"""
