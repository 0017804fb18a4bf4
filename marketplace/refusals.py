"""Why the chain refused a payment, in words that a buyer understands."""

from __future__ import annotations

# What a contract's error or a token's sentence holds, in lower case, in this order.
_WORDS: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        ("insufficientbalance", "exceeds balance"),
        "Your wallet holds too little {token} for this order.",
    ),
    (
        ("usedauthorization", "authorization is used"),
        "Another transaction used the payment that you signed, or it was canceled.",
    ),
    (
        ("invalidauthorizationtime", "authorization is expired", "not yet valid"),
        "Your signature reached the chain too late; it is good for one hour.",
    ),
    (
        ("invalidsignature", "invalid signature"),
        "The token did not accept the signature of your wallet.",
    ),
    (
        ("accountfrozen",),
        "Your wallet's deposit account waits for a refund and takes no payment now.",
    ),
    (
        ("paused",),
        "Payments are paused at the moment. Try again later.",
    ),
    (
        ("blacklisted", "blocked"),
        "The issuer of {token} has blocked this wallet.",
    ),
    (
        ("canceled before",),
        "The payment was stopped before it reached the chain.",
    ),
    (
        ("out of gas",),
        "The chain ran out of computing budget for the payment. Try again.",
    ),
)
OTHERWISE = "The chain did not accept the payment."


def plain_reason(error: str, *, token: str) -> str:
    """The sentence for an intent's error.

    Args:
        error: as `chain` keeps it, `would revert: AccountFrozen(…)`.
        token: the settlement token's name.
    """
    said = error.lower()
    for signs, words in _WORDS:
        if any(sign in said for sign in signs):
            return words.format(token=token)
    return OTHERWISE
