"""The people of the story: each with a wallet key of their own and an API key."""

from __future__ import annotations

import json
from dataclasses import dataclass

from eth_account import Account
from eth_account.signers.local import LocalAccount

from colophon.pipeline import Pipeline
from config.stack.stack import Stack

NAMES = ("Ada", "Ben", "Mia", "Dan")


@dataclass(frozen=True)
class Person:
    """Somebody who acts over HTTP and signs with a wallet.

    Attributes:
        name: Ada made the picture, Mia owns the model, Dan the data set, Ben buys.
        wallet: a key made for this run.
        api: an authenticated connection.
    """

    name: str
    party: str
    holder: str
    key: str
    wallet: LocalAccount
    api: Pipeline


def enter(stack: Stack) -> dict[str, Person]:
    """Open the accounts of the cast and connect as each of them."""
    wallets = {name: Account.create() for name in NAMES}
    words = [f"{name}={wallet.address}" for name, wallet in wallets.items()]
    made = json.loads(stack.manage("make_cast", *words))
    return {
        name: Person(
            name=name,
            party=made[name]["party"],
            holder=made[name]["holder"],
            key=made[name]["key"],
            wallet=wallets[name],
            api=Pipeline(stack.url, made[name]["key"]),
        )
        for name in NAMES
    }
