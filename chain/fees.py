"""What to pay for gas: a first quote, and a raise that every node accepts.

Nodes want at least 10 % more on both fee fields to replace a transaction; anvil takes
less, so the rule of 12.5 % is enforced here. All amounts in wei.
"""

from __future__ import annotations

from dataclasses import dataclass

from chain.errors import FeeCapError

GWEI = 10**9
BUMP_NUMERATOR, BUMP_DENOMINATOR = 9, 8  # + 12.5 %
BASE_FEE_HEADROOM = 2
GAS_MARGIN_NUMERATOR, GAS_MARGIN_DENOMINATOR = 5, 4  # + 25 %
GAS_MARGIN_FLAT = 10_000
NOOP_GAS = 21_000


@dataclass(frozen=True)
class Fees:
    """Fee cap and priority fee per gas."""

    max_fee_wei: int
    priority_fee_wei: int


def quote(*, base_fee_wei: int, tip_wei: int, cap_wei: int) -> Fees:
    """Fees for a fresh transaction: twice the base fee and the tip, under the cap.

    Raises:
        FeeCapError: even the present base fee is above the cap.
    """
    if base_fee_wei + 1 > cap_wei:
        raise FeeCapError(f"base fee {base_fee_wei} wei is above the cap {cap_wei} wei")
    fee = min(base_fee_wei * BASE_FEE_HEADROOM + tip_wei, cap_wei)
    return Fees(fee, min(tip_wei, fee))


def raised(old: Fees, fresh: Fees, *, cap_wei: int) -> Fees:
    """Fees for a replacement: at least 12.5 % more on both fields.

    Raises:
        FeeCapError: that would exceed the cap.
    """
    fee = max(_bumped(old.max_fee_wei), fresh.max_fee_wei)
    tip = max(_bumped(old.priority_fee_wei), fresh.priority_fee_wei)
    fee = max(fee, tip)
    if fee > cap_wei:
        least = max(_bumped(old.max_fee_wei), _bumped(old.priority_fee_wei))
        if least > cap_wei:
            raise FeeCapError(f"a raise to {least} wei is above the cap {cap_wei} wei")
        fee, tip = cap_wei, min(tip, cap_wei)
    return Fees(fee, tip)


def gas_limit(estimate: int) -> int:
    """An estimate with room for what changes until the call is mined."""
    margin = estimate * GAS_MARGIN_NUMERATOR // GAS_MARGIN_DENOMINATOR
    return margin + GAS_MARGIN_FLAT


def _bumped(wei: int) -> int:
    """At least an eighth more, and at least one."""
    return max(-(-wei * BUMP_NUMERATOR // BUMP_DENOMINATOR), wei + 1)
