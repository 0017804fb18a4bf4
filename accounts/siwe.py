"""The EIP-4361 text and whether a wallet signed it.

The server writes the text and checks the signature over exactly that text: there is
no parser here, because nothing that a client sends is ever read as such a text.
Sources: EIP-4361 (text), EIP-191 (what a key signs), EIP-1271 (contract wallets),
EIP-55 (checksum of addresses).
"""

from __future__ import annotations

import re
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from eth_account import Account
from eth_account.messages import encode_defunct
from eth_utils.address import is_checksum_address, to_checksum_address

from accounts.models import WalletChallenge
from chain.errors import ChainError
from chain.models import Network
from colophon.digest import keccak256
from colophon.errors import CouldNotCheck, InputError

MAX_SIGNATURE_BYTES = 8 * 1024  # contract wallets may send several signatures
EOA_SIGNATURE_BYTES = 65
# EIP-4361 wants a chain id; this one stands in until a chain is connected.
MAINNET = 1
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


def compose(
    address: str, purpose: str, nonce: str, issued_at: datetime, ends_at: datetime
) -> str:
    """The text that a wallet is asked to sign, line for line as EIP-4361 has it.

    Domain and URI are the configured address of the site, never a request header.
    """
    site = urlsplit(settings.SITE_URL)
    scheme = "" if site.scheme == "https" else f"{site.scheme}://"
    network = Network.objects.first()
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
        f"Expiration Time: {ends_at:%Y-%m-%dT%H:%M:%SZ}"
    )


def is_signed(message: str, signature: bytes, address: str) -> bool:
    """Whether the wallet at an address signed that very text.

    Raises:
        CouldNotCheck: it may be a contract wallet and the chain does not answer.
    """
    by_key = _signed_by_key(message, signature, address)
    return by_key or _signed_by_contract(message, signature, address)


def signature_bytes(text: object) -> bytes:
    """Bytes of a 0x hex signature.

    Raises:
        InputError: not 0x and hex digits, or too many of them.
    """
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
