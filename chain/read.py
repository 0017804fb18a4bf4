"""What the contracts and this database know: for pages and other apps.

Amounts are integer units of the settlement token (6 decimals), times aware UTC,
addresses EIP-55. Functions that ask a node raise `Later` when none answers; a job's
handler may let that through.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from eth_account import Account as EthAccount
from eth_account.messages import encode_typed_data

from chain import abi, contracts, identity
from chain.abi import checksum
from chain.contracts import address_of, ledger_domain, token_domain
from chain.errors import ArgsError, NotDeployedError, RevertedError, RpcBehindError
from chain.finality import heights
from chain.kinds import ASSET, LEDGER, TOKEN
from chain.models import Event, Network
from colophon.errors import SignatureError

__all__ = [
    "NOBODY",
    "AccountState",
    "FinalBlock",
    "NetworkFacts",
    "account_indexes",
    "account_of",
    "address_of",
    "authorization_used",
    "balance_of",
    "block_time",
    "chain_time",
    "challenge_window",
    "checksum",
    "claimed",
    "epoch",
    "facts",
    "final_block",
    "is_contract",
    "is_valid_signature",
    "ledger_domain",
    "matures_at",
    "owner_of_certificate",
    "paused",
    "redirect_nonces",
    "redirects",
    "refund_delay",
    "roots",
    "signer_of_typed_data",
    "size",
    "token_domain",
    "totals",
]

NOBODY = "0x" + "00" * 20
"""The address of a leaf whose holder has no wallet: nobody is paid there."""
EIP1271_MAGIC = bytes.fromhex("1626ba7e")
SIGNATURE_BYTES = 65


@dataclass(frozen=True)
class AccountState:
    """What the ledger knows of an account that deposited."""

    index: int
    deposited_units: int
    refunded_units: int
    frozen_at: datetime | None
    requests: int


@dataclass(frozen=True)
class FinalBlock:
    """The newest block that is there for good."""

    number: int
    mined_at: datetime


@dataclass(frozen=True)
class NetworkFacts:
    """The chain as a page names it. Needs no node."""

    chain_id: int
    name: str
    public: bool
    ledger: str
    asset: str
    token: str
    code_hashes: dict[str, str]
    halted_reason: str
    followed_block: int


def facts() -> NetworkFacts | None:
    """The chain this database belongs to; None before deployment."""
    row = Network.objects.first()
    if row is None:
        return None
    return NetworkFacts(
        chain_id=row.chain_id,
        name=settings.CHAIN_NAME,
        public=settings.CHAIN_PUBLIC,
        ledger=row.contracts[LEDGER]["address"],
        asset=row.contracts[ASSET]["address"],
        token=row.contracts[TOKEN]["address"],
        code_hashes={name: c["code_hash"] for name, c in row.contracts.items()},
        halted_reason=row.halted_reason,
        followed_block=row.followed_block,
    )


# --------------------------------------------------------------------------- ledger


def epoch() -> int:
    """The number that the next commit must carry."""
    return int(_ask(LEDGER, "epoch")[0])


def size() -> int:
    """Entries of the largest anchored checkpoint."""
    return int(_ask(LEDGER, "size")[0])


def paused() -> bool:
    """Whether deposits and commits are stopped."""
    return bool(_ask(LEDGER, "paused")[0])


def roots() -> tuple[bytes, bytes]:
    """(active, pending) root, keccak256(earnings ‖ spend) each; zeros for none."""
    active, pending = _ask_many(LEDGER, [("activeRoot", {}), ("pendingRoot", {})])
    return bytes.fromhex(active[0][2:]), bytes.fromhex(pending[0][2:])


def matures_at() -> datetime | None:
    """When the pending root can be paid from; None when nothing is pending."""
    return _time(_ask(LEDGER, "maturesAt")[0])


def challenge_window() -> timedelta:
    """How long the contract lets a commit be vetoed; fixed when it was deployed."""
    return timedelta(seconds=int(_ask(LEDGER, "challengeWindow")[0]))


def refund_delay() -> timedelta:
    """How long the contract holds a refund back; fixed when it was deployed."""
    return timedelta(seconds=int(_ask(LEDGER, "refundDelay")[0]))


def totals() -> dict[str, int]:
    """Units {deposited, refunded, earned_active, earned_pending, paid} so far."""
    names = {
        "deposited": "deposited",
        "refunded": "refunded",
        "earned_active": "earnedActive",
        "earned_pending": "earnedPending",
        "paid": "paid",
    }
    found = _ask_many(LEDGER, [(function, {}) for function in names.values()])
    return {name: int(one[0]) for name, one in zip(names, found, strict=True)}


def account_of(address: str) -> AccountState | None:
    """A deposit account; None when it never deposited."""
    found = _ask(LEDGER, "accountOf", account=checksum(address))
    index, deposited, refunded, frozen_at, requests, known = found
    if not known:
        return None
    return AccountState(
        index=int(index),
        deposited_units=int(deposited),
        refunded_units=int(refunded),
        frozen_at=_time(frozen_at),
        requests=int(requests),
    )


def account_indexes(addresses: Sequence[str]) -> dict[str, int]:
    """Spend-tree positions of accounts, by lowercase address.

    From the `Deposited` logs of this database; an account without one there is asked
    for at the node. Accounts that never deposited are left out.
    """
    wanted = {checksum(address) for address in addresses}
    seen = Event.objects.filter(
        contract=LEDGER,
        name="Deposited",
        removed_at__isnull=True,
        args__account__in=sorted(wanted),
    )
    found = {row.args["account"]: int(row.args["accountIndex"]) for row in seen}
    for address in sorted(wanted - found.keys()):
        if state := account_of(address):
            found[address] = state.index
    return {address.lower(): index for address, index in found.items()}


def claimed(positions: Sequence[int]) -> dict[int, int]:
    """Units paid so far, by position in the earnings tree."""
    found = _ask_many(LEDGER, [("claimed", {"index": at}) for at in positions])
    return {at: int(one[0]) for at, one in zip(positions, found, strict=True)}


def redirects(positions: Sequence[int]) -> dict[int, str]:
    """Where payouts go instead of the leaf's account, by position; only those set."""
    found = _ask_many(LEDGER, [("redirectOf", {"index": at}) for at in positions])
    pairs = zip(positions, found, strict=True)
    return {at: str(one[0]) for at, one in pairs if one[0] != NOBODY}


