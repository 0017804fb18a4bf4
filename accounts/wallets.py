"""Wallet sign-in and linking: the server writes the whole EIP-4361 text.

The text is stored and the signature is checked over exactly the stored text, so
nothing a client sends is ever parsed. Each text is bound to one session and one
purpose, lives five minutes and is used once, whatever the answer.
Sources: EIP-4361, EIP-191, EIP-1271.
"""

from __future__ import annotations

import re
import secrets
import string
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from eth_account import Account
from eth_account.messages import encode_defunct
from eth_utils.address import is_checksum_address, to_checksum_address

from accounts.errors import UnknownWalletError, WalletProofError, WalletTakenError
from accounts.models import Holder, Party, User, Wallet, WalletChallenge
from chain.errors import ChainError
from chain.models import Network
from colophon.digest import keccak256
from colophon.errors import CouldNotCheck, InputError

LIFETIME = timedelta(minutes=5)
NONCE_CHARACTERS = 24
MAX_SIGNATURE_BYTES = 8 * 1024  # contract wallets may send several signatures
EOA_SIGNATURE_BYTES = 65
# EIP-4361 wants a chain id; this one stands in until a chain is connected.
MAINNET = 1
_ALPHABET = string.ascii_letters + string.digits
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)
_HEX = re.compile(r"0x(?:[0-9a-fA-F]{2})+", re.ASCII)
_STATEMENTS = {
    WalletChallenge.Purpose.LOGIN: (
        "Sign in to Colophon. This costs nothing and moves no money."
    ),
    WalletChallenge.Purpose.LINK: (
        "Link this wallet to your Colophon account. "
        "This costs nothing and moves no money."
    ),
}


def check_address(text: object, field: str) -> str:
    """The EIP-55 form of an address.

    Raises:
        InputError: not 0x and 40 hex digits, or mixed case with a wrong checksum.
    """
    if not isinstance(text, str) or _ADDRESS.fullmatch(text) is None:
        raise InputError("is not an address (0x and 40 hex digits)", field)
    digits = text[2:]
    mixed = digits not in (digits.lower(), digits.upper())
    if mixed and not is_checksum_address(text):
        raise InputError("has a wrong checksum; copy the address again", field)
    return str(to_checksum_address(text))


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
    checked = check_address(address, "address")
    WalletChallenge.objects.filter(expires_at__lt=issued_at - LIFETIME).delete()
    return WalletChallenge.objects.create(
        nonce=nonce,
        purpose=purpose,
        address=checked,
        message=_compose(checked, purpose, nonce, issued_at),
        session_key=session_key,
        expires_at=issued_at + LIFETIME,
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
    raw = _signature_bytes(signature)
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
    if not (
        _signed_by_key(issued.message, raw, issued.address)
        or _signed_by_contract(issued.message, raw, issued.address)
    ):
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


def _compose(address: str, purpose: str, nonce: str, issued_at: datetime) -> str:
    """The text, line for line as EIP-4361 lays it out."""
    site = urlsplit(settings.SITE_URL)
    scheme = "" if site.scheme == "https" else f"{site.scheme}://"
    network = Network.objects.first()
    ends = f"{issued_at + LIFETIME:%Y-%m-%dT%H:%M:%SZ}"
    return (
        f"{scheme}{site.netloc} wants you to sign in with your Ethereum account:\n"
        f"{address}\n"
        "\n"
        f"{_STATEMENTS[WalletChallenge.Purpose(purpose)]}\n"
        "\n"
        f"URI: {settings.SITE_URL}\n"
        "Version: 1\n"
        f"Chain ID: {network.chain_id if network else MAINNET}\n"
        f"Nonce: {nonce}\n"
        f"Issued At: {issued_at:%Y-%m-%dT%H:%M:%SZ}\n"
        f"Expiration Time: {ends}"
    )


def _signature_bytes(text: object) -> bytes:
    """Bytes of a 0x hex signature."""
    if not isinstance(text, str) or _HEX.fullmatch(text) is None:
        raise InputError("is not 0x and hex digits", "signature")
    if len(text) > 2 + 2 * MAX_SIGNATURE_BYTES:
        raise InputError("is too long for a signature", "signature")
    return bytes.fromhex(text[2:])


def _signed_by_key(message: str, signature: bytes, address: str) -> bool:
    """Whether the address's own key signed (EIP-191 personal message)."""
    if len(signature) != EOA_SIGNATURE_BYTES:
        return False
    try:
        found = Account.recover_message(
            encode_defunct(text=message), signature=signature
        )
    except Exception:  # noqa: BLE001 - eth-account raises a dozen unrelated types
        return False
    return bool(found == address)


def _signed_by_contract(message: str, signature: bytes, address: str) -> bool:
    """Whether a contract wallet at the address says so (EIP-1271)."""
    if not Network.objects.exists():
        return False
    from chain.read import is_valid_signature

    text = message.encode()
    digest = keccak256(b"\x19Ethereum Signed Message:\n%d%b" % (len(text), text))
    try:
        return bool(is_valid_signature(address, digest, signature))
    except ChainError as error:
        raise CouldNotCheck("wallet signature", "the chain does not answer") from error
