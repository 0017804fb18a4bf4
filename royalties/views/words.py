"""States of settlements and payouts in plain words, for pills."""

from __future__ import annotations

from royalties.models import Payout, Settlement

SETTLEMENT = {
    Settlement.State.BUILT: ("Being committed", "wait"),
    Settlement.State.COMMITTED: ("Waiting time", "wait"),
    Settlement.State.MATURED: ("Settled", "ok"),
    Settlement.State.VETOED: ("Stopped, settled again", "off"),
    Settlement.State.FAILED: ("Being committed again", "wait"),
}
PAYOUT = {
    Payout.State.SENDING: ("On its way", "wait"),
    Payout.State.PAID: ("Paid", "ok"),
    Payout.State.BLOCKED: ("Did not go through", "bad"),
    Payout.State.REVERSED: ("Taken back by the chain", "bad"),
    Payout.State.COVERED: ("Part of another payment", "off"),
}


def state_of(state: str) -> dict[str, str]:
    """Word and shape of a settlement's state."""
    word, shape = SETTLEMENT[Settlement.State(state)]
    return {"word": word, "state": shape}


def payout_state(state: str) -> dict[str, str]:
    """Word and shape of a payout's state."""
    word, shape = PAYOUT[Payout.State(state)]
    return {"word": word, "state": shape}
