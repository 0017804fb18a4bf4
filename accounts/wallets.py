"""Wallet sign-in and linking: the server writes the whole EIP-4361 text.

Each text is stored, bound to one session and one purpose, lives five minutes and is
used once, whatever the answer.
Source: EIP-4361; the text itself is in siwe.py.
"""

from __future__ import annotations

import secrets
import string
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import siwe
from accounts.errors import UnknownWalletError, WalletProofError, WalletTakenError
from accounts.models import Holder, Party, User, Wallet, WalletChallenge
from colophon.errors import InputError

LIFETIME = timedelta(minutes=5)
NONCE_CHARACTERS = 24
_ALPHABET = string.ascii_letters + string.digits


def challenge(address: str, purpose: str, session_key: str) -> WalletChallenge:
    """Issue the text that a wallet is asked to sign.

    The answer does not depend on whether anybody uses the address.

    Writes: WalletChallenge; removes expired ones.

    Raises:
        InputError: a malformed address or an unknown purpose.
    """
    if purpose not in WalletChallenge.Purpose.values:
        raise InputError("is not login or link", "purpose")
    if not session_key:
        raise InputError("is missing; allow cookies and try again", "session")
    issued_at = timezone.now().replace(microsecond=0)
    nonce = "".join(secrets.choice(_ALPHABET) for _ in range(NONCE_CHARACTERS))
    checked = siwe.check_address(address, "address")
    ends_at = issued_at + LIFETIME
    WalletChallenge.objects.filter(expires_at__lt=issued_at - LIFETIME).delete()
    return WalletChallenge.objects.create(
        nonce=nonce,
        purpose=purpose,
        address=checked,
        message=siwe.compose(checked, purpose, nonce, issued_at, ends_at),
        session_key=session_key,
        expires_at=ends_at,
    )


def verify(nonce: str, signature: str, session_key: str, purpose: str) -> str:
    """The address that signed the text of that nonce.

    Lock: conditional update; the text is used up before the signature is looked at,
    so there is one try for each text.

    Raises:
        InputError: the signature is not hex.
        WalletProofError: another session, another purpose, expired, used, unknown,
            or not signed by the wallet. The answer is the same for all of them.
        CouldNotCheck: it may be a contract wallet and the chain does not answer.
    """
    raw = siwe.signature_bytes(signature)
    now = timezone.now()
    used = WalletChallenge.objects.filter(
        nonce=nonce,
        purpose=purpose,
        session_key=session_key,
        used_at__isnull=True,
        expires_at__gt=now,
    ).update(used_at=now)
    if not used:
        raise WalletProofError
    issued = WalletChallenge.objects.get(nonce=nonce)
    if not siwe.is_signed(issued.message, raw, issued.address):
        raise WalletProofError
    return issued.address


def link(user: User, party: Party, address: str) -> Wallet:
    """Link a proven address to a user and party; the first one is paid to.

    Writes: Wallet, Holder.payout_address when it is empty.

    Raises:
        WalletTakenError: another user has linked it.
    """
    try:
        with transaction.atomic():
            wallet, _ = Wallet.objects.get_or_create(
                address=address, defaults={"user": user, "party": party}
            )
            Holder.objects.filter(party=party, payout_address="").update(
                payout_address=address
            )
            if wallet.user_id != user.pk or wallet.party_id != party.pk:
                raise WalletTakenError
    except IntegrityError as error:  # linked by somebody else in this very moment
        raise WalletTakenError from error
    return wallet


def owner_of(address: str) -> User:
    """The user who linked a proven address.

    Raises:
        UnknownWalletError: nobody has, or the user is no longer active.
    """
    wallet = Wallet.objects.select_related("user").filter(address=address).first()
    if wallet is None or not wallet.user.is_active:
        raise UnknownWalletError
    return wallet.user


def choose_payout(party: Party, address: str) -> Holder:
    """Pay the party's earnings to one of its linked wallets from now on.

    Raises:
        InputError: the address is not one of the party's wallets.
    """
    if not party.wallets.filter(address=address).exists():
        raise InputError("is not one of your wallets; link it first", "address")
    Holder.objects.filter(party=party).update(payout_address=address)
    return Holder.objects.get(party=party)


def unlink(wallet: Wallet) -> None:
    """Forget a wallet.

    Raises:
        InputError: earnings are paid to it.
    """
    if Holder.objects.filter(
        party=wallet.party, payout_address=wallet.address
    ).exists():
        raise InputError(
            "is where you are paid; choose another payout wallet first", "address"
        )
    wallet.delete()
