"""What can go wrong between a listing and a download; messages say what to do."""

from __future__ import annotations

from accounts.errors import Problem
from colophon.errors import InputError


class OfferError(InputError):
    """The offers cannot be published; the listing is unchanged."""


class OrderError(InputError):
    """The order cannot be made or paid; nothing was charged."""


class RefundError(InputError):
    """The refund cannot be asked for; the account is as it was."""


class NoDepositError(Problem):
    status = 409
    code = "no-deposit"
    title = "There is nothing to ask back"
    meaning = "The chain knows no deposit of this wallet, or all of it is spent."


class NotForSaleError(Problem):
    status = 409
    code = "not-for-sale"
    title = "The work cannot be licensed now"
    meaning = "It is not sealed, not listed, suspended, or your own."


class CopyNotReadyError(Problem):
    status = 409
    code = "copy-not-ready"
    title = "Your copy is still being signed"
    meaning = "Each license gets a copy of its own. Try again in a few seconds."


class RevokedError(Problem):
    status = 409
    code = "license-revoked"
    title = "This license was revoked"
    meaning = "A revoked license opens no download. Its page says why and since when."


class NotCancelableError(Problem):
    status = 409
    code = "not-cancelable"
    title = "This purchase cannot be canceled any more"
    meaning = (
        "A price can be had back for 14 days and until the first download. After that "
        "only a dispute can end the purchase."
    )


class GrantError(Problem):
    status = 403
    code = "grant-used"
    title = "This download link cannot be used"
    meaning = "A link works once and for one minute. Ask for a new one."
