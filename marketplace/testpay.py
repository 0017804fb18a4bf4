"""Test payments of the demo: a wallet that the server keeps, filled with test money.

Only where COLOPHON_DEMO is set and the chain is no public one. The wallet signs the
same message as a wallet in a browser would, so everything after it is the real path.
"""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.db import transaction
from eth_account import Account
from eth_account.signers.local import LocalAccount

from accounts.models import Party
from chain.intend import intend
from chain.models import Intent
from marketplace.models import Order

FOLDER = "test-wallets"
GIFT_UNITS = 1_000_000_000  # what one request of test money brings, at least


def is_open() -> bool:
    """Whether test payments exist here at all."""
    return bool(settings.DEMO and not settings.CHAIN_PUBLIC)


def test_wallet(party: Party) -> LocalAccount:
    """The party's test wallet; made on first use, in a file that only we can read.

    Raises:
        PermissionError: this is no demo.
    """
    if not is_open():
        raise PermissionError("test payments exist in the demo only")
    folder = settings.KEYS_DIR / FOLDER
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / party.code
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        wallet: LocalAccount = Account.from_key(path.read_text(encoding="ascii"))
        return wallet
    fresh: LocalAccount = Account.create()
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write("0x" + bytes(fresh.key).hex())
    return fresh


def sign(party: Party, typed_data: dict[str, Any]) -> str:
    """The signature that the party's test wallet gives, as 0x text."""
    signed = test_wallet(party).sign_typed_data(full_message=typed_data)
    return "0x" + bytes(signed.signature).hex()


def ask_for_test_money(*, order: Order) -> Intent:
    """Have test money sent to the order's test wallet; then the order is paid.

    Writes: Intent. Lock: unique Intent.key; asking twice is asking once.
    """
    units = max(GIFT_UNITS, order.amount_units)
    with transaction.atomic(durable=True):
        return intend(
            "fund",
            {"to": order.account, "amount": str(units)},
            key=fund_key(order),
            then=("order.funded", {"order": order.pk}),
        )


def fund_key(order: Order) -> str:
    """The key of the intent that fills an order's test wallet."""
    return f"fund:{order.code}"
