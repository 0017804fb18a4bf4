"""Is this the chain that the database belongs to? If not, nothing is sent or read.

Chain id, genesis hash and the code hash of every contract must match the Network
row. A restarted test chain has another genesis or no contracts: the answer then is
`make reset`, never a silent mix of two histories.
"""

from __future__ import annotations

import time

from chain import contracts
from chain.errors import WrongChainError
from chain.gateway import Gateway, connect
from chain.models import Network

CACHE_SECONDS = 15.0
_checked: dict[tuple[tuple[str, ...], int, str], float] = {}


def verify(gateway: Gateway, network: Network) -> None:
    """Compares chain and database now.

    Raises:
        WrongChainError: what differs, and what to do.
    """
    found = gateway.chain_id()
    if found != network.chain_id:
        raise WrongChainError(
            f"the node serves chain {found}, this database belongs to chain "
            f"{network.chain_id}: check COLOPHON_RPC_URLS"
        )
    genesis = gateway.genesis_hash()
    if genesis != network.genesis_hash:
        raise WrongChainError(
            f"the chain has another genesis block ({genesis}) than the one this "
            f"database belongs to ({network.genesis_hash}). A test chain was started "
            "anew: run `make reset` to start both anew, or start the old chain"
        )
    for name, contract in sorted(network.contracts.items()):
        code = gateway.code_hash(contract["address"])
        if code != contract["code_hash"]:
            what = "other code" if code else "no code"
            raise WrongChainError(
                f"{name} has {what} at {contract['address']} than this database "
                "knows: run `make reset` for a test chain, or point "
                "COLOPHON_RPC_URLS at the right one"
            )


def checked() -> tuple[Gateway, Network]:
    """The gateway and the network, verified within the last seconds.

    Raises:
        NotDeployedError, WrongChainError, RpcDownError.
    """
    network = contracts.network()
    gateway = connect()
    key = (gateway.urls, network.chain_id, network.genesis_hash)
    if time.monotonic() - _checked.get(key, float("-inf")) > CACHE_SECONDS:
        verify(gateway, network)
        _checked[key] = time.monotonic()
    return gateway, network


def forget() -> None:
    """Drops what was verified, so that the next use asks the chain again."""
    _checked.clear()
