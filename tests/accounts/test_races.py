"""What two requests do at once happens once: one proof, one link, one platform."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from accounts import wallets
from accounts.errors import KeyStateError, WalletProofError, WalletTakenError
from accounts.keys import account_key, revoke
from accounts.models import Party, SigningKey, User, Wallet
from accounts.platform import platform_party
from tests.accounts.test_wallets import KEY, signed
from tests.cast import party_of

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 6


def at_once(act: Callable[[int], Any]) -> list[Any]:
    """Run an act in several threads; gives results and exceptions."""
    gate, found = threading.Barrier(THREADS), []

    def run(number: int) -> None:
        gate.wait()
        try:
            found.append(act(number))
        except Exception as error:  # noqa: BLE001 - the test looks at it
            found.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(THREADS)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return found


def test_one_proof_signs_in_once() -> None:
    made = wallets.challenge(KEY.address, "login", "s1")
    proof = signed(made.message)
    found = at_once(lambda _: wallets.verify(made.nonce, proof, "s1", "login"))
    assert found.count(KEY.address) == 1
    refused = [one for one in found if isinstance(one, WalletProofError)]
    assert len(refused) == THREADS - 1


def test_one_of_many_gets_the_wallet(ada: User, eve: User) -> None:
    users = [ada, eve]
    parties = {user.pk: party_of(user) for user in users}

    def link(number: int) -> Wallet:
        user = users[number % 2]
        return wallets.link(user, parties[user.pk], KEY.address)

    found = at_once(link)
    winner = Wallet.objects.get().user
    refused = [one for one in found if isinstance(one, WalletTakenError)]
    assert len(refused) == THREADS // 2
    paid = {party_of(user).holder.payout_address for user in users if user != winner}
    assert paid == {""}


def test_the_platform_is_made_once() -> None:
    found = at_once(lambda _: platform_party().pk)
    assert set(found) == {Party.objects.get().pk}
    assert SigningKey.objects.count() == 2


def test_a_key_is_revoked_once(ada: User) -> None:
    key = account_key(party_of(ada))
    moment = key.enrolled_at
    found = at_once(
        lambda _: revoke(
            SigningKey.objects.get(pk=key.pk), effective_at=moment, reason="retired"
        )
    )
    refused = [one for one in found if isinstance(one, KeyStateError)]
    assert len(refused) == THREADS - 1
    key.refresh_from_db()
    assert key.revocation is not None
