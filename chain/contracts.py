"""Where our contracts are and what they understand: addresses and artifacts.

Addresses come from the Network row, which `manage.py deploy_contracts` writes;
ABI and bytecode from the committed artifacts (contracts/artifacts/*.json).
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings

from chain import abi
from chain.errors import NotDeployedError, RevertedError
from chain.kinds import ASSET, LEDGER, TOKEN, Kind
from chain.models import Network

ARTIFACTS = {LEDGER: "ColophonLedger", ASSET: "ColophonAsset", TOKEN: "TestUSD"}


@cache
def _read(path: Path) -> dict[str, Any]:
    artifact = json.loads(path.read_text(encoding="utf-8"))
    assert isinstance(artifact, dict)
    return artifact


def artifact(contract: str) -> dict[str, Any]:
    """The committed artifact: {abi, bytecode…}.

    Raises:
        NotDeployedError: the file is missing.
    """
    path = Path(settings.CHAIN_ARTIFACTS_DIR) / f"{ARTIFACTS[contract]}.json"
    try:
        return _read(path)
    except FileNotFoundError as error:
        raise NotDeployedError(
            f"{path.name} is missing in CHAIN_ARTIFACTS_DIR: run `make contracts`"
        ) from error


def abi_of(contract: str) -> list[dict[str, Any]]:
    """The contract's ABI."""
    entries = artifact(contract)["abi"]
    assert isinstance(entries, list)
    return entries


def bytecode_of(contract: str) -> bytes:
    """The contract's creation code."""
    code = artifact(contract)["bytecode"]
    text = code["object"] if isinstance(code, dict) else code
    return bytes.fromhex(str(text).removeprefix("0x"))


def network() -> Network:
    """The chain this database belongs to.

    Raises:
        NotDeployedError: nothing was deployed or adopted yet.
    """
    found = Network.objects.first()
    if found is None:
        raise NotDeployedError(
            "this database knows no contracts: run `manage.py deploy_contracts`"
        )
    return found


def address_of(contract: str) -> str:
    """Address of a contract, EIP-55.

    Raises:
        NotDeployedError: it is not deployed.
    """
    contracts = network().contracts
    if contract not in contracts:
        raise NotDeployedError(
            f"{contract} is not deployed: run `manage.py deploy_contracts`"
        )
    return str(contracts[contract]["address"])


def normal_args(kind: Kind, args: dict[str, Any]) -> dict[str, Any]:
    """Arguments of a kind's function in normal form.

    Raises:
        ArgsError: naming the argument that does not fit.
    """
    return abi.normalize(_function(kind), args)


def call_data(kind: Kind, args: dict[str, Any]) -> bytes:
    """The data of the call that a kind and its normalized arguments stand for."""
    return abi.encode_call(_function(kind), args)


def allowed_selectors(
    pairs: frozenset[tuple[str, str]],
) -> frozenset[tuple[str, bytes]]:
    """(address, selector) of (contract, function) pairs that are deployed."""
    contracts = network().contracts
    return frozenset(
        (
            str(contracts[contract]["address"]),
            abi.selector(abi.find(abi_of(contract), "function", function)),
        )
        for contract, function in pairs
        if contract in contracts
    )


def reason(error: RevertedError) -> str:
    """Why a call reverted, by name where one of our contracts declares it."""
    known = [abi_of(contract) for contract in ARTIFACTS]
    return abi.explain(known, error.data) or str(error)


def token_domain() -> dict[str, Any]:
    """EIP-712 domain of the settlement token, as wallets want it."""
    row = network()
    token = row.contracts[TOKEN]
    return _domain(row, token["address"], token["name"], token["version"])


def ledger_domain() -> dict[str, Any]:
    """EIP-712 domain of the ledger (redirections, refund requests)."""
    row = network()
    return _domain(row, row.contracts[LEDGER]["address"], LEDGER, "1")


def _domain(row: Network, address: str, name: str, version: str) -> dict[str, Any]:
    return {
        "name": name,
        "version": version,
        "chainId": row.chain_id,
        "verifyingContract": address,
    }


def _function(kind: Kind) -> abi.Entry:
    return abi.find(abi_of(kind.contract), "function", kind.function)
