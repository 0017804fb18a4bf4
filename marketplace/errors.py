"""What can go wrong between a listing and a download; messages say what to do."""

from __future__ import annotations

from colophon.errors import ColophonError, InputError


class MarketError(ColophonError):
    """Base of this app's errors."""


class OfferError(InputError):
    """The offers cannot be published; the listing is unchanged."""


class OrderError(InputError):
    """The order cannot be made or paid; nothing was charged."""


class NotForSaleError(MarketError):
    """The work is not live, or its standing forbids new licenses."""


class NotReadyError(MarketError):
    """The copy is still being made; try again in a few seconds."""


class GrantError(MarketError):
    """The download link was used before or is too old; ask for a new one."""