def redirect_nonces(positions: Sequence[int]) -> dict[int, int]:
    """The nonce that the next `Redirect` must carry, by position."""
    found = _ask_many(LEDGER, [("redirectNonce", {"index": at}) for at in positions])
    return {at: int(one[0]) for at, one in zip(positions, found, strict=True)}


# ------------------------------------------------------------------ token and others


def balance_of(address: str) -> int:
    """Units of the settlement token that an address holds."""
    return int(_ask(TOKEN, "balanceOf", account=checksum(address))[0])


def authorization_used(address: str, nonce: bytes) -> bool:
    """Whether an EIP-3009 authorization was used or canceled."""
    used = _ask(TOKEN, "authorizationState", authorizer=checksum(address), nonce=nonce)
    return bool(used[0])


def owner_of_certificate(content_digest: bytes) -> str | None:
    """Who holds the certificate of a file; None when it was never minted."""
    token_id = int.from_bytes(content_digest, "big")
    try:
        return str(_ask(ASSET, "ownerOf", tokenId=token_id)[0])
    except RevertedError:
        return None


def chain_time() -> datetime:
    """Time of the newest block, the only clock that the contracts know."""
    gateway, _ = identity.checked()
    return gateway.head().mined_at


def final_block() -> FinalBlock | None:
    """The newest final block; None while the chain is too young for one.

    Raises:
        RpcBehindError: the node does not have it.
    """
    gateway, _ = identity.checked()
    number = heights(gateway).final
    return FinalBlock(number, block_time(number)) if number >= 0 else None


def block_time(number: int) -> datetime:
    """Time of a block.

    Raises:
        RpcBehindError: the node does not have it.
    """
    gateway, _ = identity.checked()
    header = gateway.header(number)
    if header is None:
        raise RpcBehindError(f"the node does not have block {number}")
    return header.mined_at


def is_contract(address: str) -> bool:
    """Whether there is code at an address."""
    gateway, _ = identity.checked()
    return bool(gateway.code_hash(checksum(address)))


def is_valid_signature(address: str, digest: bytes, signature: bytes) -> bool:
    """Whether a contract wallet accepts a signature (EIP-1271).

    A plain account, a contract without the function and one that reverts all mean no.
    """
    if not is_contract(address):
        return False
    gateway, _ = identity.checked()
    arguments = abi.encode(
        _EIP1271, {"hash": _hex(digest), "signature": _hex(signature)}
    )
    try:
        answer = gateway.call(checksum(address), EIP1271_MAGIC + arguments)
    except RevertedError:
        return False
    return len(answer) == 32 and answer[:4] == EIP1271_MAGIC  # noqa: PLR2004


def signer_of_typed_data(typed: dict[str, Any], signature: str | bytes) -> str:
    """The address that signed EIP-712 data. Needs no node.

    Args:
        typed: {types, primaryType, domain, message} as a wallet gets it.
        signature: 65 bytes, or 0x hex.

    Raises:
        SignatureError: not a signature.
    """
    if isinstance(signature, str):
        try:
            signature = bytes.fromhex(signature.removeprefix("0x"))
        except ValueError as error:
            raise SignatureError("the signature is not hex") from error
    if len(signature) != SIGNATURE_BYTES:
        raise SignatureError(f"the signature has {len(signature)} bytes, expected 65")
    try:
        message = encode_typed_data(full_message=typed)
        return str(EthAccount.recover_message(message, signature=signature))
    except Exception as error:  # eth-account raises a dozen unrelated types
        raise SignatureError("the signature is not one over this message") from error


_EIP1271: abi.Entry = {
    "name": "isValidSignature",
    "inputs": [
        {"name": "hash", "type": "bytes32"},
        {"name": "signature", "type": "bytes"},
    ],
}


def _ask(contract: str, function: str, **args: Any) -> list[Any]:
    return _ask_many(contract, [(function, args)])[0]


def _ask_many(
    contract: str, asked: Sequence[tuple[str, dict[str, Any]]]
) -> list[list[Any]]:
    """Answers of view functions in normal form, all of the same contract."""
    gateway, network = identity.checked()
    if contract not in network.contracts:
        raise NotDeployedError(f"{contract} is not deployed")
    address = str(network.contracts[contract]["address"])
    entries = [
        abi.find(contracts.abi_of(contract), "function", name) for name, _ in asked
    ]
    calls = [
        (address, abi.encode_call(entry, abi.normalize(entry, args)))
        for entry, (_, args) in zip(entries, asked, strict=True)
    ]
    answers = gateway.calls(calls)
    try:
        return [
            abi.decode_output(entry, answer)
            for entry, answer in zip(entries, answers, strict=True)
        ]
    except ArgsError as error:
        raise RpcBehindError(f"the node's answer is not {contract}'s") from error


def _time(seconds: str) -> datetime | None:
    return datetime.fromtimestamp(int(seconds), tz=UTC) if int(seconds) else None


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
