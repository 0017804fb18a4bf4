"""Put the contracts on a chain once, and tell the database which chain that is.

Running it again does nothing, and running it again after it was interrupted goes on
with what was signed. A contract file that fits the chain is adopted, so a second
database can join; a database that belongs to another chain is refused.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from chain import abi, contracts, faults, fees, identity, keys
from chain.abi import checksum
from chain.blocks import Receipt
from chain.errors import (
    AlreadyKnownError,
    ArgsError,
    ChainError,
    NotDeployedError,
    RejectedError,
    RpcBehindError,
    RpcError,
    UnderpricedError,
    WrongChainError,
)
from chain.gateway import Gateway, connect
from chain.kinds import ASSET, DEPLOYER, LEDGER, ROLES, TOKEN
from chain.models import Network
from chain.unfinished import Try, Unfinished

LOCAL_BALANCE_WEI = 1000 * 10**18
LEAST_BALANCE_WEI = 10**16
WAIT_SECONDS = 180.0
POLL_SECONDS = 0.05
Say = Callable[[str], object]


@dataclass(frozen=True)
class Site:
    """Where a deployment happens, and what was tried there before."""

    gateway: Gateway
    unfinished: Unfinished
    say: Say


def deploy(*, say: Say = print, gateway: Gateway | None = None) -> Network:
    """Makes sure that the contracts are on the chain and that the database knows.

    Args:
        say: takes one line of progress at a time.
        gateway: to another chain than CHAIN_RPC_URLS names, for tests.

    Raises:
        WrongChainError: the database belongs to another chain.
        ChainError: a deployment failed; says at which contract.

    Writes: Network, the contracts file.
    """
    gateway = gateway or connect()
    unfinished = Unfinished(f"{gateway.chain_id()} {gateway.genesis_hash()}")
    known = Network.objects.first()
    if known:
        identity.verify(gateway, known)
        if not Path(settings.CHAIN_CONTRACTS_FILE).is_file():
            _write_down(known)
        unfinished.done()
        say(f"contracts of {known} are live; nothing to do")
        return known
    adopted = _adoptable(gateway)
    if adopted:
        say("the contracts of the contracts file are live; adopted")
        return _remember(gateway, adopted)
    roles = {role: keys.role_address(role) for role in ROLES}
    _fund(gateway, roles, say)
    listed = _deploy_all(Site(gateway, unfinished, say), roles)
    network = _remember(gateway, listed)
    unfinished.done()
    return network


def _adoptable(gateway: Gateway) -> dict[str, Any] | None:
    """The contracts of the contracts file, when this chain has exactly them."""
    path = Path(settings.CHAIN_CONTRACTS_FILE)
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        listed: dict[str, Any] = found["contracts"]
        there = Network(
            chain_id=int(found["chain_id"]),
            genesis_hash=str(found["genesis_hash"]),
            contracts=listed,
        )
        identity.verify(gateway, there)
    except WrongChainError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise NotDeployedError(
            f"{path.name} is not readable as a contracts file: remove it"
        ) from error
    return listed


def _remember(gateway: Gateway, listed: dict[str, Any]) -> Network:
    """The Network row and the contracts file, which says the same to others."""
    first = min(int(contract["block"]) for contract in listed.values())
    with transaction.atomic():
        network = Network.objects.create(
            chain_id=gateway.chain_id(),
            genesis_hash=gateway.genesis_hash(),
            contracts=listed,
            followed_block=max(first - 1, 0),
        )
    faults.point("after_deploy")
    _write_down(network)
    identity.forget()
    return network


def _write_down(network: Network) -> None:
    """The contracts file, for other databases and for people."""
    content = {
        "chain_id": network.chain_id,
        "genesis_hash": network.genesis_hash,
        "public": settings.CHAIN_PUBLIC,
        "contracts": network.contracts,
        "roles": {role: keys.role_address(role) for role in ROLES},
    }
    path = Path(settings.CHAIN_CONTRACTS_FILE)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _fund(gateway: Gateway, roles: dict[str, str], say: Say) -> None:
    """Native coin for gas: given on a local chain, asked for elsewhere.

    Raises:
        ChainError: the deployer cannot pay; names every account to fund.
    """
    accounts = {**roles, DEPLOYER: keys.role_address(DEPLOYER)}
    if "anvil" in gateway.client().lower() and not settings.CHAIN_PUBLIC:
        for address in accounts.values():
            gateway.request("anvil_setBalance", [address, hex(LOCAL_BALANCE_WEI)])
        return
    poor = {
        role: address
        for role, address in accounts.items()
        if gateway.balance_wei(address) < LEAST_BALANCE_WEI
    }
    for role, address in sorted(poor.items()):
        say(f"fund {role} {address} with native coin for gas")
    if DEPLOYER in poor:
        raise ChainError(
            f"the deployer {poor[DEPLOYER]} cannot pay for the deployment: send it "
            "native coin and run deploy_contracts again"
        )


def _deploy_all(site: Site, roles: dict[str, str]) -> dict[str, dict[str, Any]]:
    listed: dict[str, dict[str, Any]] = {}
    token = settings.CHAIN_TOKEN_ADDRESS
    if token:
        listed[TOKEN] = _entry(
            site.gateway, checksum(token, "COLOPHON_TOKEN_ADDRESS"), 0
        )
    elif settings.CHAIN_PUBLIC:
        raise ChainError("a public chain needs COLOPHON_TOKEN_ADDRESS")
    else:
        listed[TOKEN] = _create(site, TOKEN, {})
    listed[LEDGER] = _create(
        site,
        LEDGER,
        {
            "token_": listed[TOKEN]["address"],
            **{f"{r}_": roles[r] for r in ("admin", "anchorer", "settler", "guardian")},
            "challengeWindow_": settings.CHALLENGE_WINDOW_SECONDS,
            "refundDelay_": settings.REFUND_DELAY_SECONDS,
        },
    )
    base = settings.CHAIN_TOKEN_BASE_URI
    listed[ASSET] = _create(
        site,
        ASSET,
        {
            "admin_": roles["admin"],
            "minter_": roles["minter"],
            "baseUri": base,
            "contractUri": f"{base}contract",
            "royaltyReceiver": roles["admin"],
            "royaltyBps": settings.CHAIN_ROYALTY_BPS,
        },
    )
    listed[TOKEN] |= _token_domain(site.gateway, listed[TOKEN]["address"])
    return listed


def _token_domain(gateway: Gateway, address: str) -> dict[str, str]:
    """EIP-712 name and version of the token, from its EIP-5267 answer.

    Raises:
        ChainError: the token does not say; it cannot take one-signature payments.
    """
    entry = abi.find(contracts.abi_of(TOKEN), "function", "eip712Domain")
    try:
        answer = gateway.call(address, abi.encode_call(entry, {}))
        _, name, version, *_ = abi.decode_output(entry, answer)
    except (RpcError, ArgsError) as error:
        raise ChainError(
            f"the token at {address} has no eip712Domain() (EIP-5267): name and "
            "version of its signatures are unknown"
        ) from error
    return {"name": str(name), "version": str(version)}


def _create(site: Site, contract: str, args: dict[str, Any]) -> dict[str, Any]:
    """Deploys one contract and waits until it is mined; goes on with an earlier try."""
    gateway = site.gateway
    code = contracts.bytecode_of(contract)
    entries = contracts.abi_of(contract)
    if any(entry["type"] == "constructor" for entry in entries):
        constructor = {**abi.find(entries, "constructor", ""), "name": contract}
        code += abi.encode(constructor, abi.normalize(constructor, args))
    signer = keys.deployer(gateway.chain_id())
    tries = site.unfinished.of(contract, code, signer.address)
    receipt = _mined(gateway, tries)
    if receipt is None:
        tries = [*tries, _send(site, contract, code, signer, tries)]
        receipt = _wait(gateway, tries)
    if not receipt.succeeded or not receipt.created:
        raise ChainError(f"{contract} was not deployed: {receipt.tx_hash} failed")
    site.say(f"{contract} {receipt.created}")
    return _entry(gateway, receipt.created, receipt.block_number)


def _send(
    site: Site, contract: str, code: bytes, signer: keys.RoleSigner, tries: list[Try]
) -> Try:
    """Sends the newest try once more while its nonce is free, else a new one."""
    gateway = site.gateway
    nonce = gateway.nonce(signer.address)
    if tries and tries[-1].nonce == nonce:
        try:
            gateway.send_raw(bytes.fromhex(tries[-1].raw))
        except AlreadyKnownError:
            return tries[-1]
        except (UnderpricedError, RejectedError):
            pass  # it offers too little by now: another one for the same nonce
        else:
            return tries[-1]
    faults.point("before_sign")
    signed = _sign(gateway, code, signer, nonce)
    made = site.unfinished.keep(contract, code, signer.address, nonce, signed)
    faults.point("after_sign")
    gateway.send_raw(signed.raw)
    faults.point("after_send")
    return made


def _sign(
    gateway: Gateway, code: bytes, signer: keys.RoleSigner, nonce: int
) -> keys.Signed:
    offer = fees.quote(
        base_fee_wei=gateway.head().base_fee_wei,
        tip_wei=gateway.tip_wei(),
        cap_wei=int(settings.CHAIN_MAX_FEE_GWEI * fees.GWEI),
    )
    estimate = gateway.estimate_gas(None, code, sender=signer.address)
    return signer.sign(
        keys.Transaction(
            chain_id=signer.chain_id,
            nonce=nonce,
            to=None,
            data=code,
            gas_limit=fees.gas_limit(estimate),
            max_fee_wei=offer.max_fee_wei,
            priority_fee_wei=offer.priority_fee_wei,
        )
    )


def _entry(gateway: Gateway, address: str, block: int) -> dict[str, Any]:
    code_hash = gateway.code_hash(address)
    if not code_hash:
        raise ChainError(f"there is no contract at {address}")
    return {"address": address, "code_hash": code_hash, "block": block}


def _mined(gateway: Gateway, tries: list[Try]) -> Receipt | None:
    """The receipt of a try that succeeded; one that failed is of no use."""
    found = gateway.receipts([one.tx_hash for one in tries])
    return next((one for one in found.values() if one.succeeded), None)


def _wait(gateway: Gateway, tries: list[Try]) -> Receipt:
    hashes = [one.tx_hash for one in tries]
    until = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < until:
        found = gateway.receipts(hashes)
        for tx_hash in reversed(hashes):
            if tx_hash in found:
                return found[tx_hash]
        time.sleep(POLL_SECONDS)
    raise RpcBehindError(f"{hashes[-1]} was not mined within {WAIT_SECONDS:g} s")
